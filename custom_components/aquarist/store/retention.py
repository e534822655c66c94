"""Retention: what is old and has ended goes; what has not ended stays (R-T59, R-B74)."""

# ruff: noqa: S608 - statements are put together from constants, never from input

from dataclasses import dataclass
from datetime import datetime, timedelta
import sqlite3

from .commands import ENDED, OPEN
from .doses import SETTLED
from .instants import to_store

LEDGER = timedelta(hours=48)
AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """How many rows went."""

    commands: int
    doses: int
    occurrences: int

    @property
    def any(self) -> bool:
        """Return whether anything went, so that there may be more."""
        return bool(self.commands or self.doses or self.occurrences)


_COMMANDS = f"""
DELETE FROM command WHERE ordinal IN (
    SELECT ordinal FROM command
    WHERE created_at < :before AND COALESCE(completed_at, created_at) < :before
    AND phase IN ({ENDED})
    ORDER BY created_at LIMIT :limit
)
"""
_DOSES = f"""
DELETE FROM dose WHERE number IN (
    SELECT number FROM dose WHERE at < :before AND state IN ({SETTLED})
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


def purge(
    connection: sqlite3.Connection,
    before: datetime,
    at: datetime,
    *,
    occurrences_before: datetime | None = None,
    limit: int = AT_ONCE,
) -> Purged:
    """Delete what ended before an instant, at most ``limit`` rows a table.

    ``at`` is the present instant: settled doses stay for 48 hours whatever ``before``
    says, as budgets count them. Verdicts may have a longer keeping of their own,
    ``occurrences_before``. To be called again while anything went.
    """

    def deleted(statement: str, bound: datetime) -> int:
        """Return how many rows one statement deletes."""
        values = {"before": to_store(bound), "limit": limit}
        return connection.execute(statement, values).rowcount

    return Purged(
        commands=deleted(_COMMANDS, before),
        doses=deleted(_DOSES, min(before, at - LEDGER)),
        occurrences=deleted(_OCCURRENCES, occurrences_before or before),
    )
