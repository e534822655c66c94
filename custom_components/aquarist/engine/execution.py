"""Carries out the commands at the head of a queue: point actions and raw device actions."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
import logging
from typing import Any

from ..commands.bounded import bounded
from ..commands.command import Command, ErrorCode
from ..commands.phases import Kind, Phase
from ..devices.errors import DeviceError
from ..devices.fields import InvalidValue
from ..layers.setting import merged
from ..store import resting
from ..store.work import Alike
from .arbiter import Arbiter
from .faults import describe_error
from .ground import Ground
from .intake import TOGGLE, attached, toggled
from .levels import Levels
from .shown import arrived
from .state import DeviceState, FieldState

_LOGGER = logging.getLogger(__name__)

OVERDUE_AFTER = 1.0
"""Seconds after its timeout in which a device has to let go of a command."""
LARGEST_RESULT = 16 * 1024
"""Bytes of JSON that a record keeps of what a device answers (R-C56)."""
_NOT_THERE = frozenset({"out_of_range", "entity_missing", "entity_unavailable"})

type Executor = Callable[[DeviceState, Command], Awaitable[None]]


class Execution:
    """What the commands lane of every queue calls."""

    def __init__(self, ground: Ground, levels: Levels, arbiter: Arbiter) -> None:
        """Know only the kinds of this file; others are registered."""
        self._clock = ground.clock
        self._records = ground.records
        self._settings = ground.settings
        self._levels = levels
        self._arbiter = arbiter
        self._executors: dict[str, Executor] = {
            Kind.SET: self._set,
            Kind.RAW: self._raw,
            Kind.PROGRAMME: self._raw,
        }
        self.closing = False

    def register(self, kind: str, executor: Executor) -> None:
        """Let another room carry out a kind of command, or an action of its own."""
        self._executors[kind] = executor

    async def execute(self, device: DeviceState, queued: Command) -> None:
        """Carry out one command, unless it is no longer wanted or too late (law 7)."""
        command = self._records.current(queued.key)
        if command is None:
            return
        if self._expired(command):
            self._records.advance(
                command,
                Phase.MISSED,
                error_code=ErrorCode.EXPIRED,
                error="expired",
            )
            return
        try:
            executor = self._executors.get(command.action)
            await (executor or self._executors[command.kind])(device, command)
        except asyncio.CancelledError:
            self._interrupted(command)
            raise
        except (DeviceError, TimeoutError, InvalidValue) as error:
            self._failed(command, error)
            await _let_go(device)
        except Exception as error:
            _LOGGER.exception("%s of %s failed", command.action, device.row.name)
            self._failed(command, error)
            await _let_go(device)

    def _expired(self, command: Command) -> bool:
        """Return whether a command waited for so long that it must not run any more."""
        return (
            command.phase is Phase.PLANNED
            and command.expires_at is not None
            and self._clock.now() > command.expires_at
        )

    def _interrupted(self, command: Command) -> None:
        """Record that a stop ended a command; when the engine closes, recovery decides."""
        current = self._records.current(command.key)
        if self.closing or current is None:
            return
        phase = Phase.WITHDRAWN if current.phase is Phase.PLANNED else Phase.STOPPED
        self._records.advance(
            current, phase, error_code=ErrorCode.COMMAND_CANCELLED, error="stopped"
        )

    def _failed(self, command: Command, error: Exception) -> None:
        """Record the end of a command that could not be carried out."""
        current = self._records.current(command.key)
        if current is None:
            return
        phase, code, text = Phase.FAILED, *describe_error(error)
        if isinstance(error, TimeoutError) and current.phase is not Phase.PLANNED:
            phase, code = Phase.TIMED_OUT, ErrorCode.COMMAND_TIMEOUT
        if isinstance(error, InvalidValue):
            code, text = ErrorCode.INVALID_ARGUMENTS, error.code
        self._records.advance(current, phase, error_code=code, error=text)

    async def tried(
        self, command: Command, action: Callable[[], Coroutine[Any, Any, Any]]
    ) -> tuple[Command, Any]:
        """Run an action within the command's timeout, again after passing faults (RES-74).

        Returns the command with its attempts, and what the action returned. Raises the
        DeviceError that tells most, or TimeoutError. Only for what may be repeated (law 3).
        """
        attempt = asyncio.Task(
            action(), loop=asyncio.get_running_loop(), eager_start=True
        )
        if attempt.done() and attempt.exception() is None:
            # What answers at once has no need of a timer.
            return command, attempt.result()
        return await self._in_time(command, attempt, action)

    async def _in_time(
        self,
        command: Command,
        attempt: Awaitable[Any],
        action: Callable[[], Coroutine[Any, Any, Any]],
    ) -> tuple[Command, Any]:
        """Wait for an attempt that is under way, and repeat it, within the timeout."""
        settings = self._settings.current
        tries = 0
        worst: DeviceError | None = None
        pausing = False
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def over() -> None:
            """End the tries, and then the record if the device does not let go."""
            nonlocal timer
            limit.reschedule(loop.time())
            timer = loop.call_later(OVERDUE_AFTER, self._overdue, command.key)

        # One timer after the other: both at once would cost every command the second one.
        timer = loop.call_later(command.timeout, over)
        try:
            async with asyncio.timeout(None) as limit:
                while True:
                    try:
                        return command, await attempt
                    except DeviceError as error:
                        worst = _telling(worst, error)
                        tries += 1
                        pause = settings.command_pause(tries)
                        if not error.transient or pause is None:
                            raise worst from error
                        pausing = True
                        await asyncio.sleep(pause)
                        pausing = False
                        command = self._records.count(
                            command, attempts=command.attempts + 1
                        )
                        attempt = action()
        except TimeoutError:
            if pausing and worst is not None:
                raise worst from None
            raise
        finally:
            timer.cancel()

    def _overdue(self, key: str) -> None:
        """End the record of a command whose device does not even let go.

        The queue still waits for the device: nothing else runs beside it (R-C51).
        """
        command = self._records.current(key)
        if command is not None and command.phase is Phase.APPLYING:
            self._failed(command, TimeoutError())

    def begun(self, command: Command) -> Command:
        """Return the command as running; that it runs is recorded, nobody waits for it."""
        if command.phase is Phase.APPLYING:
            return command
        return self._records.advance(command, Phase.APPLYING)

    async def _set(self, device: DeviceState, command: Command) -> None:
        """Change what a field rests on and write what it should be now (law 4)."""
        state = device.field_state(command.field or "")
        command = self.begun(command)
        if command.action == TOGGLE:
            command = self._records.count(command, value=toggled(device, state.name))
        if command.schedule is not None:
            self._arbiter.scheduled(state)
        before = device.baseline(state)
        wanted = dict(merged(before or {}, command.value or {}))
        state.resting = wanted
        try:
            command, _ = await self.tried(
                command, lambda: self._levels.push(device, (state,))
            )
        except BaseException:
            self._withdraw_resting(device, state, wanted, before)
            raise
        if self._records.current(command.key) is None:
            return
        number, name, at = device.row.number, state.name, self._clock.now()
        rests_at = dict(state.resting)
        self._records.advance(
            command,
            Phase.COMPLETED,
            also=Alike(resting.upsert_all, (number, name, rests_at, at)),
            result=arrived(device, state, command, at),
        )

    def _withdraw_resting(
        self,
        device: DeviceState,
        state: FieldState,
        wanted: dict[str, Any],
        before: Any,
    ) -> None:
        """Take a failed point action back, unless somebody changed the field since (law 4).

        The device may have done it all the same: it is brought back.
        """
        if state.resting is wanted:
            # What began meanwhile may have written down the value that is withdrawn now.
            state.resting = None
            if before is not None:
                self._levels.rest(device, state, before)
        state.sent = None
        if not self.closing and (state.claims or before is not None):
            if state.unsettled:
                self._levels.memory.withdrew(device, state)
            self._levels.touch_later(device, state)

    async def _raw(self, device: DeviceState, command: Command) -> None:
        """Have the device carry out an action of its own."""
        port = attached(device)
        command = self.begun(command)
        command, result = await self.tried(
            command, lambda: port.perform(command.action, command.args)
        )
        if self._records.current(command.key) is not None:
            shown = bounded(result or {}, limit=LARGEST_RESULT)
            self._records.advance(command, Phase.COMPLETED, result=shown)


async def _let_go(device: DeviceState) -> None:
    """Keep the queue until a device is through with what was given up (R-C51)."""
    if device.device is not None:
        await device.device.let_go()


def _telling(before: DeviceError | None, error: DeviceError) -> DeviceError:
    """Return the fault that tells more: a device that was there has not been missing (RES-64)."""
    if before is not None and error.code in _NOT_THERE:
        return before
    return error
