"""The lives of a run and of its steps (law 8).

A run waits only in the mode `queued`, behind another one of the same definition::

    WAITING -> RUNNING    -> COMPLETED, FAILED, CANCELLED
            -> CANCELLED, FAILED

A step is recorded before it acts, and ends once.
"""

from collections.abc import Mapping
from enum import StrEnum


class RunState(StrEnum):
    """Where a run is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    """Where a step is in its life."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


RUN_TRANSITIONS: Mapping[RunState, frozenset[RunState]] = {
    RunState.WAITING: frozenset(
        {RunState.RUNNING, RunState.CANCELLED, RunState.FAILED}
    ),
    RunState.RUNNING: frozenset(
        {RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED}
    ),
    RunState.COMPLETED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}
STEP_TRANSITIONS: Mapping[StepState, frozenset[StepState]] = {
    StepState.RUNNING: frozenset(
        {StepState.COMPLETED, StepState.FAILED, StepState.CANCELLED}
    ),
    StepState.COMPLETED: frozenset(),
    StepState.FAILED: frozenset(),
    StepState.CANCELLED: frozenset(),
}
FINAL_RUNS = frozenset(state for state, exits in RUN_TRANSITIONS.items() if not exits)


class IllegalRunTransition(Exception):
    """A run, or a step, was asked to enter a state that it cannot reach."""

    def __init__(self, state: StrEnum, wanted: StrEnum) -> None:
        """Keep both states for the message."""
        super().__init__(f"{state} -> {wanted}")
        self.state = state
        self.wanted = wanted


def advance_run(state: RunState, wanted: RunState) -> RunState:
    """Return the next state of a run. Raises IllegalRunTransition."""
    return _advance(RUN_TRANSITIONS, state, wanted)


def advance_step(state: StepState, wanted: StepState) -> StepState:
    """Return the next state of a step. Raises IllegalRunTransition."""
    return _advance(STEP_TRANSITIONS, state, wanted)


def _advance[S: StrEnum](
    transitions: Mapping[S, frozenset[S]], state: S, wanted: S
) -> S:
    """Take the only road from one state to another."""
    if wanted not in transitions[state]:
        raise IllegalRunTransition(state, wanted)
    return wanted
