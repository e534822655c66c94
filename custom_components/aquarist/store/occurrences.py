"""The table of occurrences: every due moment once, with its verdict (law 9, RES-51)."""

# ruff: noqa: S608 - statements are put together from constants, never from input

from datetime import datetime
from enum import StrEnum
import sqlite3
from typing import Any

from ..frozen import frozen
from ..schedules.moments import Moment
from .errors import AlreadyFinal, NotStored
from .instants import from_store, from_store_or_none, to_store


class Verdict(StrEnum):
    """What became of a due moment."""

    RAN = "ran"
    PARTLY = "partly"
    FAILED = "failed"
    REFUSED = "refused"
    SKIPPED = "skipped"
    MISSED = "missed"


@frozen
class OccurrenceRow:
    """A due moment of a schedule, or several that came to one verdict in an outage or a day.

    ``at`` and ``last_at`` are the first and the last moment, the same when ``count``
    is 1. ``verdict`` is None until it is known.
    """

    id: int
    schedule: int
    at: datetime
    last_at: datetime
    count: int
    nominal: str | None
    depth: int
    verdict: Verdict | None
    reason: str | None
    claimed_at: datetime
    decided_at: datetime | None


_COLUMNS = (
    "id, schedule, at, last_at, count, nominal, depth, verdict, reason, claimed_at, "
    "decided_at"
)
# Rows of a schedule overlap only where a day was rolled up, which left one row a verdict:
# so many rows before a moment tell whether one of them covers it.
_COVERED = f"""
SELECT max(last_at) >= :at FROM (
    SELECT last_at FROM occurrence
    WHERE schedule = :schedule AND at <= :at ORDER BY at DESC LIMIT {len(Verdict)}
)
"""
_CLAIM = f"""
INSERT INTO occurrence (schedule, at, last_at, count, nominal, depth, claimed_at)
SELECT :schedule, :at, :at, 1, :nominal, :depth, :claimed_at
WHERE NOT COALESCE(({_COVERED}), 0)
ON CONFLICT DO NOTHING
"""
_DECIDE = """
UPDATE occurrence SET verdict = ?, reason = ?, decided_at = ?
WHERE id = ? AND verdict IS NULL
"""
_EXISTS = "SELECT 1 FROM occurrence WHERE id = ?"
_MISSED = """
INSERT INTO occurrence (
    schedule, at, last_at, count, nominal, depth, verdict, reason, claimed_at,
    decided_at
) VALUES (?, ?, ?, ?, ?, 0, 'missed', ?, ?, ?)
ON CONFLICT DO NOTHING
"""
WAITING_FOR_KEEPER = "waiting_for_keeper"
_WAITING = f"SELECT {_COLUMNS} FROM occurrence WHERE reason = ? ORDER BY id"
_KEEPER_DECIDES = "UPDATE occurrence SET reason = ? WHERE id = ? AND reason = ?"
_UNDECIDED = f"SELECT {_COLUMNS} FROM occurrence WHERE verdict IS NULL ORDER BY id"
# Moments of several schedules often fall on one instant: a page ends at a row, not there.
_RECENT = f"""
SELECT {_COLUMNS} FROM occurrence
WHERE (:schedule IS NULL)
AND (:before IS NULL OR (at, id) < (SELECT at, id FROM occurrence WHERE id = :before))
ORDER BY at DESC, id DESC LIMIT :limit
"""
_RECENT_OF_SCHEDULE = _RECENT.replace("(:schedule IS NULL)", "schedule = :schedule")


def claim(
    connection: sqlite3.Connection,
    schedule: int,
    moment: Moment,
    depth: int,
    at: datetime,
) -> int | None:
    """Store that a moment runs now; return its id, or None when it had its turn before.

    It had when the same instant, or the same nominal local time, was claimed or missed
    (RES-51). ``at`` is the present instant.
    """
    cursor = connection.execute(
        _CLAIM,
        {
            "schedule": schedule,
            "at": to_store(moment.at),
            "nominal": moment.nominal,
            "depth": depth,
            "claimed_at": to_store(at),
        },
    )
    return cursor.lastrowid if cursor.rowcount else None


def set_verdict(
    connection: sqlite3.Connection,
    occurrence: int,
    verdict: Verdict,
    reason: str | None,
    at: datetime,
) -> None:
    """Store the verdict of an occurrence. Raises AlreadyFinal, NotStored."""
    cursor = connection.execute(
        _DECIDE, (verdict.value, reason, to_store(at), occurrence)
    )
    if cursor.rowcount:
        return
    if connection.execute(_EXISTS, (occurrence,)).fetchone():
        raise AlreadyFinal("occurrence", occurrence)
    raise NotStored("occurrence", occurrence)


def missed(
    connection: sqlite3.Connection,
    schedule: int,
    first: Moment,
    last: Moment,
    count: int,
    reason: str,
    at: datetime,
) -> int | None:
    """Store the moments that one outage let pass as one row; return its id.

    None when the first of them had its turn before.
    """
    cursor = connection.execute(
        _MISSED,
        (
            schedule,
            to_store(first.at),
            to_store(last.at),
            count,
            first.nominal,
            reason,
            to_store(at),
            to_store(at),
        ),
    )
    return cursor.lastrowid if cursor.rowcount else None


def waiting(connection: sqlite3.Connection) -> list[OccurrenceRow]:
    """Return the missed moments that the keeper has not decided about, oldest first."""
    rows = connection.execute(_WAITING, (WAITING_FOR_KEEPER,))
    return [_occurrence(row) for row in rows]


def decide(connection: sqlite3.Connection, occurrence: int, reason: str) -> bool:
    """Store what the keeper decided about missed moments; False when it was decided before."""
    cursor = connection.execute(
        _KEEPER_DECIDES, (reason, occurrence, WAITING_FOR_KEEPER)
    )
    return cursor.rowcount == 1


def undecided(connection: sqlite3.Connection) -> list[OccurrenceRow]:
    """Return every occurrence without a verdict, oldest first."""
    return [_occurrence(row) for row in connection.execute(_UNDECIDED)]


def recent(
    connection: sqlite3.Connection,
    schedule: int | None,
    limit: int,
    before: int | None = None,
) -> list[OccurrenceRow]:
    """Return the newest occurrences first, of one schedule or of all.

    ``before`` is the id of the last occurrence of the page before.
    """
    statement = _RECENT if schedule is None else _RECENT_OF_SCHEDULE
    values = {"schedule": schedule, "before": before, "limit": limit}
    return [_occurrence(row) for row in connection.execute(statement, values)]


def _occurrence(row: tuple[Any, ...]) -> OccurrenceRow:
    """Return the occurrence of a row."""
    verdict = row[7]
    return OccurrenceRow(
        id=row[0],
        schedule=row[1],
        at=from_store(row[2]),
        last_at=from_store(row[3]),
        count=row[4],
        nominal=row[5],
        depth=row[6],
        verdict=None if verdict is None else Verdict(verdict),
        reason=row[8],
        claimed_at=from_store(row[9]),
        decided_at=from_store_or_none(row[10]),
    )
