"""A pump: one entity, its range and its limits."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.flow_forms import (
    HAND_FIELDS,
    NO_REST,
    REST_FIELDS,
    USUAL_HAND,
    fields,
    filled_in,
    suggested,
)

from .forms import USED_PUMP, add, change, devices, listed, submit

NOTHING_SET = {
    "minimum": None,
    "maximum": None,
    "safe_level": None,
    **NO_REST,
    "maximum_on_minutes": None,
    "slew": None,
    **USUAL_HAND,
}


async def test_a_switch_is_a_pump(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """It is on or off: no range and no slew are asked; off is suggested as safe."""
    result = await add(hass, aquarium, "pump")
    assert result["step_id"] == "device"
    assert fields(result) == ["name", "entity_id"]
    result = await submit(
        hass, result, {"name": " Return pump ", "entity_id": "switch.return_pump"}
    )
    assert result["step_id"] == "limits"
    assert result["description_placeholders"] == {"entity": "return pump"}
    assert fields(result) == [
        "safe_level",
        *REST_FIELDS,
        "maximum_on_minutes",
        *HAND_FIELDS,
    ]
    assert suggested(result) == {"safe_level": 0}

    result = await submit(hass, result, {"safe_level": 100, "maximum_on_minutes": 90})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert devices(aquarium) == [
        (
            "pump",
            "Return pump",
            {
                "entity_id": "switch.return_pump",
                **NOTHING_SET,
                "safe_level": 100,
                "maximum_on_minutes": 90,
            },
        )
    ]


async def test_a_number_has_its_own_range_as_suggestion(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """The keeper may narrow it."""
    result = await add(hass, aquarium, "pump")
    result = await submit(
        hass, result, {"name": "Wavemaker", "entity_id": "number.wavemaker"}
    )
    assert fields(result) == [
        "minimum",
        "maximum",
        "safe_level",
        *REST_FIELDS,
        "maximum_on_minutes",
        "slew",
        *HAND_FIELDS,
    ]
    assert suggested(result) == {"minimum": 10.0, "maximum": 90.0, "safe_level": 0}
    schema = result["data_schema"]
    assert schema is not None
    assert schema.schema["minimum"].config["unit_of_measurement"] == "%"

    await submit(hass, result, {"minimum": 20, "maximum": 80, "slew": 2.5})

    assert devices(aquarium) == [
        (
            "pump",
            "Wavemaker",
            {
                "entity_id": "number.wavemaker",
                **NOTHING_SET,
                "minimum": 20,
                "maximum": 80,
                "slew": 2.5,
            },
        )
    ]


@pytest.mark.parametrize("entity_id", ["number.without_range", "number.asleep"])
async def test_a_number_whose_range_is_not_known_can_be_added(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    entity_id: str,
) -> None:
    """Its integration may just not run; left empty it is the entity's own range."""
    asleep = entity_registry.async_get_or_create(
        "number", "demo", "asleep", suggested_object_id="asleep"
    )
    known = {"registry_id": asleep.id} if entity_id == asleep.entity_id else {}
    result = await add(hass, aquarium, "pump")
    result = await submit(hass, result, {"name": "Sleeper", "entity_id": entity_id})
    assert suggested(result) == {"safe_level": 0}

    await submit(hass, result, {})

    assert devices(aquarium) == [
        ("pump", "Sleeper", {"entity_id": entity_id, **known, **NOTHING_SET})
    ]


@pytest.mark.parametrize(
    ("entity_id", "wrong"),
    [
        ("number.wavemaker", {"minimum": 50, "maximum": 50}),
        ("number.wavemaker", {"minimum": 60, "maximum": 40}),
        ("number.wavemaker", {"minimum": 90}),
        ("number.wavemaker", {"maximum": 10}),
        ("number.without_range", {"minimum": 5, "maximum": 1}),
    ],
)
async def test_an_empty_range_is_refused(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    entity_id: str,
    wrong: dict[str, float],
) -> None:
    """Also against the end that is the entity's own; corrected it is saved."""
    result = await add(hass, aquarium, "pump")
    result = await submit(hass, result, {"name": "Wave", "entity_id": entity_id})
    result = await submit(hass, result, wrong)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"maximum": "range_empty"}
    assert suggested(result).items() >= wrong.items()
    assert devices(aquarium) == []

    result = await submit(hass, result, {"minimum": 10, "maximum": 90})

    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("minimum", 9),
        ("maximum", 91),
        ("safe_level", -1),
        ("safe_level", 101),
        ("start_level", 101),
        ("shutdown_level", -1),
        ("maximum_on_minutes", 0),
        ("slew", 0),
    ],
)
async def test_values_out_of_range_are_refused_by_field(
    hass: HomeAssistant, aquarium: MockConfigEntry, field: str, value: float
) -> None:
    """A range beyond the entity's own could never be set."""
    result = await add(hass, aquarium, "pump")
    result = await submit(
        hass, result, {"name": "Wavemaker", "entity_id": "number.wavemaker"}
    )

    with pytest.raises(InvalidData) as refused:
        await submit(hass, result, {field: value})

    assert list(refused.value.schema_errors) == [field]
    assert devices(aquarium) == []


async def test_a_switch_cannot_be_half_on_in_its_safe_state(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """It can be on, off, or have no safe state."""
    result = await add(hass, aquarium, "pump")
    result = await submit(
        hass, result, {"name": "Skimmer", "entity_id": "switch.skimmer"}
    )
    result = await submit(hass, result, {"safe_level": 50})
    assert result["errors"] == {"safe_level": "on_or_off"}

    result = await submit(hass, result, {})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert devices(aquarium)[0][2]["safe_level"] is None


@pytest.mark.parametrize(
    ("entity_id", "error"),
    [
        ("switch.nowhere", "entity_missing"),
        ("switch.disabled", "entity_missing"),
        ("0123456789abcdef0123456789abcdef", "entity_missing"),
        ("sensor.temperature", "wrong_domain"),
        ("switch.aquarist_head", "own_entity"),
        ("switch.used", "entity_in_use"),
        ("light.used", "entity_in_use"),
    ],
)
async def test_entities_that_cannot_back_a_pump_are_refused(
    hass: HomeAssistant, aquarium: MockConfigEntry, entity_id: str, error: str
) -> None:
    """The error names the entity; with another one the pump is added."""
    result = await add(hass, aquarium, "pump")
    result = await submit(hass, result, {"name": "Pump", "entity_id": entity_id})
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "device"
    assert result["errors"] == {"entity_id": error}
    assert result["description_placeholders"] == {"entity": entity_id, "word": ""}

    result = await submit(hass, result, {"name": "Pump", "entity_id": "fan.cooling"})
    result = await submit(hass, result, {})

    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_an_entity_that_was_renamed_is_still_in_use(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> None:
    """A device may name its entity by the id that renaming does not change."""
    asleep = entity_registry.async_get("switch.asleep")
    assert asleep is not None
    listed(hass, aquarium, "pump", "Asleep", {**USED_PUMP, "entity_id": asleep.id})
    entity_registry.async_update_entity("switch.asleep", new_entity_id="switch.awake")
    result = await add(hass, aquarium, "pump")

    result = await submit(hass, result, {"name": "Pump", "entity_id": "switch.awake"})

    assert result["errors"] == {"entity_id": "entity_in_use"}


async def test_the_id_of_a_registry_entry_stands_for_its_entity(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> None:
    """Home Assistant's entity field takes both."""
    asleep = entity_registry.async_get("switch.asleep")
    assert asleep is not None
    result = await add(hass, aquarium, "pump")
    result = await submit(hass, result, {"name": "Pump", "entity_id": asleep.id})

    await submit(hass, result, {})

    stored = devices(aquarium)[0][2]
    assert stored["entity_id"] == "switch.asleep"
    assert stored["registry_id"] == asleep.id


async def test_a_pump_is_changed_under_the_present_name_of_its_entity(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> None:
    """Renamed since it was added; what is stored is brought up to date."""
    asleep = entity_registry.async_get("switch.asleep")
    assert asleep is not None
    stored = {**USED_PUMP, "entity_id": "switch.asleep", "registry_id": asleep.id}
    pump = listed(hass, aquarium, "pump", "Asleep", {**stored, "safe_level": 100})
    entity_registry.async_update_entity("switch.asleep", new_entity_id="switch.awake")

    result = await change(hass, aquarium, pump)

    assert suggested(result) == {"name": "Asleep", "entity_id": "switch.awake"}
    result = await submit(hass, result, suggested(result))
    assert suggested(result) == {"safe_level": 100}
    await submit(hass, result, suggested(result))
    assert devices(aquarium) == [
        (
            "pump",
            "Asleep",
            {**stored, "entity_id": "switch.awake", "safe_level": 100},
        )
    ]


async def test_what_a_change_by_hand_of_a_pump_means(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Minutes are needed where they are chosen; what is stored is filled in the next time."""
    result = await add(hass, aquarium, "pump")
    pump = {"name": "Skimmer", "entity_id": "switch.skimmer"}
    result = await submit(hass, result, pump)
    result = await submit(hass, result, {"hand": "minutes", "safe_level": 0})
    assert result["errors"] == {"hand_minutes": "hand_minutes_missing"}
    assert filled_in(result, "hand") == "minutes"
    assert devices(aquarium) == []

    chosen = {"hand": "minutes", "hand_minutes": 45, "respect_manual_change": True}
    await submit(hass, result, {**chosen, "safe_level": 0})

    assert devices(aquarium)[0][2].items() >= chosen.items()
    (listed_pump,) = aquarium.subentries.values()
    result = await change(hass, aquarium, listed_pump)
    result = await submit(hass, result, pump)
    assert filled_in(result, "hand") == "minutes"
    assert filled_in(result, "respect_manual_change") is True
    assert suggested(result) == {"safe_level": 0, "hand_minutes": 45}


async def test_a_pump_needs_a_name(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Name and entity are judged together."""
    result = await add(hass, aquarium, "pump")

    result = await submit(hass, result, {"name": " ", "entity_id": "switch.nowhere"})

    assert result["errors"] == {"name": "name_missing", "entity_id": "entity_missing"}
    assert suggested(result) == {"name": " ", "entity_id": "switch.nowhere"}


@pytest.mark.parametrize(
    ("name", "error"),
    [("x" * 101, "name_too_long"), (" return PUMP ", "device_name_taken")],
)
async def test_a_pump_needs_a_name_of_its_own(
    hass: HomeAssistant, aquarium: MockConfigEntry, name: str, error: str
) -> None:
    """Nobody could tell two devices of one name apart; a rule may have the same."""
    listed(hass, aquarium, "pump", "Return pump", USED_PUMP)
    result = await add(hass, aquarium, "pump")
    switch = {"entity_id": "switch.skimmer"}
    result = await submit(hass, result, {"name": name, **switch})
    assert result["errors"] == {"name": error}

    result = await submit(hass, result, {"name": "x" * 100, **switch})

    assert result["step_id"] == "limits"


async def test_a_pump_keeps_its_name_when_it_is_changed(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Its own name is not taken; that of a rule is none of a device."""
    pump = listed(hass, aquarium, "pump", "Return pump", USED_PUMP)
    listed(hass, aquarium, "interlock", "RETURN PUMP", {})
    result = await change(hass, aquarium, pump)

    result = await submit(
        hass, result, {"name": "Return Pump", "entity_id": "switch.skimmer"}
    )

    assert result["step_id"] == "limits"


@pytest.fixture
def wavemaker() -> dict[str, Any]:
    """Give what is stored of a pump."""
    return {
        "entity_id": "number.wavemaker",
        "minimum": 20.0,
        "maximum": None,
        "safe_level": None,
        "maximum_on_minutes": 30.0,
        "slew": 5.0,
    }


async def test_a_pump_can_be_changed(
    hass: HomeAssistant, aquarium: MockConfigEntry, wavemaker: dict[str, Any]
) -> None:
    """Its own entity is free to it; what is stored is suggested, and can be emptied."""
    pump = listed(hass, aquarium, "pump", "Wavemaker", wavemaker)
    result = await change(hass, aquarium, pump)
    assert suggested(result) == {"name": "Wavemaker", "entity_id": "number.wavemaker"}
    result = await submit(
        hass, result, {"name": "Left wavemaker", "entity_id": "number.wavemaker"}
    )
    assert suggested(result) == {
        "minimum": 20.0,
        "maximum_on_minutes": 30.0,
        "slew": 5.0,
    }

    result = await submit(hass, result, {"minimum": 30, "slew": 5})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert devices(aquarium) == [
        (
            "pump",
            "Left wavemaker",
            {
                "entity_id": "number.wavemaker",
                **NOTHING_SET,
                "minimum": 30,
                "slew": 5,
            },
        )
    ]
    assert list(aquarium.subentries) == [pump.subentry_id]


async def test_another_entity_begins_with_its_own_limits(
    hass: HomeAssistant, aquarium: MockConfigEntry, wavemaker: dict[str, Any]
) -> None:
    """The old range says nothing about it."""
    pump = listed(hass, aquarium, "pump", "Wavemaker", wavemaker)
    result = await change(hass, aquarium, pump)

    result = await submit(
        hass, result, {"name": "Wavemaker", "entity_id": "fan.cooling"}
    )

    assert fields(result) == [
        "safe_level",
        *REST_FIELDS,
        "maximum_on_minutes",
        "slew",
        *HAND_FIELDS,
    ]
    assert suggested(result) == {"safe_level": 0}


async def test_a_pump_cannot_take_the_entity_of_another(
    hass: HomeAssistant, aquarium: MockConfigEntry, wavemaker: dict[str, Any]
) -> None:
    """An entity backs one device; the pump stays as it is."""
    pump = listed(hass, aquarium, "pump", "Wavemaker", wavemaker)
    result = await change(hass, aquarium, pump)

    result = await submit(
        hass, result, {"name": "Wavemaker", "entity_id": "switch.used"}
    )

    assert result["errors"] == {"entity_id": "entity_in_use"}
    assert devices(aquarium) == [("pump", "Wavemaker", wavemaker)]
