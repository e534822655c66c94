"""What can be read and written, field by field (R-T47, R-T60, R-T62)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.limits.bounds import Bounds
from tests.aquarium import device_named, engine_of, heard
from tests.package_source import english

from .chiller import CHILLER, DEVICE, climate, sump
from .rest import DOSER, PUMP, Rest, retired
from .write_actions import PATH, action, in_phase, one, why


async def fields_of(rest: Rest, name: str) -> dict[str, dict[str, Any]]:
    """Return the fields of a device's type by their names."""
    answer = await rest.get("/device_types")
    assert answer.status == 200
    (found,) = (
        one for one in answer.body["results"] if one["description"].endswith(name)
    )
    return {field["name"]: field for field in found["fields"]}


async def test_every_device_has_a_type(hass: HomeAssistant, rest: Rest) -> None:
    """Also one that is out of use: what `/devices` names is there."""
    await retired(hass, PUMP)
    devices = (await rest.get("/devices")).body["results"]
    types = (await rest.get("/device_types")).body

    assert [one["device_type"] for one in devices] == [
        one["name"] for one in types["results"]
    ]
    assert types["count"] == 4
    assert types["results"][2]["fields"] == []
    paged = (await rest.get("/device_types", page="2", page_size="1")).body
    assert paged["results"] == types["results"][1:2]
    assert paged["next"] is not None


async def test_fields_of_our_own_devices(hass: HomeAssistant, rest: Rest) -> None:
    """A lamp's level and its mix, a pump's level, a head's permission."""
    assert await fields_of(rest, "Skimmer") == {
        "level": {
            "name": "level",
            "description": "How strongly it runs or shines, in per cent. 0 is off.",
            "data_type": "number",
            "writable": True,
            "unit": "%",
            "min": 0,
            "max": 100,
            "values": [],
        }
    }
    lamp = await fields_of(rest, "Demo light")
    assert list(lamp) == ["level", "mix_red", "mix_green", "mix_blue", "mix_white"]
    assert "channel red" in lamp["mix_red"]["description"]
    doser = await fields_of(rest, DOSER)
    assert list(doser) == [f"dosing_allowed_{head}" for head in range(4)]
    assert doser["dosing_allowed_3"]["description"] == "Whether head 4 may dose."
    assert doser["dosing_allowed_3"]["data_type"] == "boolean"


async def test_a_limit_of_the_keeper_is_announced_and_holds(
    hass: HomeAssistant, rest: Rest
) -> None:
    """R-T24, RES-57: what is announced can be set, what lies above it is not taken."""
    lamp = device_named(hass, "Demo light")
    lamp.limits = replace(lamp.limits, bounds={"light": Bounds(maximum=80)})
    fields = await fields_of(rest, "Demo light")
    assert (fields["level"]["min"], fields["level"]["max"]) == (0, 80)
    assert fields["mix_red"]["max"] == 100
    items = [action(hass, "Demo light", value=value) for value in (81, 80)]
    above, right = (await rest.post(PATH, {"actions": items})).body["results"]
    assert right["status"] == "PLANNED"
    key, details = why(above)
    assert key == "value_out_of_bounds"
    assert (details["provided_value"], details["min"], details["max"]) == (81, 0, 80)


def test_every_kind_has_a_word() -> None:
    """In the language of the house."""
    assert set(english()["selector"]["device_kind"]["options"]) == set(DeviceKind)


async def test_fields_are_what_the_entities_can(
    hass: HomeAssistant, tmp_path: Path, hass_client: ClientSessionGenerator
) -> None:
    """R-T47: type, unit, bounds and choices, in the announced unit; sensors are read only."""
    async with sump(hass, tmp_path):
        rest = Rest(await hass_client())
        fields = await fields_of(rest, DEVICE)

    def shape(name: str) -> tuple[Any, ...]:
        field = fields[name]
        keys = ("data_type", "unit", "min", "max", "values", "writable")
        return tuple(field[key] for key in keys)

    assert shape("target") == ("number", "°C", 10, 35, [], True)
    assert fields["target"]["description"] == "Target of the sump"
    assert shape("pump_mode") == ("string", None, None, None, ["calm", "wave"], True)
    assert shape("relay") == ("boolean", None, None, None, [], True)
    assert shape("lamp") == ("number", "%", 0, 100, [], True)
    assert shape("fan")[:4] == ("number", "%", 0, 100)
    assert shape("cover")[:4] == ("number", "%", 0, 100)
    assert shape("note") == ("string", None, None, None, [], True)
    assert shape("leak") == ("boolean", None, None, None, [], False)
    assert shape("salinity") == ("number", "PSU", None, None, [], False)
    assert shape("hvac_mode") == ("string", None, None, None, ["off", "cool"], True)
    assert shape("temperature") == ("number", "°C", 10, 35, [], True)
    assert shape("preset_mode")[4] == ["none", "eco"]
    text = "Chiller of the sump: The temperature to hold."
    assert fields["temperature"]["description"] == text
    assert set(fields) == {
        "target",
        "pump_mode",
        "relay",
        "lamp",
        "fan",
        "cover",
        "note",
        "leak",
        "salinity",
        "hvac_mode",
        "temperature",
        "preset_mode",
    }


async def test_values_are_in_the_announced_unit(
    hass: HomeAssistant, tmp_path: Path, hass_client: ClientSessionGenerator
) -> None:
    """R-T62: Home Assistant in Fahrenheit, 17 °C is 62.6 °F there, and comes back exactly."""
    async with sump(hass, tmp_path, "target"):
        rest = Rest(await hass_client())
        asked = action(hass, DEVICE, field_name="target", value=17)
        async with heard(hass, in_phase(Phase.IN_FORCE, asked["action_id"])):
            await rest.post(PATH, asked)
        state = hass.states.get("input_number.target")
        assert state is not None and float(state.state) == 62.6
        query = {"device_id": asked["device_id"], "field_name": "target"}
        (latest,) = (await rest.get("/latest_value", **query)).body["results"]
        assert latest["value"] == pytest.approx(17)

        async with heard(hass, in_phase(Phase.COMPLETED, asked["action_id"])):
            await end_now(hass, asked["action_id"])
        state = hass.states.get("input_number.target")
        assert state is not None and float(state.state) == 77

        high = action(hass, DEVICE, field_name="target", value=36)
        details = why((await rest.post(PATH, high)).body)[1]
        assert (details["min"], details["max"]) == (10, 35)


async def end_now(hass: HomeAssistant, action_id: str) -> None:
    """Let a window's time be over."""
    engine = engine_of(hass)
    (command,) = (one for one in engine.records.open if one.id == action_id)
    engine.arbiter.release(command)


async def test_a_part_of_a_climate_is_set_and_all_of_it_comes_back(
    hass: HomeAssistant, tmp_path: Path, hass_client: ClientSessionGenerator
) -> None:
    """R-T60: a temperature in a window; mode, temperature and preset are as before."""
    async with sump(hass, tmp_path, "chiller"):
        rest = Rest(await hass_client())
        before = hass.states.get(CHILLER)
        asked = action(hass, DEVICE, field_name="chiller.temperature", value=17)
        async with heard(hass, in_phase(Phase.IN_FORCE, asked["action_id"])):
            answer = await rest.post(PATH, asked)
        assert answer.body["field_name"] == "chiller.temperature"
        state = hass.states.get(CHILLER)
        assert state is not None
        assert state.attributes["temperature"] == pytest.approx(62.6)
        async with heard(hass, in_phase(Phase.COMPLETED, asked["action_id"])):
            await end_now(hass, asked["action_id"])
        after = hass.states.get(CHILLER)
        assert before is not None and after is not None
        assert (after.state, dict(after.attributes)) == (
            before.state,
            dict(before.attributes),
        )


@pytest.mark.parametrize(
    ("change", "key", "details"),
    [
        (
            {"field_name": "salinity", "value": 3},
            "field_not_writable",
            {"field_name": "salinity", "reason": "read_only"},
        ),
        (
            {"field_name": "pump_mode", "value": "storm"},
            "value_out_of_bounds",
            {
                "field_name": "pump_mode",
                "provided_value": "storm",
                "data_type": "string",
                "values": ["calm", "wave"],
            },
        ),
        (
            {"field_name": "pump_mode", "value": True},
            "wrong_type",
            {
                "field_name": "pump_mode",
                "provided_value": True,
                "data_type": "string",
                "values": ["calm", "wave"],
            },
        ),
        (
            {"field_name": "relay", "value": 1},
            "wrong_type",
            {
                "field_name": "relay",
                "provided_value": 1,
                "data_type": "boolean",
                "min": None,
                "max": None,
            },
        ),
        (
            {"field_name": "chiller.colour", "value": 1},
            "field_not_found",
            {"field_name": "chiller.colour"},
        ),
    ],
)
async def test_values_that_a_field_does_not_take(
    hass: HomeAssistant,
    tmp_path: Path,
    hass_client: ClientSessionGenerator,
    change: dict[str, Any],
    key: str,
    details: dict[str, Any],
) -> None:
    """R-T24, R-T25, RES-49: strict types, lists of choices, what cannot be written."""
    async with sump(hass, tmp_path):
        rest = Rest(await hass_client())
        answer = await rest.post(PATH, action(hass, DEVICE) | change)

    assert why(answer.body) == (key, details)


async def test_an_entity_that_is_away_is_waited_for(
    hass: HomeAssistant, tmp_path: Path, hass_client: ClientSessionGenerator
) -> None:
    """R-T54, R-T55: the window begins when its entity is there, and comes back to its value."""
    async with sump(hass, tmp_path, "chiller"):
        rest = Rest(await hass_client())
        hass.states.async_set(CHILLER, "unavailable")
        asked = action(hass, DEVICE, field_name="temperature", value=17)
        answer = await rest.post(PATH, asked)
        assert answer.body["status"] == "PLANNED"
        async with heard(hass, in_phase(Phase.IN_FORCE, asked["action_id"])):
            climate(hass, CHILLER, temperature=80)
        async with heard(hass, in_phase(Phase.COMPLETED, asked["action_id"])):
            await end_now(hass, asked["action_id"])
        state = hass.states.get(CHILLER)
        assert state is not None
        assert state.attributes["temperature"] == pytest.approx(80, abs=0.01)
        assert (await one(rest, asked["action_id"]))["status"] == "OLD_VALUE_RESTORED"


async def test_a_change_by_hand_is_noted_where_it_is_respected(
    hass: HomeAssistant, rest: Rest
) -> None:
    """RES-28: the status is the same, the details tell."""
    engine = engine_of(hass)
    asked = action(hass)
    async with heard(hass, in_phase(Phase.IN_FORCE, asked["action_id"])):
        await rest.post(PATH, asked)
    (command,) = engine.records.open
    engine.records.note(command, result={"manual_change": {"level": 55}})
    async with heard(hass, in_phase(Phase.COMPLETED, asked["action_id"])):
        await end_now(hass, asked["action_id"])

    found = await one(rest, asked["action_id"])
    assert found["status"] == "OLD_VALUE_RESTORED"
    assert found["details"]["manual_change"] == {"level": 55}
