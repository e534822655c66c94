"""What a run does next, from its program and its records alone.

Before a step acts it is recorded; when it ends, its record ends; in between there is
nothing to remember. A run that is taken up after a restart asks the same question and gets
the same answer, or is told to take up the step that was under way.
"""

from collections.abc import Sequence
from typing import Protocol

from ..frozen import frozen
from .records import StepRecord
from .states import RunState
from .steps import Step


@frozen
class Begin:
    """Record a step, then let it act; ``step`` is its number."""

    step: int
    what: Step


@frozen
class Resume:
    """Take up a step that was recorded before: it may have acted."""

    step: int
    what: Step


@frozen
class Finish:
    """End the run; a failure says why."""

    state: RunState
    error_code: str | None = None
    error: str | None = None


type Move = Begin | Resume | Finish


class Program(Protocol):
    """Knows which step follows the ones that have ended."""

    def after(self, ended: Sequence[StepRecord]) -> Step | Finish:
        """Return the next step, or how the run ends. Equal records, equal answer."""


def next_move(program: Program, records: Sequence[StepRecord]) -> Move:
    """Return what to do now; ``records`` are those of the run, in the order of its steps."""
    if records and records[-1].under_way:
        what = program.after(records[:-1])
        if isinstance(what, Finish):
            return what
        return Resume(step=records[-1].step, what=what)
    following = program.after(records)
    if isinstance(following, Finish):
        return following
    return Begin(step=len(records), what=following)
