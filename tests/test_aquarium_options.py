"""What all dosing pumps of an aquarium together may do."""

from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.dosing.spacing import Spacing
from custom_components.aquarist.engine.state import AquariumLimits

from .aquarium import (
    ENTRY,
    aquarium,
    device_named,
    engine_of,
    entities_behind,
    subentry,
)
from .flow_forms import fields, suggested

OPTIONS = {
    "budget_ml": 40.0,
    "additive_budgets": [{"additive": "Calcium", "budget_ml": 20.0}],
    "spacing": [{"first": "Calcium", "second": "Carbonate", "minutes": 30}],
}
LIMITS = AquariumLimits(
    budget=40_000,
    additive_budget={"Calcium": 20_000},
    spacing=(Spacing(first="Calcium", second="Carbonate", seconds=1800.0),),
)
DOSER = {
    "entity_id": "input_boolean.relay",
    "flow_ml_per_minute": 600.0,
    "maximum_dose_ml": 20.0,
    "additive": "Iron",
}


async def open_options(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the options of the aquarium."""
    return await hass.config_entries.options.async_init(ENTRY)


async def submit(
    hass: HomeAssistant, result: ConfigFlowResult, user_input: dict[str, Any]
) -> ConfigFlowResult:
    """Fill in the options and send them."""
    changed = await hass.config_entries.options.async_configure(
        result["flow_id"], user_input
    )
    await hass.async_block_till_done()
    return changed


async def test_limits_hold_at_once(hass: HomeAssistant, tmp_path: Path) -> None:
    """No device is attached anew for them."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        result = await open_options(hass)
        assert result["step_id"] == "aquarium"
        assert fields(result) == list(OPTIONS)
        assert suggested(result) == {}
        assert result["description_placeholders"] == {"name": "Reef", "word": ""}
        assert engine_of(hass).aquarium_limits[ENTRY] == AquariumLimits()
        pump = device_named(hass, "Demo doser").device

        result = await submit(hass, result, OPTIONS)

        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert entry.options == OPTIONS
        assert engine_of(hass).aquarium_limits[ENTRY] == LIMITS
        assert device_named(hass, "Demo doser").device is pump


async def test_limits_can_be_taken_away(hass: HomeAssistant, tmp_path: Path) -> None:
    """What is set is suggested; left empty it is gone."""
    async with aquarium(hass, tmp_path) as entry:
        await submit(hass, await open_options(hass), OPTIONS)
        result = await open_options(hass)
        assert suggested(result) == OPTIONS

        await submit(hass, result, {})

        assert entry.options == {
            "budget_ml": None,
            "additive_budgets": [],
            "spacing": [],
        }
        assert engine_of(hass).aquarium_limits[ENTRY] == AquariumLimits()


async def test_known_additives_are_offered(hass: HomeAssistant, tmp_path: Path) -> None:
    """By the names that heads have; any other may be entered."""
    await entities_behind(hass)
    async with aquarium(hass, tmp_path, subentries=[subentry("doser", "One", DOSER)]):
        result = await open_options(hass)
        schema = result["data_schema"]
        assert schema is not None
        asked = schema.schema["spacing"].config["fields"]["first"]["selector"]
        assert asked.config["options"] == ["Iron"]
        assert asked.config["custom_value"] is True


@pytest.mark.parametrize(
    ("wrong", "errors", "word"),
    [
        ({"budget_ml": 10.01}, {"budget_ml": "too_fine"}, ""),
        (
            {"additive_budgets": [{"additive": " ", "budget_ml": 1}]},
            {"additive_budgets": "additive_missing"},
            "",
        ),
        (
            {"additive_budgets": [{"additive": "Iron", "budget_ml": 1}] * 2},
            {"additive_budgets": "additive_twice"},
            "Iron",
        ),
        (
            {"additive_budgets": [{"additive": "Iron", "budget_ml": 1.01}]},
            {"additive_budgets": "budget_too_fine"},
            "Iron",
        ),
        (
            {"spacing": [{"first": "Iron", "second": "", "minutes": 5}]},
            {"spacing": "additive_missing"},
            "",
        ),
        (
            {"spacing": [{"first": " ", "second": "Iron", "minutes": 5}]},
            {"spacing": "additive_missing"},
            "",
        ),
    ],
)
async def test_what_makes_no_sense_is_refused_by_field(
    hass: HomeAssistant,
    tmp_path: Path,
    wrong: dict[str, Any],
    errors: dict[str, str],
    word: str,
) -> None:
    """Nothing is stored; the form keeps what was entered."""
    async with aquarium(hass, tmp_path) as entry:
        result = await submit(hass, await open_options(hass), OPTIONS | wrong)
        assert result["errors"] == errors
        assert result["description_placeholders"] == {"name": "Reef", "word": word}
        assert suggested(result) == OPTIONS | wrong
        assert entry.options == {}

        await submit(hass, result, OPTIONS)

        assert entry.options == OPTIONS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("budget_ml", 0.1),
        ("additive_budgets", [{"additive": "Iron", "budget_ml": 6554}]),
        ("additive_budgets", [{"additive": "Iron"}]),
        ("spacing", [{"first": "Iron", "second": "Iron", "minutes": 0}]),
    ],
)
async def test_values_out_of_range_are_refused_by_field(
    hass: HomeAssistant, tmp_path: Path, field: str, value: Any
) -> None:
    """Nothing is stored."""
    async with aquarium(hass, tmp_path) as entry:
        with pytest.raises(InvalidData) as refused:
            await submit(hass, await open_options(hass), {field: value})

        assert list(refused.value.schema_errors) == [field]
        assert entry.options == {}


async def test_one_item_may_come_without_a_list(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The field takes several, and lets a single one through as it is."""
    async with aquarium(hass, tmp_path) as entry:
        await submit(
            hass,
            await open_options(hass),
            {"additive_budgets": OPTIONS["additive_budgets"][0]},  # type: ignore[index]
        )
        assert entry.options["additive_budgets"] == OPTIONS["additive_budgets"]


async def test_limits_hold_before_the_aquarium_is_loaded(hass: HomeAssistant) -> None:
    """The entry of a pump may be loaded first, or the one of the aquarium be disabled."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id=ENTRY,
        title="Reef",
        unique_id="reef",
        data={"kind": "aquarium", "demo": False},
        options=OPTIONS,
        disabled_by=ConfigEntryDisabler.USER,
    )
    entry.add_to_hass(hass)
    pump = MockConfigEntry(
        domain=DOMAIN,
        data={"kind": "chihiros"},
        disabled_by=ConfigEntryDisabler.USER,
    )
    pump.add_to_hass(hass)

    await async_setup_component(hass, DOMAIN, {})

    assert engine_of(hass).aquarium_limits == {ENTRY: LIMITS}


async def test_limits_end_with_the_aquarium(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Nothing is held to what nobody can see any more."""
    async with aquarium(hass, tmp_path) as entry:
        await submit(hass, await open_options(hass), OPTIONS)
        await hass.config_entries.async_remove(entry.entry_id)

        assert engine_of(hass).aquarium_limits[ENTRY] == AquariumLimits()
        await hass.config_entries.async_add(entry)
