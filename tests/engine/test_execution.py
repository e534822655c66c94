"""Execution: tries, timeouts, and how a command ends that could not be carried out."""

import asyncio
from collections.abc import Mapping
from contextlib import closing
import sqlite3
from typing import override

import pytest

from custom_components.aquarist.commands.backoff import command_pause
from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine import execution, queue
from custom_components.aquarist.engine.settings import Settings
from custom_components.aquarist.layers.setting import Setting
from tests.engine.memory_doser import MemoryDose, MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig


class Broken(Pump):
    """A pump whose code has a fault."""

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Fail in a way that nobody foresaw."""
        self.told.append(float(settings["level"]["level"]))
        raise RuntimeError("broken")


class Stubborn(Pump):
    """A pump that does not let go when it is told to."""

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Finish what was begun, whatever is said, and fail."""
        self.told.append(float(settings["level"]["level"]))
        await outlasting(self.hanging)
        raise DeviceError("link_lost", transient=False)


class Late(Pump):
    """A pump that does it in the end, whatever is said meanwhile."""

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Hang on to it, then do it."""
        await outlasting(self.hanging)
        self.hanging = None
        await super().apply(settings)

    @override
    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Hang on to it, then answer."""
        await outlasting(self.hanging)
        return await super().perform(action, args)


async def outlasting(
    event: asyncio.Event | None, called_off: asyncio.Event | None = None
) -> None:
    """Wait for an event, however often that is called off; tell that it was."""
    while event is not None and not event.is_set():
        try:
            await event.wait()
        except asyncio.CancelledError:
            if called_off is not None:
                called_off.set()


async def level(rig: Rig, pump: Pump, value: float, timeout: float = 10) -> Command:
    """Ask for a level and wait for the end."""
    state = rig.engine.device(pump.uuid)
    command = await rig.engine.send(
        state, "set_level", {"level": value}, SERVICE, timeout=timeout
    )
    return await rig.done(command)


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """Let the next try come at once; give the pauses that were asked for."""
    pauses: list[float | None] = []

    def at_once(settings: Settings, tries: int) -> float | None:
        pauses.append(command_pause(tries, most=settings.command_tries))
        return None if pauses[-1] is None else 0.0

    monkeypatch.setattr(Settings, "command_pause", at_once)
    return pauses


async def test_a_passing_fault_is_tried_again(
    rig: Rig, no_pause: list[float | None]
) -> None:
    """RES-74: the record counts the tries."""
    pump = Pump()
    await rig.attach(pump)
    for _ in range(2):
        pump.fail_next(DeviceError("no_free_slot", transient=True))
    ended = await level(rig, pump, 40)
    assert (ended.phase, ended.attempts) == (Phase.COMPLETED, 3)
    assert pump.told == [40.0] * 3
    assert no_pause == [1.0, 2.0]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("out_of_range", ErrorCode.DEVICE_NOT_FOUND),
        ("entity_missing", ErrorCode.DEVICE_NOT_FOUND),
        ("link_lost", ErrorCode.DEVICE_DISCONNECTED),
        ("held_by_app", ErrorCode.DEVICE_BUSY),
        ("no_answer", ErrorCode.DEVICE_TIMEOUT),
        ("service_failed", ErrorCode.COMMAND_FAILED),
    ],
)
async def test_the_third_fault_is_the_last(
    rig: Rig, no_pause: list[float | None], fault: str, code: ErrorCode
) -> None:
    """R-C41: the record says which one it was."""
    pump = Pump(level=80)
    await rig.attach(pump)
    for _ in range(3):
        pump.fail_next(DeviceError(fault, transient=True))
    ended = await level(rig, pump, 40)
    assert (ended.phase, ended.error_code, ended.error) == (Phase.FAILED, code, fault)
    assert pump.level == 80


async def test_a_device_that_does_not_answer_times_out(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the time that the sender gave; the queue goes on."""
    monkeypatch.setattr(
        "custom_components.aquarist.engine.intake.TIMEOUT_RANGE", (0, 1)
    )
    pump = Pump(level=80)
    await rig.attach(pump)
    pump.hanging = asyncio.Event()
    ended = await level(rig, pump, 40, timeout=0.05)
    assert ended.phase is Phase.TIMED_OUT
    assert ended.error_code == ErrorCode.COMMAND_TIMEOUT
    pump.hanging = None
    assert (await level(rig, pump, 60, timeout=1)).phase is Phase.COMPLETED


@pytest.mark.parametrize("transient", [True, False])
async def test_a_device_that_does_it_and_then_raises_is_brought_back(
    rig: Rig, no_pause: list[float | None], transient: bool
) -> None:
    """The value was withdrawn: it does not stay at the device either (law 4)."""
    pump = Pump(level=50)
    state = await rig.attach(pump)
    for _ in range(3):
        pump.raise_after.append(DeviceError("service_failed", transient=transient))
    ended = await level(rig, pump, 70)
    assert ended.phase is Phase.FAILED
    for _ in range(3):
        await rig.advance(10)
    assert pump.level == 50
    assert state.fields["level"].resting == {"level": 50}


async def test_bringing_back_has_an_end(rig: Rig) -> None:
    """A device that never does it is left alone until it comes back."""
    pump = Pump(level=50)
    state = await rig.attach(pump)
    for _ in range(60):
        pump.fail_next(DeviceError("link_lost", transient=False))
    await level(rig, pump, 70)
    for _ in range(20):
        await rig.advance(60)
    assert len(pump.told) == 2
    assert state.fields["level"].resting == {"level": 50}


async def test_a_fault_that_nobody_foresaw_is_an_end_too(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, the value is withdrawn, and the queue goes on."""
    pump = Broken(level=50)
    state = await rig.attach(pump)
    ended = await level(rig, pump, 70)
    assert (ended.phase, ended.error_code) == (Phase.FAILED, ErrorCode.INTERNAL_ERROR)
    assert ended.error == "RuntimeError"
    assert "RuntimeError: broken" in caplog.text
    assert state.fields["level"].resting == {"level": 50}


async def test_a_change_by_hand_in_the_meantime_is_not_taken_back(rig: Rig) -> None:
    """Only the command's own value is withdrawn."""
    pump = Pump(level=50)
    state = await rig.attach(pump)
    pump.hanging = asyncio.Event()
    pump.fail_next(DeviceError("service_failed", transient=False))
    command = await rig.engine.send(state, "set_level", {"level": 70}, SERVICE)
    await rig.settle()
    pump.turn_by_hand(35, user_id="keeper")
    pump.hanging.set()
    assert (await rig.done(command)).phase is Phase.FAILED
    await rig.settle()
    assert pump.level == 35
    assert state.fields["level"].resting == {"level": 35}


async def test_what_is_not_wanted_any_more_is_not_begun(rig: Rig) -> None:
    """Law 7: the record is looked up at the head of the queue."""
    pump = Pump(level=50)
    state = await rig.attach(pump)
    state.queue.hold()
    command = await rig.engine.send(state, "set_level", {"level": 70}, SERVICE)
    rig.engine.records.advance(command, Phase.WITHDRAWN)
    state.queue.release()
    await rig.settle()
    assert pump.told == []


async def test_what_does_not_let_go_changes_nothing_afterwards(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record had ended when it was left behind."""
    monkeypatch.setattr(queue, "STOP_GRACE", 0.01)
    monkeypatch.setattr(
        "custom_components.aquarist.engine.equipment.RESTORE_WAIT", 0.01
    )
    pump = Stubborn(level=50)
    pump.hanging = asyncio.Event()
    state = await rig.attach(pump)
    command = await rig.engine.send(state, "set_level", {"level": 70}, SERVICE)
    await rig.settle()
    retiring = asyncio.ensure_future(rig.engine.equipment.retire(state.row.number))
    ended = await rig.done(command)
    assert ended.phase is Phase.STOPPED
    pump.hanging.set()
    await retiring
    await rig.settle()
    assert (await rig.stored(command)).error == "cancelled"


async def test_a_device_that_is_taken_away_between_two_tries(
    rig: Rig, no_pause: list[float | None]
) -> None:
    """It was there: the reason is the link that was lost, not that it is missing (RES-64)."""
    pump = Pump(level=50)
    state = await rig.attach(pump)
    pump.hanging = asyncio.Event()
    pump.fail_next(DeviceError("link_lost", transient=True))
    command = await rig.engine.send(state, "set_level", {"level": 70}, SERVICE)
    await rig.settle()
    await rig.engine.equipment.detach(state.row.number)
    pump.hanging.set()
    ended = await rig.done(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "link_lost")
    assert ended.error_code == ErrorCode.DEVICE_DISCONNECTED


async def test_a_device_that_was_never_there_is_missing_however_short_the_timeout(
    rig: Rig,
) -> None:
    """RES-64, RES-77: the timeout strikes between two tries, and is not the reason."""
    pump = Pump()
    await rig.attach(pump)
    await rig.engine.live_settings.update({"command_pause_seconds": 5}, None)
    pump.fail_next(DeviceError("entity_unavailable", transient=True))
    ended = await level(rig, pump, 40, timeout=1)
    assert (ended.phase, ended.error) == (Phase.FAILED, "entity_unavailable")
    assert ended.error_code == ErrorCode.DEVICE_NOT_FOUND


@pytest.mark.parametrize("tries", [1, 5])
async def test_the_settings_say_how_often_a_command_is_tried(
    rig: Rig, no_pause: list[float | None], tries: int
) -> None:
    """RES-74: from the next command on."""
    pump = Pump()
    await rig.attach(pump)
    await rig.engine.live_settings.update({"command_tries": tries}, None)
    for _ in range(5):
        pump.fail_next(DeviceError("no_answer", transient=True))
    assert (await level(rig, pump, 40)).attempts == tries


async def test_a_fault_that_does_not_pass_is_not_tried_again(rig: Rig) -> None:
    """R-C57."""
    pump = Pump()
    await rig.attach(pump)
    pump.fail_next(DeviceError("unsupported", transient=False))
    ended = await level(rig, pump, 40)
    assert (ended.phase, ended.attempts) == (Phase.FAILED, 1)


class TestOverdue:
    """R-C51: a device that does not even let go."""

    async def test_its_record_ends_and_nothing_else_runs_beside_it(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The caller hears of the timeout; the next command waits for the device."""
        monkeypatch.setattr(execution, "OVERDUE_AFTER", 0)
        pump = Stubborn(level=50)
        pump.hanging = asyncio.Event()
        state = await rig.attach(pump)
        ended = await level(rig, pump, 70, timeout=1)
        assert (ended.phase, ended.error_code) == (
            Phase.TIMED_OUT,
            ErrorCode.COMMAND_TIMEOUT,
        )
        waits = await rig.engine.send(state, "request_status", {}, SERVICE)
        await rig.settle()
        assert (await rig.stored(waits)).phase is Phase.PLANNED
        pump.hanging.set()
        assert (await rig.done(waits)).phase is Phase.COMPLETED
        assert (await rig.stored(ended)).phase is Phase.TIMED_OUT

    async def test_a_dose_that_was_not_sent_yet_is_left_to_its_own_end(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The pump makes ready and does not let go: nothing was given."""
        monkeypatch.setattr(execution, "OVERDUE_AFTER", 0)
        ready, called_off = asyncio.Event(), asyncio.Event()

        class Obstinate(MemoryDoser):
            @override
            async def prepare(self, head: int) -> MemoryDose:
                """Make ready, whatever is said."""
                await outlasting(ready, called_off)
                raise DeviceError("no_answer", transient=False)

        doser = Obstinate()
        state = await rig.attach(doser)
        args = {"head_index": 0, "volume_ml": 1}
        command = await rig.engine.send(state, "dose", args, SERVICE, timeout=1)
        await called_off.wait()
        await rig.settle()
        assert (await rig.stored(command)).phase is Phase.PLANNED
        ready.set()
        ended = await rig.done(command)
        assert (ended.phase, ended.error) == (Phase.FAILED, "no_answer")
        assert doser.sent == []

    @pytest.mark.parametrize("action", ["turn_off", "request_status"])
    async def test_what_it_does_late_changes_no_record(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch, action: str
    ) -> None:
        """Law 8: final is final, though the device did it in the end."""
        monkeypatch.setattr(execution, "OVERDUE_AFTER", 0)
        pump = Late(level=50)
        pump.hanging = asyncio.Event()
        state = await rig.attach(pump)
        command = await rig.engine.send(state, action, {}, SERVICE, timeout=1)
        assert (await rig.done(command)).phase is Phase.TIMED_OUT
        pump.hanging.set()
        await rig.settle()
        assert (await rig.stored(command)).phase is Phase.TIMED_OUT
        assert state.queue.idle


class TestToggle:
    """RES-32: the other of what the field rests on, decided when it is its turn."""

    async def test_there_and_back(self, rig: Rig) -> None:
        """On again at the level that it had."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        for _ in range(2):
            await rig.done(await rig.engine.send(state, "toggle", {}, SERVICE))
        assert pump.told == [0.0, 80.0]

    async def test_two_that_wait_undo_each_other(self, rig: Rig) -> None:
        """Neither was decided when it was asked for."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        state.queue.hold()
        commands = [await rig.engine.send(state, "toggle", {}, SERVICE) for _ in "ab"]
        state.queue.release()
        ended = [await rig.done(command) for command in commands]
        assert [one.result["value"] for one in ended if one.result] == [
            {"level": 0.0},
            {"level": 80.0},
        ]

    async def test_it_is_not_repeated_after_a_restart(self, rig: Rig) -> None:
        """Law 3: it may have been done; what should hold is written once (law 4)."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        pump.hanging = asyncio.Event()
        command = await rig.engine.send(state, "toggle", {}, SERVICE)
        await rig.settle()
        pump.hanging = None
        await rig.reboot(pump)
        ended = await rig.stored(command)
        assert (ended.phase, ended.error_code) == (Phase.FAILED, ErrorCode.INTERRUPTED)
        assert pump.told == [0.0, 80.0]

    async def test_what_nobody_knows_cannot_be_toggled(self, rig: Rig) -> None:
        """It ends, and says so."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        pump._known.clear()
        ended = await rig.done(await rig.engine.send(state, "toggle", {}, SERVICE))
        assert (ended.phase, ended.error) == (Phase.FAILED, "state_unknown")
        assert ended.error_code == ErrorCode.INVALID_ARGUMENTS
        assert pump.told == []


async def test_a_window_whose_end_was_jumped_over_shadows_nothing(rig: Rig) -> None:
    """RES-56: nobody holds the field any more, although that was not noticed yet."""
    pump = Pump(level=50)
    state = await rig.attach(pump)
    await rig.engine.send(state, "turn_off", {}, SERVICE, hold=60)
    await rig.settle()
    rig.clock.jump(120)
    ended = await level(rig, pump, 70)
    assert ended.result == {"field": "level", "value": {"level": 70}}
    assert pump.level == 70


class TestRawActions:
    """What a device does that sets no field."""

    async def test_its_answer_is_the_result(self, rig: Rig) -> None:
        """R-C46."""
        state = await rig.attach(Pump(level=50))
        command = await rig.engine.send(state, "request_status", {}, SERVICE)
        ended = await rig.done(command)
        assert ended.phase is Phase.COMPLETED
        assert ended.result == {"available": True, "fields": {"level": {"level": 50}}}

    async def test_a_long_answer_is_shortened(self, rig: Rig) -> None:
        """R-C56: the record says that something is missing."""

        class Talkative(Pump):
            @override
            async def perform(
                self, action: str, args: Mapping[str, object]
            ) -> Mapping[str, object] | None:
                """Tell too much."""
                return {"available": True, "story": "x" * 100_000}

        state = await rig.attach(Talkative())
        command = await rig.engine.send(state, "request_status", {}, SERVICE)
        ended = await rig.done(command)
        assert ended.result == {"available": True, "story": None, "truncated": True}

    async def test_what_it_does_not_know_any_more_is_its_end(self, rig: Rig) -> None:
        """The hardware changed while the command waited."""
        pump = Pump()
        state = await rig.attach(pump)
        state.queue.hold()
        command = await rig.engine.send(state, "request_status", {}, SERVICE)
        pump.ACTIONS = {}  # type: ignore[misc]
        state.queue.release()
        ended = await rig.done(command)
        assert (ended.phase, ended.error_code, ended.error) == (
            Phase.FAILED,
            ErrorCode.INVALID_ARGUMENTS,
            "unknown_action",
        )

    async def test_one_that_waited_at_the_end_of_the_engine_runs_after_it(
        self, rig: Rig
    ) -> None:
        """RES-45."""
        pump = Pump()
        state = await rig.attach(pump)
        state.queue.hold()
        command = await rig.engine.send(state, "request_status", {}, SERVICE)
        await rig.reboot(pump)
        assert (await rig.stored(command)).phase is Phase.COMPLETED

    async def test_what_must_not_be_repeated_ends_interrupted(self, rig: Rig) -> None:
        """Law 3: it may have been done."""
        pump = Pump()
        state = await rig.attach(pump)
        state.queue.hold()
        command = await rig.engine.send(state, "request_status", {}, SERVICE)
        await rig.engine.close()
        with closing(sqlite3.connect(rig.path)) as connection, connection:
            connection.execute("UPDATE command SET repeatable = 0, phase = 'applying'")
        await rig.boot()
        await rig.settle()
        ended = await rig.stored(command)
        assert (ended.phase, ended.error_code) == (Phase.FAILED, ErrorCode.INTERRUPTED)
