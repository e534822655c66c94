"""What a run does next follows from its records alone, also after a restart."""

from custom_components.aquarist.runs import (
    Begin,
    CommandStep,
    DelayStep,
    Finish,
    Outcome,
    Resume,
    RunState,
    Sequence,
    StepRecord,
    StepState,
    next_move,
)

ON = CommandStep(device_id="pump", action="turn_on")
PAUSE = DelayStep(seconds=60)
OFF = CommandStep(device_id="pump", action="turn_off", continue_on_error=True)
DONE, FAILED = StepState.COMPLETED, StepState.FAILED


def records(*states: StepState) -> list[StepRecord]:
    """Return records of the first steps; a failed one says why."""
    return [
        StepRecord(
            step=step,
            state=state,
            error_code="command_failed" if state is FAILED else None,
            error="no_answer" if state is FAILED else None,
        )
        for step, state in enumerate(states)
    ]


def test_steps_follow_one_another() -> None:
    """Each begins when the one before has ended, and then the run is complete."""
    macro = Sequence(steps=(ON, PAUSE, OFF))

    assert next_move(macro, []) == Begin(step=0, what=ON)
    assert next_move(macro, records(DONE)) == Begin(step=1, what=PAUSE)
    assert next_move(macro, records(DONE, DONE)) == Begin(step=2, what=OFF)
    assert next_move(macro, records(DONE, DONE, DONE)) == Finish(
        state=RunState.COMPLETED
    )


def test_a_step_that_was_under_way_is_taken_up() -> None:
    """It may have acted: it is not begun anew."""
    macro = Sequence(steps=(ON, PAUSE))

    move = next_move(macro, records(DONE, StepState.RUNNING))

    assert move == Resume(step=1, what=PAUSE)


def test_a_failed_step_ends_the_run() -> None:
    """R-C62: it says why, and nothing after it is done."""
    macro = Sequence(steps=(ON, PAUSE, OFF))

    assert next_move(macro, records(FAILED)) == Finish(
        state=RunState.FAILED, error_code="command_failed", error="no_answer"
    )


def test_a_step_may_fail_that_says_so() -> None:
    """The run goes on; in the end it says that not all of it was done."""
    macro = Sequence(steps=(OFF, PAUSE))

    assert next_move(macro, records(FAILED)) == Begin(step=1, what=PAUSE)
    assert next_move(macro, records(FAILED, DONE)) == Finish(
        state=RunState.COMPLETED, error="steps_failed"
    )


def test_a_whole_macro_may_go_on_after_errors() -> None:
    """Whatever its steps say."""
    macro = Sequence(steps=(ON, PAUSE), continue_on_error=True)

    assert next_move(macro, records(FAILED)) == Begin(step=1, what=PAUSE)


def test_a_program_that_has_no_more_steps_ends_the_run() -> None:
    """Even if a record says that one is under way: a definition may have changed."""
    macro = Sequence(steps=())

    assert next_move(macro, records(StepState.RUNNING)) == Finish(
        state=RunState.COMPLETED
    )


def test_an_outcome_has_a_state_and_a_reason() -> None:
    """What a step came to is all that its record needs to end."""
    outcome = Outcome(state=FAILED, error_code="expired", error="expired")

    assert (outcome.state, outcome.error_code, outcome.result) == (
        FAILED,
        "expired",
        None,
    )
