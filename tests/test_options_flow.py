"""What a keeper may change about a Bluetooth device at any time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist import priming_steps
from custom_components.aquarist.data import DATA_ENGINE
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine import guided
from custom_components.aquarist.engine.engine import Engine
from custom_components.aquarist.engine.state import DeviceLimits, HeadLimits
from custom_components.aquarist.hardware import device_uuid
from custom_components.aquarist.startup import open_engine

from .engine.test_dosing_timed_runs import RunningDoser
from .engine.test_guided import MeasuredDoser
from .engine.troubled_store import read_only
from .flow_forms import (
    ADDRESS,
    HAND_FIELDS,
    NO_REST,
    REST_FIELDS,
    USUAL_HAND,
    aquarium,
    choices,
    doser_entry,
    fields,
    filled_in,
    heads,
    light_entry,
    suggested,
)

LIMITS = {
    "additive": "Iron",
    "budget_ml": 12.5,
    "maximum_dose_ml": 5.0,
    "minimum_interval_minutes": 30,
    "only_calibrated": True,
    "calibration_days": 90,
    "container_ml": 500.0,
    "only_if_fits": True,
    "low_days": 7,
}
NO_LIMITS = {
    "additive": None,
    "budget_ml": None,
    "maximum_dose_ml": None,
    "minimum_interval_minutes": None,
    "only_calibrated": False,
    "calibration_days": 180,
    "container_ml": None,
    "only_if_fits": False,
    "low_days": None,
}


@pytest.fixture(autouse=True)
def setup_entry() -> Iterator[AsyncMock]:
    """Leave what entries do once they are there to other tests."""
    with (
        patch("custom_components.aquarist.async_setup", return_value=True),
        patch("custom_components.aquarist.async_unload_entry", return_value=True),
        patch(
            "custom_components.aquarist.async_setup_entry", return_value=True
        ) as setup,
    ):
        yield setup


async def open_options(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigFlowResult:
    """Add the entry to Home Assistant and open its options."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    return await hass.config_entries.options.async_init(entry.entry_id)


async def submit_options(
    hass: HomeAssistant, result: ConfigFlowResult, user_input: dict[str, Any]
) -> ConfigFlowResult:
    """Fill in the options and send them."""
    changed = await hass.config_entries.options.async_configure(
        result["flow_id"], user_input
    )
    await hass.async_block_till_done()
    return changed


async def test_the_options_of_a_light(
    hass: HomeAssistant, setup_entry: AsyncMock
) -> None:
    """Aquarium, hold and limits; the entry is loaded anew."""
    reef = aquarium()
    reef.add_to_hass(hass)
    entry = light_entry()
    result = await open_options(hass, entry)
    assert result["step_id"] == "light"
    assert fields(result) == [
        "aquarium",
        "idle_hold",
        "restore_memory",
        "maximum_level",
        "slew",
        "dark_is_safe",
        *REST_FIELDS,
        *HAND_FIELDS,
    ]
    loaded = setup_entry.await_count

    result = await submit_options(
        hass,
        result,
        {
            "aquarium": reef.entry_id,
            "idle_hold": 60,
            "restore_memory": True,
            "maximum_level": 80,
            "slew": 0.5,
            "dark_is_safe": True,
            "start_level": 20,
            "shutdown_level": 10,
        },
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "aquarium": reef.entry_id,
        "idle_hold": 60,
        "restore_memory": True,
        "maximum_level": 80,
        "slew": 0.5,
        "safe_level": 0,
        "start_level": 20,
        "shutdown_level": 10,
        **USUAL_HAND,
    }
    assert setup_entry.await_count == loaded + 1


async def test_limits_of_a_light_can_be_emptied(hass: HomeAssistant) -> None:
    """What is set is suggested; left empty it is gone."""
    reef = aquarium()
    reef.add_to_hass(hass)
    entry = light_entry(
        options={
            "aquarium": reef.entry_id,
            "idle_hold": 60,
            "maximum_level": 80,
            "slew": 0.5,
            "safe_level": 0,
            "start_level": 20,
            "shutdown_level": 10,
        }
    )
    result = await open_options(hass, entry)
    assert filled_in(result, "dark_is_safe") is True
    assert suggested(result) == {
        "aquarium": reef.entry_id,
        "maximum_level": 80,
        "slew": 0.5,
        "start_level": 20,
        "shutdown_level": 10,
    }

    await submit_options(hass, result, {"idle_hold": 60, "dark_is_safe": False})

    assert entry.options == {
        "aquarium": None,
        "idle_hold": 60,
        "restore_memory": False,
        "maximum_level": None,
        "slew": None,
        "safe_level": None,
        **NO_REST,
        **USUAL_HAND,
    }


async def test_what_a_change_by_hand_of_a_light_means(hass: HomeAssistant) -> None:
    """The usual rule is filled in; what was chosen is filled in the next time."""
    entry = light_entry()
    result = await open_options(hass, entry)
    assert choices(result, "hand") == [
        "until_next_event",
        "minutes",
        "until_released",
        "enforce",
    ]
    assert filled_in(result, "hand") == "until_next_event"
    assert filled_in(result, "respect_manual_change") is False

    chosen = {"hand": "minutes", "hand_minutes": 30, "respect_manual_change": True}
    await submit_options(hass, result, {"idle_hold": 30, **chosen})

    assert entry.options.items() >= chosen.items()
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert filled_in(result, "hand") == "minutes"
    assert filled_in(result, "respect_manual_change") is True
    assert suggested(result)["hand_minutes"] == 30


async def test_a_light_needs_the_minutes_that_a_change_by_hand_wins(
    hass: HomeAssistant,
) -> None:
    """The form keeps what was entered; minutes without their rule are not kept."""
    entry = light_entry()
    result = await open_options(hass, entry)
    entered = {"idle_hold": 60, "maximum_level": 80, "hand": "minutes"}
    result = await submit_options(hass, result, entered)
    assert result["errors"] == {"hand_minutes": "hand_minutes_missing"}
    assert filled_in(result, "idle_hold") == 60
    assert filled_in(result, "hand") == "minutes"
    assert suggested(result) == {"maximum_level": 80}
    assert entry.options == light_entry().options

    await submit_options(
        hass, result, {**entered, "hand": "enforce", "hand_minutes": 30}
    )

    assert entry.options["hand"] == "enforce"
    assert entry.options["hand_minutes"] is None


async def test_an_aquarium_that_is_gone_is_not_suggested(hass: HomeAssistant) -> None:
    """Its devices belong to none."""
    aquarium("Nano").add_to_hass(hass)
    entry = light_entry(options={"aquarium": "gone", "idle_hold": 30})

    result = await open_options(hass, entry)

    assert suggested(result) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("idle_hold", 4),
        ("idle_hold", 601),
        ("maximum_level", 0),
        ("maximum_level", 101),
        ("slew", 0),
        ("slew", 101),
        ("start_level", 101),
        ("shutdown_level", -1),
        ("hand", "never"),
        ("hand_minutes", 0),
        ("hand_minutes", 1441),
        ("aquarium", "gone"),
    ],
)
async def test_options_out_of_range_are_refused_by_field(
    hass: HomeAssistant, field: str, value: float | str
) -> None:
    """Nothing is stored."""
    aquarium().add_to_hass(hass)
    entry = light_entry()
    result = await open_options(hass, entry)

    with pytest.raises(InvalidData) as refused:
        await submit_options(hass, result, {"idle_hold": 30, field: value})

    assert list(refused.value.schema_errors) == [field]
    assert entry.options["idle_hold"] == 30


async def open_head(
    hass: HomeAssistant, entry: MockConfigEntry, head: int
) -> ConfigFlowResult:
    """Open the options of a pump and choose a head."""
    result = await open_options(hass, entry)
    result = await submit_options(hass, result, {"next_step_id": "head"})
    assert choices(result, "head") == [
        {"value": "0", "label": "Iron"},
        {"value": "1", "label": "Head 2"},
    ]
    return await submit_options(hass, result, {"head": str(head)})


async def test_the_options_of_a_pump_as_a_whole(
    hass: HomeAssistant, setup_entry: AsyncMock
) -> None:
    """Its heads stay as they are."""
    entry = doser_entry()
    result = await open_options(hass, entry)
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["head", "calibrate_head", "prime_head", "doser"]
    loaded = setup_entry.await_count
    result = await submit_options(hass, result, {"next_step_id": "doser"})
    assert fields(result) == ["idle_hold", "restore_memory"]

    result = await submit_options(
        hass, result, {"idle_hold": 5, "restore_memory": True}
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "aquarium": None,
        "idle_hold": 5,
        "restore_memory": True,
        "heads": heads("Iron", "Head 2"),
    }
    assert setup_entry.await_count == loaded + 1


async def test_the_limits_of_a_head(
    hass: HomeAssistant, setup_entry: AsyncMock
) -> None:
    """Each is optional; the other head and the pump stay as they are."""
    entry = doser_entry()
    result = await open_head(hass, entry, 1)
    assert result["step_id"] == "limits"
    assert result["description_placeholders"] == {"head": "2"}
    assert set(fields(result)) == {"name", "enabled", *LIMITS}
    assert suggested(result) == {"name": "Head 2", "enabled": True, "budget_ml": 100.0}
    loaded = setup_entry.await_count

    result = await submit_options(
        hass, result, {"name": " Trace ", "enabled": False, **LIMITS}
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "aquarium": None,
        "idle_hold": 30,
        "heads": [
            *heads("Iron"),
            {"name": "Trace", "enabled": False, **LIMITS},
        ],
    }
    assert setup_entry.await_count == loaded + 1


async def test_a_head_may_have_no_limit(hass: HomeAssistant) -> None:
    """Left empty there is none."""
    entry = doser_entry()
    result = await open_head(hass, entry, 0)

    await submit_options(hass, result, {"name": "Iron", "enabled": True})

    assert entry.options["heads"][0] == {"name": "Iron", "enabled": True, **NO_LIMITS}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"name": " "}, {"name": "head_name_missing"}),
        ({"name": "IRON"}, {"name": "head_name_taken"}),
        ({"budget_ml": 0.25}, {"budget_ml": "too_fine"}),
        ({"maximum_dose_ml": 0.25}, {"maximum_dose_ml": "too_fine"}),
        ({"low_days": 3}, {"container_ml": "container_missing"}),
        ({"only_if_fits": True}, {"container_ml": "container_missing"}),
    ],
)
async def test_heads_that_make_no_sense_are_refused_by_field(
    hass: HomeAssistant, changes: dict[str, Any], errors: dict[str, str]
) -> None:
    """The form keeps what was entered; corrected it is saved."""
    entry = doser_entry()
    result = await open_head(hass, entry, 1)
    right = {"name": "Potassium", "enabled": True, "budget_ml": 50.0}
    result = await submit_options(hass, result, right | changes)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    assert suggested(result) == right | changes | {
        "only_calibrated": False,
        "calibration_days": 180,
        "only_if_fits": changes.get("only_if_fits", False),
    }
    assert entry.options["heads"] == heads("Iron", "Head 2")

    await submit_options(hass, result, right)

    assert entry.options["heads"][1]["name"] == "Potassium"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("budget_ml", 0.1),
        ("budget_ml", 6554),
        ("maximum_dose_ml", 0),
        ("minimum_interval_minutes", 0),
        ("container_ml", 0.5),
        ("low_days", 366),
        ("calibration_days", -1),
        ("calibration_days", 3651),
    ],
)
async def test_limits_out_of_range_are_refused_by_field(
    hass: HomeAssistant, field: str, value: float
) -> None:
    """Nothing is stored."""
    entry = doser_entry()
    result = await open_head(hass, entry, 0)

    with pytest.raises(InvalidData) as refused:
        await submit_options(
            hass, result, {"name": "Iron", "enabled": True, field: value}
        )

    assert list(refused.value.schema_errors) == [field]
    assert entry.options["heads"] == heads("Iron", "Head 2")


@pytest.fixture
async def engine(hass: HomeAssistant) -> AsyncIterator[Engine]:
    """Give an engine, which the forms ask what it knows."""
    hass.data[DATA_ENGINE] = engine = await open_engine(hass)
    engine.start()
    yield engine
    await engine.close()


@pytest.fixture
async def doser(engine: Engine) -> MeasuredDoser:
    """Attach the pump of the entry."""
    doser = MeasuredDoser()
    doser.uuid = device_uuid(ADDRESS)
    await engine.attach(
        doser,
        limits=DeviceLimits(
            heads={
                0: HeadLimits(additive="Iron", container=500_000),
                1: HeadLimits(additive="Calcium"),
            }
        ),
        aquarium=None,
    )
    return doser


@pytest.mark.usefixtures("doser")
async def test_what_the_engine_knows_is_suggested(
    hass: HomeAssistant, engine: Engine
) -> None:
    """Additives by their names, and the size that a container has by now; empty, it goes."""
    state = engine.device(device_uuid(ADDRESS))
    await engine.containers.resize(state, 0, 250_000, user=None)
    entry = doser_entry()
    result = await open_head(hass, entry, 0)
    assert choices(result, "additive") == ["Calcium", "Iron"]
    assert suggested(result)["container_ml"] == 250

    await submit_options(hass, result, {"name": "Iron", "enabled": True})

    assert entry.options["heads"][0]["container_ml"] is None
    assert engine.containers.remaining(state.row.number, 0) is None


@pytest.mark.usefixtures("doser")
async def test_a_container_that_cannot_be_removed_stays(
    hass: HomeAssistant, engine: Engine
) -> None:
    """The store is in trouble: the form says so."""
    state = engine.device(device_uuid(ADDRESS))
    await engine.containers.resize(state, 0, 250_000, user=None)
    entry = doser_entry()
    result = await open_head(hass, entry, 0)
    assert engine.database is not None
    async with read_only(engine.database):
        result = await submit_options(hass, result, {"name": "Iron", "enabled": True})
    assert result["errors"] == {"container_ml": "container_kept"}
    assert engine.containers.remaining(state.row.number, 0) == 250_000


async def calibrate(
    hass: HomeAssistant, entry: MockConfigEntry, head: int
) -> ConfigFlowResult:
    """Open the options, choose a head, and come to the point of running it."""
    result = await open_options(hass, entry)
    result = await submit_options(hass, result, {"next_step_id": "calibrate_head"})
    result = await submit_options(hass, result, {"head": str(head)})
    assert result["step_id"] == "calibrate"
    return result


def ran_to_its_end(engine: Engine) -> None:
    """Free the pump as when the seconds of its run have passed."""
    engine.pulses.stop_deliveries(engine.device(device_uuid(ADDRESS)))


async def test_a_calibration_from_beginning_to_end(
    hass: HomeAssistant, setup_entry: AsyncMock, engine: Engine, doser: MeasuredDoser
) -> None:
    """Run, measure, test, keep: the options stay, and nothing is loaded anew."""
    entry = doser_entry()
    result = await calibrate(hass, entry, 1)
    assert result["description_placeholders"] == {
        "name": "Doser",
        "head": "2",
        "seconds": "5",
        "volume": "4",
    }
    loaded = setup_entry.await_count
    assert doser.calibrated == []

    result = await submit_options(hass, result, {})
    assert result["step_id"] == "measured"
    assert doser.calibrated == [{"head_index": 1, "seconds": 5}]

    result = await submit_options(hass, result, {"measured_ml": 4.85})
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["test_dose", "keep", "calibrate"]
    number = engine.device(device_uuid(ADDRESS)).row.number
    assert engine.calibrations[number, 1].measured == 4850
    ran_to_its_end(engine)

    result = await submit_options(hass, result, {"next_step_id": "test_dose"})
    assert result["step_id"] == "tested"
    assert result["menu_options"] == ["keep", "calibrate", "test_dose"]
    assert doser.sent == [(1, 4000)]

    result = await submit_options(hass, result, {"next_step_id": "keep"})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "calibrated"
    assert entry.options == doser_entry().options
    assert setup_entry.await_count == loaded
    assert engine.runs.live == ()


@pytest.mark.usefixtures("doser")
async def test_it_may_be_measured_again(hass: HomeAssistant, engine: Engine) -> None:
    """The run goes on, from its beginning."""
    result = await calibrate(hass, doser_entry(), 0)
    result = await submit_options(hass, result, {})
    result = await submit_options(hass, result, {"measured_ml": 4})
    result = await submit_options(hass, result, {"next_step_id": "calibrate"})
    ran_to_its_end(engine)

    result = await submit_options(hass, result, {})

    assert result["step_id"] == "measured"


@pytest.mark.usefixtures("engine", "doser")
async def test_what_cannot_have_come_out_is_asked_again(hass: HomeAssistant) -> None:
    """A slip of the hand: the form says what can be."""
    result = await calibrate(hass, doser_entry(), 0)
    result = await submit_options(hass, result, {})

    result = await submit_options(hass, result, {})
    assert result["errors"] == {"measured_ml": "measured_missing"}

    result = await submit_options(hass, result, {"measured_ml": 48.5})

    assert result["errors"] == {"measured_ml": "measured_impossible"}
    about = result["description_placeholders"]
    assert about is not None
    assert (about["minimum"], about["maximum"]) == ("1", "25")

    result = await submit_options(hass, result, {"measured_ml": 4.85})
    assert result["step_id"] == "kept"


@pytest.mark.usefixtures("engine")
async def test_what_goes_wrong_ends_the_form(
    hass: HomeAssistant, engine: Engine, doser: MeasuredDoser
) -> None:
    """With the reason; it can be begun again."""
    assert await async_setup_component(hass, "homeassistant", {})
    entry = doser_entry()
    result = await calibrate(hass, entry, 0)
    doser.errors = [DeviceError("out_of_range", transient=False)]

    result = await submit_options(hass, result, {})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_done"
    assert result["description_placeholders"]
    ran_to_its_end(engine)

    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await submit_options(hass, result, {"next_step_id": "calibrate_head"})
    result = await submit_options(hass, result, {"head": "0"})
    result = await submit_options(hass, result, {})
    assert result["step_id"] == "measured"

    (run,) = engine.runs.live
    await engine.guided.cancel(run.id)
    result = await submit_options(hass, result, {"measured_ml": 4.85})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_done")


@pytest.mark.usefixtures("engine")
async def test_a_run_that_takes_too_long_goes_on_without_the_form(
    hass: HomeAssistant, doser: MeasuredDoser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form does not wait for ever."""
    monkeypatch.setattr(guided, "PATIENCE", 0.01)
    result = await calibrate(hass, doser_entry(), 0)
    doser.hanging = asyncio.Event()

    result = await submit_options(hass, result, {})

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "still_running")
    doser.hanging.set()


async def test_what_is_not_loaded_cannot_be_calibrated(hass: HomeAssistant) -> None:
    """The pump has to run for it."""
    result = await open_options(hass, doser_entry())

    result = await submit_options(hass, result, {"next_step_id": "calibrate_head"})

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


@pytest.mark.usefixtures("doser")
async def test_a_pump_that_was_let_go_cannot_be_calibrated(
    hass: HomeAssistant, engine: Engine
) -> None:
    """Its entry is not loaded."""
    await engine.equipment.detach(engine.device(device_uuid(ADDRESS)).row.number)
    result = await open_options(hass, doser_entry())

    result = await submit_options(hass, result, {"next_step_id": "calibrate_head"})

    assert result["reason"] == "not_loaded"


@pytest.mark.usefixtures("engine")
async def test_a_pump_that_still_runs_cannot_be_started_again(
    hass: HomeAssistant, doser: MeasuredDoser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form says that the run waits for the pump."""
    monkeypatch.setattr(guided, "PATIENCE", 0.01)
    entry = doser_entry()
    result = await calibrate(hass, entry, 0)
    doser.hanging = asyncio.Event()
    await submit_options(hass, result, {})

    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await submit_options(hass, result, {"next_step_id": "calibrate_head"})
    result = await submit_options(hass, result, {"head": "0"})
    result = await submit_options(hass, result, {})

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_done")
    doser.hanging.set()


@pytest.fixture
async def running(engine: Engine) -> RunningDoser:
    """Attach the pump of the entry, whose heads can be run."""
    doser = RunningDoser()
    doser.uuid = device_uuid(ADDRESS)
    heads = {0: HeadLimits(), 1: HeadLimits(budget=10_000)}
    await engine.attach(doser, limits=DeviceLimits(heads=heads), aquarium=None)
    doser.tell()
    return doser


async def prime(hass: HomeAssistant, seconds: int) -> ConfigFlowResult:
    """Open the options, choose the second head, and run it."""
    result = await open_options(hass, doser_entry())
    result = await submit_options(hass, result, {"next_step_id": "prime_head"})
    result = await submit_options(hass, result, {"head": "1"})
    assert result["step_id"] == "prime"
    assert result["description_placeholders"] == {"name": "Doser", "head": "2"}
    return await submit_options(hass, result, {"seconds": seconds})


async def test_a_hose_is_filled(
    hass: HomeAssistant, setup_entry: AsyncMock, running: RunningDoser
) -> None:
    """As often as it takes; the options stay."""
    result = await prime(hass, 1)
    assert running.ran == [("prime_head", {"head_index": 1, "seconds": 1})]
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["prime", "filled"]

    loaded = setup_entry.await_count
    result = await submit_options(hass, result, {"next_step_id": "prime"})
    result = await submit_options(hass, result, {"seconds": 2})
    assert running.ran[1:] == [("prime_head", {"head_index": 1, "seconds": 2})]
    result = await submit_options(hass, result, {"next_step_id": "filled"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "filled")
    assert setup_entry.await_count == loaded


async def test_a_limit_holds_for_a_hose_too(
    hass: HomeAssistant, running: RunningDoser
) -> None:
    """What comes out counts."""
    assert await async_setup_component(hass, "homeassistant", {})
    result = await prime(hass, 11)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_done")
    assert running.ran == []


async def test_a_pump_that_is_busy_is_not_waited_for(
    hass: HomeAssistant, running: RunningDoser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form ends; what was asked for stays in the queue."""
    monkeypatch.setattr(priming_steps, "PATIENCE", 0.01)
    await prime(hass, 8)
    result = await prime(hass, 1)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "still_running")


async def test_what_is_not_loaded_has_no_hose_to_fill(hass: HomeAssistant) -> None:
    """The pump has to run for it."""
    result = await open_options(hass, doser_entry())
    result = await submit_options(hass, result, {"next_step_id": "prime_head"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")
