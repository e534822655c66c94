"""Writes whose answer is waited for: set, or failed, within a time (R-T32, RES-56, RES-78)."""

import asyncio

from ..commands.command import Command, ErrorCode, changed, new_id
from ..commands.phases import Phase
from ..layers.setting import Scalar, Setting, merged
from ..store import resting
from ..store.commands import SYNCHRONOUS_WRITE
from .acceptance import Acceptance
from .announced import require_announced
from .errors import EngineError
from .execution import Execution
from .ground import Ground
from .intake import Origin, field_command
from .levels import Levels
from .shown import arrived, id_of
from .state import DeviceState, FieldState
from .withheld import word_of

TIMEOUT_RANGE = (0.1, 30.0)


class SynchronousWrites:
    """Point actions that are done when they are answered, or never."""

    def __init__(
        self,
        ground: Ground,
        levels: Levels,
        execution: Execution,
        acceptance: Acceptance,
    ) -> None:
        """Carry out what has been accepted here."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._levels = levels
        self._execution = execution
        self._acceptance = acceptance
        self._late: dict[str, asyncio.TimerHandle] = {}
        execution.register(SYNCHRONOUS_WRITE, self._execute)

    async def write(
        self,
        device: DeviceState,
        field_name: str,
        value: Scalar | Setting,
        origin: Origin,
        timeout: float,
        *,
        id: str | None = None,
    ) -> Command:
        """Set a field and return the record as it ended, at the latest after ``timeout`` seconds.

        It FAILED by the limit that holds the field (RES-57), with `field_owned` while another
        claim does, `no_answer` when the time was over; nothing is sent for it after that. The
        same id again is answered with what became of the first (RES-44). Raises EngineError,
        InvalidValue, StoreError.
        """
        low, high = TIMEOUT_RANGE
        if not low <= timeout <= high:
            raise EngineError(
                "out_of_range", field="timeout", minimum=low, maximum=high
            )
        command = changed(
            field_command(device, field_name, value, origin, self._clock.now()),
            id=id or new_id(),
            action=SYNCHRONOUS_WRITE,
            timeout=timeout,
            # Whoever waited for it is gone after a restart.
            repeatable=False,
            expires_at=None,
        )
        require_announced(device, command.field or "", command.value or {})
        if command.key in self._late:
            return await self._accepted(device, command)
        loop = asyncio.get_running_loop()
        handle = self._late[command.key] = loop.call_later(
            timeout, self._too_late, device, command.key
        )
        try:
            return await self._accepted(device, command)
        finally:
            handle.cancel()
            self._late.pop(command.key, None)

    async def _accepted(self, device: DeviceState, command: Command) -> Command:
        """Return the record as it ended, of this request or of the same one before."""
        return await self._records.finished(
            await self._acceptance.accept(device, command)
        )

    def _too_late(self, device: DeviceState, key: str) -> None:
        """End a write that is still waiting for its turn when its time is over."""
        command = self._records.current(key)
        if command is not None and device.queue.withdraw(key) is not None:
            self._failed(command, ErrorCode.COMMAND_TIMEOUT, "no_answer")

    async def _execute(self, device: DeviceState, command: Command) -> None:
        """Set the field, as far as that can be done in the time that is left."""
        handle = self._late.get(command.key)
        if handle is None:
            self._failed(command, ErrorCode.INTERRUPTED, "interrupted")
            return
        if handle.when() <= asyncio.get_running_loop().time():
            # Its way to the store took all of its time.
            self._failed(command, ErrorCode.COMMAND_TIMEOUT, "no_answer")
            return
        state = device.field_state(command.field or "")
        why = self._levels.withheld.held(state, command.value or {})
        if why is not None:
            self._failed(command, ErrorCode.SAFETY_REFUSED, word_of(why), **why)
            return
        resolution = state.resolve(self._clock.now())
        if resolution is not None and resolution.owner is not None:
            self._failed(
                command,
                ErrorCode.COMMAND_FAILED,
                "field_owned",
                owner=id_of(resolution.owner),
                layer=resolution.owner.layer.name.lower(),
            )
            return
        command = self._execution.begun(command)
        before = device.baseline(state)
        wanted = state.resting = merged(before or {}, command.value or {})
        try:
            async with asyncio.timeout_at(handle.when()):
                command = await self._reach(device, state, command)
        except BaseException as error:
            on_its_way = isinstance(error, TimeoutError) and state.moving is not None
            if state.resting is wanted:
                state.resting = before
            self._leave(device, state)
            current = self._records.current(command.key)
            if current is None or not on_its_way:
                raise
            self._records.advance(
                current,
                Phase.TIMED_OUT,
                error_code=ErrorCode.COMMAND_TIMEOUT,
                error="not_reached",
            )
            return
        number, name, at = device.row.number, state.name, self._clock.now()
        rests_at = dict(state.resting)
        self._records.advance(
            command,
            Phase.COMPLETED,
            also=lambda connection: resting.upsert(
                connection, number, name, rests_at, at
            ),
            result=arrived(device, state, command, at),
        )

    async def _reach(
        self, device: DeviceState, state: FieldState, command: Command
    ) -> Command:
        """Write until the value is there; what may move slowly takes several steps.

        Returns the command with its attempts.
        """
        while True:
            command, _ = await self._execution.tried(
                command, lambda: self._levels.push(device, (state,))
            )
            if state.moving is None:
                return command
            await asyncio.sleep(state.moving)

    def _leave(self, device: DeviceState, state: FieldState) -> None:
        """Send nothing more; what the device shows, now or later, is what is seen of it (RES-78).

        What somebody holds meanwhile, or has still to give back, is written all the same.
        """
        key = (device.row.number, state.name)
        self._agenda.remove("slew", key)
        state.sent = state.moving = None
        if state.owed:
            # What began meanwhile may have written down the value that was not reached.
            if state.resting is not None:
                self._levels.rest(device, state, {})
            self._levels.touch(device, state)
            return
        state.expected = None
        state.unsettled = state.dirty = False
        self._levels.memory.settled(device, state)
        shown = device.device.observed(state.name) if device.device else None
        if shown is not None and state.resting is not None:
            self._levels.rest(device, state, shown)

    def _failed(
        self, command: Command, code: ErrorCode, word: str, **details: object
    ) -> None:
        """Record that nothing was sent."""
        self._records.advance(
            command,
            Phase.FAILED,
            error_code=code,
            error=word,
            error_details=details or None,
        )
