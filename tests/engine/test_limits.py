"""Bounds and slew on plans: whatever asks for a level, the keeper's limits hold (law 5)."""

import asyncio

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.limits.bounds import Bounds
from custom_components.aquarist.limits.slew import Slew
from tests.engine.plans import create, daily
from tests.engine.rig import SERVICE, Pump, Rig

BOUNDS = {"level": Bounds(minimum=20, maximum=70)}
SLEW = {"level": Slew(per_second=2.0)}
SAFE = {"level": {"level": 0.0}}


async def test_a_schedule_stays_within_the_bounds(rig: Rig) -> None:
    """A limit is not a refusal: the nearest allowed level is written."""
    pump = Pump(level=50)
    await rig.attach(pump, bounds=BOUNDS)
    await create(rig, daily("12:10", "set_level", {"level": 100}))
    await create(rig, daily("12:20", "set_level", {"level": 1}))
    await create(rig, daily("12:30", "off"))
    for _ in range(3):
        await rig.advance(600)
    assert pump.told == [70.0, 20.0, 0.0]


async def test_a_window_and_what_comes_back_stay_within_the_bounds(rig: Rig) -> None:
    """Also a level from before there were bounds."""
    pump = Pump(level=90)
    state = await rig.attach(pump, bounds=BOUNDS)
    command = await rig.engine.send(state, "set_level", {"level": 5}, SERVICE, hold=60)
    await rig.settle()
    assert pump.level == 20
    await rig.advance(60)
    assert pump.level == 70
    assert (await rig.stored(command)).phase is Phase.COMPLETED


async def test_a_ramp_stays_within_the_bounds(rig: Rig) -> None:
    """It begins and ends at them; off is off."""
    pump = Pump(level=0)
    state = await rig.attach(pump, bounds=BOUNDS)
    args = {"start_level": 0, "end_level": 100, "duration": 100}
    command = await rig.engine.send(state, "ramp", args, SERVICE)
    for _ in range(101):
        await rig.advance(1)
    assert all(level == 0 or 20 <= level <= 70 for level in pump.told)
    assert pump.level == 70
    assert (await rig.stored(command)).phase is Phase.COMPLETED


async def test_a_ramp_that_is_too_steep_arrives_later(rig: Rig) -> None:
    """Its command ends when the level is there, and no step is taken twice."""
    pump = Pump(level=0)
    state = await rig.attach(pump, slew=SLEW)
    args = {"start_level": 0, "end_level": 100, "duration": 10}
    command = await rig.engine.send(state, "ramp", args, SERVICE)
    for _ in range(12):
        await rig.advance(1)
    assert pump.level < 30
    assert (await rig.stored(command)).phase is Phase.RESTORING
    for _ in range(45):
        await rig.advance(1)
    assert pump.level == 100
    assert (await rig.stored(command)).phase is Phase.COMPLETED
    steps = [
        after - before for before, after in zip(pump.told, pump.told[1:], strict=False)
    ]
    assert max(steps) <= 2.0
    assert min(steps) > 0


async def test_a_window_comes_back_at_the_same_speed(rig: Rig) -> None:
    """Both ways."""
    pump = Pump(level=60)
    state = await rig.attach(pump, slew=SLEW)
    await rig.engine.send(state, "set_level", {"level": 50}, SERVICE, hold=60)
    for _ in range(10):
        await rig.advance(1)
    assert pump.level == 50
    for _ in range(50):
        await rig.advance(1)
    assert 50 < pump.level < 60
    for _ in range(6):
        await rig.advance(1)
    assert pump.level == 60


async def test_an_emergency_stop_knows_no_speed_and_its_end_does(rig: Rig) -> None:
    """To the safe side at once, back as the keeper wants it."""
    pump = Pump(level=60)
    await rig.attach(pump, slew=SLEW, safe=SAFE)
    await rig.engine.emergency.stop(None)
    assert pump.told == [0.0]
    rig.engine.emergency.release(None)
    await rig.advance(1)
    assert 0 < pump.level <= 4
    for _ in range(30):
        await rig.advance(1)
    assert pump.level == 60


async def test_a_step_that_fails_is_tried_again_from_where_the_device_is(
    rig: Rig,
) -> None:
    """What was sent and not confirmed is not believed."""
    pump = Pump(level=0)
    state = await rig.attach(pump, slew=SLEW)
    await rig.engine.send(state, "set_level", {"level": 10}, SERVICE, hold=600)
    await rig.advance(1)
    pump.hanging = asyncio.Event()
    rig.clock.advance(1)
    await rig.settle()
    shown = pump.level
    await rig.engine.equipment.detach(state.row.number)
    pump.hanging.set()
    pump.hanging = None
    await rig.attach(pump, slew=SLEW)
    for _ in range(10):
        await rig.advance(1)
    assert shown <= 4
    assert pump.level == 10


@pytest.mark.parametrize("level", [0, 20, 45, 70])
async def test_within_the_bounds_nothing_is_changed(rig: Rig, level: float) -> None:
    """The level itself is written."""
    pump = Pump(level=30)
    state = await rig.attach(pump, bounds=BOUNDS)
    await rig.done(await rig.engine.send(state, "set_level", {"level": level}, SERVICE))
    assert pump.told == [float(level)]
