"""A doser that is a switch, in the engine: off first, off last, and everything booked."""

import asyncio
from datetime import timedelta
from functools import partial

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices import switch_dose
from custom_components.aquarist.devices.device import Head
from custom_components.aquarist.devices.doser import Doser
from custom_components.aquarist.dosing.ledger import RUN, Dose, DoseState
from custom_components.aquarist.engine import guided
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.engine.switch_runs import SWITCHED_ON
from custom_components.aquarist.runs.calibration import Calibration, Stage
from custom_components.aquarist.store import settings
from tests.devices.entities import FakeSwitch, add
from tests.engine.rig import SERVICE, Rig

# 1000 µL in 20 ms.
FLOW = 50_000


@pytest.fixture
async def switch(hass: HomeAssistant) -> FakeSwitch:
    """Return a switch that is off."""
    entity = FakeSwitch("dosing")
    await add(hass, "switch", entity)
    return entity


def doser_of(hass: HomeAssistant, *, automatic_off: float | None = None) -> Doser:
    """Return a doser that is not attached."""
    return Doser(
        hass,
        uuid="iron",
        name="Iron",
        entity="switch.dosing",
        head=Head(index=0, name="Iron", flow=FLOW, minimum=100, maximum=2_000_000),
        maximum_on=60,
        automatic_off=automatic_off,
        confirm_time=0.05,
    )


def booked(rig: Rig) -> list[Dose]:
    """Return the doses that are known, oldest first; no run is one yet."""
    number = rig.engine.device("iron").row.number
    doses = [dose for dose in rig.engine.gate.doses(number, 0) if dose.source != RUN]
    return sorted(doses, key=lambda dose: dose.at)


async def test_what_is_on_at_the_start_goes_off_before_anything_else(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """It is off when the device is attached, and what it gave is booked."""
    switch.show(is_on=True)
    # The time for which it is on is what is measured here.
    await asyncio.sleep(0.02)
    state = await rig.attach(doser_of(hass))
    assert not switch.runs()
    assert not state.may_run
    await rig.settle()
    assert switch.log[0] == {"on": False}
    (dose,) = booked(rig)
    assert dose.source == "pump"
    assert dose.counted >= 1000


async def test_what_cannot_be_switched_off_does_not_hold_up_the_start(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """It is tried on and on."""
    switch.show(is_on=True)
    switch.lies = True
    state = await rig.attach(doser_of(hass))
    assert state.may_run
    switch.lies = False
    switch.show(is_on=False)


async def test_dose_that_went_off_late_is_booked_as_given(
    hass: HomeAssistant,
    rig: Rig,
    switch: FakeSwitch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More than was asked counts towards the budget."""
    monkeypatch.setattr(switch_dose, "QUICK", 0.0)
    state = await rig.attach(doser_of(hass))
    command = await rig.engine.send(
        state, "dose", {"head_index": 0, "volume_ml": 1.0}, SERVICE
    )
    ended = await rig.done(command)
    await rig.settle()
    assert ended.phase is Phase.COMPLETED
    (dose,) = booked(rig)
    assert dose.state is DoseState.GIVEN
    assert dose.counted > 1000


async def test_on_by_hand_is_booked_when_the_device_is_taken_away(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """It goes off first."""
    state = await rig.attach(doser_of(hass))
    number = state.row.number
    switch.show(is_on=True)
    await hass.async_block_till_done()
    await rig.engine.equipment.detach(number)
    assert not switch.runs()
    await rig.settle()
    assert [dose.source for dose in rig.engine.gate.doses(number, 0)] == ["pump"]


async def test_on_by_hand_goes_off_before_home_assistant_stops(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """As a dose does; nobody would watch it."""
    await rig.attach(doser_of(hass))
    switch.show(is_on=True)
    await hass.async_block_till_done()
    await rig.engine.start_and_stop.shut_down()
    assert not switch.runs()


async def test_nothing_is_dosed_any_more_once_home_assistant_stops(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """Neither what waited for the dose that ends, nor what is asked for later."""
    state = await rig.attach(doser_of(hass), heads={0: HeadLimits(budget=None)})
    args = {"head_index": 0, "volume_ml": 100.0}
    first = await rig.engine.send(state, "dose", args, SERVICE)
    waiting = await rig.engine.send(state, "dose", args, SERVICE)
    while not switch.runs():
        await rig.settle()
    await rig.engine.start_and_stop.shut_down()
    later = await rig.engine.send(state, "dose", args, SERVICE)
    await rig.settle()
    assert not switch.runs()
    assert (await rig.done(first)).final
    assert [(await rig.stored(command)).phase for command in (waiting, later)] == [
        Phase.PLANNED,
        Phase.PLANNED,
    ]


async def test_dose_that_outlived_the_engine_goes_off_and_its_excess_is_booked(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """On since it was sent: the dose stays unknown and counts, the rest is booked beside it."""
    state = await rig.attach(doser_of(hass))
    began = rig.clock.now()
    await rig.engine.send(state, "dose", {"head_index": 0, "volume_ml": 100.0}, SERVICE)
    while not switch.runs():
        await rig.settle()
    switch.show(available=False)
    await rig.engine.close()
    rig.clock.advance(10)
    switch.show(available=True, is_on=True)
    await rig.boot(start=False)
    await rig.attach(doser_of(hass))
    assert not switch.runs()
    await rig.settle()
    doses = {dose.source == "pump": dose for dose in booked(rig)}
    assert doses[False].state is DoseState.UNKNOWN
    assert doses[False].counted == 100_000
    assert doses[True].at == doses[False].at
    assert began <= doses[True].at <= began + timedelta(seconds=1)
    assert 400_000 <= doses[True].counted <= 450_000


@pytest.mark.parametrize(("automatic_off", "excess"), [(None, []), (4.0, [100_000])])
async def test_dose_that_ended_while_nobody_looked(
    hass: HomeAssistant,
    rig: Rig,
    switch: FakeSwitch,
    automatic_off: float | None,
    excess: list[int],
) -> None:
    """It may have run until the automatic off; where there is none nobody can tell."""
    state = await rig.attach(doser_of(hass, automatic_off=automatic_off))
    await rig.engine.send(state, "dose", {"head_index": 0, "volume_ml": 100.0}, SERVICE)
    while not switch.runs():
        await rig.settle()
    switch.show(available=False)
    await rig.engine.close()
    rig.clock.advance(3600)
    switch.show(available=True, is_on=False)
    await rig.boot(start=False)
    await rig.attach(doser_of(hass, automatic_off=automatic_off))
    await rig.settle()
    given = [dose.counted for dose in booked(rig) if dose.source == "pump"]
    assert given == excess
    assert [dose.state for dose in rig.engine.gate.unknown] == [DoseState.UNKNOWN]


async def primed(rig: Rig, state: DeviceState, switch: FakeSwitch) -> None:
    """Have the head run for two seconds, 100 mL, and stop Home Assistant meanwhile."""
    args = {"head_index": 0, "seconds": 2}
    await rig.engine.send(state, "prime_head", args, SERVICE)
    while not switch.runs():
        await rig.settle()
    await rig.settle()
    switch.show(available=False)
    await rig.engine.close()


@pytest.mark.parametrize(
    ("automatic_off", "given"), [(None, [100_000]), (4.0, [200_000])]
)
async def test_run_that_ended_while_nobody_looked_is_booked_once(
    hass: HomeAssistant,
    rig: Rig,
    switch: FakeSwitch,
    automatic_off: float | None,
    given: list[int],
) -> None:
    """As long as its automatic off let it run, or as asked; the next start adds nothing."""
    state = await rig.attach(doser_of(hass, automatic_off=automatic_off))
    await primed(rig, state, switch)
    rig.clock.advance(3600)
    switch.show(available=True, is_on=False)
    for _ in range(2):
        await rig.boot(start=False)
        await rig.attach(doser_of(hass, automatic_off=automatic_off))
        await rig.settle()
        assert [dose.counted for dose in booked(rig)] == given
        await rig.engine.close()


async def test_run_that_outlived_the_engine_goes_off_and_is_booked(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """All of the time since it began."""
    state = await rig.attach(doser_of(hass))
    await primed(rig, state, switch)
    rig.clock.advance(10)
    switch.show(available=True, is_on=True)
    await rig.boot(start=False)
    await rig.attach(doser_of(hass))
    assert not switch.runs()
    await rig.settle()
    (dose,) = booked(rig)
    assert 500_000 <= dose.counted <= 550_000


async def test_run_that_was_told_before_the_end_is_reserved_no_more(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """Killed when the run was booked and its reservation still noted: it counts once."""
    state = await rig.attach(doser_of(hass))
    await primed(rig, state, switch)
    switch.show(available=True, is_on=False)
    await rig.boot(start=False)
    assert rig.engine.database is not None
    await rig.engine.database.writer.write(
        lambda connection: settings.put(connection, SWITCHED_ON, {})
    )
    await rig.engine.close()
    await rig.boot(start=False)
    number = rig.engine.device("iron").row.number
    assert [dose.source for dose in rig.engine.gate.doses(number, 0)] == [RUN]
    await rig.attach(doser_of(hass))
    assert rig.engine.gate.doses(number, 0) == ()


async def test_run_that_could_not_begin_leaves_what_was_begun_before(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """The older run, whose end is not known yet, is booked when the switch is seen again."""
    state = await rig.attach(doser_of(hass, automatic_off=4.0))
    await primed(rig, state, switch)
    rig.clock.advance(3600)
    await rig.boot()
    state = await rig.attach(doser_of(hass, automatic_off=4.0))
    args = {"head_index": 0, "seconds": 1}
    await rig.engine.send(state, "prime_head", args, SERVICE)
    await rig.advance(120)
    assert booked(rig) == []
    switch.show(available=True, is_on=False)
    await hass.async_block_till_done()
    await rig.settle()
    assert [dose.counted for dose in booked(rig)] == [200_000]


async def test_run_that_could_not_begin_is_not_booked(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """The switch was away all the while."""
    state = await rig.attach(doser_of(hass, automatic_off=4.0))
    switch.show(available=False)
    await hass.async_block_till_done()
    args = {"head_index": 0, "seconds": 1}
    command = await rig.engine.send(state, "prime_head", args, SERVICE)
    await rig.advance(120)
    assert (await rig.done(command)).phase is Phase.FAILED
    switch.show(available=True, is_on=False)
    await rig.engine.close()
    await rig.boot(start=False)
    await rig.attach(doser_of(hass, automatic_off=4.0))
    await rig.settle()
    assert booked(rig) == []


async def measuring(rig: Rig, switch: FakeSwitch, state: DeviceState) -> int:
    """Begin a guided calibration, and return its run while the switch is on."""
    guide = await rig.engine.guided.start(state, 0, SERVICE)
    assert (guide.stage, switch.runs()) == (Stage.MEASURE, True)
    return guide.run.id


async def ended(rig: Rig, run: int) -> tuple[str, str | None]:
    """Return where a guided run is, and why."""
    await rig.settle()
    guide = await rig.engine.guided.guide(run)
    return guide.run.state, guide.error


UNLIMITED = {0: HeadLimits(budget=None)}


async def test_calibration_goes_on_when_the_head_has_run_for_its_time(
    hass: HomeAssistant,
    rig: Rig,
    switch: FakeSwitch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It waits for what the keeper measures."""
    monkeypatch.setattr(guided, "Calibration", partial(Calibration, seconds=1))
    state = await rig.attach(doser_of(hass), heads=UNLIMITED)
    run = await measuring(rig, switch, state)
    while switch.runs():
        await rig.settle()
    assert await ended(rig, run) == ("running", None)


async def test_calibration_ends_when_the_head_is_switched_off_by_hand(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """Less came out than is reckoned with: the flow would be wrong for good."""
    state = await rig.attach(doser_of(hass), heads=UNLIMITED)
    run = await measuring(rig, switch, state)
    switch.show(is_on=False)
    await hass.async_block_till_done()
    assert await ended(rig, run) == ("cancelled", "stopped")


@pytest.mark.parametrize("is_on", [True, False])
async def test_calibration_ends_when_nobody_saw_how_long_the_head_ran(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch, is_on: bool
) -> None:
    """Killed meanwhile: it ran too long or too short."""
    state = await rig.attach(doser_of(hass), heads=UNLIMITED)
    run = await measuring(rig, switch, state)
    switch.show(available=False)
    await rig.engine.close()
    rig.clock.advance(10)
    switch.show(available=True, is_on=is_on)
    await rig.boot()
    await rig.attach(doser_of(hass), heads=UNLIMITED)
    assert await ended(rig, run) == ("cancelled", "stopped")


async def test_calibration_ends_when_home_assistant_stops(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """The head goes off before its time."""
    state = await rig.attach(doser_of(hass), heads=UNLIMITED)
    run = await measuring(rig, switch, state)
    await rig.engine.start_and_stop.shut_down()
    assert not switch.runs()
    await rig.engine.close()
    await rig.boot()
    await rig.attach(doser_of(hass), heads=UNLIMITED)
    assert await ended(rig, run) == ("cancelled", "stopped")
