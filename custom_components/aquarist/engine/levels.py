"""Writes what fields should be now: resolve, shape, send, and what landing means (law 4).

A field is dirty when it may have to change. The queue of its device calls `flush`, which
looks at the present moment, never at the one when the field became dirty (law 7).
"""

import asyncio
from collections.abc import Iterable, Mapping
import logging
from math import inf

from ..commands.command import Command, ErrorCode
from ..commands.phases import Phase
from ..devices.errors import DeviceError, FieldErrors
from ..frozen import frozen
from ..layers.claims import Layer
from ..layers.setting import Setting, is_number, same
from ..limits.bounds import bounded
from ..limits.slew import slewed
from ..store import resting
from .changes import DeviceChanged, FieldChanged
from .faults import by_field, describe_error, is_untouched
from .ground import Ground
from .level_memory import LevelMemory
from .on_time import LEVEL, OnTimes
from .shown import instead
from .state import BEGINS_WITHIN, DeviceState, FieldState

_LOGGER = logging.getLogger(__name__)

FLUSH_TIMEOUT = 30.0
ECHO_SECONDS = 10.0
RESTORE_ATTEMPTS = "restore_attempts"
_EXACT = 0.01
_SHOWN = 1.0


@frozen
class Write:
    """One field's part of a write: what is sent, and how long until the next step.

    ``waiting`` are the commands that arrive with it; who comes later waits for the next.
    """

    state: FieldState
    target: Setting
    setting: Setting
    next_step: float | None
    waiting: Mapping[str, Command]


class Levels:
    """The dirty lane of every device."""

    def __init__(self, ground: Ground, on_times: OnTimes) -> None:
        """Write through the devices; tell of landings through the records."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._devices = ground.devices
        self._settings = ground.settings
        self._on_times = on_times
        self.memory = LevelMemory(ground)

    def touch(self, device: DeviceState, state: FieldState) -> None:
        """Have a field looked at by its device's queue."""
        state.dirty = True
        device.queue.touch()

    def touch_later(self, device: DeviceState, state: FieldState) -> None:
        """Have a field looked at in a while: a write of it has just failed."""
        state.dirty = True
        state.tries += 1
        pause = self._settings.current.window_pause(state.tries)
        self._agenda.put_elapsed("slew", (device.row.number, state.name), pause)

    async def flush(self, device: DeviceState) -> None:
        """Write every dirty field of a device in one go; what fails is tried again later."""
        dirty = [
            state
            for state in device.fields.values()
            if state.dirty and not self._changes_hands(device, state)
        ]
        if device.device is None or not dirty:
            return
        for state in dirty:
            state.dirty = False
            self._count_tries(state)
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT):
                await self.push(device, dirty)
        except (DeviceError, TimeoutError) as error:
            failed = by_field(error, (state.name for state in dirty))
            for state in dirty:
                if (reason := failed.get(state.name)) is not None:
                    self._not_written(device, state, reason)
            # Nothing else begins before it is through with what was given up (R-C51).
            await device.device.let_go()
        except BaseException:
            # A stop came between: what was to be written still is.
            for state in dirty:
                self.touch(device, state)
            raise

    def _changes_hands(self, device: DeviceState, state: FieldState) -> bool:
        """Return whether to leave a field alone for a moment: its next owner is about to begin."""
        if not state.changes_hands(self._clock.now(), self._clock.elapsed()):
            return False
        key = (device.row.number, state.name)
        self._agenda.put_elapsed("slew", key, BEGINS_WITHIN)
        return True

    async def push(self, device: DeviceState, states: Iterable[FieldState]) -> None:
        """Bring fields to what they should be now, all in one call of the device.

        Raises DeviceError or TimeoutError, and nothing has landed; of FieldErrors the
        other fields have.
        """
        if device.device is None:
            raise DeviceError("out_of_range", transient=True)
        writes: list[Write] = []
        for state in states:
            if (write := self._write(device, state)) is not None:
                writes.append(write)
            else:
                # Nobody knows what to go back to: letting go is all there is to do.
                self.let_go(device, state)
        send = {
            write.state.name: write.setting
            for write in writes
            if not write.state.description.virtual and self._needed(device, write)
        }
        failed: FieldErrors | None = None
        if send:
            try:
                await self._apply(device, send)
            except FieldErrors as error:
                failed = error
        for write in writes:
            if failed is None or write.state.name not in failed.by_field:
                self._landed(device, write)
        if failed is not None:
            raise failed

    async def _apply(self, device: DeviceState, send: Mapping[str, Setting]) -> None:
        """Hand settings to the device; until they have landed nobody knows what it shows."""
        assert device.device is not None
        states = [device.fields[name] for name in send]
        settled = [state for state in states if not state.unsettled]
        for state in states:
            state.expect(send[state.name], inf)
            state.unsettled = True
        try:
            await device.device.apply(send)
        except DeviceError as error:
            failed = by_field(error, send)
            for state in settled:
                if is_untouched(failed.get(state.name)):
                    state.unsettled = False
            raise
        finally:
            # However long the write took: what it did may still be to come.
            until = self._clock.elapsed() + ECHO_SECONDS
            for state in states:
                state.expected_until = until

    def _write(self, device: DeviceState, state: FieldState) -> Write | None:
        """Return what a field should be sent now; None while nobody knows."""
        now = self._clock.now()
        resolution = state.resolve(now)
        if resolution is None or not resolution.setting:
            return None
        target = setting = resolution.setting
        next_step = None
        level = setting.get(LEVEL)
        if level is not None and is_number(level) and not state.description.virtual:
            safety = resolution.owner is not None and (
                resolution.owner.layer is Layer.SAFETY
            )
            value = float(level)
            if (bounds := device.limits.bounds.get(state.name)) is not None:
                value = bounded(value, bounds)
                target = {**target, LEVEL: value}
            if (slew := device.limits.slew.get(state.name)) is not None and not safety:
                last = self.last_level(device, state)
                since = self._clock.elapsed() - state.sent_at
                value, next_step = slewed(last, value, since, slew)
            setting = {**target, LEVEL: value}
        return Write(
            state=state,
            target=target,
            setting=setting,
            next_step=next_step,
            waiting=dict(state.waiting),
        )

    def last_level(self, device: DeviceState, state: FieldState) -> float | None:
        """Return the level that the device was last sent or seen at, if need be in another life."""
        shown = state.sent or (device.device and device.device.observed(state.name))
        shown = shown or state.remembered
        level = shown.get(LEVEL) if shown else None
        return float(level) if level is not None and is_number(level) else None

    def _needed(self, device: DeviceState, write: Write) -> bool:
        """Return whether the device does not show the value already."""
        sent = write.state.sent
        if sent is None or not _covers(sent, write.setting):
            return True
        shown = device.device.observed(write.state.name) if device.device else None
        return shown is None or not same(shown, write.setting, tolerance=_SHOWN)

    def _landed(self, device: DeviceState, write: Write) -> None:
        """Take note that a field is where it was sent, and advance who waited for that."""
        state = write.state
        state.tries = 0
        state.error = None
        state.returned = False
        state.moving = write.next_step
        state.unsettled = write.next_step is not None
        state.sent = {**(state.sent or {}), **write.setting}
        state.sent_at = self._clock.elapsed()
        key = (device.row.number, state.name)
        if write.next_step is not None:
            self._agenda.put_elapsed("slew", key, write.next_step)
        elif (change := state.next_change(self._clock.now())) is not None:
            self._agenda.put("field", key, change)
        level = self.last_level(device, state)
        self.memory.reached(device, state, level)
        self._on_times.note(device, state, level)
        self._announcer.announce(
            FieldChanged(device=device.row.number, field=state.name, setting=state.sent)
        )
        if write.next_step is None:
            self.memory.settled(device, state)
            self._advance_waiting(device, state, write.waiting)

    def let_go(self, device: DeviceState, state: FieldState) -> None:
        """Leave a field as it is: nothing is written to it any more, and nobody waits for it."""
        state.dirty = False
        state.tries = 0
        state.returned = False
        state.moving = None
        self._agenda.remove("slew", (device.row.number, state.name))
        self.memory.settled(device, state)
        self._advance_waiting(device, state, dict(state.waiting))

    def _advance_waiting(
        self, device: DeviceState, state: FieldState, arrived: Mapping[str, Command]
    ) -> None:
        """Advance the commands for which the field has arrived.

        What moved on while the write was under way waits for another value.
        """
        for key, waiting in arrived.items():
            if state.waiting.get(key) is not waiting:
                continue
            del state.waiting[key]
            if (command := self._records.current(key)) is None:
                continue
            if command.phase is not Phase.APPLYING:
                self._records.advance(command, command.ends_as)
                continue
            shows = instead(device, state, command, self._clock.now())
            result = {**(command.result or {}), **shows} or None
            self._records.advance(command, Phase.IN_FORCE, result=result)

    def _still_waiting(self, state: FieldState) -> list[Command]:
        """Return the commands that wait for a field and have not ended."""
        waiting = [self._records.current(key) for key in state.waiting]
        return [command for command in waiting if command is not None]

    def _count_tries(self, state: FieldState) -> None:
        """Note that those are tried once more whose last try failed (R-T17).

        What is to be given back has been set already: those tries count by themselves.
        """
        for key in tuple(state.waiting):
            command = self._records.current(key)
            if command is None or (key, command.phase) not in state.tried:
                continue
            result = command.result or {}
            state.waiting[key] = (
                self._records.note(command, attempts=command.attempts + 1)
                if command.phase is Phase.APPLYING
                else self._records.note(
                    command,
                    result={
                        **result,
                        RESTORE_ATTEMPTS: result.get(RESTORE_ATTEMPTS, 1) + 1,
                    },
                )
            )

    def _not_written(
        self, device: DeviceState, state: FieldState, error: Exception
    ) -> None:
        """Try again later, unless trying is of no use (RES-73, RES-74)."""
        final = isinstance(error, DeviceError) and not error.transient
        state.sent = None
        state.error = error
        if final:
            # It was refused: nothing of it is still to come.
            state.expected = None
        most = self._settings.current.restore_tries
        enough = device.reaches(state.name) and state.tries + 1 >= most
        state.tried = frozenset(
            (one.key, one.phase) for one in self._still_waiting(state)
        )
        for command in self._still_waiting(state):
            if command.phase is Phase.APPLYING:
                if final:
                    self.fail(device, state, command, *describe_error(error))
            elif final or enough:
                self._restore_failed(state, command, error)
        if (final or enough) and not state.waiting and not state.claims:
            state.tries += 1
            state.returned = False
            self._agenda.remove("slew", (device.row.number, state.name))
            self.memory.settled(device, state)
            _LOGGER.debug("%s of %s stays: %s", state.name, device.row.name, error)
            return
        self.touch_later(device, state)
        self._announcer.announce(DeviceChanged(device=device.row.number))

    def fail(
        self,
        device: DeviceState,
        state: FieldState,
        command: Command,
        code: str,
        word: str,
    ) -> None:
        """End a command whose value was not reached; the field goes back to what holds.

        While the device may show that value all the same, the command ends once it is
        brought back (R-T16), also after a restart.
        """
        state.claims.pop(command.key, None)
        state.waiting.pop(command.key, None)
        phase = Phase.RESTORING if state.unsettled else Phase.FAILED
        moved = self._records.advance(command, phase, error_code=code, error=word)
        if state.unsettled:
            state.waiting[command.key] = moved
        self.touch(device, state)

    def why_not(self, device: DeviceState, state: FieldState) -> tuple[str, str]:
        """Return error code and reason of a value that was not reached in its time."""
        if state.error is not None:
            return describe_error(state.error)
        if state.moving is not None:
            return ErrorCode.COMMAND_FAILED, "not_reached"
        if not device.reaches(state.name):
            return ErrorCode.DEVICE_NOT_FOUND, "device_unavailable"
        return describe_error(TimeoutError())

    def _restore_failed(
        self, state: FieldState, command: Command, error: Exception
    ) -> None:
        """End a command that could not give back; the record says what to put back by hand."""
        del state.waiting[command.key]
        resolution = state.resolve(self._clock.now())
        wanted = dict(resolution.setting) if resolution is not None else {}
        code, word = describe_error(error)
        self._records.advance(
            command,
            Phase.FAILED,
            error_code=command.error_code or code,
            error=command.error or word,
            error_details={
                "restoring": True,
                "restore_failed": {"field": state.name, "value": wanted},
            },
        )

    def rest(self, device: DeviceState, state: FieldState, setting: Setting) -> None:
        """Take a new resting value; it is recorded with the next batch."""
        state.resting = {**(state.resting or {}), **setting}
        number, name, value, at = (
            device.row.number,
            state.name,
            dict(state.resting),
            self._clock.now(),
        )
        self._journal.record(
            lambda connection: resting.upsert(connection, number, name, value, at)
        )

    def note_on_time(self, device: DeviceState, state: FieldState) -> None:
        """Have the longest time on watched, if the level is known."""
        self._on_times.note(device, state, self.last_level(device, state))

    def noticed(self, device: DeviceState, state: FieldState, setting: Setting) -> None:
        """Take note of a value that was seen at the device."""
        state.sent = {**(state.sent or {}), **setting}
        self.note_on_time(device, state)


def _covers(sent: Setting, wanted: Setting) -> bool:
    """Return whether every wanted part was already sent at that very value."""
    return wanted.keys() <= sent.keys() and same(sent, wanted, tolerance=_EXACT)
