"""Any other device: entities as fields with names."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.flow_forms import USUAL_HAND, fields, filled_in, suggested

from .forms import add, change, devices, listed, submit

CHILLER = {"name": "chiller", "entity_id": "climate.chiller"}
WATER = {"name": "water_temperature", "entity_id": "sensor.temperature"}
CHILLER_STORED = {**CHILLER, "unit": "°C"}
WATER_STORED = {**WATER, "unit": "°C"}


async def test_a_device_has_fields(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Sensors can be among them."""
    result = await add(hass, aquarium, "entity")
    assert result["step_id"] == "device"
    assert fields(result) == ["name", "fields", *USUAL_HAND]

    result = await submit(
        hass,
        result,
        {"name": " Cooling ", "fields": [{**CHILLER, "name": " chiller "}, WATER]},
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert devices(aquarium) == [
        (
            "entity",
            "Cooling",
            {"fields": [CHILLER_STORED, WATER_STORED], **USUAL_HAND},
        )
    ]


async def test_a_device_may_have_one_field(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """It may come without its list."""
    result = await add(hass, aquarium, "entity")

    await submit(hass, result, {"name": "Water", "fields": WATER})

    assert devices(aquarium) == [
        ("entity", "Water", {"fields": [WATER_STORED], **USUAL_HAND})
    ]


async def test_a_field_has_values_for_doubt_start_and_stop(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Each as its entity takes it; they are shown again as they were written."""
    written = [
        {
            "name": "heater",
            "entity_id": "switch.skimmer",
            "safe_value": " off ",
            "start_value": "On",
        },
        {
            "name": "wave",
            "entity_id": "number.wavemaker",
            "safe_value": "12,5",
            "shutdown_value": "0",
        },
        {**CHILLER, "safe_value": "off", "start_value": ""},
    ]
    result = await add(hass, aquarium, "entity")
    await submit(hass, result, {"name": "Heating", "fields": written})
    (_, _, stored) = devices(aquarium)[0]
    assert stored["fields"] == [
        {
            "name": "heater",
            "entity_id": "switch.skimmer",
            "safe_value": False,
            "start_value": True,
        },
        {
            "name": "wave",
            "entity_id": "number.wavemaker",
            "unit": "%",
            "safe_value": 12.5,
            "shutdown_value": 0.0,
        },
        {**CHILLER_STORED, "safe_value": "off"},
    ]
    (subentry,) = aquarium.subentries.values()
    result = await change(hass, aquarium, subentry)
    assert [
        {key: text for key, text in field.items() if key.endswith("_value")}
        for field in suggested(result)["fields"]
    ] == [
        {"safe_value": "off", "start_value": "on"},
        {"safe_value": "12.5", "shutdown_value": "0"},
        {"safe_value": "off"},
    ]


async def test_single_fields_keep_what_was_set_by_hand(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """RES-28: chosen at the field, and shown again."""
    fields = [
        {
            "name": "heater",
            "entity_id": "switch.skimmer",
            "respect_manual_change": True,
        },
        {**CHILLER, "respect_manual_change": False},
    ]
    result = await add(hass, aquarium, "entity")
    await submit(hass, result, {"name": "Heating", "fields": fields})
    (_, _, stored) = devices(aquarium)[0]
    assert stored["fields"] == [fields[0], CHILLER_STORED]
    (subentry,) = aquarium.subentries.values()
    result = await change(hass, aquarium, subentry)
    shown = suggested(result)["fields"]
    assert [one.get("respect_manual_change") for one in shown] == [True, None]


@pytest.mark.parametrize(
    ("wrong", "error", "entity", "word"),
    [
        ([], "fields_missing", "", ""),
        (
            [{"name": "x", "entity_id": "sensor.nowhere"}],
            "entity_missing",
            "sensor.nowhere",
            "",
        ),
        (
            [{"name": "x", "entity_id": "media_player.radio"}],
            "wrong_domain",
            "media_player.radio",
            "",
        ),
        (
            [{"name": "x", "entity_id": "switch.aquarist_head"}],
            "own_entity",
            "switch.aquarist_head",
            "",
        ),
        (
            [WATER, {"name": "ph", "entity_id": "sensor.used"}],
            "entity_in_use",
            "sensor.used",
            "",
        ),
        (
            [WATER, {"name": "other", "entity_id": "sensor.temperature"}],
            "entity_twice",
            "sensor.temperature",
            "",
        ),
        (
            [CHILLER, {**WATER, "name": "chiller"}],
            "word_twice",
            "",
            "chiller",
        ),
        ([{**WATER, "name": "Water °C"}], "word_invalid", "", "Water °C"),
        ([{**WATER, "name": "2nd"}], "word_invalid", "", "2nd"),
        ([{**WATER, "safe_value": "20"}], "value_wrong", "sensor.temperature", "20"),
        (
            [{"name": "x", "entity_id": "switch.skimmer", "start_value": "50"}],
            "value_wrong",
            "switch.skimmer",
            "50",
        ),
        (
            [{"name": "x", "entity_id": "number.wavemaker", "shutdown_value": "inf"}],
            "value_wrong",
            "number.wavemaker",
            "inf",
        ),
        ([{**WATER, "name": ""}], "word_invalid", "", ""),
    ],
)
async def test_fields_that_make_no_device_are_refused(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    wrong: list[dict[str, str]],
    error: str,
    entity: str,
    word: str,
) -> None:
    """The error names the entity or the field; corrected the device is added."""
    result = await add(hass, aquarium, "entity")
    result = await submit(hass, result, {"name": "Cooling", "fields": wrong})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"fields": error}
    assert result["description_placeholders"] == {"entity": entity, "word": word}
    assert devices(aquarium) == []

    result = await submit(hass, result, {"name": "Cooling", "fields": [CHILLER]})

    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_device_needs_a_name(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Spaces are none."""
    result = await add(hass, aquarium, "entity")

    result = await submit(hass, result, {"name": " ", "fields": [CHILLER]})

    assert result["errors"] == {"name": "name_missing"}


@pytest.mark.parametrize(
    "wrong",
    [[{"name": "x"}], "sensor.temperature", [{**WATER, "unit": "K"}]],
    ids=["without an entity", "no list", "something unknown"],
)
async def test_what_is_no_field_is_refused(
    hass: HomeAssistant, aquarium: MockConfigEntry, wrong: Any
) -> None:
    """The form itself does not let it through."""
    result = await add(hass, aquarium, "entity")

    with pytest.raises(InvalidData) as refused:
        await submit(hass, result, {"name": "Cooling", "fields": wrong})

    assert list(refused.value.schema_errors) == ["fields"]


async def test_a_device_can_be_changed(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Its own entities are free to it; what was noted of them is not asked."""
    stored = {"fields": [CHILLER_STORED]}
    device = listed(hass, aquarium, "entity", "Cooling", stored)
    result = await change(hass, aquarium, device)
    assert suggested(result) == {"name": "Cooling", "fields": [CHILLER]}

    result = await submit(hass, result, {"name": "Chiller", "fields": [WATER, CHILLER]})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert devices(aquarium) == [
        (
            "entity",
            "Chiller",
            {"fields": [WATER_STORED, CHILLER_STORED], **USUAL_HAND},
        )
    ]


async def test_what_a_change_by_hand_of_a_device_means(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """RES-54: minutes need to be known; what was chosen is shown again."""
    result = await add(hass, aquarium, "entity")
    asked = {"name": "Cooling", "fields": [CHILLER], "hand": "minutes"}
    result = await submit(hass, result, asked)
    assert result["errors"] == {"hand_minutes": "hand_minutes_missing"}
    assert filled_in(result, "hand") == "minutes"

    chosen = {"hand": "minutes", "hand_minutes": 45, "respect_manual_change": True}
    await submit(hass, result, asked | chosen)

    ((_, _, stored),) = devices(aquarium)
    assert stored == {"fields": [CHILLER_STORED], **chosen}
    device = next(iter(aquarium.subentries.values()))
    result = await change(hass, aquarium, device)
    assert filled_in(result, "hand") == "minutes"
    assert suggested(result)["hand_minutes"] == 45


async def test_the_announced_unit_stays(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Home Assistant has other units since; an entity that is new has the present one (R-T62)."""
    device = listed(hass, aquarium, "entity", "Cooling", {"fields": [CHILLER_STORED]})
    hass.config.units = US_CUSTOMARY_SYSTEM
    hass.states.async_set("sensor.temperature", "77", {"unit_of_measurement": "°F"})
    result = await change(hass, aquarium, device)

    await submit(hass, result, {"name": "Cooling", "fields": [CHILLER, WATER]})

    assert devices(aquarium)[0][2]["fields"] == [
        CHILLER_STORED,
        {**WATER, "unit": "°F"},
    ]


async def test_an_entity_without_a_unit_has_none(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Nor one that has no state yet."""
    fields_asked = [
        {"name": "skimmer", "entity_id": "switch.skimmer"},
        {"name": "asleep", "entity_id": "switch.asleep"},
    ]
    result = await add(hass, aquarium, "entity")

    await submit(hass, result, {"name": "Things", "fields": fields_asked})

    skimmer, asleep = devices(aquarium)[0][2]["fields"]
    assert skimmer == fields_asked[0]
    assert asleep.keys() == {"name", "entity_id", "registry_id"}
