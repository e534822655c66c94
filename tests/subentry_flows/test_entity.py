"""Any other device: entities as fields with names."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.flow_forms import fields, suggested

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
    assert fields(result) == ["name", "fields"]

    result = await submit(
        hass,
        result,
        {"name": " Cooling ", "fields": [{**CHILLER, "name": " chiller "}, WATER]},
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert devices(aquarium) == [
        ("entity", "Cooling", {"fields": [CHILLER_STORED, WATER_STORED]})
    ]


async def test_a_device_may_have_one_field(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """It may come without its list."""
    result = await add(hass, aquarium, "entity")

    await submit(hass, result, {"name": "Water", "fields": WATER})

    assert devices(aquarium) == [("entity", "Water", {"fields": [WATER_STORED]})]


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
        ("entity", "Chiller", {"fields": [WATER_STORED, CHILLER_STORED]})
    ]


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
