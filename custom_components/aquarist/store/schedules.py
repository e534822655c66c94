"""The tables of schedules and their revisions: who changed what (R-B70).

A definition is kept as it came, as JSON: what no longer validates stays (law 10), and
whoever loads it decides.
"""

# ruff: noqa: S608 - statements are put together from constants, never from input

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
import sqlite3
from typing import Any

from ..frozen import frozen
from .encoding import from_json, to_json
from .errors import NotStored
from .instants import from_store, from_store_or_none, to_store, to_store_or_none
from .named import named


class DuplicateName(Exception):
    """Another schedule has this name (R-B103)."""

    def __init__(self, name: str) -> None:
        """Keep the name."""
        super().__init__(name)
        self.name = name


class Change(StrEnum):
    """What a revision did to its schedule."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


@frozen
class ScheduleRow:
    """A schedule as stored; ``definition`` is plain JSON data."""

    id: int
    name: str
    definition: Mapping[str, Any]
    revision: int
    enabled: bool
    next_run: datetime | None
    last_run: datetime | None
    last_run_status: str | None
    created_at: datetime
    updated_at: datetime


@frozen
class Revision:
    """One change of a schedule: the definition after it and the user who made it."""

    schedule: int
    revision: int
    change: Change
    definition: Mapping[str, Any]
    user: str | None
    at: datetime


_COLUMNS = (
    "id, name, definition, revision, enabled, next_run, last_run, last_run_status, "
    "created_at, updated_at"
)
_CREATE = f"""
INSERT INTO schedule (
    name, definition, revision, enabled, next_run, created_at, updated_at
) VALUES (?, ?, 1, ?, ?, ?, ?)
RETURNING {_COLUMNS}
"""
_UPDATE = f"""
UPDATE schedule SET
    name = ?, definition = ?, revision = revision + 1, enabled = ?, next_run = ?,
    updated_at = ?
WHERE id = ?
RETURNING {_COLUMNS}
"""
_DELETE = f"DELETE FROM schedule WHERE id = ? RETURNING {_COLUMNS}"
_SET_RUN = """
UPDATE schedule SET
    next_run = ?,
    last_run = COALESCE(?, last_run),
    last_run_status = COALESCE(?, last_run_status),
    enabled = COALESCE(?, enabled)
WHERE id = ?
"""
_GET = f"SELECT {_COLUMNS} FROM schedule WHERE id = ?"
_ALL = f"SELECT {_COLUMNS} FROM schedule ORDER BY id"
_REVISE = """
INSERT INTO schedule_revision (schedule, revision, change, definition, user, at)
VALUES (?, ?, ?, ?, ?, ?)
"""
_REVISIONS = """
SELECT schedule, revision, change, definition, user, at FROM schedule_revision
WHERE schedule = ? ORDER BY revision
"""


def create(
    connection: sqlite3.Connection,
    *,
    name: str,
    definition: Mapping[str, Any],
    enabled: bool,
    next_run: datetime | None,
    user: str | None,
    at: datetime,
) -> ScheduleRow:
    """Store a new schedule and its first revision. Raises DuplicateName."""
    values = (
        name,
        to_json(definition),
        int(enabled),
        to_store_or_none(next_run),
        to_store(at),
        to_store(at),
    )
    row = _schedule(named(connection, _CREATE, values, DuplicateName(name)))
    _revise(connection, row, row.revision, Change.CREATED, user, at)
    return row


def update(
    connection: sqlite3.Connection,
    schedule: int,
    *,
    name: str,
    definition: Mapping[str, Any],
    enabled: bool,
    next_run: datetime | None,
    user: str | None,
    at: datetime,
) -> ScheduleRow:
    """Store the next revision of a schedule. Raises DuplicateName, NotStored."""
    values = (
        name,
        to_json(definition),
        int(enabled),
        to_store_or_none(next_run),
        to_store(at),
        schedule,
    )
    found = named(connection, _UPDATE, values, DuplicateName(name))
    if found is None:
        raise NotStored("schedule", schedule)
    row = _schedule(found)
    _revise(connection, row, row.revision, Change.UPDATED, user, at)
    return row


def delete(
    connection: sqlite3.Connection, schedule: int, *, user: str | None, at: datetime
) -> ScheduleRow:
    """Remove a schedule and return what it was; its revisions stay. Raises NotStored."""
    found = connection.execute(_DELETE, (schedule,)).fetchone()
    if found is None:
        raise NotStored("schedule", schedule)
    row = _schedule(found)
    _revise(connection, row, row.revision + 1, Change.DELETED, user, at)
    return row


def set_run(
    connection: sqlite3.Connection,
    schedule: int,
    *,
    next_run: datetime | None,
    last_run: datetime | None = None,
    last_run_status: str | None = None,
    enabled: bool | None = None,
) -> None:
    """Store when a schedule runs next, and how it last ran; no new revision.

    ``last_run``, ``last_run_status`` and ``enabled`` stay as they are when None; after
    the last moment of a plan, ``enabled`` becomes False (RES-36). Raises NotStored.
    """
    values = (
        to_store_or_none(next_run),
        to_store_or_none(last_run),
        None if last_run_status is None else str(last_run_status),
        None if enabled is None else int(enabled),
        schedule,
    )
    if connection.execute(_SET_RUN, values).rowcount == 0:
        raise NotStored("schedule", schedule)


def get(connection: sqlite3.Connection, schedule: int) -> ScheduleRow | None:
    """Return a schedule, or None."""
    found = connection.execute(_GET, (schedule,)).fetchone()
    return None if found is None else _schedule(found)


def load_all(connection: sqlite3.Connection) -> list[ScheduleRow]:
    """Return every schedule, by id."""
    return [_schedule(row) for row in connection.execute(_ALL)]


def revisions(connection: sqlite3.Connection, schedule: int) -> list[Revision]:
    """Return what was done to a schedule, oldest first; also when it is deleted."""
    return [
        Revision(
            schedule=number,
            revision=revision,
            change=Change(change),
            definition=from_json(definition),
            user=user,
            at=from_store(at),
        )
        for number, revision, change, definition, user, at in connection.execute(
            _REVISIONS, (schedule,)
        )
    ]


def _revise(
    connection: sqlite3.Connection,
    row: ScheduleRow,
    revision: int,
    change: Change,
    user: str | None,
    at: datetime,
) -> None:
    """Store a revision."""
    connection.execute(
        _REVISE,
        (row.id, revision, change.value, to_json(row.definition), user, to_store(at)),
    )


def _schedule(row: tuple[Any, ...]) -> ScheduleRow:
    """Return the schedule of a row."""
    return ScheduleRow(
        id=row[0],
        name=row[1],
        definition=from_json(row[2]),
        revision=row[3],
        enabled=bool(row[4]),
        next_run=from_store_or_none(row[5]),
        last_run=from_store_or_none(row[6]),
        last_run_status=row[7],
        created_at=from_store(row[8]),
        updated_at=from_store(row[9]),
    )
