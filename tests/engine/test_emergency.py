"""The emergency stop: at once, latched, and honest about what it could not confirm."""

import asyncio
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine import emergency
from custom_components.aquarist.engine.changes import DeviceChanged
from custom_components.aquarist.engine.emergency import DeviceStopped
from custom_components.aquarist.engine.errors import SafetyRefusedError
from custom_components.aquarist.engine.state import HeadLimits
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig

OFF = {"level": {"level": 0.0}}
FULL = {"level": {"level": 100.0}}


async def test_each_device_goes_to_its_own_safe_value(rig: Rig) -> None:
    """A return pump that must never stand still runs on, without a moment at rest."""
    skimmer, circulation = Pump("Skimmer", level=60), Pump("Return", level=80)
    first = await rig.attach(skimmer, safe=OFF)
    second = await rig.attach(circulation, safe=FULL)
    assert await rig.engine.emergency.stop(None) == [
        DeviceStopped(device=first.row.number, confirmed=True, detail="stopped"),
        DeviceStopped(device=second.row.number, confirmed=True, detail="stopped"),
    ]
    assert skimmer.told == [0.0]
    assert circulation.told == [100.0]


async def test_a_device_without_a_safe_value_is_left_alone(rig: Rig) -> None:
    """Nobody knows what is safe there: an alarm, and no change."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    (report,) = await rig.engine.emergency.stop(None)
    assert (report.confirmed, report.detail) == (False, "no_safe_value")
    assert pump.told == []
    assert not rig.engine.emergency.latched(state)


async def test_what_is_held_stays_held_over_a_restart(rig: Rig) -> None:
    """Until somebody lets go; then everything is what it should be now."""
    pump = Pump(level=60)
    state = await rig.attach(pump, safe=OFF)
    await rig.engine.emergency.stop(None)
    ended = await rig.done(
        await rig.engine.send(state, "set_level", {"level": 45}, SERVICE)
    )
    assert ended.phase is Phase.COMPLETED
    assert pump.level == 0
    for _ in range(2):
        (state,) = await rig.reboot(pump, safe=OFF)
        assert rig.engine.emergency.latched(state)
        assert pump.level == 0
    await rig.advance(7 * 24 * 3600)
    assert rig.engine.emergency.latched(state)
    assert rig.engine.emergency.release(None) == 1
    await rig.settle()
    assert pump.level == 45
    assert not rig.engine.emergency.latched(state)


async def test_to_stop_twice_is_to_stop_once(rig: Rig) -> None:
    """One record holds; letting go twice lets go once."""
    pump = Pump(level=60)
    await rig.attach(pump, safe=OFF)
    await rig.engine.emergency.stop(None)
    await rig.engine.emergency.stop(None)
    await rig.settle()
    assert len(rig.engine.records.open) == 1
    assert rig.engine.emergency.release(None) == 1
    assert rig.engine.emergency.release(None) == 0
    await rig.settle()
    assert pump.level == 60
    assert not rig.engine.records.open


async def test_a_device_that_cannot_be_reached_is_reported_and_stopped_when_it_comes(
    rig: Rig,
) -> None:
    """It is latched all the same."""
    pump = Pump(level=60)
    state = await rig.attach(pump, safe=OFF)
    pump.available = False
    (report,) = await rig.engine.emergency.stop(None)
    assert (report.confirmed, report.detail) == (False, "out_of_range")
    assert pump.level == 60
    assert rig.engine.emergency.latched(state)
    pump.available = True
    await rig.settle()
    assert pump.level == 0


async def test_a_device_that_hangs_is_reported_and_delays_nobody(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are stopped at the same time."""
    monkeypatch.setattr(emergency, "CONFIRM_SECONDS", 0.05)
    slow, quick = Pump("Slow"), Pump("Quick")
    slow.hanging = asyncio.Event()
    await rig.attach(slow, safe=OFF)
    await rig.attach(quick, safe=OFF)
    reports = await rig.engine.emergency.stop(None)
    assert [(one.confirmed, one.detail) for one in reports] == [
        (False, "no_answer"),
        (True, "stopped"),
    ]
    assert quick.level == 0
    slow.hanging.set()
    await rig.settle()


async def test_a_device_that_is_not_loaded_is_stopped_when_it_is(rig: Rig) -> None:
    """Safe first, before anything else can run."""
    pump = Pump(level=60)
    state = await rig.attach(pump, safe=OFF)
    await rig.engine.emergency.stop(None)
    pump.turn_by_hand(60)
    await rig.engine.equipment.detach(state.row.number)
    (report,) = await rig.engine.emergency.stop(None)
    assert (report.confirmed, report.detail) == (False, "device_not_loaded")
    pump.turn_by_hand(60)
    await rig.attach(pump, safe=OFF)
    assert pump.level == 0


async def test_a_device_that_was_not_loaded_since_the_start_is_stopped_when_it_is(
    rig: Rig,
) -> None:
    """Nobody knew its fields: it is held as soon as they are there, also in another life."""
    pump = Pump(level=60)
    for again in (False, True):
        await rig.attach(pump, safe=OFF)
        await rig.engine.close()
        await rig.boot()
        (report,) = await rig.engine.emergency.stop(None)
        assert (report.confirmed, report.detail) == (False, "device_not_loaded")
        assert rig.engine.emergency.latched(rig.engine.device(pump.uuid))
        if again:
            await rig.engine.close()
            await rig.boot()
        state = await rig.attach(pump, safe=OFF)
        assert pump.level == 0
        assert rig.engine.emergency.latched(state)
        assert rig.engine.emergency.release(None) == 1
        await rig.settle()
        assert pump.level == 60


async def test_a_device_that_never_comes_is_let_go_too(rig: Rig) -> None:
    """When it comes after that it is left alone."""
    pump = Pump(level=60)
    await rig.attach(pump, safe=OFF)
    await rig.engine.close()
    await rig.boot()
    rig.changes.clear()
    await rig.engine.emergency.stop(None)
    assert rig.engine.emergency.release(None) == 1
    assert rig.engine.emergency.release(None) == 0
    number = rig.engine.device(pump.uuid).row.number
    assert rig.changes == [DeviceChanged(device=number)] * 2
    state = await rig.attach(pump, safe=OFF)
    await rig.settle()
    assert pump.level == 60
    assert not rig.engine.emergency.latched(state)


async def test_only_the_devices_of_one_aquarium_are_stopped(rig: Rig) -> None:
    """Or let go."""
    here, there = Pump("Here"), Pump("There")
    await rig.attach(here, safe=OFF, aquarium="here")
    await rig.attach(there, safe=OFF, aquarium="there")
    assert len(await rig.engine.emergency.stop("here")) == 1
    assert (here.level, there.level) == (0, 80)
    await rig.engine.emergency.stop("there")
    assert rig.engine.emergency.release("here") == 1
    await rig.settle()
    assert (here.level, there.level) == (80, 0)


async def test_a_doser_ends_what_it_gives_and_gives_no_more(rig: Rig) -> None:
    """What was given by then is known; no dose passes until it is let go."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    doser.slow = True
    command = await rig.engine.send(
        state, "dose", {"head_index": 0, "volume_ml": 20}, SERVICE
    )
    waiting = await rig.engine.send(
        state, "dose", {"head_index": 1, "volume_ml": 1}, SERVICE
    )
    await rig.settle()
    (report,) = await rig.engine.emergency.stop(None)
    assert report.confirmed
    ended = await rig.done(command)
    assert (ended.phase, ended.error) == (Phase.STOPPED, "dose_stopped")
    assert ended.result is not None
    assert ended.result["given_ml"] == 0.5
    assert (await rig.done(waiting)).error == "refused_not_allowed"
    with pytest.raises(SafetyRefusedError):
        await rig.engine.send(state, "dose", {"head_index": 1, "volume_ml": 1}, SERVICE)
    doser.slow = False
    rig.engine.emergency.release(None)
    await rig.settle()
    again = await rig.engine.send(
        state, "dose", {"head_index": 1, "volume_ml": 1}, SERVICE
    )
    assert (await rig.done(again)).phase is Phase.COMPLETED


async def test_a_doser_that_comes_after_the_stop_gives_nothing_that_waited(
    rig: Rig,
) -> None:
    """It is held before anything else is done about it, such as a container of another size."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    state.queue.hold()
    waiting = await rig.engine.send(
        state, "dose", {"head_index": 0, "volume_ml": 1}, SERVICE
    )
    await rig.engine.close()
    await rig.boot()
    await rig.engine.emergency.stop(None)
    state = await rig.attach(doser, heads={0: HeadLimits(container=50_000)})
    await rig.settle()
    assert doser.sent == []
    assert rig.engine.emergency.latched(state)
    assert (await rig.stored(waiting)).final


async def test_who_is_awaited_is_held_before_it_is_not_awaited_any_more(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two, the stop is still known."""
    pump = Pump(level=60)
    await rig.attach(pump, safe=OFF)
    await rig.engine.close()
    await rig.boot()
    await rig.engine.emergency.stop(None)
    known: list[bool] = []
    record = rig.engine.journal.record

    def recorded(*args: Any) -> None:
        known.append(rig.engine.emergency.latched(rig.engine.device(pump.uuid)))
        record(*args)

    monkeypatch.setattr(rig.engine.journal, "record", recorded)
    await rig.attach(pump, safe=OFF)
    assert len(known) > 1
    assert all(known)


async def test_a_doser_that_does_not_stop_is_reported(rig: Rig) -> None:
    """And doses nothing more."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    doser.stops = False
    (report,) = await rig.engine.emergency.stop(None)
    assert (report.confirmed, report.detail) == (False, "out_of_range")
    assert rig.engine.emergency.latched(state)


async def test_a_command_that_runs_is_ended_as_stopped(rig: Rig) -> None:
    """Its value is withdrawn; after release the field is what it was."""
    pump = Pump(level=60)
    state = await rig.attach(pump, safe=OFF)
    pump.hanging = asyncio.Event()
    command = await rig.engine.send(state, "set_level", {"level": 90}, SERVICE)
    await rig.settle()
    stop = asyncio.ensure_future(rig.engine.emergency.stop(None))
    await asyncio.sleep(0)
    pump.hanging.set()
    (report,) = await stop
    assert report.confirmed
    assert (await rig.done(command)).phase is Phase.STOPPED
    assert pump.level == 0
    rig.engine.emergency.release(None)
    await rig.settle()
    assert pump.level == 60


async def test_a_device_that_refuses_is_reported_with_its_reason(rig: Rig) -> None:
    """And asked again, as long as it is held."""
    pump = Pump(level=60)
    await rig.attach(pump, safe=OFF)
    for _ in range(2):
        pump.fail_next(DeviceError("held_by_app", transient=True))
    (report,) = await rig.engine.emergency.stop(None)
    assert (report.confirmed, report.detail) == (False, "held_by_app")
    for _ in range(3):
        await rig.advance(10)
    assert pump.level == 0


async def test_a_device_that_was_never_seen_is_let_go_too(rig: Rig) -> None:
    """There is nothing to go back to; the record comes to its end."""
    pump = Pump(level=60)
    pump._known.clear()
    pump.available = False
    state = await rig.attach(pump, safe=OFF)
    await rig.engine.emergency.stop(None)
    assert rig.engine.emergency.release(None) == 1
    await rig.advance(60)
    assert not rig.engine.records.open
    assert not rig.engine.emergency.latched(state)
