"""Doses and runs under way that a safety rule forbids by now are cut off (law 5)."""

import asyncio
from dataclasses import replace

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.dosing.ledger import DoseState
from custom_components.aquarist.engine.agenda import SWEEP
from custom_components.aquarist.engine.cut_offs import AGAIN_AFTER
from custom_components.aquarist.engine.safety import (
    SOURCE_WAIT,
    Interlock,
    Rule,
    SensorGuard,
)
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.limits.guard import Guard
from custom_components.aquarist.limits.interlock import Requirement
from tests.devices.entities import FakeSwitch, add
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig
from tests.engine.test_dosing_timed_runs import RunningDoser
from tests.engine.test_switched_doser import doser_of

FLOW = Interlock(
    id="flow",
    name="Flow",
    device="uuid-Doser",
    source="flow",
    requirement=Requirement(above=100),
)
DOSE = {"head_index": 0, "volume_ml": 20}


async def pump(rig: Rig, *rules: Rule) -> tuple[MemoryDoser, DeviceState]:
    """Attach a slow doser whose flow is seen."""
    doser = MemoryDoser()
    doser.slow = True
    state = await rig.attach(doser)
    rig.engine.safety.set_rules("tank", rules or (FLOW,))
    rig.engine.safety.seen("flow", 300)
    await rig.settle()
    return doser, state


async def dosing(rig: Rig, state: DeviceState) -> Command:
    """Begin a dose of 20 mL."""
    command = await rig.engine.send(state, "dose", DOSE, SERVICE)
    await rig.settle()
    return command


async def test_a_dose_ends_when_its_proof_does(rig: Rig) -> None:
    """What was given is booked, the reason is told, and the rest is never given."""
    doser, state = await pump(rig)
    command = await dosing(rig, state)
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    ended = await rig.done(command)
    assert (ended.phase, ended.error_code, ended.error) == (
        Phase.FAILED,
        ErrorCode.SAFETY_REFUSED,
        "dose_cut_off",
    )
    assert ended.result == {"head_index": 0, "volume_ml": 20.0, "given_ml": 0.5}
    assert ended.error_details is not None
    assert ended.error_details["name"] == "Flow"
    assert ended.error_details["reason"] == "not_proven"
    assert await rig.stored(command) == ended
    (dose,) = rig.engine.gate.doses(state.row.number, 0)
    assert (dose.state, dose.given) == (DoseState.PARTLY, 500)

    rig.engine.safety.seen("flow", 300)
    await rig.settle()
    assert doser.sent == [(0, 20_000)]


async def test_a_dose_goes_on_for_as_long_as_its_proof_counts(rig: Rig) -> None:
    """A glitch that the rule allows for cuts nothing off; a longer one does."""
    lasting = replace(FLOW, requirement=Requirement(above=100, reach=300))
    doser, state = await pump(rig, lasting)
    rig.engine.safety.seen("flow", 0)
    command = await dosing(rig, state)
    await rig.advance(5)
    rig.engine.safety.seen("flow", 300)
    rig.engine.safety.seen("flow", 0)
    await rig.advance(299)
    assert rig.engine.records.current(command.key) is not None
    assert doser.under_way
    await rig.advance(1)
    assert (await rig.done(command)).error == "dose_cut_off"


async def test_a_sensor_in_doubt_cuts_a_dose_off(rig: Rig) -> None:
    """Not by one reading, where the rule waits for more of them to be sure."""
    guard = SensorGuard(
        id="probe",
        name="Level",
        source="level",
        guard=Guard(maximum=50, good_readings=2),
        devices=("uuid-Doser",),
    )
    doser, state = await pump(rig, guard)
    rig.engine.safety.seen("level", 20)
    command = await dosing(rig, state)
    rig.engine.safety.seen("level", 20)
    await rig.settle()
    assert doser.under_way
    rig.engine.safety.seen("level", 60)
    await rig.settle()
    ended = await rig.done(command)
    assert ended.error == "dose_cut_off"
    assert (ended.error_details or {})["reason"] == "sensor_out_of_range"


async def test_a_stop_under_way_is_not_begun_twice(rig: Rig) -> None:
    """Whatever other rules say meanwhile, also about what is no doser or not there."""
    doser, state = await pump(rig, FLOW, replace(FLOW, id="other", source="level"))
    rig.engine.safety.seen("level", 300)
    await rig.attach(Pump())
    away = await rig.attach(MemoryDoser("Away"))
    await rig.engine.equipment.detach(away.row.number)
    other = replace(FLOW, id="away", device="uuid-Away")
    rig.engine.safety.set_rules("other", (other,))
    rig.engine.safety.seen("flow", 300)
    command = await dosing(rig, state)
    rig.engine.safety.seen("flow", 0)
    rig.engine.safety.seen("level", 0)
    await rig.settle()
    assert (await rig.done(command)).error == "dose_cut_off"
    assert doser.stopped == 1


async def test_a_pump_that_is_gone_is_not_told_again(rig: Rig) -> None:
    """It was taken out of use in the meantime."""
    doser, state = await pump(rig)
    doser.stops = False
    await dosing(rig, state)
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    await rig.engine.equipment.retire(state.row.number)
    doser.stops = True
    await rig.advance(AGAIN_AFTER)
    assert doser.stopped == 0


async def test_a_rule_of_something_else_lets_a_dose_be(rig: Rig) -> None:
    """Only what a rule protects is stopped."""
    doser, state = await pump(rig, replace(FLOW, device="uuid-Skimmer"))
    command = await dosing(rig, state)
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    assert doser.under_way
    doser.under_way[0].give(20_000)
    assert (await rig.done(command)).phase is Phase.COMPLETED


async def test_what_waited_behind_it_is_refused(rig: Rig) -> None:
    """It is not given in place of the other."""
    doser, state = await pump(rig)
    command = await dosing(rig, state)
    behind = await rig.engine.send(
        state, "dose", {"head_index": 1, "volume_ml": 1}, SERVICE
    )
    await rig.settle()
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    assert (await rig.done(command)).error == "dose_cut_off"
    assert (await rig.done(behind)).error == "refused_interlock"
    assert len(doser.sent) == 1


async def test_a_dose_that_is_being_sent_is_cut_off_once_it_is(rig: Rig) -> None:
    """The frame may be out already: it is not called back but stopped."""
    doser, state = await pump(rig)
    doser.sending = asyncio.Event()
    command = await dosing(rig, state)
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    doser.sending.set()
    await rig.settle()
    assert (await rig.done(command)).error == "dose_cut_off"


async def test_a_dose_that_was_not_sent_yet_is_refused(rig: Rig) -> None:
    """Also when the proof ends while the dose is written down."""
    doser, state = await pump(rig)
    command = await rig.engine.send(state, "dose", DOSE, SERVICE)
    while rig.engine.records.current(command.key) is None or not state.busy_heads:
        await asyncio.sleep(0)
    rig.engine.safety.seen("flow", 0)
    ended = await rig.done(command)
    assert (ended.error_code, ended.error) == (
        ErrorCode.SAFETY_REFUSED,
        "refused_interlock",
    )
    assert doser.sent == []
    await rig.settle()
    assert rig.engine.gate.given(state.row.number, 0, rig.clock.now()) == 0


async def test_a_pump_that_does_not_stop_is_told_again(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """For as long as it may deliver and the rule holds; the log says so."""
    caplog.set_level("INFO")
    doser, state = await pump(rig)
    doser.stops = False
    command = await dosing(rig, state)
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    assert "could not be stopped: out_of_range" in caplog.text
    assert rig.engine.records.current(command.key) is not None
    doser.stops = True
    await rig.advance(AGAIN_AFTER)
    assert (await rig.done(command)).error == "dose_cut_off"


async def test_nothing_is_stopped_once_the_rule_is_content_again(rig: Rig) -> None:
    """A dose that could not be stopped is given in full, and says so."""
    doser, state = await pump(rig)
    doser.stops = False
    command = await dosing(rig, state)
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    rig.engine.safety.seen("flow", 300)
    doser.stops = True
    await rig.advance(AGAIN_AFTER)
    assert doser.under_way
    doser.under_way[0].give(20_000)
    assert (await rig.done(command)).phase is Phase.COMPLETED


async def test_what_was_given_may_stay_unknown(rig: Rig) -> None:
    """The command says that it was interrupted, and by which rule."""
    doser, state = await pump(rig)
    doser.stops = False
    command = await dosing(rig, state)
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    doser.under_way[0].give(None)
    ended = await rig.done(command)
    assert (ended.phase, ended.error_code, ended.error) == (
        Phase.FAILED,
        ErrorCode.INTERRUPTED,
        "dose_unknown",
    )
    assert (ended.error_details or {})["name"] == "Flow"


async def test_a_dose_that_nobody_follows_is_stopped_too(rig: Rig) -> None:
    """The link was lost, the pump goes on by itself, and is told when it can be."""
    doser, state = await pump(rig)
    command = await rig.engine.send(
        state, "dose", {"head_index": 0, "volume_ml": 50}, SERVICE
    )
    await rig.settle()
    doser.under_way[0].ended.set_result(None)
    await rig.settle()
    assert (await rig.done(command)).error == "dose_unknown"
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    assert doser.under_way == []
    assert doser.stopped == 1
    await rig.advance(SWEEP.total_seconds() / 2)
    await rig.advance(SWEEP.total_seconds() / 2)
    assert doser.stopped == 1, "it has confirmed that once"


async def test_a_dose_that_has_ended_is_not_stopped(rig: Rig) -> None:
    """Nor one whose end nobody saw, when the pump must have come to it."""
    doser, state = await pump(rig)
    await dosing(rig, state)
    doser.under_way[0].ended.set_result(None)
    await rig.advance(60)
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    assert len(doser.under_way) == 1


@pytest.mark.parametrize(
    ("shown", "phase"),
    [(300, Phase.COMPLETED), (0, Phase.FAILED), (None, Phase.FAILED)],
)
async def test_a_dose_waits_until_its_proof_has_had_its_time_after_a_start(
    rig: Rig, shown: int | None, phase: Phase
) -> None:
    """Nobody knows yet whether it may be given; what is known by then decides."""
    doser = MemoryDoser()
    await rig.attach(doser)
    await rig.engine.close()
    await rig.boot(start=False)
    state = await rig.attach(doser)
    rig.engine.safety.set_rules("tank", (FLOW,))
    rig.engine.start()
    command = await dosing(rig, state)
    assert doser.sent == []
    if shown is not None:
        rig.engine.safety.seen("flow", shown)
    await rig.advance(SOURCE_WAIT)
    ended = await rig.done(command)
    assert ended.phase is phase
    assert ended.error == (None if phase is Phase.COMPLETED else "refused_interlock")


async def test_a_dose_of_another_pump_does_not_wait(rig: Rig) -> None:
    """The rule is about one of them."""
    doser = MemoryDoser()
    await rig.attach(doser)
    await rig.engine.close()
    await rig.boot(start=False)
    state = await rig.attach(doser)
    rig.engine.safety.set_rules("tank", (replace(FLOW, device="uuid-Other"),))
    rig.engine.start()
    await rig.done(await dosing(rig, state))
    assert doser.sent == [(0, 20_000)]


async def test_a_run_is_cut_off_too(rig: Rig) -> None:
    """What comes out of a hose that is filled is as real as a dose."""
    doser = RunningDoser()
    state = await rig.attach(doser)
    rig.engine.safety.set_rules("tank", (FLOW,))
    rig.engine.safety.seen("flow", 300)
    args = {"head_index": 0, "seconds": 10}
    command = await rig.engine.send(state, "prime_head", args, SERVICE)
    await rig.done(command)
    await rig.settle()
    assert state.busy_heads
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    assert doser.stopped == 1
    assert not state.busy_heads


async def test_a_switch_goes_off(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """And what it gave by then is booked by its time on."""
    state = await rig.attach(doser_of(hass))
    rig.engine.safety.set_rules("tank", (replace(FLOW, device="iron"),))
    rig.engine.safety.seen("flow", 300)
    args = {"head_index": 0, "volume_ml": 90}
    command = await rig.engine.send(state, "dose", args, SERVICE)
    while not switch.runs():
        await asyncio.sleep(0)
    rig.engine.safety.seen("flow", 0)
    ended = await rig.done(command)
    assert (ended.error_code, ended.error) == (
        ErrorCode.SAFETY_REFUSED,
        "dose_cut_off",
    )
    assert not switch.runs()
    await rig.settle()
    (dose,) = rig.engine.gate.doses(state.row.number, 0)
    assert dose.state is DoseState.PARTLY
    assert 0 < dose.counted < 90_000


async def test_a_device_that_is_away_is_stopped_when_it_comes(rig: Rig) -> None:
    """As long as it may still deliver what nobody saw the end of."""
    doser, state = await pump(rig)
    await dosing(rig, state)
    doser.under_way[0].ended.set_result(None)
    await rig.settle()
    await rig.engine.equipment.detach(state.row.number)
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    assert doser.stopped == 0
    await rig.attach(doser)
    await rig.settle()
    assert doser.stopped == 1


async def test_a_switch_that_somebody_puts_on_goes_off_too(
    hass: HomeAssistant, rig: Rig, switch: FakeSwitch
) -> None:
    """With the next sweep: a rule stands above a hand."""
    await rig.attach(doser_of(hass))
    rig.engine.safety.set_rules("tank", (replace(FLOW, device="iron"),))
    rig.engine.safety.seen("flow", 300)
    switch.show(is_on=True)
    await hass.async_block_till_done()
    await rig.advance(SWEEP.total_seconds())
    assert switch.runs()
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    assert not switch.runs()
    switch.show(is_on=True)
    await hass.async_block_till_done()
    await rig.advance(SWEEP.total_seconds())
    assert not switch.runs()


@pytest.fixture
async def switch(hass: HomeAssistant) -> FakeSwitch:
    """Return a switch that is off."""
    entity = FakeSwitch("dosing")
    await add(hass, "switch", entity)
    return entity


async def beginning(
    rig: Rig, *, counted: bool
) -> tuple[RunningDoser, DeviceState, Command]:
    """Return a run that is written down, of a pump that is not reached yet."""
    doser = RunningDoser()
    doser.counts = counted
    doser.connecting = asyncio.Event()
    state = await rig.attach(doser)
    if counted:
        doser.tell()
    rig.engine.safety.set_rules("tank", (FLOW,))
    rig.engine.safety.seen("flow", 300)
    asked = {"head_index": 0, "seconds": 10}
    command = await rig.engine.send(state, "prime_head", asked, SERVICE)
    await rig.settle()
    assert (await rig.stored(command)).phase is Phase.APPLYING
    return doser, state, command


@pytest.mark.parametrize("counted", [True, False])
async def test_a_run_that_was_not_begun_yet_is_refused(rig: Rig, counted: bool) -> None:
    """It was written down, and the proof ends while the pump is connected: nothing is given."""
    doser, state, command = await beginning(rig, counted=counted)
    assert doser.connecting is not None
    rig.engine.safety.seen("flow", 0)
    await rig.settle()
    doser.connecting.set()
    ended = await rig.done(command)
    assert (ended.phase, ended.error_code, ended.error) == (
        Phase.FAILED,
        ErrorCode.SAFETY_REFUSED,
        "refused_interlock",
    )
    assert (ended.error_details or {})["name"] == "Flow"
    assert (doser.ran, doser.stopped, state.busy_heads) == ([], 0, {})
    await rig.settle()
    gate = rig.engine.gate
    assert (gate.given(1, 0, rig.clock.now()), gate.unknown) == (0, ())
    await rig.engine.close()
    await rig.boot()
    gate = rig.engine.gate
    assert (gate.given(1, 0, rig.clock.now()), gate.unknown) == (0, ())


@pytest.mark.parametrize("counted", [True, False])
async def test_a_run_that_was_not_begun_yet_is_stopped(rig: Rig, counted: bool) -> None:
    """An emergency stop in the same gap ends it, and nothing counts as given."""
    doser, state, command = await beginning(rig, counted=counted)
    assert doser.connecting is not None
    (report,) = await rig.engine.emergency.stop(None)
    doser.connecting.set()
    ended = await rig.done(command)
    assert (report.confirmed, ended.phase, ended.error) == (
        True,
        Phase.STOPPED,
        "stopped",
    )
    assert (doser.ran, state.busy_heads) == ([], {})
    await rig.engine.close()
    await rig.boot()
    gate = rig.engine.gate
    assert (gate.given(1, 0, rig.clock.now()), gate.unknown) == (0, ())


async def test_a_run_that_the_keeper_forbids_meanwhile_does_not_begin(rig: Rig) -> None:
    """Whoever owns whether the head may dose is asked last of all as well."""
    doser, state, command = await beginning(rig, counted=True)
    assert doser.connecting is not None
    state.fields["dosing_allowed_0"].resting = {"dosing_allowed_0": False}
    doser.connecting.set()
    assert (await rig.done(command)).error == "refused_not_allowed"
    assert doser.ran == []
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 0


async def test_a_dose_that_the_keeper_forbids_meanwhile_is_not_sent(rig: Rig) -> None:
    """As a run is not."""
    doser, state = await pump(rig)
    command = await rig.engine.send(state, "dose", DOSE, SERVICE)
    while rig.engine.records.current(command.key) is None or not state.busy_heads:
        await asyncio.sleep(0)
    state.fields["dosing_allowed_0"].resting = {"dosing_allowed_0": False}
    assert (await rig.done(command)).error == "refused_not_allowed"
    assert doser.sent == []


async def test_a_run_that_never_reached_its_pump_gave_nothing(rig: Rig) -> None:
    """The frame was not written: nothing is reserved, and the pump is free."""
    running = RunningDoser()
    running.counts = False

    async def away(action: str, args: object, last_word: object) -> None:
        raise DeviceError("out_of_range", transient=False)

    running.run = away  # type: ignore[method-assign]
    other = await rig.attach(running)
    args = {"head_index": 0, "seconds": 10}
    ended = await rig.done(await rig.engine.send(other, "prime_head", args, SERVICE))
    assert (ended.phase, ended.error) == (Phase.FAILED, "out_of_range")
    assert (other.busy_heads, rig.engine.gate.unknown) == ({}, ())
    assert rig.engine.gate.given(other.row.number, 0, rig.clock.now()) == 0


async def test_a_run_whose_end_is_known_already_is_not_refused_twice(rig: Rig) -> None:
    """Its time was over while the pump was connected."""
    doser, state, command = await beginning(rig, counted=True)
    assert doser.connecting is not None
    current = rig.engine.records.current(command.key)
    assert current is not None
    rig.engine.records.advance(current, Phase.TIMED_OUT, error="no_answer")
    await rig.settle()
    rig.engine.safety.seen("flow", 0)
    doser.connecting.set()
    await rig.settle()
    assert (await rig.stored(command)).phase is Phase.TIMED_OUT
    assert (doser.ran, state.busy_heads) == ([], {})
