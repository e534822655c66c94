"""What is known of the steps of a run: what a replay goes by."""

from collections.abc import Mapping
from typing import Any

from ..frozen import frozen
from .states import StepState


@frozen
class Outcome:
    """How a step ended; ``error_code`` and ``error`` say why it did not succeed."""

    state: StepState
    result: Mapping[str, Any] | None = None
    error_code: str | None = None
    error: str | None = None


@frozen
class StepRecord:
    """A step that was begun, by its number in the run; steps are numbered from 0."""

    step: int
    state: StepState
    result: Mapping[str, Any] | None = None
    error_code: str | None = None
    error: str | None = None

    @property
    def under_way(self) -> bool:
        """Return whether the step has begun and not ended."""
        return self.state is StepState.RUNNING
