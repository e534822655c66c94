"""A dosing pump: a switch and a measured flow."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from homeassistant.config_entries import ConfigSubentry, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist.data import DATA_ENGINE
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.engine.state import DeviceLimits
from custom_components.aquarist.hardware import device_uuid
from custom_components.aquarist.startup import open_engine
from tests.engine.test_dosing_timed_runs import RunningDoser
from tests.engine.test_guided import MeasuredDoser
from tests.flow_forms import fields, suggested

from .forms import add, change, devices, listed, submit

IRON = {
    "name": "Iron",
    "entity_id": "input_boolean.dosing",
    "flow_ml_per_minute": 12.5,
    "maximum_dose_ml": 20.0,
    "additive": "Iron",
    "budget_ml": 50.0,
    "minimum_interval_minutes": 30,
    "only_calibrated": True,
    "calibration_days": 90,
    "container_ml": 500.0,
    "only_if_fits": True,
    "low_days": 7,
    "maximum_on_seconds": 600,
    "automatic_off_seconds": 900,
}
STORED = {key: value for key, value in IRON.items() if key != "name"}
# What a doser had that was listed when nobody asked for more.
BEFORE = {
    key: IRON[key]
    for key in ("entity_id", "flow_ml_per_minute", "maximum_dose_ml", "budget_ml")
}


async def open_form(
    hass: HomeAssistant, aquarium: MockConfigEntry, doser: ConfigSubentry
) -> SubentryFlowResult:
    """Open the form for a doser that is there."""
    result = await change(hass, aquarium, doser)
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["device", "calibrate_head", "prime_head"]
    assert result["description_placeholders"] == {"name": "Iron"}
    return await submit(hass, result, {"next_step_id": "device"})


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
    limits = {
        "additive": None,
        "budget_ml": None,
        "minimum_interval_minutes": None,
        "only_calibrated": False,
        "calibration_days": 180,
        "container_ml": None,
        "only_if_fits": False,
        "low_days": None,
    }
    without = {key: value for key, value in IRON.items() if key not in limits}

    await submit(hass, result, without)

    assert devices(aquarium) == [("doser", "Iron", {**STORED, **limits})]


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
        ({"container_ml": None}, {"container_ml": "container_missing"}),
        (
            {"container_ml": None, "only_if_fits": False},
            {"container_ml": "container_missing"},
        ),
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
    entered = _entered({**IRON, **wrong})
    result = await submit(hass, result, entered)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    assert result["description_placeholders"] == {
        "entity": wrong.get("entity_id", ""),
        "word": "",
        "seconds": "90" if 90 in wrong.values() else "600",
    }
    assert suggested(result) == entered
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
    pump = listed(hass, aquarium, "doser", "Iron", BEFORE)

    result = await open_form(hass, aquarium, pump)

    assert suggested(result) == {"name": "Iron", **BEFORE, "maximum_on_seconds": 600}


async def test_the_longest_dose_takes_all_of_the_time(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Ten minutes at 12.5 mL a minute."""
    result = await add(hass, aquarium, "doser")

    result = await submit(hass, result, {**IRON, "maximum_dose_ml": 125.0})

    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_flow_is_the_keepers_own(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Left empty it is asked for; nothing else is lost."""
    form = await add(hass, aquarium, "doser")
    without = {key: value for key, value in IRON.items() if key != "flow_ml_per_minute"}

    asked_again = await submit(hass, form, without)

    assert asked_again["errors"] == {"flow_ml_per_minute": "flow_missing"}
    assert suggested(asked_again)["maximum_dose_ml"] == IRON["maximum_dose_ml"]
    result = await submit(hass, asked_again, IRON)
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
        ("minimum_interval_minutes", 0),
        ("container_ml", 0.9),
        ("low_days", 0),
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
    hass.data[DATA_ENGINE] = engine = await open_engine(hass)
    pump = listed(hass, aquarium, "doser", "Iron", STORED)
    result = await open_form(hass, aquarium, pump)
    assert suggested(result) == IRON
    changed = {**IRON, "name": "Iron left", "flow_ml_per_minute": 11.8}
    del changed["budget_ml"]

    result = await submit(hass, result, changed)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    ((kind, name, stored),) = devices(aquarium)
    entered_at = datetime.fromisoformat(stored.pop("flow_entered_at"))
    assert (kind, name) == ("doser", "Iron left")
    assert stored == {**STORED, "flow_ml_per_minute": 11.8, "budget_ml": None}
    assert abs(engine.clock.now() - entered_at) < timedelta(minutes=1)
    await engine.close()


async def test_a_container_is_taken_away(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """With what needs to know it."""
    pump = listed(hass, aquarium, "doser", "Iron", STORED)
    result = await open_form(hass, aquarium, pump)

    without = {"container_ml": None, "only_if_fits": False, "low_days": None}
    result = await submit(hass, result, _entered({**IRON, "container_ml": None}))
    assert result["errors"] == {"container_ml": "container_missing"}
    await submit(hass, result, _entered({**IRON, **without}))

    assert devices(aquarium) == [("doser", "Iron", {**STORED, **without})]


async def test_what_is_not_loaded_cannot_be_calibrated(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """The pump has to run for it."""
    pump = listed(hass, aquarium, "doser", "Iron", STORED)
    result = await change(hass, aquarium, pump)

    result = await submit(hass, result, {"next_step_id": "calibrate_head"})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_loaded"


async def test_a_doser_is_calibrated(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """What was measured is its flow from then on; what was entered stays."""
    hass.data[DATA_ENGINE] = engine = await open_engine(hass)
    engine.start()
    pump = listed(hass, aquarium, "doser", "Iron", STORED)
    doser = MeasuredDoser(DeviceKind.DOSER)
    doser.uuid = device_uuid(pump.subentry_id)
    await engine.attach(doser, limits=DeviceLimits(), aquarium=None)
    result = await change(hass, aquarium, pump)
    result = await submit(hass, result, {"next_step_id": "calibrate_head"})
    assert result["step_id"] == "calibrate"

    for answer in ({}, {"measured_ml": 4.5}, {"next_step_id": "keep"}):
        result = await submit(hass, result, answer)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "calibrated")
    assert doser.flow == 900
    assert devices(aquarium) == [("doser", "Iron", STORED)]
    await engine.close()


async def test_the_hose_of_a_doser_is_filled(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Only of one that is there; what was entered stays."""
    pump = listed(hass, aquarium, "doser", "Iron", STORED)
    result = await change(hass, aquarium, pump)
    result = await submit(hass, result, {"next_step_id": "prime_head"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")

    hass.data[DATA_ENGINE] = engine = await open_engine(hass)
    engine.start()
    doser = RunningDoser()
    doser.kind = DeviceKind.DOSER
    doser.uuid = device_uuid(pump.subentry_id)
    await engine.attach(doser, limits=DeviceLimits(), aquarium=None)
    result = await change(hass, aquarium, pump)
    for answer in (
        {"next_step_id": "prime_head"},
        {"seconds": 8},
        {"next_step_id": "filled"},
    ):
        result = await submit(hass, result, answer)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "filled")
    assert doser.ran == [("prime_head", {"head_index": 0, "seconds": 8})]
    assert devices(aquarium) == [("doser", "Iron", STORED)]
    await engine.close()


async def test_the_flow_in_force_is_shown_and_only_another_one_replaces_it(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Measured as 54 mL a minute; left as it is, what was entered before stays."""
    hass.data[DATA_ENGINE] = engine = await open_engine(hass)
    engine.start()
    pump = listed(hass, aquarium, "doser", "Iron", STORED)
    doser = MeasuredDoser(DeviceKind.DOSER)
    doser.uuid = device_uuid(pump.subentry_id)
    doser.heads = tuple(replace(head, flow=900.0) for head in doser.heads)
    await engine.attach(doser, limits=DeviceLimits(), aquarium=None)
    form = await open_form(hass, aquarium, pump)
    assert suggested(form) == {**IRON, "flow_ml_per_minute": 54.0}

    await submit(hass, form, {**IRON, "flow_ml_per_minute": 54.0})
    assert devices(aquarium) == [("doser", "Iron", STORED)]

    form = await open_form(hass, aquarium, pump)
    await submit(hass, form, IRON)
    ((_, _, stored),) = devices(aquarium)
    assert stored == {**STORED, "flow_entered_at": stored["flow_entered_at"]}

    form = await open_form(hass, aquarium, pump)
    await submit(hass, form, {**IRON, "flow_ml_per_minute": 54.0})
    assert devices(aquarium) == [("doser", "Iron", stored)]
    await engine.close()


def _entered(values: dict[str, Any]) -> dict[str, Any]:
    """Return what is sent: fields that are left empty are not there."""
    return {key: value for key, value in values.items() if value is not None}
