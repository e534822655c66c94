"""Modes: which step follows, where a mode is, and how it ends (issue 4)."""

from collections.abc import Sequence

import pytest

from custom_components.aquarist.runs import (
    Begin,
    Condition,
    DelayStep,
    Finish,
    OnTimeout,
    Resume,
    RunState,
    StepRecord,
    StepState,
    WaitStep,
    next_move,
)
from custom_components.aquarist.runs.mode import ModeDefinition, ModeProgram, Stage
from custom_components.aquarist.runs.steps import HoldStep, ModeStep, ReleaseStep

PUMP = HoldStep(device_id="pump", field_name="level", value=0.0)
SKIMMER = HoldStep(device_id="skimmer", field_name="level", value=0.0)
COUNTDOWN = DelayStep(seconds=600, countdown=True)
PUMP_BACK = ReleaseStep(device_id="pump")
SKIMMER_BACK = ReleaseStep(device_id="skimmer")


def level_back(on_timeout: OnTimeout = OnTimeout.STOP) -> WaitStep:
    """Return the wait for a level."""
    return WaitStep(
        device_id="sump",
        field_name="level",
        condition=Condition(above=20),
        seconds=300,
        on_timeout=on_timeout,
    )


WAIT = level_back()
FEED: tuple[ModeStep, ...] = (PUMP, SKIMMER, COUNTDOWN, PUMP_BACK, WAIT, SKIMMER_BACK)


def program(*steps: ModeStep) -> ModeProgram:
    """Return the program of a mode that ends after an hour at the latest."""
    definition = ModeDefinition(
        name="feed", steps=steps or FEED, latest_end_minutes=60.0
    )
    return ModeProgram(definition=definition)


def ended(*words: str) -> list[StepRecord]:
    """Return records by a letter each: c completed, s skipped, f failed."""
    return [
        StepRecord(
            step=step,
            state=StepState.FAILED if word == "f" else StepState.COMPLETED,
            result={"skipped": True} if word == "s" else None,
            error_code="command_timeout" if word == "f" else None,
            error="timed_out" if word == "f" else None,
        )
        for step, word in enumerate(words)
    ]


def followed(program: ModeProgram, outcome: str = "c") -> list[ModeStep]:
    """Return the steps that a mode does when each of them ends alike."""
    steps: list[ModeStep] = []
    while not isinstance(step := program.after(ended(*(outcome * len(steps)))), Finish):
        steps.append(step)
    return steps


def test_the_steps_follow_each_other() -> None:
    """To the end."""
    assert followed(program()) == list(FEED)
    assert program().after(ended(*"cccccc")) == Finish(state=RunState.COMPLETED)


def test_what_fails_does_not_stop_the_rest() -> None:
    """A device that vanished is none of the others' business; the run says so."""
    assert program().after(ended("f")) == SKIMMER
    assert program().after(ended("f", "c", "f")) == PUMP_BACK
    assert program().after(ended(*"fccccc")) == Finish(
        state=RunState.COMPLETED, error="steps_failed"
    )


def test_a_countdown_that_is_skipped_leads_to_the_return() -> None:
    """The staged one."""
    assert program().after(ended("c", "c", "s")) == PUMP_BACK


def test_what_is_skipped_before_the_countdown_leads_to_the_return() -> None:
    """Nothing more is held."""
    pause = DelayStep(seconds=60)
    early = program(SKIMMER, pause, PUMP, COUNTDOWN, PUMP_BACK, SKIMMER_BACK)
    assert early.after(ended("c", "c")) == PUMP
    assert early.after(ended("c", "s")) == PUMP_BACK
    assert early.after(ended("c", "s", "c")) == SKIMMER_BACK
    assert early.after(ended("c", "s", "c", "c")) == Finish(state=RunState.COMPLETED)


def test_what_is_skipped_in_the_return_is_followed_by_the_next_step() -> None:
    """One stage earlier, no more."""
    assert program().after(ended(*"ccccs")) == SKIMMER_BACK


def test_a_wait_that_gives_up_in_the_return_stays_there() -> None:
    """Until the latest end: what it waited for has not come."""
    assert program().after(ended(*"ccccf")) == DelayStep(seconds=3600)
    assert program().after(ended(*"ccccfc")) == Finish(
        state=RunState.FAILED, error_code="command_timeout", error="timed_out"
    )


def test_a_wait_that_may_time_out_is_followed_by_the_next_step() -> None:
    """Also when its device has vanished."""
    wait = level_back(OnTimeout.CONTINUE)
    patient = program(PUMP, COUNTDOWN, wait, PUMP_BACK)
    assert patient.after(ended("c", "c", "f")) == PUMP_BACK


def test_a_wait_that_gives_up_before_the_countdown_leads_to_the_return() -> None:
    """What the mode was to wait for has not happened."""
    cautious = program(PUMP, WAIT, SKIMMER, COUNTDOWN, PUMP_BACK)
    assert cautious.after(ended("c", "f")) == PUMP_BACK


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        ("", Stage.STARTING),
        ("c", Stage.STARTING),
        ("cc", Stage.COUNTDOWN),
        ("ccc", Stage.RETURNING),
        ("ccccf", Stage.RETURNING),
        ("cccccc", Stage.RETURNING),
    ],
)
def test_where_a_mode_is(words: str, stage: Stage) -> None:
    """Before its countdown, in it, or giving back."""
    assert program().stage(ended(*words)) is stage


def test_a_mode_is_taken_up_where_it_was() -> None:
    """Also while it stays where a wait gave up."""

    def under_way(words: Sequence[str]) -> list[StepRecord]:
        running = StepRecord(step=len(words), state=StepState.RUNNING)
        return [*ended(*words), running]

    assert next_move(program(), []) == Begin(step=0, what=PUMP)
    assert next_move(program(), under_way("cc")) == Resume(step=2, what=COUNTDOWN)
    assert next_move(program(), under_way("ccccf")) == Resume(
        step=5, what=DelayStep(seconds=3600)
    )


def test_what_a_mode_is_about() -> None:
    """Who starts it needs control of what it holds."""
    feed = program().definition
    assert feed.held == {"pump", "skimmer"}
    assert feed.devices == {"pump", "skimmer", "sump"}
    assert (feed.countdown, feed.duration_minutes) == (2, 10)


def test_what_a_mode_begins_with() -> None:
    """The holds before everything else."""
    assert program().definition.opening == 2
    assert program(WAIT, PUMP, COUNTDOWN).definition.opening == 0
    only_holds = ModeDefinition(name="x", steps=(PUMP,), latest_end_minutes=1.0)
    assert only_holds.opening == 1


def test_another_countdown_moves_the_latest_end_as_much() -> None:
    """What comes after it takes as long as before."""
    feed = program().definition.lasting(2.5)
    assert feed.duration_minutes == 2.5
    assert feed.steps[2] == DelayStep(seconds=150, countdown=True)
    assert feed.latest_end_minutes == 52.5
    assert feed.steps[:2] + feed.steps[3:] == FEED[:2] + FEED[3:]


def test_steps_of_a_mode_take_no_time_of_their_own() -> None:
    """What they hold has an end."""
    assert (PUMP.seconds, PUMP_BACK.seconds) == (None, None)
