"""Carries out the steps of runs: each is on disk before it acts (law 2).

A step that is taken up after a restart asks what became of it: a command by its id, which
no second one can have; a delay by its deadline; a wait by what shows now.
"""

from collections.abc import Awaitable, Callable, Mapping
import logging
from typing import Any, Protocol, cast

from ..commands.command import Command, ErrorCode, Source
from ..commands.phases import Phase
from ..devices.fields import InvalidValue
from ..runs.records import Outcome
from ..runs.states import StepState
from ..runs.steps import (
    AskStep,
    CommandStep,
    DelayStep,
    OnTimeout,
    Step,
    StepKind,
    WaitStep,
)
from ..store.errors import StoreError
from .agenda import RESOLUTION
from .changes import Change, DeviceChanged, FieldChanged
from .deadlines import Deadline
from .errors import EngineError, SafetyRefusedError
from .ground import Ground
from .intake import Origin, Request
from .live_runs import LiveRun
from .state import DEVICE_WAIT, DeviceState

_LOGGER = logging.getLogger(__name__)

TIMED_OUT = "timed_out"
DONE = Outcome(state=StepState.COMPLETED)

type Executor = Callable[[LiveRun, Any, bool], Awaitable[Outcome | None]]
type Finished = Callable[[Command], Awaitable[Command]]
type Find = Callable[[str | int], DeviceState]

_CODES = {
    "device_not_found": ErrorCode.DEVICE_NOT_FOUND,
    "device_not_loaded": ErrorCode.DEVICE_NOT_FOUND,
}


class Send(Protocol):
    """Accepts what is asked of a device."""

    async def __call__(
        self, device: DeviceState, request: Request, *, confirm: bool = False
    ) -> Command:
        """Return the command, the one accepted before for an id that is known."""


class RunSteps:
    """What a run calls for each of its steps."""

    def __init__(
        self,
        ground: Ground,
        *,
        find: Find,
        send: Send,
        finished: Finished,
    ) -> None:
        """Know the steps of every sequence; other kinds are registered."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._announcer = ground.announcer
        self._find = find
        self._send = send
        self._finished = finished
        self._devices_come_until = 0.0
        self._executors: dict[StepKind, Executor] = {
            StepKind.COMMAND: self._command,
            StepKind.DELAY: self._delay,
            StepKind.WAIT: self._wait,
            StepKind.ASK: self._ask,
        }

    def start(self) -> None:
        """Begin to wait for the devices of steps, for as long as devices may come late."""
        self._devices_come_until = self._clock.elapsed() + DEVICE_WAIT

    def register(self, kind: StepKind, executor: Executor) -> None:
        """Let another room carry out a kind of step."""
        self._executors[kind] = executor

    async def act(self, run: LiveRun, what: Step, *, resumed: bool) -> Outcome | None:
        """Carry out a step and return how it ended; None when its end is on disk already.

        ``resumed`` says that it was begun before, and may have acted.
        """
        try:
            return await self._executors[what.kind](run, what, resumed)
        except SafetyRefusedError as error:
            return failure(ErrorCode.SAFETY_REFUSED, error.code, error.placeholders)
        except EngineError as error:
            code = _CODES.get(error.code, ErrorCode.COMMAND_INVALID)
            return failure(code, error.code, error.placeholders)
        except InvalidValue as error:
            return failure(ErrorCode.INVALID_ARGUMENTS, error.code, error.placeholders)
        except StoreError as error:
            return failure(ErrorCode.INTERNAL_ERROR, error.code)

    async def sent(
        self, run: LiveRun, device: DeviceState, step: CommandStep
    ) -> Command:
        """Send the command of a step and wait for its end.

        Its id comes from the run and the step: whatever happens between, it is accepted
        once, and asked for again it is the one that was accepted (RES-44). Raises what the
        acceptance of a command raises.
        """
        number = len(run.steps) - 1
        request = Request(
            action=step.action,
            args=step.args,
            origin=Origin(
                source=Source(run.row.source),
                user=run.row.user,
                context=run.row.context,
                run=run.id,
                step=number,
            ),
            id=f"run-{run.id}-{number}",
            timeout=step.timeout,
        )
        accepted = await self._send(device, request, confirm=step.confirm)
        return await self._finished(accepted)

    async def attached(self, run: LiveRun, device: DeviceState) -> None:
        """Wait for a device that comes after the start, a little while at most (R-X5).

        Only runs of an earlier life wait: they have seen it.
        """

        def stir(change: DeviceChanged) -> None:
            if change.device == device.row.number:
                run.stirred.set()

        leave = self._announcer.listen(stir, DeviceChanged)
        try:
            while run.resumed and device.device is None:
                left = self._devices_come_until - self._clock.elapsed()
                if left <= RESOLUTION:
                    return
                self._agenda.put_elapsed("run", run.id, left)
                run.stirred.clear()
                await run.stirred.wait()
        finally:
            leave()
            self._agenda.remove("run", run.id)

    async def _command(self, run: LiveRun, step: CommandStep, resumed: bool) -> Outcome:
        """Have a device do something, and wait for the end of that."""
        device = self._find(step.device_id)
        await self.attached(run, device)
        return outcome_of(await self.sent(run, device, step))

    async def _delay(
        self, run: LiveRun, step: DelayStep, resumed: bool
    ) -> Outcome | None:
        """Let time pass; who skips it ends the step."""
        return None if await self._until(run) else DONE

    async def _wait(
        self, run: LiveRun, step: WaitStep, resumed: bool
    ) -> Outcome | None:
        """Wait until a field shows what is wanted; who skips it ends the step."""
        device = self._find(step.device_id)
        if device.device is not None:
            device.device.field_of(step.field_name)

        def stir(change: Change) -> None:
            if isinstance(change, FieldChanged | DeviceChanged) and (
                change.device == device.row.number
            ):
                run.stirred.set()

        leave = self._announcer.listen(stir, FieldChanged, DeviceChanged)
        try:
            over = await self._until(run, lambda: holds(device, step))
        finally:
            leave()
        if run.under_way is None:
            return None
        if over:
            return Outcome(state=StepState.COMPLETED, result={"met": True})
        if step.on_timeout is OnTimeout.CONTINUE:
            return Outcome(state=StepState.COMPLETED, result={"met": False})
        return failure(ErrorCode.COMMAND_TIMEOUT, TIMED_OUT)

    async def _ask(self, run: LiveRun, step: AskStep, resumed: bool) -> Outcome | None:
        """Wait for the keeper; the answer ends the step by itself."""
        if await self._until(run):
            return None
        return failure(ErrorCode.COMMAND_TIMEOUT, TIMED_OUT)

    async def _until(
        self, run: LiveRun, over: Callable[[], bool] = lambda: False
    ) -> bool:
        """Wait until a step is over, or was ended from outside; returns False when its time is.

        While its end is on the way to the store, nothing else ends it.
        """
        try:
            while run.under_way is not None and (run.answering or not over()):
                row = run.steps[-1]
                left = Deadline.from_json(cast(Mapping[str, Any], row.deadline)).left(
                    self._clock
                )
                if left > RESOLUTION:
                    self._agenda.put_elapsed("run", run.id, left)
                elif not run.answering:
                    return False
                run.stirred.clear()
                await run.stirred.wait()
            return True
        finally:
            self._agenda.remove("run", run.id)


def failure(code: str, error: str, details: Mapping[str, str] | None = None) -> Outcome:
    """Return the end of a step that did not succeed."""
    return Outcome(
        state=StepState.FAILED,
        result={"details": dict(details)} if details else None,
        error_code=code,
        error=error,
    )


def outcome_of(command: Command) -> Outcome:
    """Return what the end of a command means to its step."""
    shown = {"command_id": command.id, **(command.result or {})}
    if command.phase is Phase.COMPLETED:
        return Outcome(state=StepState.COMPLETED, result=shown)
    code = command.error_code or ErrorCode.COMMAND_FAILED
    if command.error_details:
        shown["details"] = dict(command.error_details)
    return Outcome(
        state=StepState.FAILED,
        result=shown,
        error_code=code,
        error=command.error or str(code),
    )


def holds(device: DeviceState, step: WaitStep) -> bool:
    """Return whether a field shows what a step waits for; what is stale never does."""
    port = device.device
    if port is None or not port.available:
        return False
    try:
        field = port.field_of(step.field_name)
    except InvalidValue:
        return False
    shown = port.observed(field) or {}
    return step.condition.holds(shown.get(step.field_name))
