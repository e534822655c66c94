"""Levels: what is written is what should hold now, and what landing means (law 4)."""

import asyncio
from datetime import timedelta
from typing import override

import pytest

from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine import levels
from custom_components.aquarist.engine.changes import DeviceChanged
from custom_components.aquarist.engine.state import DeviceLimits
from custom_components.aquarist.layers.setting import Setting
from tests.engine.rig import SERVICE, Pump, Rig


class Unknown(Pump):
    """A pump of which nobody knows what it does."""

    known = False

    @override
    def observed(self, field: str) -> Setting | None:
        """Return nothing before it is known."""
        return super().observed(field) if self.known else None


async def hold(rig: Rig, pump: Pump, seconds: float = 60) -> Command:
    """Switch a pump off for a while."""
    state = rig.engine.device(pump.uuid)
    command = await rig.engine.send(state, "turn_off", {}, SERVICE, hold=seconds)
    await rig.settle()
    return command


async def test_a_window_that_cannot_be_given_back_says_so(rig: Rig) -> None:
    """The device refused for good: `restoring` tells which half failed."""
    pump = Pump(level=80)
    await rig.attach(pump)
    command = await hold(rig, pump)
    pump.fail_next(DeviceError("service_failed", transient=False))
    await rig.advance(60)
    ended = await rig.stored(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "service_failed")
    assert ended.error_details == {
        "restoring": True,
        "restore_failed": {"field": "level", "value": {"level": 80}},
    }


async def test_giving_back_is_tried_for_as_long_as_the_device_is_away(rig: Rig) -> None:
    """It cannot be given up: the pumps would stand still for ever."""
    pump = Pump(level=80)
    await rig.attach(pump)
    command = await hold(rig, pump)
    pump.available = False
    for _ in range(30):
        await rig.advance(60)
    assert (await rig.stored(command)).phase is Phase.RESTORING
    pump.available = True
    await rig.settle()
    assert pump.level == 80
    assert (await rig.stored(command)).phase is Phase.COMPLETED


async def test_giving_back_to_a_device_that_is_there_has_an_end(rig: Rig) -> None:
    """After ten tries the record says that it failed."""
    pump = Pump(level=80)
    await rig.attach(pump)
    command = await hold(rig, pump)
    for _ in range(10):
        pump.fail_next(DeviceError("no_answer", transient=True))
    for _ in range(12):
        await rig.advance(60)
    ended = await rig.stored(command)
    assert (ended.phase, ended.error_code) == (Phase.FAILED, ErrorCode.DEVICE_TIMEOUT)
    assert pump.told.count(80.0) == 10


async def test_a_write_that_fails_is_told(rig: Rig) -> None:
    """So that the device shows a problem at once."""
    pump = Pump(level=80)
    await rig.attach(pump)
    pump.fail_next(DeviceError("no_answer", transient=True))
    rig.changes.clear()
    await hold(rig, pump)
    assert DeviceChanged(device=1) in rig.changes


async def test_a_write_that_hangs_ends_and_is_tried_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue is not held up for ever."""
    monkeypatch.setattr(levels, "FLUSH_TIMEOUT", 0.02)
    pump = Pump(level=80)
    await rig.attach(pump)
    pump.hanging = asyncio.Event()
    state = rig.engine.device(pump.uuid)
    command = await rig.engine.send(state, "turn_off", {}, SERVICE, hold=600)
    async with asyncio.timeout(5):
        while not state.fields["level"].tries:
            await asyncio.sleep(0.01)
    pump.hanging.set()
    await rig.advance(2)
    assert pump.level == 0
    assert (await rig.stored(command)).phase is Phase.IN_FORCE


async def test_what_the_device_shows_already_is_not_written(rig: Rig) -> None:
    """And counts as landed."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 80}, SERVICE))
    told = len(pump.told)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 80}, SERVICE))
    assert len(pump.told) == told


async def test_the_queue_may_be_touched_for_nothing(rig: Rig) -> None:
    """No field is dirty."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    state.queue.touch()
    await rig.settle()
    assert pump.told == []


async def test_a_command_that_has_ended_does_not_wait_any_more(rig: Rig) -> None:
    """Whatever ended it: landing advances only what is open (law 8)."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 80}, SERVICE))
    pump.available = False
    command = await hold(rig, pump)
    current = rig.engine.records.current(command.key)
    assert current is not None
    rig.engine.records.advance(current, Phase.FAILED)
    pump.available = True
    await rig.settle()
    assert state.fields["level"].waiting == {}
    assert (await rig.stored(command)).phase is Phase.FAILED


class TestUnknownField:
    """What a field was must be known before it is changed for a while (R-T55)."""

    async def test_a_window_waits_until_it_is_known(self, rig: Rig) -> None:
        """And gives that back."""
        pump = Unknown(level=80)
        await rig.attach(pump)
        command = await hold(rig, pump, 600)
        await rig.advance(30)
        assert pump.told == []
        assert (await rig.stored(command)).phase is Phase.PLANNED
        pump.known = True
        await rig.advance(60)
        assert pump.level == 0
        await rig.advance(600)
        assert pump.level == 80

    async def test_it_fails_when_its_time_is_over(self, rig: Rig) -> None:
        """Nothing was touched."""
        pump = Unknown(level=80)
        await rig.attach(pump)
        command = await hold(rig, pump)
        for _ in range(30):
            await rig.advance(2)
        ended = await rig.stored(command)
        assert (ended.phase, ended.error) == (Phase.FAILED, "device_unavailable")
        assert pump.told == []

    async def test_a_window_that_is_called_off_meanwhile_never_begins(
        self, rig: Rig
    ) -> None:
        """Law 7."""
        pump = Unknown(level=80)
        await rig.attach(pump)
        command = await hold(rig, pump)
        await rig.engine.cancel(command)
        pump.known = True
        await rig.advance(60)
        assert pump.told == []
        assert (await rig.stored(command)).phase is Phase.WITHDRAWN


class TestLate:
    """Windows whose time went by."""

    async def test_over_before_it_was_accepted_by_a_jump_of_the_clock(
        self, rig: Rig
    ) -> None:
        """R-T22: missed, and no device call."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        now = rig.clock.now()
        command = await rig.engine.acceptance.create_window(
            state,
            "level",
            0,
            SERVICE,
            start=now + timedelta(seconds=60),
            end=now + timedelta(seconds=120),
        )
        rig.clock.jump(3600)
        await rig.advance(30)
        ended = await rig.stored(command)
        assert (ended.phase, ended.error) == (Phase.MISSED, "missed_window")
        assert pump.told == []

    async def test_over_before_its_value_was_ever_reached(self, rig: Rig) -> None:
        """It failed; what it was stays."""
        pump = Pump(level=80)
        await rig.attach(pump)
        pump.available = False
        command = await hold(rig, pump)
        await rig.advance(60)
        ended = await rig.stored(command)
        assert (ended.phase, ended.error_code, ended.error) == (
            Phase.FAILED,
            ErrorCode.DEVICE_NOT_FOUND,
            "device_unavailable",
        )
        pump.available = True
        await rig.settle()
        assert pump.level == 80


async def test_a_field_that_is_gone_when_it_is_due_is_nobodys(rig: Rig) -> None:
    """Its device was retired, or has other fields now."""
    pump = Pump(level=0)
    state = await rig.attach(pump, maximum_on={"level": 60.0})
    await rig.done(await rig.engine.send(state, "set_level", {"level": 60}, SERVICE))
    rig.engine.agenda.put("field", (1, "colour"), rig.clock.now())
    rig.engine.agenda.put("field", (99, "level"), rig.clock.now())
    await rig.advance(0)
    assert pump.told == [60.0]
    await rig.engine.equipment.detach(1)
    pump._fields = {}
    await rig.attach(pump)
    await rig.advance(120)
    assert pump.told == [60.0]


async def test_a_limit_that_was_lifted_is_not_enforced(rig: Rig) -> None:
    """The entry was changed while the time ran (law 7)."""
    pump = Pump(level=0)
    state = await rig.attach(pump, maximum_on={"level": 60.0})
    await rig.done(await rig.engine.send(state, "set_level", {"level": 60}, SERVICE))
    await rig.engine.equipment.detach(1)
    await rig.attach(pump)
    await rig.advance(120)
    assert pump.level == 60


async def test_a_limit_that_was_raised_counts_from_the_beginning(rig: Rig) -> None:
    """The anchor stays, the new maximum holds."""
    pump = Pump(level=0)
    state = await rig.attach(pump, maximum_on={"level": 60.0})
    await rig.done(await rig.engine.send(state, "set_level", {"level": 60}, SERVICE))
    await rig.advance(30)
    state.limits = DeviceLimits(maximum_on={"level": 120.0})
    await rig.advance(30)
    assert pump.level == 60
    await rig.advance(59)
    assert pump.level == 60
    await rig.advance(1)
    assert pump.level == 0


async def test_what_has_ended_neither_begins_nor_ends_again(rig: Rig) -> None:
    """Law 7: the record is looked up when it is due."""
    pump = Pump(level=80)
    await rig.attach(pump)
    command = await hold(rig, pump)
    await rig.engine.cancel(command)
    await rig.settle()
    told = list(pump.told)
    for kind in ("begin", "end"):
        rig.engine.agenda.put(kind, command.key, rig.clock.now())
    await rig.advance(0)
    assert pump.told == told
    assert (await rig.stored(command)).phase is Phase.STOPPED


async def test_fields_stay_as_they_are_known_without_the_hardware(rig: Rig) -> None:
    """There is nobody who could tell others."""
    state = await rig.attach(Pump(level=80))
    await rig.engine.equipment.detach(1)
    fields = dict(state.fields)
    state.refresh_fields()
    assert state.fields == fields


async def test_what_is_called_off_while_it_is_written_does_not_arrive(rig: Rig) -> None:
    """The field goes back at once; the record ends as called off."""
    pump = Pump(level=80)
    await rig.attach(pump)
    pump.hanging = asyncio.Event()
    command = await hold(rig, pump)
    await rig.engine.cancel(command)
    pump.hanging.set()
    await rig.settle()
    assert pump.told == [0.0, 80.0]
    assert (await rig.stored(command)).phase is Phase.STOPPED


async def test_an_error_that_nobody_foresaw_is_not_tried_again_at_once(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """One that comes each time would leave no time for anything else."""
    pump = Pump(level=80)
    await rig.attach(pump)
    pump.raise_after = [ValueError("no number"), ValueError("no number")]
    command = await hold(rig, pump)
    assert pump.told == [0.0]
    assert "ValueError: no number" in caplog.text
    await rig.advance(2)
    assert pump.told == [0.0, 0.0]
    await rig.advance(4)
    assert (await rig.stored(command)).phase is Phase.IN_FORCE
    assert pump.told == [0.0, 0.0, 0.0]


async def test_a_write_that_fails_because_the_hardware_goes_is_no_surprise(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """An entry is reloaded in the middle of a write; the next life of it goes on."""
    pump = Pump(level=80)
    await rig.attach(pump)
    writing = pump.hanging = asyncio.Event()
    command = await hold(rig, pump)
    pump.fail_next(DeviceError("link_lost", transient=True))
    await rig.engine.equipment.detach(1)
    writing.set()
    await rig.settle()
    assert "unexpected error" not in caplog.text
    await rig.attach(pump)
    await rig.settle()
    assert (await rig.stored(command)).phase is Phase.IN_FORCE
