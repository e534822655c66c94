"""The agenda: due in order, looked up when due, by both clocks (laws 6 and 7)."""

from collections.abc import Hashable
from datetime import datetime, timedelta

import pytest

from custom_components.aquarist.engine.agenda import SWEEP, Agenda
from tests.fakes.manual_clock import START, ManualEngineClock


class Diary:
    """An agenda, and what fell due."""

    def __init__(self) -> None:
        """Start to fire."""
        self.clock = ManualEngineClock()
        self.agenda = Agenda(self.clock)
        self.due: list[Hashable] = []
        self.at: list[datetime] = []
        self.sweeps = 0
        self.agenda.on("thing", self._due)
        self.agenda.on_sweep(self._swept)
        self.agenda.start()

    def put(self, key: Hashable, seconds: float) -> None:
        """Note something for so many seconds from now by the wall clock."""
        at = self.clock.now() + timedelta(seconds=seconds)
        self.agenda.put("thing", key, at)

    def _due(self, key: Hashable, now: datetime) -> None:
        self.due.append(key)
        self.at.append(now)

    def _swept(self) -> None:
        self.sweeps += 1


def test_things_fall_due_in_their_order() -> None:
    """Whatever the order in which they were noted, each at its own time."""
    diary = Diary()
    for key, seconds in (("c", 12), ("a", 3), ("b", 7)):
        diary.put(key, seconds)
    diary.clock.advance(20)
    assert diary.due == ["a", "b", "c"]
    assert diary.at == [START + timedelta(seconds=one) for one in (3, 7, 12)]


def test_what_is_noted_again_is_due_once_at_the_new_time() -> None:
    """Later or earlier."""
    diary = Diary()
    diary.put("later", 5)
    diary.put("later", 15)
    diary.put("earlier", 20)
    diary.put("earlier", 10)
    diary.clock.advance(60)
    assert diary.due == ["earlier", "later"]
    assert diary.at == [START + timedelta(seconds=one) for one in (10, 15)]


def test_what_is_removed_is_never_due() -> None:
    """Law 7; to remove what is not there is no mistake."""
    diary = Diary()
    diary.put("gone", 5)
    diary.agenda.remove("thing", "gone")
    diary.agenda.remove("thing", "never there")
    diary.clock.advance(60)
    assert diary.due == []
    assert diary.agenda.next_due() is None


def test_what_is_past_is_due_at_once() -> None:
    """Nothing waits for the sweep."""
    diary = Diary()
    diary.put("late", -100)
    diary.clock.advance(0)
    assert diary.due == ["late"]


def test_the_next_due_instant_of_both_clocks() -> None:
    """What the panel shows."""
    diary = Diary()
    diary.put("wall", 50)
    assert diary.agenda.next_due() == START + timedelta(seconds=50)
    diary.agenda.put_elapsed("thing", "elapsed", 20)
    assert diary.agenda.next_due() == START + timedelta(seconds=20)


def test_a_clock_that_is_set_forward_is_caught_by_the_sweep() -> None:
    """What the jump went over is due within half a minute; once."""
    diary = Diary()
    diary.put("noon", 3600)
    diary.clock.jump(7200)
    diary.clock.advance(SWEEP.total_seconds())
    assert diary.due == ["noon"]
    diary.clock.advance(7200)
    assert diary.due == ["noon"]


def test_a_clock_that_is_set_back_holds_nothing_up_that_elapsed() -> None:
    """A maximum on-time knows no wall clock; what was planned comes at its wall time."""
    diary = Diary()
    diary.agenda.put_elapsed("thing", "off", 60)
    diary.put("planned", 60)
    diary.clock.jump(-3600)
    diary.clock.advance(60)
    assert diary.due == ["off"]
    diary.clock.advance(3600)
    assert diary.due == ["off", "planned"]


def test_the_sweep_comes_round_however_much_is_due() -> None:
    """A ramp's steps do not push it away."""
    diary = Diary()
    for second in range(1, 100):
        diary.put(second, second)
    diary.clock.advance(100)
    assert len(diary.due) == 99
    assert diary.sweeps == 3


def test_an_error_in_one_thing_loses_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged; what is due with it and after it comes."""
    diary = Diary()

    def broken(key: Hashable, now: datetime) -> None:
        raise RuntimeError("broken")

    diary.agenda.on("broken", broken)
    diary.agenda.put("broken", 1, START + timedelta(seconds=5))
    diary.put("same time", 5)
    diary.put("later", 9)
    diary.clock.advance(10)
    assert diary.due == ["same time", "later"]
    assert "RuntimeError: broken" in caplog.text


def test_nothing_is_due_before_the_start_or_after_the_stop() -> None:
    """What was noted is not forgotten."""
    clock = ManualEngineClock()
    agenda = Agenda(clock)
    due: list[Hashable] = []
    agenda.on("thing", lambda key, now: due.append(key))
    agenda.put("thing", "early", START + timedelta(seconds=1))
    clock.advance(5)
    assert due == []
    agenda.start()
    assert due == ["early"]
    agenda.put("thing", "late", START + timedelta(seconds=10))
    agenda.stop()
    clock.advance(100)
    assert due == ["early"]
    agenda.start()
    assert due == ["early", "late"]


def test_a_handler_may_note_more() -> None:
    """Also for an instant that has come already."""
    diary = Diary()

    def again(key: Hashable, now: datetime) -> None:
        diary.put("then", 0)

    diary.agenda.on("first", again)
    diary.agenda.put("first", 1, START + timedelta(seconds=5))
    diary.clock.advance(5)
    assert diary.due == ["then"]


def test_a_fraction_of_a_microsecond_does_not_make_it_spin() -> None:
    """Instants are whole microseconds; elapsed readings are not."""
    diary = Diary()
    diary.agenda.put_elapsed("thing", "soon", 0.5 + 3e-7)
    diary.clock.advance(0.5)
    assert diary.due == ["soon"]


def test_a_handler_may_stop_the_agenda() -> None:
    """What is due with it still comes, nothing after it does."""
    diary = Diary()
    diary.agenda.on("stop", lambda key, now: diary.agenda.stop())
    diary.agenda.put("stop", 1, START + timedelta(seconds=5))
    diary.put("same time", 5)
    diary.put("later", 6)
    diary.clock.advance(60)
    assert diary.due == ["same time"]
