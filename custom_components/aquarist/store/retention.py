"""Retention: what is old and has ended goes; what has not ended stays (R-T59, R-B74).

Verdicts of schedules that are due often are rolled up by day after a while (law 9).
"""

# ruff: noqa: S608 - statements are put together from constants, never from input

from datetime import datetime, timedelta
import sqlite3

from ..frozen import frozen
from . import settings
from .commands import ENDED, OPEN, WRITE_ACTION
from .containers import NEWEST, ContainerChange
from .doses import SETTLED
from .instants import to_store

LEDGER = timedelta(hours=48)
ROLL_UP_AFTER = timedelta(days=30)
OFTEN = 24
AT_ONCE = 1000
ROLLED_UP = "rolled_up"
_DAY = 86_400_000_000


@frozen
class Purged:
    """How many rows went; of verdicts that were rolled up, those that are now part of others."""

    commands: int
    doses: int
    occurrences: int
    runs: int
    rolled_up: int

    @property
    def any(self) -> bool:
        """Return whether anything went, so that there may be more."""
        return bool(
            self.commands
            or self.doses
            or self.occurrences
            or self.runs
            or self.rolled_up
        )


_COMMANDS = f"""
DELETE FROM command WHERE ordinal IN (
    SELECT ordinal FROM command
    WHERE created_at < :before AND COALESCE(completed_at, created_at) < :before
    AND phase IN ({ENDED})
    ORDER BY created_at LIMIT :limit
)
"""
_WRITE_ACTIONS = "SELECT count(*) FROM command WHERE action = ?"
_OLDEST_WRITE_ACTIONS = f"""
DELETE FROM command WHERE ordinal IN (
    SELECT ordinal FROM command WHERE action = ? AND phase IN ({ENDED})
    ORDER BY created_at LIMIT ?
)
"""
# What is left in a container is counted from all that was taken since it was filled.
_DOSES = f"""
DELETE FROM dose WHERE number IN (
    SELECT number FROM dose WHERE at < :before AND state IN ({SETTLED})
    AND NOT EXISTS (
        SELECT 1 FROM container
        WHERE container.device = dose.device AND container.head = dose.head
        AND container.at <= dose.at AND container.number IN ({NEWEST})
        AND container.change <> '{ContainerChange.REMOVED}'
    )
    ORDER BY at LIMIT :limit
)
"""
_OCCURRENCES = f"""
DELETE FROM occurrence WHERE id IN (
    SELECT id FROM occurrence
    WHERE at < :before AND last_at < :before AND verdict IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM command
        WHERE command.occurrence = occurrence.id AND command.phase IN ({OPEN})
    )
    ORDER BY at LIMIT :limit
)
"""
_RUNS = """
DELETE FROM run WHERE id IN (
    SELECT id FROM run WHERE ended_at < :before ORDER BY ended_at LIMIT :limit
)
"""
_NEXT = "SELECT min(at) FROM occurrence WHERE at >= ?"
# A day that has something undecided stays as it is.
_OFTEN_DUE = f"""
SELECT schedule FROM occurrence WHERE at >= ? AND at < ?
GROUP BY schedule HAVING count(*) > {OFTEN} AND count(*) = count(verdict)
"""
_VERDICTS = """
SELECT verdict, id, last_at, count, reason, decided_at FROM occurrence
WHERE schedule = ? AND at >= ? AND at < ? ORDER BY at
"""
_TAKE_IN = """
UPDATE occurrence SET last_at = ?, count = ?, reason = ?, decided_at = ? WHERE id = ?
"""
_TAKEN_IN = "DELETE FROM occurrence WHERE id = ?"


def purge(
    connection: sqlite3.Connection,
    before: datetime,
    at: datetime,
    *,
    occurrences_before: datetime | None = None,
    roll_up_before: datetime | None = None,
    write_actions: int | None = None,
    limit: int = AT_ONCE,
) -> Purged:
    """Delete what ended before an instant, at most ``limit`` rows a table.

    ``at`` is the present instant: settled doses stay for 48 hours whatever ``before``
    says, as budgets count them, and since the last filling of their container. Verdicts
    may have a longer keeping of their own, ``occurrences_before``; those of schedules that
    are due often are rolled up where their day was over by ``roll_up_before``, 30 days ago
    when left out. Of more than so many ``write_actions`` the oldest that have ended go. To be called again while anything went.
    """

    def deleted(statement: str, bound: datetime) -> int:
        """Return how many rows one statement deletes."""
        values = {"before": to_store(bound), "limit": limit}
        return connection.execute(statement, values).rowcount

    return Purged(
        commands=deleted(_COMMANDS, before)
        + _too_many(connection, write_actions, limit),
        doses=deleted(_DOSES, min(before, at - LEDGER)),
        occurrences=deleted(_OCCURRENCES, occurrences_before or before),
        runs=deleted(_RUNS, before),
        rolled_up=_roll_up(
            connection, to_store(roll_up_before or at - ROLL_UP_AFTER), limit
        ),
    )


def _too_many(connection: sqlite3.Connection, most: int | None, limit: int) -> int:
    """Delete write actions that have ended beyond a number (R-T59); returns how many."""
    if most is None:
        return 0
    (known,) = connection.execute(_WRITE_ACTIONS, (WRITE_ACTION,)).fetchone()
    if known <= most:
        return 0
    values = (WRITE_ACTION, min(known - most, limit))
    return connection.execute(_OLDEST_WRITE_ACTIONS, values).rowcount


def _roll_up(connection: sqlite3.Connection, end: int, limit: int) -> int:
    """Roll up the whole days before an instant that were not looked at yet.

    Goes on until ``limit`` rows or a little more have gone; returns how many.

    A moment of such a day cannot run again: a claim is refused within the bounds of a
    row, and the bounds of these rows hold every moment that they tell about. Nor is one
    asked for: a schedule goes on from its next run, which never goes back.
    """
    begun = looked_at = settings.get(connection, ROLLED_UP) or 0
    gone = 0
    while gone < limit:
        (first,) = connection.execute(_NEXT, (looked_at,)).fetchone()
        if first is None or (day := first - first % _DAY) + _DAY > end:
            break
        looked_at = day + _DAY
        often = connection.execute(_OFTEN_DUE, (day, looked_at)).fetchall()
        gone += sum(
            _roll_up_day(connection, schedule, day, looked_at) for (schedule,) in often
        )
    if looked_at != begun:
        settings.put(connection, ROLLED_UP, looked_at)
    return gone


def _roll_up_day(
    connection: sqlite3.Connection, schedule: int, begin: int, end: int
) -> int:
    """Make one row of each verdict of a schedule's day; return how many rows went.

    The first row of a verdict takes the others in. A reason stays where all have it.
    """
    by_verdict: dict[str, list[tuple[int, int, int, str | None, int]]] = {}
    for verdict, *row in connection.execute(_VERDICTS, (schedule, begin, end)):
        by_verdict.setdefault(verdict, []).append(tuple(row))
    gone = 0
    for rows in by_verdict.values():
        ids, ends, counts, reasons, decided = zip(*rows, strict=True)
        reason = reasons[0] if len(set(reasons)) == 1 else None
        connection.execute(
            _TAKE_IN, (max(ends), sum(counts), reason, max(decided), ids[0])
        )
        connection.executemany(_TAKEN_IN, [(number,) for number in ids[1:]])
        gone += len(ids) - 1
    return gone
