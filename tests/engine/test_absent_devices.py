"""A device that no entry attaches again after a restart: what waits for it still ends."""

import asyncio
from datetime import timedelta

import pytest

from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.state import DeviceState
from tests.engine.holding import window
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig

EXPIRY = 300.0


async def ended(rig: Rig, command: Command) -> tuple[Phase, str | None]:
    """Return how a command ended, as it is on disk."""
    stored = await rig.stored(command)
    return stored.phase, stored.error


async def restarted(rig: Rig) -> None:
    """Begin another life in which no entry brings a device."""
    await rig.engine.close()
    await rig.boot()
    await rig.settle()


async def interrupted(rig: Rig, pump: Pump, action: str, **args: object) -> Command:
    """Let a command be under way at a device when the engine ends."""
    state = await rig.attach(pump)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 40}, SERVICE))
    pump.hanging = asyncio.Event()
    command = await rig.engine.send(state, action, args, SERVICE)
    await restarted(rig)
    pump.hanging = None
    pump.told.clear()
    assert (await rig.stored(command)).phase is Phase.APPLYING
    return command


async def resting(rig: Rig) -> DeviceState:
    """Attach a pump that rests on 40 per cent."""
    state = await rig.attach(Pump())
    await rig.done(await rig.engine.send(state, "set_level", {"level": 40}, SERVICE))
    return state


@pytest.mark.parametrize("known", [True, False])
async def test_a_window_that_was_not_begun_ends_with_its_time(
    rig: Rig, known: bool
) -> None:
    """Whether or not anybody knows what the field would have gone back to."""
    state = await resting(rig) if known else await rig.attach(Pump())
    command = await window(rig, state, 0, 60, 120)
    await restarted(rig)
    await rig.advance(90)
    await rig.advance(60)
    assert await ended(rig, command) == (Phase.FAILED, "device_unavailable")


async def test_a_window_that_was_over_at_the_start_is_missed(rig: Rig) -> None:
    """RES-30: nothing is sent for it."""
    command = await window(rig, await resting(rig), 0, 60, 120)
    await rig.engine.close()
    rig.clock.advance(180)
    await rig.boot()
    await rig.settle()
    assert await ended(rig, command) == (Phase.MISSED, "missed_window")


async def test_a_dose_that_waits_expires(rig: Rig) -> None:
    """Its pump may come back later: it is not given then (law 3)."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    state.queue.hold()
    args = {"head_index": 0, "volume_ml": 2}
    command = await rig.engine.send(state, "dose", args, SERVICE)
    await restarted(rig)
    await rig.advance(EXPIRY - 1)
    assert await ended(rig, command) == (Phase.PLANNED, None)
    await rig.advance(2)
    assert await ended(rig, command) == (Phase.MISSED, "expired")
    await rig.attach(doser)
    await rig.settle()
    assert doser.sent == []


async def test_a_command_that_waits_for_its_start_expires_after_it(rig: Rig) -> None:
    """Its own time comes first."""
    state = await rig.attach(Pump())
    command = await rig.engine.send(
        state,
        "set_level",
        {"level": 20},
        SERVICE,
        scheduled_at=rig.clock.now() + timedelta(seconds=600),
    )
    await restarted(rig)
    await rig.advance(600 + EXPIRY - 1)
    assert await ended(rig, command) == (Phase.PLANNED, None)
    await rig.advance(2)
    assert await ended(rig, command) == (Phase.MISSED, "expired")


@pytest.mark.parametrize("action", ["set_level", "turn_off"])
async def test_what_was_under_way_waits_no_longer_than_any_command(
    rig: Rig, action: str
) -> None:
    """It is not done again late; what it may have done is taken back (law 4)."""
    pump = Pump()
    args = {"level": 20} if action == "set_level" else {}
    command = await interrupted(rig, pump, action, **args)
    await rig.advance(EXPIRY - 1)
    assert await ended(rig, command) == (Phase.APPLYING, None)
    await rig.advance(2)
    assert await ended(rig, command) == (Phase.FAILED, "expired")
    assert (await rig.stored(command)).error_code == ErrorCode.EXPIRED
    await rig.attach(pump)
    await rig.settle()
    assert pump.told == [40.0]


async def test_an_inquiry_that_was_under_way_expires_and_leaves_no_trace(
    rig: Rig,
) -> None:
    """There is no field to bring back."""
    pump = Pump()
    state = await resting(rig)
    state.queue.hold()
    command = await rig.engine.send(state, "request_status", {}, SERVICE)
    rig.engine.records.advance(command, Phase.APPLYING)
    await restarted(rig)
    await rig.advance(EXPIRY + 1)
    assert await ended(rig, command) == (Phase.FAILED, "expired")
    await rig.attach(pump)
    await rig.settle()
    assert pump.told == []


async def test_a_device_that_comes_late_but_in_time_does_it_all(rig: Rig) -> None:
    """RES-45, R-T54: nothing is lost by waiting."""
    pump = Pump()
    command = await interrupted(rig, pump, "set_level", level=20)
    state = rig.engine.device(pump.uuid)
    await rig.advance(EXPIRY - 10)
    await rig.attach(pump)
    await rig.settle()
    assert await ended(rig, command) == (Phase.COMPLETED, None)
    assert pump.told == [20.0]
    await rig.advance(60)
    assert await ended(rig, command) == (Phase.COMPLETED, None)
    late = await window(rig, state, 0, 60, 600)
    await restarted(rig)
    await rig.advance(120)
    await rig.attach(pump)
    await rig.settle()
    assert (await rig.stored(late)).phase is Phase.IN_FORCE
    assert pump.level == 0
    await rig.advance(600)
    assert await ended(rig, late) == (Phase.COMPLETED, None)
    assert pump.level == 20


async def test_a_dose_whose_pump_comes_late_but_in_time_is_given_once(rig: Rig) -> None:
    """It was never begun."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    state.queue.hold()
    args = {"head_index": 0, "volume_ml": 2}
    command = await rig.engine.send(state, "dose", args, SERVICE)
    await restarted(rig)
    await rig.advance(EXPIRY - 10)
    await rig.attach(doser)
    await rig.advance(30)
    assert (await rig.stored(command)).phase is Phase.COMPLETED
    assert doser.sent == [(0, 2000)]


async def test_one_that_runs_at_last_has_its_own_time(rig: Rig) -> None:
    """Waiting is over when it begins (R-C51)."""
    pump = Pump()
    command = await interrupted(rig, pump, "set_level", level=20)
    await rig.advance(EXPIRY - 1)
    pump.hanging = asyncio.Event()
    await rig.attach(pump)
    await rig.advance(2)
    assert await ended(rig, command) == (Phase.APPLYING, None)
    pump.hanging.set()
    await rig.settle()
    assert await ended(rig, command) == (Phase.COMPLETED, None)
    assert pump.told == [20.0]


async def test_an_off_that_met_a_queue_held_in_that_moment_expires(rig: Rig) -> None:
    """Its device was taken away in the moment in which it was accepted."""
    state = await resting(rig)
    accepted = asyncio.ensure_future(rig.engine.send(state, "turn_off", {}, SERVICE))
    await asyncio.sleep(0)
    await rig.engine.equipment.detach(state.row.number)
    command = await accepted
    await rig.settle()
    assert await ended(rig, command) == (Phase.APPLYING, None)
    await rig.advance(EXPIRY + 1)
    assert await ended(rig, command) == (Phase.FAILED, "expired")
