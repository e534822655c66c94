"""Writes what fields should be now: resolve, shape, send, and what landing means (law 4).

A field is dirty when it may have to change. The queue of its device calls `flush`, which
looks at the present moment, never at the one when the field became dirty (law 7).
"""

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Mapping, Sequence
import logging
from math import inf
from typing import Any

from ..commands.command import Command
from ..commands.phases import Phase
from ..devices.errors import DeviceError, FieldErrors
from ..frozen import frozen
from ..layers.claims import Layer
from ..layers.setting import Setting, is_number, merged, plain, same
from ..limits.bounds import bounded
from ..limits.slew import slewed
from ..store import resting
from .arrivals import Arrivals
from .changes import DeviceChanged, FieldChanged
from .faults import by_field, describe_error, is_untouched
from .ground import Ground
from .level_memory import LevelMemory
from .on_time import LEVEL, OnTimes
from .side_by_side import SideBySide
from .state import BEGINS_WITHIN, DeviceState, FieldState
from .withheld import Withheld

_LOGGER = logging.getLogger(__name__)

FLUSH_TIMEOUT = 30.0
ECHO_SECONDS = 10.0
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
        self._rounds: dict[int, SideBySide] = {}
        self.memory = LevelMemory(ground)
        self.withheld = Withheld(ground.records, ground.clock)
        self.arrivals = Arrivals(ground, self.withheld, self.touch)

    def touch(self, device: DeviceState, state: FieldState) -> None:
        """Have a field looked at by its device's queue, or along with what it is writing."""
        state.dirty = True
        under_way = self._rounds.get(device.row.number)
        if under_way is None or not under_way.takes(state):
            device.queue.touch()

    def touch_later(self, device: DeviceState, state: FieldState) -> None:
        """Have a field looked at in a while: a write of it has just failed."""
        state.dirty = True
        state.tries += 1
        pause = self._settings.current.window_pause(state.tries)
        self._agenda.put_elapsed("slew", (device.row.number, state.name), pause)

    def flush(self, device: DeviceState) -> Coroutine[Any, Any, None]:
        """Write every dirty field of a device; what fails is tried again later.

        All go out in one call, but for those that may be written side by side.
        """
        if device.device is None or not (apart := device.device.apart):
            return self._flush(device, device.fields.values())
        return self._flush_apart(device, apart)

    async def _flush_apart(self, device: DeviceState, apart: Collection[str]) -> None:
        """Write the dirty fields side by side."""
        under_way = self._rounds[device.row.number] = SideBySide(
            device.fields.values(),
            apart,
            device.queue,
            lambda states: self._flush(device, states),
        )
        try:
            await under_way.written()
        finally:
            # One that a stop has left behind may end after the next has begun.
            self._rounds = {
                key: one for key, one in self._rounds.items() if one is not under_way
            }

    async def _flush(self, device: DeviceState, states: Iterable[FieldState]) -> None:
        """Write the dirty ones among fields in one call."""
        dirty = [
            state
            for state in states
            if state.dirty and not self._changes_hands(device, state)
        ]
        if device.device is None or not dirty:
            return
        for state in dirty:
            state.dirty = False
            self.arrivals.count_tries(state)
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT):
                await self.push(device, dirty)
        except (DeviceError, TimeoutError) as error:
            await self._given_up(device, dirty, error)
        except Exception as error:
            # It may come each time: at once again would leave no time for anything else.
            for state in dirty:
                self._not_written(device, state, error)
            raise
        except BaseException:
            # A stop came between: what was to be written still is.
            for state in dirty:
                self.touch(device, state)
            raise

    async def _given_up(
        self, device: DeviceState, dirty: Sequence[FieldState], error: Exception
    ) -> None:
        """Try again later; nothing else begins before the device has let go (R-C51)."""
        failed = by_field(error, (state.name for state in dirty))
        for state in dirty:
            if (reason := failed.get(state.name)) is not None:
                self._not_written(device, state, reason)
        if device.device is not None:
            await device.device.let_go(dirty[0].name if len(dirty) == 1 else None)

    def _changes_hands(self, device: DeviceState, state: FieldState) -> bool:
        """Return whether to leave a field alone for a moment: its next owner is about to begin."""
        if not state.changes_hands(self._clock.now(), self._clock.elapsed()):
            return False
        key = (device.row.number, state.name)
        self._agenda.put_elapsed("slew", key, BEGINS_WITHIN)
        return True

    async def push(self, device: DeviceState, states: Iterable[FieldState]) -> None:
        """Bring fields to what they should be now, in one call where they go together.

        Raises DeviceError or TimeoutError, and nothing has landed; of FieldErrors, or once
        it is cancelled, the other fields have that were written side by side.
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
        if len(writes) > 1 and (apart := device.device.apart):
            await self._send_apart(device, writes, apart)
        else:
            await self._send(device, writes)

    async def _send_apart(
        self, device: DeviceState, writes: Sequence[Write], apart: Collection[str]
    ) -> None:
        """Send writes side by side; what keeps one of them does not keep the others."""
        rest = [one for one in writes if one.state.name not in apart]
        groups = [[one] for one in writes if one.state.name in apart]
        groups += [rest] if rest else []
        ends = await asyncio.gather(
            *(self._send(device, group) for group in groups), return_exceptions=True
        )
        failed: dict[str, DeviceError] = {}
        for group, end in zip(groups, ends, strict=True):
            if isinstance(end, FieldErrors):
                failed |= end.by_field
            elif isinstance(end, DeviceError):
                failed |= dict.fromkeys((one.state.name for one in group), end)
            elif end is not None:
                raise end
        if failed:
            raise FieldErrors(failed)

    async def _send(self, device: DeviceState, writes: Sequence[Write]) -> None:
        """Send writes in one call, and take note of those that landed."""
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
        target = resolution.setting
        if not state.owed:
            # Only what is given back brings back what went along with it.
            target = plain(target)
        setting = target
        next_step = None
        level = setting.get(LEVEL)
        if level is not None and is_number(level) and not state.description.virtual:
            safety = resolution.owner is not None and (
                resolution.owner.layer is Layer.SAFETY
            )
            value = float(level)
            if (bounds := device.limits.bounds.get(state.name)) is not None:
                value = bounded(value, bounds)
                target = _at_level(target, value)
            if (slew := device.limits.slew.get(state.name)) is not None and not safety:
                last = self.last_level(device, state)
                since = self._clock.elapsed() - state.sent_at
                value, next_step = slewed(last, value, since, slew)
            setting = _at_level(target, value)
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
        state.sent = merged(state.sent or {}, write.setting)
        state.sent_at = self._clock.elapsed()
        key = (device.row.number, state.name)
        if write.next_step is not None:
            self._agenda.put_elapsed("slew", key, write.next_step)
            if (slew := device.limits.slew.get(state.name)) is not None:
                target = float(write.target[LEVEL])
                self.arrivals.on_the_way(state, write.waiting, target, slew)
        elif (change := state.next_change(self._clock.now())) is not None:
            self._agenda.put("field", key, change)
        level = self.last_level(device, state)
        self.memory.reached(device, state, level)
        self._on_times.note(device, state, level)
        self._announcer.announce(
            FieldChanged(
                device=device.row.number, field=state.name, setting=plain(state.sent)
            )
        )
        if write.next_step is None:
            self.memory.settled(device, state)
            self.arrivals.advance(device, state, write.waiting)

    def let_go(self, device: DeviceState, state: FieldState) -> None:
        """Leave a field as it is: nothing is written to it any more, and nobody waits for it."""
        state.dirty = False
        state.tries = 0
        state.returned = False
        state.moving = None
        self._agenda.remove("slew", (device.row.number, state.name))
        self.memory.settled(device, state)
        self.arrivals.advance(device, state, dict(state.waiting))

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
            (one.key, one.phase) for one in self.arrivals.expected(state)
        )
        for command in self.arrivals.expected(state):
            if command.phase is Phase.APPLYING:
                if final:
                    self.arrivals.fail(device, state, command, *describe_error(error))
            elif final or enough:
                self.arrivals.restore_failed(state, command, error)
        if (final or enough) and not state.waiting and not state.claims:
            state.tries += 1
            state.returned = False
            self._agenda.remove("slew", (device.row.number, state.name))
            self.memory.settled(device, state)
            _LOGGER.debug("%s of %s stays: %s", state.name, device.row.name, error)
            return
        self.touch_later(device, state)
        self._announcer.announce(DeviceChanged(device=device.row.number))

    def rest(self, device: DeviceState, state: FieldState, setting: Setting) -> None:
        """Take a new resting value; it is recorded with the next batch."""
        state.resting = merged(state.resting or {}, setting)
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
        state.sent = merged(state.sent or {}, setting)
        self.note_on_time(device, state)


def _at_level(setting: Setting, level: float) -> Setting:
    """Return a setting at a level; what goes along with another one does not go with it."""
    if level == setting[LEVEL]:
        return {**setting, LEVEL: level}
    return merged(setting, {LEVEL: level})


def _covers(sent: Setting, wanted: Setting) -> bool:
    """Return whether every wanted part was already sent at that very value."""
    return wanted.keys() <= sent.keys() and same(sent, wanted, tolerance=_EXACT)
