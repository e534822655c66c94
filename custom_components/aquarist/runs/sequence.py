"""The program of a macro: its steps in their order (R-C62)."""

from collections.abc import Sequence as Series

from ..frozen import frozen
from .driver import Finish
from .records import StepRecord
from .states import RunState, StepState
from .steps import SequenceStep

STEPS_FAILED = "steps_failed"


@frozen
class Sequence:
    """Steps one after another.

    A step that fails ends the run, unless it or the whole goes on after errors.
    """

    steps: tuple[SequenceStep, ...]
    continue_on_error: bool = False

    def after(self, ended: Series[StepRecord]) -> SequenceStep | Finish:
        """Return the next step, or how the run ends."""
        failed = [one for one in ended if one.state is not StepState.COMPLETED]
        for record in failed:
            if not (self.continue_on_error or self._goes_on(record)):
                return Finish(
                    state=RunState.FAILED,
                    error_code=record.error_code,
                    error=record.error,
                )
        if len(ended) < len(self.steps):
            return self.steps[len(ended)]
        return Finish(state=RunState.COMPLETED, error=STEPS_FAILED if failed else None)

    def _goes_on(self, record: StepRecord) -> bool:
        """Return whether the run goes on after a step that failed."""
        return self.steps[record.step].continue_on_error
