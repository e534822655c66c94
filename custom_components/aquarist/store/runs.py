"""The tables of runs and their steps: sequences in progress, and how they ended."""

# ruff: noqa: S608 - statements are put together from constants, never from input

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
import sqlite3
from typing import Any

from ..frozen import frozen
from .encoding import (
    from_json,
    from_json_or_none,
    to_json,
    to_json_or_none,
    to_word_or_none,
)
from .errors import AlreadyFinal, NotStored
from .instants import from_store, from_store_or_none, to_store, to_store_or_none


@frozen
class RunRow:
    """A sequence under way, or one that has ended.

    ``definition`` is what the sequence was when it began, ``definition_id`` where it
    came from. ``subject`` is a device's number or an aquarium's entry id, as text.
    ``step`` counts from 0. ``data`` is what the run remembers: plain JSON data.
    """

    kind: str
    name: str
    definition: Mapping[str, Any]
    state: str
    source: str
    started_at: datetime
    id: int = 0
    definition_id: int | None = None
    subject: str | None = None
    step: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)
    user: str | None = None
    context: str | None = None
    ended_at: datetime | None = None
    error_code: str | None = None
    error: str | None = None


@frozen
class StepRow:
    """What became of one step of a run. ``deadline`` and ``result`` are plain JSON data."""

    run: int
    step: int
    state: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    deadline: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    error_code: str | None = None
    error: str | None = None


_ASKED = (
    "kind, definition_id, name, definition, subject, state, step, data, source, user, "
    "context, started_at, ended_at, error_code, error"
)
_COLUMNS = f"id, {_ASKED}"
_INSERT = f"INSERT INTO run ({_ASKED}) VALUES ({', '.join('?' * 15)})"
_UPDATE = """
UPDATE run SET state = ?, step = ?, data = ?, ended_at = ?, error_code = ?, error = ?
WHERE id = ? AND ended_at IS NULL
"""
_EXISTS = "SELECT 1 FROM run WHERE id = ?"
_GET = f"SELECT {_COLUMNS} FROM run WHERE id = ?"
_NOT_FINAL = f"SELECT {_COLUMNS} FROM run WHERE ended_at IS NULL ORDER BY id"
_RECENT = f"SELECT {_COLUMNS} FROM run WHERE id < ? ORDER BY id DESC LIMIT ?"
_RECENT_OF_KIND = (
    f"SELECT {_COLUMNS} FROM run WHERE kind = ? AND id < ? ORDER BY id DESC LIMIT ?"
)
_OF_OCCURRENCE = (
    f"SELECT {_COLUMNS} FROM run WHERE json_extract(data, '$.occurrence') = ? "
    "ORDER BY id DESC LIMIT 1"
)
_STEP_COLUMNS = (
    "run, step, state, started_at, ended_at, deadline, result, error_code, error"
)
_PUT_STEP = f"""
INSERT INTO run_step ({_STEP_COLUMNS})
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (SELECT 1 FROM run WHERE id = ?1)
ON CONFLICT (run, step) DO UPDATE SET
    state = excluded.state, started_at = excluded.started_at,
    ended_at = excluded.ended_at, deadline = excluded.deadline,
    result = excluded.result, error_code = excluded.error_code, error = excluded.error
"""
_STEPS = f"SELECT {_STEP_COLUMNS} FROM run_step WHERE run = ? ORDER BY step"
_BEYOND_ALL = 2**63 - 1


def insert(connection: sqlite3.Connection, run: RunRow) -> RunRow:
    """Store a new run; returns it with its number, which is never given again."""
    cursor = connection.execute(
        _INSERT,
        (
            str(run.kind),
            run.definition_id,
            run.name,
            to_json(run.definition),
            run.subject,
            str(run.state),
            run.step,
            to_json(run.data),
            str(run.source),
            run.user,
            run.context,
            to_store(run.started_at),
            to_store_or_none(run.ended_at),
            to_word_or_none(run.error_code),
            run.error,
        ),
    )
    number: Any = cursor.lastrowid
    return replace(run, id=number)


def update(connection: sqlite3.Connection, run: RunRow) -> None:
    """Store where a run is, what it remembers, and how it ended.

    Raises AlreadyFinal when the stored one has ended (law 8), NotStored.
    """
    values = (
        str(run.state),
        run.step,
        to_json(run.data),
        to_store_or_none(run.ended_at),
        to_word_or_none(run.error_code),
        run.error,
        run.id,
    )
    if connection.execute(_UPDATE, values).rowcount:
        return
    if connection.execute(_EXISTS, (run.id,)).fetchone():
        raise AlreadyFinal("run", run.id)
    raise NotStored("run", run.id)


def put_step(connection: sqlite3.Connection, step: StepRow) -> None:
    """Store what is known about a step of a run. Raises NotStored without that run."""
    cursor = connection.execute(
        _PUT_STEP,
        (
            step.run,
            step.step,
            str(step.state),
            to_store_or_none(step.started_at),
            to_store_or_none(step.ended_at),
            to_json_or_none(step.deadline),
            to_json_or_none(step.result),
            to_word_or_none(step.error_code),
            step.error,
        ),
    )
    if cursor.rowcount == 0:
        raise NotStored("run", step.run)


def get(connection: sqlite3.Connection, run: int) -> RunRow | None:
    """Return a run, or None."""
    row = connection.execute(_GET, (run,)).fetchone()
    return None if row is None else _run(row)


def not_final(connection: sqlite3.Connection) -> list[RunRow]:
    """Return every run that has not ended, oldest first."""
    return [_run(row) for row in connection.execute(_NOT_FINAL)]


def recent(
    connection: sqlite3.Connection,
    kind: str | None,
    limit: int,
    before: int | None = None,
) -> list[RunRow]:
    """Return the newest runs first, of one kind or of all.

    ``before`` is the number of the last run of the page before.
    """
    bound = _BEYOND_ALL if before is None else before
    if kind is None:
        rows = connection.execute(_RECENT, (bound, limit))
    else:
        rows = connection.execute(_RECENT_OF_KIND, (str(kind), bound, limit))
    return [_run(row) for row in rows]


def of_occurrence(connection: sqlite3.Connection, occurrence: int) -> RunRow | None:
    """Return the run that a due moment of a schedule began, or None.

    Looks through all runs: for the few moments that a restart finds without a verdict.
    """
    row = connection.execute(_OF_OCCURRENCE, (occurrence,)).fetchone()
    return None if row is None else _run(row)


def steps(connection: sqlite3.Connection, run: int) -> list[StepRow]:
    """Return what is known about the steps of a run, in their order."""
    return [_step(row) for row in connection.execute(_STEPS, (run,))]


def _run(row: tuple[Any, ...]) -> RunRow:
    """Return the run of a row."""
    return RunRow(
        id=row[0],
        kind=row[1],
        definition_id=row[2],
        name=row[3],
        definition=from_json(row[4]),
        subject=row[5],
        state=row[6],
        step=row[7],
        data=from_json(row[8]),
        source=row[9],
        user=row[10],
        context=row[11],
        started_at=from_store(row[12]),
        ended_at=from_store_or_none(row[13]),
        error_code=row[14],
        error=row[15],
    )


def _step(row: tuple[Any, ...]) -> StepRow:
    """Return the step of a row."""
    return StepRow(
        run=row[0],
        step=row[1],
        state=row[2],
        started_at=from_store_or_none(row[3]),
        ended_at=from_store_or_none(row[4]),
        deadline=from_json_or_none(row[5]),
        result=from_json_or_none(row[6]),
        error_code=row[7],
        error=row[8],
    )
