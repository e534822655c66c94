"""Law 8: runs and steps only move forward, and final is final."""

from itertools import product

import pytest

from custom_components.aquarist.runs import (
    IllegalRunTransition,
    RunState,
    StepState,
    advance_run,
    advance_step,
)
from custom_components.aquarist.runs.states import (
    FINAL_RUNS,
    RUN_TRANSITIONS,
    STEP_TRANSITIONS,
)


@pytest.mark.parametrize(("state", "wanted"), product(RunState, RunState))
def test_a_run_takes_the_roads_of_its_table(state: RunState, wanted: RunState) -> None:
    """Every other road is refused, with both states in the message."""
    if wanted in RUN_TRANSITIONS[state]:
        assert advance_run(state, wanted) is wanted
        return
    with pytest.raises(IllegalRunTransition, match=f"{state} -> {wanted}") as refused:
        advance_run(state, wanted)
    assert (refused.value.state, refused.value.wanted) == (state, wanted)


@pytest.mark.parametrize(("state", "wanted"), product(StepState, StepState))
def test_a_step_ends_once(state: StepState, wanted: StepState) -> None:
    """A step that runs can only end; one that has ended can do nothing."""
    if state is StepState.RUNNING and wanted is not StepState.RUNNING:
        assert advance_step(state, wanted) is wanted
        return
    with pytest.raises(IllegalRunTransition):
        advance_step(state, wanted)


def test_the_tables_know_every_state() -> None:
    """No state is left without an entry."""
    assert set(RUN_TRANSITIONS) == set(RunState)
    assert set(STEP_TRANSITIONS) == set(StepState)
    assert {RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED} == FINAL_RUNS
