"""Limits on levels at every road: maximum on-time, bounds and slew (law 5)."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.limits.bounds import Bounds
from custom_components.aquarist.limits.slew import Slew
from tests.engine.holding import claim
from tests.engine.rig import SERVICE, Pump, Rig
from tests.fakes.manual_clock import START, ManualEngineClock

MAXIMUM = {"level": 600.0}


async def on(rig: Rig, pump: Pump, **limits: Any) -> None:
    """Attach a pump that is off, and switch it on."""
    state = await rig.attach(pump, **limits)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 60}, SERVICE))


async def test_what_has_been_on_for_too_long_goes_off_and_rests(rig: Rig) -> None:
    """For as long as it may be on; then what should hold now comes back."""
    pump = Pump(level=0)
    await on(rig, pump, maximum_on=MAXIMUM)
    await rig.advance(599)
    assert pump.level == 60
    await rig.advance(1)
    assert pump.level == 0
    (hold,) = rig.engine.records.open
    assert hold.action == "maximum_on_time"
    assert hold.ends_at == START + timedelta(seconds=1200)
    await rig.advance(599)
    assert pump.level == 0
    await rig.advance(1)
    assert pump.level == 60
    assert (await rig.stored(hold)).phase is Phase.COMPLETED


async def test_it_is_counted_anew_when_it_was_off(rig: Rig) -> None:
    """Every on has its own time."""
    pump = Pump(level=0)
    await on(rig, pump, maximum_on=MAXIMUM)
    await rig.advance(500)
    state = rig.engine.device("uuid-Pump")
    await rig.done(await rig.engine.send(state, "turn_off", {}, SERVICE))
    await rig.advance(10)
    await rig.done(await rig.engine.send(state, "turn_on", {}, SERVICE))
    await rig.advance(599)
    assert pump.level == 60
    await rig.advance(1)
    assert pump.level == 0


async def test_another_level_does_not_begin_it_anew(rig: Rig) -> None:
    """On is on."""
    pump = Pump(level=0)
    await on(rig, pump, maximum_on=MAXIMUM)
    await rig.advance(500)
    state = rig.engine.device("uuid-Pump")
    await rig.done(await rig.engine.send(state, "set_level", {"level": 90}, SERVICE))
    await rig.advance(100)
    assert pump.level == 0


@pytest.mark.parametrize("jump", [-7200, 7200])
async def test_the_wall_clock_has_no_say(rig: Rig, jump: float) -> None:
    """Law 6: elapsed time, whatever the clock is set to."""
    pump = Pump(level=0)
    await on(rig, pump, maximum_on=MAXIMUM)
    await rig.advance(300)
    rig.clock.jump(jump)
    for _ in range(29):
        await rig.advance(10)
    assert pump.level == 60
    for _ in range(4):
        await rig.advance(10)
    assert pump.level == 0


async def test_a_restart_does_not_begin_it_anew(rig: Rig) -> None:
    """The anchor is on disk in both times."""
    pump = Pump(level=0)
    await on(rig, pump, maximum_on=MAXIMUM)
    await rig.advance(400)
    await rig.reboot(pump, maximum_on=MAXIMUM)
    await rig.advance(199)
    assert pump.level == 60
    await rig.advance(1)
    assert pump.level == 0


async def test_a_restart_of_the_machine_counts_by_the_wall(rig: Rig) -> None:
    """Elapsed readings of another boot mean nothing; off at once where it is too long."""
    pump = Pump(level=0)
    await on(rig, pump, maximum_on=MAXIMUM)
    await rig.settle()
    await rig.engine.close()
    rig.clock = ManualEngineClock(START + timedelta(seconds=700), boot="boot-2")
    await rig.boot(start=False)
    await rig.attach(pump, maximum_on=MAXIMUM)
    rig.engine.start()
    await rig.settle()
    assert pump.level == 0


async def test_what_is_switched_on_by_hand_is_limited_too(rig: Rig) -> None:
    """On every road."""
    pump = Pump(level=0)
    await rig.attach(pump, maximum_on=MAXIMUM)
    pump.turn_by_hand(50, user_id="keeper")
    await rig.advance(600)
    assert pump.level == 0
    pump.turn_by_hand(50, user_id="keeper")
    await rig.settle()
    assert pump.level == 0


async def test_a_pump_that_runs_when_it_is_attached_is_limited_too(rig: Rig) -> None:
    """Since when it has been on nobody knows: it counts from now."""
    pump = Pump(level=50)
    await rig.attach(pump, maximum_on=MAXIMUM)
    await rig.advance(600)
    assert pump.level == 0


async def test_what_could_not_be_switched_off_goes_off_when_it_can(rig: Rig) -> None:
    """It was away until the time in which it should have rested was over."""
    pump = Pump(level=0)
    await on(rig, pump, maximum_on=MAXIMUM)
    pump.available = False
    await rig.advance(600)
    await rig.advance(600)
    assert pump.level == 60
    before = len(await rig.engine.history.recent(None, 100))
    await rig.advance(6000)
    assert len(await rig.engine.history.recent(None, 100)) == before
    pump.available = True
    await rig.advance(1)
    assert pump.level == 0
    await rig.advance(600)
    assert pump.level == 60


async def test_levels_stay_within_their_bounds(rig: Rig) -> None:
    """On every road; off stays off."""
    pump = Pump(level=0)
    bounds = {"level": Bounds(minimum=20, maximum=70)}
    state = await rig.attach(pump, bounds=bounds)
    for asked, given in ((90, 70.0), (5, 20.0), (50, 50.0), (0, 0.0)):
        await rig.done(
            await rig.engine.send(state, "set_level", {"level": asked}, SERVICE)
        )
        assert pump.level == given
    await claim(rig, state, 100, 0, 60, Layer.MODE)
    assert pump.level == 70
    await rig.advance(60)
    assert pump.level == 0


async def test_a_limited_speed_is_kept_and_the_command_ends_when_it_arrives(
    rig: Rig,
) -> None:
    """Step by step, both ways; the window is in force once its value is reached."""
    pump = Pump(level=0)
    state = await rig.attach(pump, slew={"level": Slew(per_second=2.0)})
    now = rig.clock.now()
    command = await rig.engine.acceptance.create_window(
        state, "level", 40, SERVICE, start=now, end=now + timedelta(seconds=100)
    )
    await rig.settle()
    seen = [pump.level]
    for _ in range(25):
        await rig.advance(1)
        seen.append(pump.level)
    steps = [after - before for before, after in pairwise(seen)]
    assert max(steps) <= 2
    assert pump.level == 40
    assert (await rig.stored(command)).phase is Phase.IN_FORCE
    for _ in range(110):
        await rig.advance(1)
    assert pump.level == 0
    assert (await rig.stored(command)).phase is Phase.COMPLETED


async def test_the_safe_side_is_reached_at_once(rig: Rig) -> None:
    """A stop knows no speed."""
    pump = Pump(level=80)
    await rig.attach(
        pump, slew={"level": Slew(per_second=1.0)}, safe={"level": {"level": 0.0}}
    )
    await rig.engine.emergency.stop(None)
    assert pump.told == [0.0]
