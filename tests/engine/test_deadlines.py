"""Deadlines run on elapsed time, and go on after a restart (law 6)."""

from custom_components.aquarist.engine.deadlines import Deadline
from tests.fakes.manual_clock import ManualEngineClock


def test_a_deadline_comes_nearer_by_elapsed_time() -> None:
    """A clock that is set moves nothing."""
    clock = ManualEngineClock()
    deadline = Deadline.after(clock, 60)

    clock.jump(-3600)
    clock.advance(20)
    assert deadline.left(clock) == 40
    clock.advance(50)
    assert deadline.left(clock) == -10


def test_a_deadline_is_written_and_read_back() -> None:
    """As JSON values."""
    clock = ManualEngineClock()
    deadline = Deadline.after(clock, 1.5)

    assert Deadline.from_json(deadline.as_json()) == deadline


def test_another_run_of_the_machine_goes_by_the_wall_clock() -> None:
    """Elapsed readings of two boots say nothing about each other."""
    clock = ManualEngineClock()
    stored = Deadline.after(clock, 60).as_json()
    clock.advance(20)

    rebooted = ManualEngineClock(clock.now(), boot="boot-2")
    assert Deadline.from_json(stored).left(rebooted) == 40
