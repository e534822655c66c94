"""Windows: set a value, give way at the end, and leave what should be there then."""

import asyncio
from datetime import timedelta

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.state import DeviceState
from tests.engine.rig import SERVICE, Pump, Rig


async def window(
    rig: Rig, state: DeviceState, level: float, begin: float, end: float
) -> Command:
    """Accept a write action that begins and ends so many seconds from now."""
    now = rig.clock.now()
    return await rig.engine.acceptance.create_window(
        state,
        "level",
        level,
        SERVICE,
        start=now + timedelta(seconds=begin),
        end=now + timedelta(seconds=end),
    )


async def test_nothing_happens_before_the_start(rig: Rig) -> None:
    """R-T4."""
    pump = Pump()
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 60, 120)
    await rig.advance(59)
    assert pump.told == []
    assert (await rig.stored(command)).phase is Phase.PLANNED


async def test_a_window_sets_its_value_and_brings_the_old_one_back(rig: Rig) -> None:
    """R-T5, R-T7, R-T18."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 60, 120)
    await rig.advance(60)
    assert pump.told == [0.0]
    assert (await rig.stored(command)).phase is Phase.IN_FORCE
    await rig.advance(60)
    assert pump.told == [0.0, 80.0]
    assert (await rig.stored(command)).phase is Phase.COMPLETED


async def test_crossing_windows_leave_the_original_value(rig: Rig) -> None:
    """RES-27: the first window's value is never replayed."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    first = await window(rig, state, 10, 10, 60)
    second = await window(rig, state, 20, 30, 90)
    await rig.advance(40)
    assert pump.level == 20
    await rig.advance(30)
    assert pump.level == 20
    assert (await rig.stored(first)).phase is Phase.COMPLETED
    await rig.advance(30)
    assert pump.level == 80
    assert (await rig.stored(second)).phase is Phase.COMPLETED
    assert pump.told == [10.0, 20.0, 80.0]


async def test_a_point_action_under_a_window_shows_after_it(rig: Rig) -> None:
    """RES-29, RES-56."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    held = await window(rig, state, 0, 0, 60)
    await rig.settle()
    ended = await rig.done(
        await rig.engine.send(state, "set_level", {"level": 55}, SERVICE)
    )
    assert ended.phase is Phase.COMPLETED
    assert ended.result is not None
    assert ended.result["shadowed_by"] == held.id
    assert pump.level == 0
    await rig.advance(60)
    assert pump.level == 55


async def test_a_device_that_fails_is_tried_again_inside_the_window(rig: Rig) -> None:
    """R-T17, RES-74."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump.fail_next(DeviceError("link_lost", transient=True))
    pump.fail_next(DeviceError("link_lost", transient=True))
    command = await window(rig, state, 0, 0, 60)
    await rig.settle()
    assert (await rig.stored(command)).phase is Phase.APPLYING
    assert (await rig.stored(command)).attempts == 1
    await rig.advance(2)
    assert (await rig.stored(command)).attempts == 2
    await rig.advance(4)
    held = await rig.stored(command)
    assert (held.phase, held.attempts) == (Phase.IN_FORCE, 3)
    assert pump.level == 0


async def test_a_device_that_never_does_it_fails_the_window_and_keeps_the_original(
    rig: Rig,
) -> None:
    """R-T6, R-T16."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump.fail_next(DeviceError("service_failed", transient=False))
    command = await window(rig, state, 0, 0, 60)
    await rig.settle()
    assert (await rig.stored(command)).phase is Phase.FAILED
    assert pump.level == 80


async def test_a_device_that_does_it_and_then_raises_is_brought_back(rig: Rig) -> None:
    """R-T16: the write took effect although it failed."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump.raise_after.append(DeviceError("service_failed", transient=False))
    command = await window(rig, state, 0, 0, 60)
    await rig.settle()
    assert (await rig.stored(command)).phase is Phase.FAILED
    assert pump.level == 80


async def test_a_restart_inside_a_window_changes_nothing(rig: Rig) -> None:
    """R-T54, R-X8: no flicker, and the end still comes."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 0, 600)
    await rig.settle()
    told = list(pump.told)
    await rig.reboot(pump)
    assert pump.level == 0
    assert 80.0 not in pump.told[len(told) :]
    await rig.advance(600)
    assert pump.level == 80
    assert (await rig.stored(command)).phase is Phase.COMPLETED


async def test_an_end_that_passed_while_nobody_was_there_is_made_up_for(
    rig: Rig,
) -> None:
    """RES-30."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 0, 600)
    await rig.settle()
    await rig.engine.close()
    rig.clock.advance(3600)
    await rig.boot(start=False)
    await rig.attach(pump)
    rig.engine.start()
    await rig.settle()
    assert pump.level == 80
    assert (await rig.stored(command)).phase is Phase.COMPLETED


async def test_a_window_missed_whole_touches_nothing(rig: Rig) -> None:
    """RES-30."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 100, 200)
    await rig.engine.close()
    rig.clock.advance(3600)
    await rig.boot(start=False)
    await rig.attach(pump)
    rig.engine.start()
    await rig.settle()
    assert pump.told == []
    assert (await rig.stored(command)).phase is Phase.MISSED


async def test_a_change_by_hand_wins_until_the_window_ends(rig: Rig) -> None:
    """RES-54: then the original returns."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await window(rig, state, 0, 0, 600)
    await rig.advance(60)
    pump.turn_by_hand(35)
    await rig.advance(60)
    assert pump.level == 35
    await rig.advance(600)
    assert pump.level == 80


async def test_a_change_by_hand_without_a_plan_is_the_new_resting_value(
    rig: Rig,
) -> None:
    """RES-54."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump.turn_by_hand(35)
    await rig.settle()
    await window(rig, state, 0, 0, 60)
    await rig.settle()
    assert pump.level == 0
    await rig.advance(60)
    assert pump.level == 35


async def test_a_device_that_comes_back_wrong_is_corrected_once(rig: Rig) -> None:
    """R-B113."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await window(rig, state, 0, 0, 600)
    await rig.advance(30)
    pump.available = False
    pump._know("level", {"level": 80.0})
    pump.available = True
    await rig.settle()
    assert pump.told == [0.0, 0.0]
    assert pump.level == 0


async def test_a_hung_device_does_not_delay_another(rig: Rig) -> None:
    """R-T57."""
    slow, quick = Pump("Slow"), Pump("Quick")
    slow.hanging = asyncio.Event()
    first, second = await rig.attach(slow), await rig.attach(quick)
    await window(rig, first, 0, 0, 60)
    command = await window(rig, second, 0, 0, 60)
    await rig.settle()
    assert (await rig.stored(command)).phase is Phase.IN_FORCE
    assert quick.level == 0
    slow.hanging.set()
    await rig.settle()


async def test_the_same_value_goes_through_all_phases(rig: Rig) -> None:
    """R-T56."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 80, 0, 60)
    await rig.settle()
    assert (await rig.stored(command)).phase is Phase.IN_FORCE
    await rig.advance(60)
    assert (await rig.stored(command)).phase is Phase.COMPLETED
    assert pump.level == 80
