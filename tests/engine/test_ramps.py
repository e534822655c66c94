"""Ramps: one record, and always the level that should hold now."""

import asyncio

from custom_components.aquarist.commands.phases import Phase
from tests.engine.rig import SERVICE, Pump, Rig


async def test_a_ramp_moves_evenly_and_ends_exactly(rig: Rig) -> None:
    """R-B22, R-B107: half-way at half time, the last value exact."""
    pump = Pump(level=0)
    state = await rig.attach(pump)
    command = await rig.engine.send(
        state, "ramp", {"start_level": 0, "end_level": 80, "duration": 3600}, SERVICE
    )
    await rig.settle()
    assert (await rig.stored(command)).attempts == 1
    for _ in range(30):
        await rig.advance(60)
    assert abs(pump.level - 40) <= 1.5
    for _ in range(31):
        await rig.advance(60)
    assert pump.level == 80
    assert pump.told == sorted(pump.told)
    ended = await rig.stored(command)
    assert (ended.phase, ended.attempts) == (Phase.COMPLETED, 1)
    assert len(await rig.engine.history.recent(None, 10)) == 1


async def test_a_restart_at_two_thirds_goes_on_at_two_thirds(rig: Rig) -> None:
    """R-B108."""
    pump = Pump(level=0)
    state = await rig.attach(pump)
    await rig.engine.send(
        state, "ramp", {"start_level": 0, "end_level": 90, "duration": 3600}, SERVICE
    )
    await rig.settle()
    for _ in range(20):
        await rig.advance(60)
    await rig.engine.close()
    rig.clock.advance(1200)
    told = len(pump.told)
    await rig.boot(start=False)
    await rig.attach(pump)
    rig.engine.start()
    await rig.settle()
    assert abs(pump.told[told] - 60) <= 1
    for _ in range(21):
        await rig.advance(60)
    assert pump.level == 90


async def test_a_new_ramp_ends_the_one_under_way(rig: Rig) -> None:
    """R-B107: it begins where the field is."""
    pump = Pump(level=0)
    state = await rig.attach(pump)
    first = await rig.engine.send(
        state, "ramp", {"start_level": 0, "end_level": 100, "duration": 1000}, SERVICE
    )
    await rig.settle()
    for _ in range(10):
        await rig.advance(50)
    second = await rig.engine.send(
        state, "ramp", {"end_level": 0, "duration": 500}, SERVICE
    )
    await rig.settle()
    assert (await rig.stored(first)).phase is Phase.STOPPED
    assert abs(pump.level - 50) <= 2
    for _ in range(6):
        await rig.advance(100)
    assert pump.level == 0
    assert (await rig.stored(second)).phase is Phase.COMPLETED


async def test_a_window_over_a_ramp_returns_to_its_present_level(rig: Rig) -> None:
    """Law 4: the ramp went on beneath."""
    pump = Pump(level=0)
    state = await rig.attach(pump)
    await rig.engine.send(
        state, "ramp", {"start_level": 0, "end_level": 100, "duration": 1000}, SERVICE
    )
    await rig.advance(100)
    await rig.engine.send(state, "turn_off", {}, SERVICE, hold=400)
    await rig.settle()
    assert pump.level == 0
    for _ in range(8):
        await rig.advance(50)
    assert abs(pump.level - 50) <= 2


async def test_a_ramp_is_completed_by_its_last_level_alone(rig: Rig) -> None:
    """A step that was still being written when the ramp ended does not complete it."""
    pump = Pump(level=0)
    state = await rig.attach(pump)
    command = await rig.engine.send(
        state, "ramp", {"start_level": 0, "end_level": 100, "duration": 100}, SERVICE
    )
    await rig.advance(90)
    slow = pump.hanging = asyncio.Event()
    await rig.advance(5)
    await rig.advance(5)
    assert pump.told[-1] < 100

    pump.hanging = asyncio.Event()
    slow.set()
    await rig.settle()
    assert pump.told[-1] == 100
    assert (await rig.stored(command)).phase is Phase.RESTORING

    pump.hanging.set()
    await rig.settle()
    assert pump.level == 100
    assert (await rig.stored(command)).phase is Phase.COMPLETED
