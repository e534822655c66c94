"""R-A14 to R-A16, RES-4: what happens when something is run that runs already."""

import pytest

from custom_components.aquarist.runs import Admission, Mode, Turn, admit


@pytest.mark.parametrize("mode", Mode)
def test_the_first_run_starts(mode: Mode) -> None:
    """Whatever the mode."""
    assert admit(mode, 1, []) == Admission(turn=Turn.START)


def test_single_refuses_the_second() -> None:
    """A run that waits in a delay is running."""
    assert admit(Mode.SINGLE, 10, [7]) == Admission(turn=Turn.REFUSE)


def test_restart_ends_the_first() -> None:
    """All that are under way give way."""
    assert admit(Mode.RESTART, 10, [7, 8]) == Admission(turn=Turn.START, ends=(7, 8))


def test_queued_waits_up_to_the_maximum() -> None:
    """Waiting runs count."""
    assert admit(Mode.QUEUED, 3, [7, 8]) == Admission(turn=Turn.WAIT)
    assert admit(Mode.QUEUED, 3, [7, 8, 9]) == Admission(turn=Turn.REFUSE)


def test_parallel_runs_side_by_side_up_to_the_maximum() -> None:
    """Each at once."""
    assert admit(Mode.PARALLEL, 2, [7]) == Admission(turn=Turn.START)
    assert admit(Mode.PARALLEL, 2, [7, 8]) == Admission(turn=Turn.REFUSE)
