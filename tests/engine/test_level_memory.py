"""What was withdrawn is brought back, also by the next life; what was not is left alone (law 4)."""

import asyncio
from collections.abc import Mapping
from typing import override

import pytest

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import Observation
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.layers.setting import Setting
from custom_components.aquarist.simulator.light import LightMode
from tests.engine.memory_bench import Benches, MemoryBench
from tests.engine.rig import SERVICE, Pump, Rig

LOST = DeviceError("link_lost", transient=False)
AWAY = DeviceError("entity_unavailable", transient=False)


class Deaf(Pump):
    """A pump that can do what it was told and never say so, and that can forget its value."""

    silent = False
    told_of = True

    @override
    def observed(self, field: str) -> Setting | None:
        """Return what it does, unless it has no read-back."""
        return super().observed(field) if self.told_of else None

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Do it; nobody hears of that."""
        await super().apply(settings)
        if self.silent:
            await asyncio.Event().wait()


async def resting(rig: Rig, pump: Pump, level: float) -> DeviceState:
    """Attach a pump and let it rest on a level."""
    state = await rig.attach(pump)
    await rig.done(await send(rig, pump, "set_level", level=level))
    pump.told.clear()
    return state


async def send(rig: Rig, pump: Pump, action: str, **args: object) -> Command:
    """Ask for an action."""
    return await rig.engine.send(rig.engine.device(pump.uuid), action, args, SERVICE)


async def interrupted_toggle(rig: Rig, pump: Deaf) -> Command:
    """Let a toggle take effect, and end the engine before anybody knows."""
    await resting(rig, pump, 40)
    pump.silent = True
    command = await send(rig, pump, "toggle")
    await rig.settle()
    await rig.engine.close()
    pump.silent = False
    pump.told.clear()
    assert super(Deaf, pump).observed("level") == {"level": 0.0}
    return command


@pytest.mark.parametrize("read_back", [True, False])
async def test_an_interrupted_toggle_is_brought_back_once(
    rig: Rig, read_back: bool
) -> None:
    """It is not done again (law 3); its value is withdrawn, whatever the device shows."""
    pump = Deaf()
    command = await interrupted_toggle(rig, pump)
    pump.told_of = read_back
    await rig.boot()
    await rig.attach(pump)
    await rig.settle()
    ended = await rig.stored(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "interrupted")
    assert pump.told == [40.0]
    await rig.reboot(pump)
    assert pump.told == [40.0]


async def test_what_it_shows_before_it_is_brought_back_is_no_hand(rig: Rig) -> None:
    """The device came late, and told its value first."""
    pump = Deaf()
    await interrupted_toggle(rig, pump)
    pump.available = False
    await rig.boot()
    state = await rig.attach(pump)
    pump._tell_observed(Observation(field="level", setting={"level": 0.0}))
    await rig.advance(120)
    assert state.fields["level"].resting == {"level": 40}
    pump.available = True
    await rig.settle()
    assert pump.level == 40
    assert not state.fields["level"].withdrawn


async def test_an_interrupted_synchronous_write_is_left_as_it_is(rig: Rig) -> None:
    """RES-78: nothing is sent for it any more, also by the next life."""
    pump = Deaf()
    state = await resting(rig, pump, 40)
    pump.silent = True
    asking = asyncio.ensure_future(
        rig.engine.write_now(state, "level", 20, SERVICE, 5.0)
    )
    await rig.settle()
    asking.cancel()
    await rig.engine.close()
    pump.silent = False
    await rig.boot()
    await rig.attach(pump)
    await rig.advance(600)
    assert pump.told == [20.0]


async def test_nobody_brings_back_what_nobody_knew(rig: Rig) -> None:
    """A pump without read-back that was never set."""
    pump = Deaf(level=80)
    pump.told_of = False
    await rig.attach(pump)
    pump.silent = True
    await send(rig, pump, "toggle")
    await rig.settle()
    await rig.engine.close()
    pump.silent = False
    pump.told.clear()
    await rig.boot()
    state = await rig.attach(pump)
    await rig.settle()
    assert pump.told == []
    assert state.fields["level"].resting is None
    assert not state.fields["level"].withdrawn


async def failed(rig: Rig, pump: Deaf, error: DeviceError) -> DeviceState:
    """Let a level fail on a device that is then away for long, and end the engine."""
    state = await resting(rig, pump, 30)
    pump.told_of = False
    for _ in range(2):
        pump.fail_next(error)
    await rig.done(await send(rig, pump, "set_level", level=50))
    ended = await rig.done(await send(rig, pump, "set_level", level=60))
    assert ended.phase is Phase.FAILED
    assert state.fields["level"].withdrawn is (error is LOST)
    pump.available = False
    await rig.engine.close()
    pump.told.clear()
    return state


async def test_a_device_without_read_back_is_written_once_after_a_restart(
    rig: Rig,
) -> None:
    """Nobody knows what it shows since a write of it failed."""
    pump = Deaf()
    await failed(rig, pump, LOST)
    await rig.boot()
    await rig.attach(pump)
    await rig.advance(600)
    pump.told.clear()
    pump.available = True
    await rig.settle()
    assert pump.told == [30.0]
    await rig.reboot(pump)
    assert pump.told == [30.0]


async def test_a_device_that_was_not_reached_is_left_as_it_is_found(rig: Rig) -> None:
    """Nothing can have changed: what was changed while nobody was there is not undone."""
    pump = Deaf()
    await failed(rig, pump, AWAY)
    pump.available = True
    await rig.boot()
    await rig.attach(pump)
    await rig.advance(600)
    assert pump.told == []


async def test_what_is_given_up_is_not_owed_any_more(rig: Rig) -> None:
    """The device refuses the value that it should go back to."""
    pump = Deaf()
    state = await resting(rig, pump, 30)
    pump.fail_next(LOST)
    await rig.done(await send(rig, pump, "set_level", level=60))
    pump.fail_next(DeviceError("service_failed", transient=False))
    await rig.advance(60)
    assert not state.fields["level"].withdrawn
    pump.told.clear()
    await rig.reboot(pump)
    assert pump.told == []


async def test_a_device_that_goes_out_of_use_is_owed_nothing(rig: Rig) -> None:
    """It is left as it is when it cannot be reached."""
    pump = Deaf()
    state = await resting(rig, pump, 30)
    pump.fail_next(LOST)
    await rig.done(await send(rig, pump, "set_level", level=60))
    pump.available = False
    await rig.engine.equipment.retire(state.row.number)
    assert not state.fields["level"].withdrawn


class TestALampThatDecidesByItself:
    """The later command wins: what was still to be written stays unwritten."""

    @pytest.fixture
    async def bench(self, memory_bench_of: Benches) -> MemoryBench:
        """Give a light on a simulated link."""
        return memory_bench_of()

    async def test_a_level_that_failed_before_is_not_brought_back(
        self, rig: Rig, bench: MemoryBench
    ) -> None:
        """The lamp stays in automatic mode, also after a restart."""
        lamp = bench.light()
        state = await rig.attach(lamp)
        light = state.fields["light"]
        await rig.done(
            await rig.engine.send(state, "set_level", {"level": 30}, SERVICE)
        )
        light.resting = {**(light.resting or {}), "level": 50.0}
        rig.engine.levels.memory.withdrew(state, light)
        rig.engine.levels.touch_later(state, light)
        command = await rig.engine.send(state, "enable_auto_mode", {}, SERVICE)
        assert (await rig.done(command)).phase is Phase.COMPLETED
        await rig.advance(600)
        assert not light.dirty
        assert bench.lamp.mode is LightMode.AUTO

    async def test_a_window_still_holds_the_lamp(
        self, rig: Rig, bench: MemoryBench
    ) -> None:
        """What is held goes on to be written, as its owner wants it."""
        state = await rig.attach(bench.light())
        light = state.fields["light"]
        await rig.done(
            await rig.engine.send(state, "set_level", {"level": 30}, SERVICE)
        )
        await rig.engine.send(state, "turn_off", {}, SERVICE, hold=6000)
        await rig.settle()
        rig.engine.levels.touch_later(state, light)
        command = await rig.engine.send(state, "enable_auto_mode", {}, SERVICE)
        assert (await rig.done(command)).phase is Phase.COMPLETED
        await rig.advance(60)
        assert light.claims
        assert bench.lamp.mode is LightMode.MANUAL
