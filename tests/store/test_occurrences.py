"""The table of occurrences: a due moment runs once and has one verdict (law 9, RES-51)."""

import sqlite3

import pytest

from custom_components.aquarist.schedules.moments import Moment
from custom_components.aquarist.store import occurrences
from custom_components.aquarist.store.errors import AlreadyFinal, NotStored
from custom_components.aquarist.store.occurrences import OccurrenceRow, Verdict

from .samples import AT, MINUTE


def moment(minutes: int, nominal: str | None = None) -> Moment:
    """Return a moment some minutes from the start."""
    return Moment(at=AT + minutes * MINUTE, nominal=nominal)


def claim(connection: sqlite3.Connection, due: Moment, schedule: int = 1) -> int | None:
    """Claim a moment."""
    return occurrences.claim(connection, schedule, due, 2, AT)


def test_a_moment_is_claimed_once(connection: sqlite3.Connection) -> None:
    """The second time it has had its turn; another schedule has its own."""
    assert claim(connection, moment(0)) == 1
    assert claim(connection, moment(0)) is None
    assert claim(connection, moment(1)) == 2
    assert claim(connection, moment(0), schedule=2) == 3


def test_a_nominal_time_is_claimed_once(connection: sqlite3.Connection) -> None:
    """The same wall-clock time an hour later, when clocks go back, is the same moment."""
    assert claim(connection, moment(0, "2026-10-25T02:30:00")) is not None
    assert claim(connection, moment(60, "2026-10-25T02:30:00")) is None
    assert claim(connection, moment(60, "2026-10-25T03:30:00")) is not None


def test_moments_without_a_nominal_time_do_not_collide(
    connection: sqlite3.Connection,
) -> None:
    """A wildcard plan runs both passes of an overlap."""
    assert claim(connection, moment(0)) is not None
    assert claim(connection, moment(60)) is not None


def test_a_claim_is_open_until_its_verdict(connection: sqlite3.Connection) -> None:
    """After a crash the undecided ones are found."""
    first = claim(connection, moment(0, "2026-11-21T09:00:00"))
    second = claim(connection, moment(1))
    assert first is not None
    assert second is not None
    occurrences.set_verdict(connection, second, Verdict.REFUSED, "budget", AT + MINUTE)
    assert occurrences.undecided(connection) == [
        OccurrenceRow(
            id=first,
            schedule=1,
            at=AT,
            last_at=AT,
            count=1,
            nominal="2026-11-21T09:00:00",
            depth=2,
            verdict=None,
            reason=None,
            claimed_at=AT,
            decided_at=None,
        )
    ]
    newest = occurrences.recent(connection, 1, 1)[0]
    assert (newest.verdict, newest.reason) == (Verdict.REFUSED, "budget")
    assert newest.decided_at == AT + MINUTE


def test_a_verdict_is_final(connection: sqlite3.Connection) -> None:
    """There is one, and only for what was claimed (law 9)."""
    occurrence = claim(connection, moment(0))
    assert occurrence is not None
    occurrences.set_verdict(connection, occurrence, Verdict.RAN, None, AT)
    with pytest.raises(AlreadyFinal):
        occurrences.set_verdict(connection, occurrence, Verdict.FAILED, "late", AT)
    with pytest.raises(NotStored):
        occurrences.set_verdict(connection, 99, Verdict.RAN, None, AT)
    assert occurrences.recent(connection, 1, 1)[0].verdict is Verdict.RAN


def test_an_outage_is_one_row(connection: sqlite3.Connection) -> None:
    """From, to and how many; it has its verdict at once."""
    number = occurrences.missed(
        connection, 1, moment(1, "09:01"), moment(5, "09:05"), 5, "not running", AT
    )
    (row,) = occurrences.recent(connection, None, 10)
    assert row.id == number
    assert (row.at, row.last_at, row.count) == (AT + MINUTE, AT + 5 * MINUTE, 5)
    assert (row.verdict, row.reason) == (Verdict.MISSED, "not running")
    assert row.decided_at == AT
    assert occurrences.undecided(connection) == []


def test_what_was_missed_does_not_run_later(connection: sqlite3.Connection) -> None:
    """Every moment of the outage has its verdict; those around it may run."""
    occurrences.missed(connection, 1, moment(1), moment(5), 5, "not running", AT)
    assert [claim(connection, moment(minute)) is None for minute in range(8)] == [
        False,
        True,
        True,
        True,
        True,
        True,
        False,
        False,
    ]
    assert claim(connection, moment(3), schedule=2) is not None


def test_an_outage_is_told_once(connection: sqlite3.Connection) -> None:
    """A second start finds the row of the first."""
    first = occurrences.missed(connection, 1, moment(1), moment(5), 5, "off", AT)
    assert first is not None
    assert occurrences.missed(connection, 1, moment(1), moment(5), 5, "off", AT) is None
    assert len(occurrences.recent(connection, 1, 10)) == 1


def test_the_newest_occurrences_page_by_page(connection: sqlite3.Connection) -> None:
    """Of all schedules or of one; those of one instant are not lost between pages."""
    for minute in range(3):
        for schedule in (1, 2):
            claim(connection, moment(minute), schedule=schedule)
    first = occurrences.recent(connection, None, 3)
    rest = occurrences.recent(connection, None, 4, before=first[-1].id)
    told = [((row.at - AT) // MINUTE, row.schedule) for row in first + rest]
    assert told == [(2, 2), (2, 1), (1, 2), (1, 1), (0, 2), (0, 1)]
    first = occurrences.recent(connection, 1, 2)
    rest = occurrences.recent(connection, 1, 2, before=first[-1].id)
    told = [((row.at - AT) // MINUTE, row.schedule) for row in first + rest]
    assert told == [(2, 1), (1, 1), (0, 1)]


QUERIES: dict[str, tuple[str, dict[str, int | None]]] = {
    "newest of all": (occurrences._RECENT, {"schedule": None}),
    "newest of a schedule": (occurrences._RECENT_OF_SCHEDULE, {"schedule": 1}),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_page_costs_a_page(connection: sqlite3.Connection, name: str) -> None:
    """However many rows there are, none is sorted or looked at that is not returned."""
    statement, values = QUERIES[name]
    plan = connection.execute(
        f"EXPLAIN QUERY PLAN {statement}", {**values, "before": 1, "limit": 1}
    )
    text = " ".join(row[3] for row in plan)
    assert "INDEX" in text
    assert "TEMP B-TREE" not in text
