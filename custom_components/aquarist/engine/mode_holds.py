"""What modes hold: claims of their rank, each on disk with its run, its step and a latest end.

A hold is asked for once, by the id that follows from its run and step: whatever happens
between, it is never there twice. It ends by elapsed time at the latest, with or without
the run that asked for it (law 4).
"""

from datetime import timedelta
from typing import Protocol

from ..commands.command import Command, ErrorCode, Source
from ..commands.phases import HOLDING, Phase
from ..layers.claims import Layer
from ..layers.setting import Scalar
from ..runs.records import Outcome
from ..runs.states import StepState
from ..runs.steps import HoldStep, ReleaseStep, StepKind
from .arbiter import Arbiter
from .claims import lasting
from .ground import Ground
from .history import History
from .intake import Origin
from .live_runs import LiveRun
from .run_steps import Find, RunSteps
from .state import DeviceState
from .windows import Windows

ACTION = "mode"


class LatestEnd(Protocol):
    """Tells how much elapsed time a mode has left."""

    def __call__(self, run: LiveRun) -> float:
        """Return the seconds until everything that it holds comes back."""


class ModeHolds:
    """Carries out the steps that hold and release."""

    def __init__(
        self,
        ground: Ground,
        steps: RunSteps,
        windows: Windows,
        arbiter: Arbiter,
        history: History,
        find: Find,
        latest_end: LatestEnd,
    ) -> None:
        """Take these steps over from the runs."""
        self._clock = ground.clock
        self._records = ground.records
        self._windows = windows
        self._arbiter = arbiter
        self._history = history
        self._find = find
        self._latest_end = latest_end
        steps.register(StepKind.HOLD, self._hold)
        steps.register(StepKind.RELEASE, self._release)

    @property
    def all(self) -> tuple[Command, ...]:
        """Return every hold in force or waiting for its device, oldest first."""
        return tuple(
            command
            for command in self._records.open
            if command.action == ACTION and _wanted(command)
        )

    def of(self, run: int) -> tuple[Command, ...]:
        """Return the holds of a run."""
        return tuple(command for command in self.all if command.run == run)

    def let_go(self, run: int) -> None:
        """Release everything that a run holds: its fields return to what should hold now."""
        for command in self.of(run):
            self._arbiter.release(command)

    async def renew(self, run: LiveRun, longer: float) -> None:
        """Let what a run holds be held for so many seconds more; nothing shows in between.

        Raises EngineError, StoreError; what is not renewed by then ends when it would have.
        """
        seconds = self._latest_end(run) + longer
        for older in self.of(run.id):
            newer = await self._claim(
                run,
                self._find(older.device),
                older.args["field_name"],
                older.args["value"],
                seconds,
                step=older.step,
            )
            present = self._records.current(older.key)
            if present is None or not _wanted(present):
                self._arbiter.release(self._records.current(newer.key) or newer)
                continue
            planned = present.phase is Phase.PLANNED
            self._arbiter.withdraw(
                present,
                Phase.WITHDRAWN if planned else Phase.STOPPED,
                ErrorCode.SUPERSEDED,
                "superseded",
                bring_back=False,
            )

    async def _hold(self, run: LiveRun, step: HoldStep, resumed: bool) -> Outcome:
        """Hold a field; a device that does not answer is not waited for."""
        device, number = self._find(step.device_id), len(run.steps) - 1
        name = f"run-{run.id}-{number}"
        known = await self._history.command(device, name) if resumed else None
        command = known or await self._claim(
            run,
            device,
            step.field_name,
            step.value,
            self._latest_end(run),
            step=number,
            id=name,
        )
        return Outcome(state=StepState.COMPLETED, result={"command_id": command.id})

    async def _release(self, run: LiveRun, step: ReleaseStep, resumed: bool) -> Outcome:
        """Let go of what the mode holds of a device; nobody waits for its return."""
        device = self._find(step.device_id)
        held = [
            command
            for command in self.of(run.id)
            if command.device == device.row.number
            and step.field_name in (None, command.field, command.args["field_name"])
        ]
        for command in held:
            self._arbiter.release(command)
        return Outcome(state=StepState.COMPLETED, result={"released": len(held)})

    async def _claim(
        self,
        run: LiveRun,
        device: DeviceState,
        field_name: str,
        value: Scalar,
        seconds: float,
        *,
        step: int | None,
        id: str | None = None,
    ) -> Command:
        """Accept a claim for so many seconds of elapsed time; it is on disk afterwards."""
        row = run.row
        return await self._windows.claim(
            device,
            field_name,
            value,
            Origin(source=Source.MODE, user=row.user, context=row.context),
            layer=Layer.MODE,
            action=ACTION,
            end=self._clock.now() + timedelta(seconds=seconds),
            args=lasting(self._clock, seconds),
            id=id,
            run=run.id,
            step=step,
        )


def _wanted(command: Command) -> bool:
    """Return whether a hold is in force, or will be once its device is there."""
    return command.phase is Phase.PLANNED or command.phase in HOLDING
