"""A guided calibration, step by step as the pump and the keeper go on."""

from typing import Any

import pytest

from custom_components.aquarist.runs import (
    AskStep,
    Begin,
    CalibrateStep,
    Calibration,
    CommandStep,
    Finish,
    Resume,
    RunState,
    StepRecord,
    StepState,
    next_move,
)
from custom_components.aquarist.runs.calibration import (
    KEEPER_SECONDS,
    STAGES,
    Answer,
    Stage,
    measured,
)

GUIDE = Calibration(device_id="doser", head_index=1)
RUN = CommandStep(
    device_id="doser",
    action="calibrate_head",
    args={"head_index": 1, "seconds": 5},
)
TEST = CommandStep(
    device_id="doser", action="dose", args={"head_index": 1, "volume_ml": 4.0}
)
MEASURED = {"answer": "measured", "measured": 4850}


def ask(*answers: Answer) -> AskStep:
    """Return the step that waits for one of the answers."""
    return AskStep(answers=frozenset(answers), seconds=KEEPER_SECONDS)


def ended(*results: dict[str, Any] | str | None) -> list[StepRecord]:
    """Return records: a result, an answer's word, or None for a step that asked nothing."""
    return [
        StepRecord(
            step=step,
            state=StepState.COMPLETED,
            result={"answer": result} if isinstance(result, str) else result,
        )
        for step, result in enumerate(results)
    ]


def failing(records: list[StepRecord], error: str) -> list[StepRecord]:
    """Return the records and one more that failed."""
    last = StepRecord(
        step=len(records),
        state=StepState.FAILED,
        error_code="command_failed",
        error=error,
    )
    return [*records, last]


def test_the_whole_way() -> None:
    """Run, measure, store, test, confirm."""
    store = CalibrateStep(device_id="doser", head_index=1, ran_for=5, measured=4850)
    stored = ask(Answer.TEST, Answer.ACCEPT, Answer.REJECT, Answer.START)
    for records, what in (
        (ended(), RUN),
        (ended(None), ask(Answer.MEASURED, Answer.START)),
        (ended(None, MEASURED), store),
        (ended(None, MEASURED, None), stored),
        (ended(None, MEASURED, None, "test"), TEST),
        (ended(None, MEASURED, None, "test", None), stored),
    ):
        assert next_move(GUIDE, records) == Begin(step=len(records), what=what)
    assert next_move(
        GUIDE, ended(None, MEASURED, None, "test", None, "accept")
    ) == Finish(state=RunState.COMPLETED)


@pytest.mark.parametrize(
    ("records", "stage"),
    [
        (ended(None, "start"), Stage.RUN),
        (ended(None, MEASURED, None, "start"), Stage.RUN),
        (ended(None, MEASURED, None, "accept"), Stage.DONE),
        (failing(ended(None), "timed_out"), Stage.MEASURE),
        (ended(None, MEASURED, None, "reject"), Stage.READY),
        (ended(None, MEASURED, None, "reject", "start"), Stage.RUN),
        (ended(None, MEASURED, None, "test", None, "test"), Stage.TEST),
        (ended(None, MEASURED, None, "test", None, "reject"), Stage.READY),
        (ended(None, MEASURED, None, "test", None, "start"), Stage.RUN),
    ],
)
def test_the_keeper_may_repeat(records: list[StepRecord], stage: Stage) -> None:
    """From every place where the run waits for an answer."""
    assert GUIDE.stage(records) is stage


def test_rejected_the_run_waits_for_a_new_start() -> None:
    """The pump runs only when the keeper says so: the cup may not be there yet."""
    move = next_move(GUIDE, ended(None, MEASURED, None, "reject"))

    assert move == Begin(step=4, what=ask(Answer.START))


@pytest.mark.parametrize(
    "before",
    [ended(), ended(None), ended(None, MEASURED, None)],
    ids=["run", "measure", "stored"],
)
def test_what_fails_ends_the_run(before: list[StepRecord]) -> None:
    """A pump that did not run, or a keeper who did not answer."""
    assert next_move(GUIDE, failing(before, "timed_out")) == Finish(
        state=RunState.FAILED, error_code="command_failed", error="timed_out"
    )


def test_what_could_not_be_stored_can_be_entered_again() -> None:
    """The liquid is measured; it need not be pumped once more."""
    records = failing(ended(None, MEASURED), "no_answer")
    assert next_move(GUIDE, records) == Begin(
        step=3, what=ask(Answer.MEASURED, Answer.START)
    )

    again = [
        *records,
        StepRecord(
            step=3,
            state=StepState.COMPLETED,
            result={"answer": "measured", "measured": 4900},
        ),
    ]
    move = next_move(GUIDE, again)
    assert isinstance(move, Begin) and isinstance(move.what, CalibrateStep)
    assert move.what.measured == 4900


def test_a_test_dose_that_failed_can_be_asked_for_again() -> None:
    """What is stored stays stored."""
    records = failing(ended(None, MEASURED, None, "test"), "refused_budget_24h")

    assert next_move(GUIDE, records) == Begin(
        step=5, what=ask(Answer.TEST, Answer.ACCEPT, Answer.REJECT, Answer.START)
    )


def test_a_restart_takes_up_what_was_under_way() -> None:
    """Between any two steps the records say all."""
    under_way = StepRecord(step=1, state=StepState.RUNNING)

    assert next_move(GUIDE, [*ended(None), under_way]) == Resume(
        step=1, what=ask(Answer.MEASURED, Answer.START)
    )


def test_nothing_measured_is_an_error() -> None:
    """Nobody asks before the keeper has answered."""
    with pytest.raises(LookupError):
        measured(ended(None))


def test_every_stage_has_its_exits() -> None:
    """The table is complete, and only the end has none."""
    assert set(STAGES) == set(Stage)
    assert [stage for stage, exits in STAGES.items() if not exits] == [Stage.DONE]


def test_a_guide_is_written_and_read_back() -> None:
    """As JSON values."""
    assert Calibration(**GUIDE.as_json()) == GUIDE
