"""A mode of an aquarium: what it holds, for how long, and how it gives it back in stages.

The steps before the countdown prepare, those after it are the staged return. Whatever is
still held when the last step is over comes back then, and at the latest end in any case.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from ..frozen import frozen
from .driver import Finish
from .records import StepRecord
from .sequence import STEPS_FAILED
from .states import RunState, StepState
from .steps import DelayStep, HoldStep, ModeStep, OnTimeout, ReleaseStep, WaitStep

MINUTE = 60.0
SKIPPED = "skipped"


class Stage(StrEnum):
    """Where a mode is: before its countdown, in it, or giving back what it held."""

    STARTING = "starting"
    COUNTDOWN = "countdown"
    RETURNING = "returning"


@frozen
class ModeDefinition:
    """A valid mode; exactly one of its steps is the countdown.

    ``latest_end_minutes`` after its start everything that it holds comes back, whatever
    became of its steps (law 4).
    """

    name: str
    steps: tuple[ModeStep, ...]
    latest_end_minutes: float
    icon_name: str | None = None

    @property
    def countdown(self) -> int:
        """Return the place of the countdown among the steps."""
        return next(
            place
            for place, step in enumerate(self.steps)
            if isinstance(step, DelayStep) and step.countdown
        )

    @property
    def duration_minutes(self) -> float:
        """Return how long the countdown lasts."""
        return (self.steps[self.countdown].seconds or 0.0) / MINUTE

    @property
    def opening(self) -> int:
        """Return how many holds come before everything else."""
        for place, step in enumerate(self.steps):
            if not isinstance(step, HoldStep):
                return place
        return len(self.steps)

    @property
    def held(self) -> frozenset[str]:
        """Return the UUIDs of the devices that it holds."""
        return frozenset(
            step.device_id for step in self.steps if isinstance(step, HoldStep)
        )

    @property
    def devices(self) -> frozenset[str]:
        """Return the UUIDs of all devices that it is about."""
        return frozenset(
            step.device_id
            for step in self.steps
            if isinstance(step, HoldStep | ReleaseStep | WaitStep)
        )

    def lasting(self, minutes: float) -> ModeDefinition:
        """Return the mode with another countdown; its latest end moves as much."""
        steps = list(self.steps)
        steps[self.countdown] = DelayStep(seconds=minutes * MINUTE, countdown=True)
        longer = minutes - self.duration_minutes
        return replace(
            self,
            steps=tuple(steps),
            latest_end_minutes=self.latest_end_minutes + longer,
        )


@frozen
class ModeProgram:
    """The program of a mode.

    What fails does not stop the rest: the mode begins for the devices that are there. A
    step that is skipped before the return, or a wait that stops there, leads to the return.
    A wait that stops in the return stays where it is until the latest end.
    """

    definition: ModeDefinition

    def after(self, ended: Sequence[StepRecord]) -> ModeStep | Finish:
        """Return the next step, or how the run ends."""
        places = self.places(ended)
        steps = self.definition.steps
        if places[-1] < len(steps):
            if _stays(places):
                return DelayStep(seconds=self.definition.latest_end_minutes * MINUTE)
            return steps[places[-1]]
        if _stays(places[:-1]):
            stopped = ended[-2]
            return Finish(
                state=RunState.FAILED,
                error_code=stopped.error_code,
                error=stopped.error,
            )
        failed = any(record.state is not StepState.COMPLETED for record in ended)
        return Finish(state=RunState.COMPLETED, error=STEPS_FAILED if failed else None)

    def places(self, ended: Sequence[StepRecord]) -> list[int]:
        """Return the place of each record's step in the definition, and of the next one."""
        places = [0]
        for record in ended:
            places.append(self._next(places, record))
        return places

    def stage(self, ended: Sequence[StepRecord]) -> Stage:
        """Return where the mode is once these steps have ended."""
        place, countdown = self.places(ended)[-1], self.definition.countdown
        if place > countdown:
            return Stage.RETURNING
        return Stage.COUNTDOWN if place == countdown else Stage.STARTING

    def _next(self, places: Sequence[int], record: StepRecord) -> int:
        """Return the place that follows a record whose own is the last one given."""
        here, countdown = places[-1], self.definition.countdown
        if _stays(places):
            return len(self.definition.steps)
        stops = _stops(self.definition.steps[here], record)
        if here <= countdown and (stops or (record.result or {}).get(SKIPPED)):
            return countdown + 1
        return here if stops else here + 1


def _stays(places: Sequence[int]) -> bool:
    """Return whether the last place was the one before, too: the run has stopped there."""
    return len(places) > 1 and places[-1] == places[-2]


def _stops(step: ModeStep, record: StepRecord) -> bool:
    """Return whether a step ended in such a way that the next one must not follow."""
    return (
        isinstance(step, WaitStep)
        and step.on_timeout is OnTimeout.STOP
        and record.state is not StepState.COMPLETED
    )
