"""Windows that are called off in every phase, and failed ones that are tried again."""

import asyncio
from datetime import timedelta

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.errors import EngineError
from tests.engine.holding import phase, phases, window
from tests.engine.rig import SERVICE, Pump, Rig

FINAL = DeviceError("service_failed", transient=False)
LOST = DeviceError("link_lost", transient=True)


class TestCancel:
    """R-T31, RES-26: the record ends as called off, the field is given back."""

    async def test_planned(self, rig: Rig) -> None:
        """Nothing was done."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 60, 120)
        assert (await rig.engine.cancel(command)).phase is Phase.WITHDRAWN
        await rig.advance(120)
        assert pump.told == []

    async def test_while_its_beginning_is_written_down(self, rig: Rig) -> None:
        """It never takes hold, although that commit follows."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 60, 120)
        rig.clock.advance(60)
        await rig.engine.cancel(command)
        await rig.settle()
        assert state.fields["level"].claims == {}
        assert await phase(rig, command) is Phase.STOPPED
        assert pump.told == []

    async def test_while_the_device_is_away(self, rig: Rig) -> None:
        """It was not reached: nothing to bring back."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await window(rig, state, 70, 0, 1)
        await rig.advance(1)
        pump.available = False
        command = await window(rig, state, 0, 0, 600)
        assert (await rig.engine.cancel(command)).phase is Phase.STOPPED

    async def test_while_nobody_knows_whether_it_was_set(self, rig: Rig) -> None:
        """It is brought back."""
        pump = Pump(level=80)
        pump.raise_after = [LOST]
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 0, 600)
        assert pump.level == 0
        await rig.engine.cancel(command)
        await rig.settle()
        assert pump.level == 80
        assert await phase(rig, command) is Phase.STOPPED

    async def test_in_force(self, rig: Rig) -> None:
        """The record ends when the field is back, also over a restart."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 0, 600)
        pump.available = False
        called_off = await rig.engine.cancel(command)
        assert (called_off.phase, called_off.error) == (Phase.RESTORING, "cancelled")
        await rig.reboot(pump)
        pump.available = True
        await rig.settle()
        assert pump.level == 80
        ended = await rig.stored(command)
        assert (ended.phase, ended.error) == (Phase.STOPPED, "cancelled")

    async def test_while_it_gives_back(self, rig: Rig) -> None:
        """It is too late for that."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 0, 60)
        pump.available = False
        await rig.advance(60)
        with pytest.raises(EngineError) as refused:
            await rig.engine.cancel(command)
        assert refused.value.code == "command_is_running"

    async def test_after_its_end(self, rig: Rig) -> None:
        """Final is final."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 0, 60)
        await rig.advance(60)
        with pytest.raises(EngineError) as refused:
            await rig.engine.cancel(command)
        assert refused.value.code == "command_is_final"

    async def test_one_beneath_another(self, rig: Rig) -> None:
        """No device call: it did not show."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        below = await window(rig, state, 10, 0, 600)
        await window(rig, state, 20, 0, 600)
        told = len(pump.told)
        await rig.engine.cancel(below)
        await rig.settle()
        assert len(pump.told) == told
        assert await phase(rig, below) is Phase.STOPPED


class TestRetry:
    """RES-50, RES-53: a failed window once more, as a new action."""

    async def test_inside_its_time(self, rig: Rig) -> None:
        """It names the first one, keeps its times, and works."""
        pump = Pump(level=80)
        pump.fail_next(FINAL)
        state = await rig.attach(pump)
        first = await window(rig, state, 0, 0, 600)
        failed = await rig.stored(first)
        assert failed.phase is Phase.FAILED
        await rig.advance(60)
        second = await rig.engine.windows.retry(failed, SERVICE)
        await rig.settle()
        stored = await rig.stored(second)
        assert (stored.retry_of, stored.phase) == (first.id, Phase.IN_FORCE)
        assert (stored.starts_at, stored.ends_at) == (first.starts_at, first.ends_at)
        assert stored.error is None
        await rig.advance(540)
        assert pump.level == 80
        assert await phase(rig, second) is Phase.COMPLETED
        assert await phase(rig, first) is Phase.FAILED

    async def test_with_an_id_it_is_one_retry(self, rig: Rig) -> None:
        """RES-44."""
        pump = Pump(level=80)
        pump.fail_next(FINAL)
        state = await rig.attach(pump)
        failed = await rig.stored(await window(rig, state, 0, 0, 600))
        one = await rig.engine.windows.retry(failed, SERVICE, id="again")
        await rig.settle()
        other = await rig.engine.windows.retry(failed, SERVICE, id="again")
        assert one.id == other.id == "again"
        assert pump.told == [0.0, 80.0, 0.0]

    async def test_a_hold_that_was_asked_for_by_its_duration(self, rig: Rig) -> None:
        """Until the end that it had."""
        pump = Pump(level=80)
        pump.fail_next(FINAL)
        state = await rig.attach(pump)
        held = await rig.engine.send(state, "turn_off", {}, SERVICE, hold=600)
        await rig.settle()
        again = await rig.engine.windows.retry(await rig.stored(held), SERVICE)
        await rig.settle()
        assert pump.level == 0
        assert again.ends_at == held.ends_at

    async def test_not_after_its_time(self, rig: Rig) -> None:
        """There is nothing left to hold."""
        pump = Pump(level=80)
        pump.fail_next(FINAL)
        state = await rig.attach(pump)
        failed = await rig.stored(await window(rig, state, 0, 0, 600))
        await rig.advance(600)
        with pytest.raises(EngineError) as refused:
            await rig.engine.windows.retry(failed, SERVICE)
        assert refused.value.code == "end_in_past"

    async def test_one_that_was_called_off(self, rig: Rig) -> None:
        """RES-26: that is a failed one; also after it had begun."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        for begin in (60, 0):
            command = await window(rig, state, 20, begin, 600)
            await rig.engine.cancel(command)
            await rig.settle()
            again = await rig.engine.windows.retry(await rig.stored(command), SERVICE)
            await rig.advance(begin)
            assert pump.level == 20
            await rig.engine.cancel(again)
            await rig.settle()
            assert pump.level == 80

    async def test_one_that_is_still_being_brought_back(self, rig: Rig) -> None:
        """It is told as failed already (R-T16), and the device does not answer yet."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        pump.raise_after = [FINAL]
        pump.hanging = asyncio.Event()
        first = await window(rig, state, 0, 0, 600)
        writing, pump.hanging = pump.hanging, asyncio.Event()
        writing.set()
        await rig.settle()
        failed = await rig.stored(first)
        assert (failed.phase, failed.shown_phase) == (Phase.RESTORING, Phase.FAILED)
        second = await rig.engine.windows.retry(failed, SERVICE)
        pump.hanging.set()
        await rig.settle()
        assert await phase(rig, first) is Phase.FAILED
        assert await phase(rig, second) is Phase.IN_FORCE
        assert pump.level == 0
        await rig.advance(600)
        assert pump.level == 80

    async def test_only_what_failed(self, rig: Rig) -> None:
        """Neither one in force nor a point action."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        held = await rig.stored(await window(rig, state, 0, 0, 600))
        point = await rig.done(
            await rig.engine.send(state, "set_level", {"level": 5}, SERVICE)
        )
        for command in (held, point):
            with pytest.raises(EngineError) as refused:
                await rig.engine.windows.retry(command, SERVICE)
            assert (refused.value.code, refused.value.field) == ("not_failed", "id")

    async def test_not_at_a_device_that_is_gone(self, rig: Rig) -> None:
        """It was retired."""
        pump = Pump(level=80)
        pump.fail_next(FINAL)
        state = await rig.attach(pump)
        failed = await rig.stored(await window(rig, state, 0, 0, 600))
        await rig.engine.equipment.retire(state.row.number)
        with pytest.raises(EngineError) as refused:
            await rig.engine.windows.retry(failed, SERVICE)
        assert refused.value.code == "device_not_found"

    async def test_not_with_a_value_that_the_device_does_not_take_any_more(
        self, rig: Rig
    ) -> None:
        """Law 10: it was changed meanwhile."""
        pump = Pump(level=80)
        pump.fail_next(FINAL)
        state = await rig.attach(pump)
        failed = await rig.stored(await window(rig, state, 0, 0, 600))
        pump._fields = {}
        with pytest.raises(InvalidValue):
            await rig.engine.windows.retry(failed, SERVICE)


async def test_a_beginning_that_the_store_takes_too_late_is_missed(rig: Rig) -> None:
    """The device is not touched for a window that is over."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 60, 120)
    rig.clock.advance(60)
    rig.clock.jump(60)
    await rig.settle()
    ended = await rig.stored(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "missed_window")
    assert pump.told == []


async def test_all_windows_of_a_device_that_goes_out_of_use_end(rig: Rig) -> None:
    """R-X9: the value is back first; a record that gives back ends too."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    held = await window(rig, state, 0, 0, 600)
    now = rig.clock.now()
    await rig.engine.acceptance.create_window(
        state, "level", 5, SERVICE, start=now, end=now + timedelta(seconds=60)
    )
    await rig.settle()
    pump.fail_next(LOST)
    await rig.advance(60)
    await rig.engine.equipment.retire(state.row.number)
    await rig.settle()
    assert pump.level == 80
    assert await phase(rig, held) is Phase.STOPPED
    assert rig.engine.records.open == ()


async def test_a_reload_inside_a_window_writes_nothing(rig: Rig) -> None:
    """R-X8: no flicker, nothing twice, and the end still comes; also with new hardware."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 0, 600)
    await rig.advance(60)
    for _ in range(3):
        await rig.engine.equipment.detach(state.row.number)
        await rig.attach(pump)
        await rig.settle()
    assert pump.told == [0.0]
    await rig.engine.equipment.detach(state.row.number)
    again = Pump(level=0)
    await rig.attach(again)
    await rig.settle()
    assert again.told == []
    await rig.advance(540)
    assert again.told == [80.0]
    assert phases(rig, command)[-1] is Phase.COMPLETED


async def test_the_same_window_twice_is_one(rig: Rig) -> None:
    """R-T30: one set call, one restore call."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    now = rig.clock.now()
    begin, end = now + timedelta(seconds=10), now + timedelta(seconds=60)

    async def ask() -> str:
        command = await rig.engine.acceptance.create_window(
            state, "level", 0, SERVICE, start=begin, end=end, id="one"
        )
        return command.id

    assert set(await asyncio.gather(ask(), ask())) == {"one"}
    await rig.advance(10)
    await ask()
    await rig.advance(50)
    assert pump.told == [0.0, 80.0]
