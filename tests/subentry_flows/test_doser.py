"""A dosing pump: a switch and a measured flow."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.flow_forms import fields, suggested

from .forms import add, change, devices, listed, submit

IRON = {
    "name": "Iron",
    "entity_id": "input_boolean.dosing",
    "flow_ml_per_minute": 12.5,
    "maximum_dose_ml": 20.0,
    "budget_ml": 50.0,
    "maximum_on_seconds": 600,
    "automatic_off_seconds": 900,
}
STORED = {key: value for key, value in IRON.items() if key != "name"}


async def test_a_doser_is_a_switch_with_a_flow(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """A largest dose and a limit are suggested."""
    result = await add(hass, aquarium, "doser")
    assert result["step_id"] == "device"
    assert fields(result) == list(IRON)
    assert suggested(result) == {
        "maximum_dose_ml": 10.0,
        "budget_ml": 100.0,
        "maximum_on_seconds": 600.0,
    }

    result = await submit(hass, result, IRON)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert devices(aquarium) == [("doser", "Iron", STORED)]


async def test_a_doser_may_have_no_limit(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Left empty there is none."""
    result = await add(hass, aquarium, "doser")
    without = {key: value for key, value in IRON.items() if key != "budget_ml"}

    await submit(hass, result, without)

    assert devices(aquarium) == [("doser", "Iron", {**STORED, "budget_ml": None})]


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"name": ""}, {"name": "name_missing"}),
        ({"entity_id": "switch.nowhere"}, {"entity_id": "entity_missing"}),
        ({"entity_id": "number.wavemaker"}, {"entity_id": "wrong_domain"}),
        ({"entity_id": "switch.aquarist_head"}, {"entity_id": "own_entity"}),
        ({"entity_id": "switch.used"}, {"entity_id": "entity_in_use"}),
        ({"maximum_dose_ml": 0.15}, {"maximum_dose_ml": "too_fine"}),
        ({"maximum_dose_ml": 125.1}, {"maximum_dose_ml": "dose_too_long"}),
        ({"maximum_on_seconds": 90}, {"maximum_dose_ml": "dose_too_long"}),
        ({"automatic_off_seconds": 90}, {"maximum_dose_ml": "dose_too_long"}),
        ({"budget_ml": 10.01}, {"budget_ml": "too_fine"}),
        (
            {"name": " ", "maximum_dose_ml": 0.15, "budget_ml": 10.01},
            {
                "name": "name_missing",
                "maximum_dose_ml": "too_fine",
                "budget_ml": "too_fine",
            },
        ),
    ],
)
async def test_what_makes_no_doser_is_refused(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    wrong: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """All errors are told at once; corrected the pump is added."""
    result = await add(hass, aquarium, "doser")
    result = await submit(hass, result, {**IRON, **wrong})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    assert result["description_placeholders"] == {
        "entity": wrong.get("entity_id", ""),
        "word": "",
        "seconds": "90" if 90 in wrong.values() else "600",
    }
    assert suggested(result) == {**IRON, **wrong}
    assert devices(aquarium) == []

    result = await submit(hass, result, IRON)

    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_longest_time_on_may_be_left_empty(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Then it is ten minutes; a switch need not go off by itself."""
    result = await add(hass, aquarium, "doser")
    without = {key: value for key, value in IRON.items() if "seconds" not in key}

    await submit(hass, result, without)

    assert devices(aquarium) == [
        (
            "doser",
            "Iron",
            {**STORED, "maximum_on_seconds": 600.0, "automatic_off_seconds": None},
        )
    ]


async def test_a_doser_of_before_gets_the_longest_time_suggested(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """It was listed when nobody asked for it."""
    before = {key: value for key, value in STORED.items() if "seconds" not in key}
    pump = listed(hass, aquarium, "doser", "Iron", before)

    result = await change(hass, aquarium, pump)

    assert suggested(result) == {"name": "Iron", **before, "maximum_on_seconds": 600}


async def test_the_longest_dose_takes_all_of_the_time(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Ten minutes at 12.5 mL a minute."""
    result = await add(hass, aquarium, "doser")

    result = await submit(hass, result, {**IRON, "maximum_dose_ml": 125.0})

    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("flow_ml_per_minute", 0),
        ("flow_ml_per_minute", 10001),
        ("maximum_dose_ml", 0),
        ("maximum_dose_ml", 6554),
        ("budget_ml", 0.1),
        ("budget_ml", 6554),
        ("maximum_on_seconds", 0),
        ("maximum_on_seconds", 3601),
        ("automatic_off_seconds", 0),
    ],
)
async def test_values_out_of_range_are_refused_by_field(
    hass: HomeAssistant, aquarium: MockConfigEntry, field: str, value: float
) -> None:
    """Nothing is stored."""
    result = await add(hass, aquarium, "doser")

    with pytest.raises(InvalidData) as refused:
        await submit(hass, result, {**IRON, field: value})

    assert list(refused.value.schema_errors) == [field]
    assert devices(aquarium) == []


async def test_a_doser_can_be_changed(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """A flow measured anew; the limit is taken away."""
    pump = listed(hass, aquarium, "doser", "Iron", STORED)
    result = await change(hass, aquarium, pump)
    assert suggested(result) == IRON
    changed = {**IRON, "name": "Iron left", "flow_ml_per_minute": 11.8}
    del changed["budget_ml"]

    result = await submit(hass, result, changed)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert devices(aquarium) == [
        (
            "doser",
            "Iron left",
            {**STORED, "flow_ml_per_minute": 11.8, "budget_ml": None},
        )
    ]
