"""The tables of definitions and their revisions: macros, modes, rules and templates.

A definition is kept as it came, as JSON: what no longer validates stays (law 10), and
whoever loads it decides. A removed one stays too, so that its history keeps a name.
"""

# ruff: noqa: S608 - statements are put together from constants, never from input

from collections.abc import Mapping
from datetime import datetime
import sqlite3
from typing import Any

from ..frozen import frozen
from .encoding import from_json, to_json
from .errors import Conflict, NameTaken, NotStored
from .instants import from_store, to_store
from .named import named
from .schedules import Change


@frozen
class Definition:
    """A definition in use; ``definition`` is plain JSON data.

    ``kind`` says what it defines; a name is used once a kind.
    """

    id: int
    kind: str
    name: str
    definition: Mapping[str, Any]
    revision: int
    enabled: bool
    created_at: datetime
    updated_at: datetime


@frozen
class DefinitionRevision:
    """One change of a definition: what it was after it, and the user who made it."""

    id: int
    revision: int
    change: Change
    name: str
    definition: Mapping[str, Any]
    user: str | None
    at: datetime


_COLUMNS = "id, kind, name, definition, revision, enabled, created_at, updated_at"
_CREATE = f"""
INSERT INTO definition (
    kind, name, definition, enabled, revision, created_at, updated_at
) VALUES (?, ?, ?, ?, 1, ?, ?)
RETURNING {_COLUMNS}
"""
_UPDATE = f"""
UPDATE definition SET
    name = ?, definition = ?, enabled = ?, revision = revision + 1, updated_at = ?
WHERE id = ?
RETURNING {_COLUMNS}
"""
_REMOVE = f"""
UPDATE definition SET removed_at = :at, updated_at = :at, revision = revision + 1
WHERE id = :id
RETURNING {_COLUMNS}
"""
_GET = f"SELECT {_COLUMNS} FROM definition WHERE id = ? AND removed_at IS NULL"
_ALL = f"""
SELECT {_COLUMNS} FROM definition
WHERE kind = ? AND removed_at IS NULL ORDER BY name
"""
_REVISE = """
INSERT INTO definition_revision (definition, revision, change, name, content, user, at)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_REVISIONS = """
SELECT definition, revision, change, name, content, user, at FROM definition_revision
WHERE definition = ? ORDER BY revision
"""


def create(
    connection: sqlite3.Connection,
    *,
    kind: str,
    name: str,
    definition: Mapping[str, Any],
    enabled: bool = True,
    user: str | None,
    at: datetime,
) -> Definition:
    """Store a new definition and its first revision. Raises NameTaken."""
    instant = to_store(at)
    values = (str(kind), name, to_json(definition), int(enabled), instant, instant)
    row = _definition(named(connection, _CREATE, values, NameTaken("definition", name)))
    _revise(connection, row, Change.CREATED, user, at)
    return row


def update(
    connection: sqlite3.Connection,
    id: int,
    *,
    name: str,
    definition: Mapping[str, Any],
    enabled: bool = True,
    user: str | None,
    at: datetime,
    expected_revision: int | None = None,
) -> Definition:
    """Store the next revision of a definition.

    ``expected_revision`` is the revision that the change was made from. Raises
    NotStored, Conflict with the present revision when it is another, NameTaken.
    """
    _check(connection, id, expected_revision)
    values = (name, to_json(definition), int(enabled), to_store(at), id)
    row = _definition(named(connection, _UPDATE, values, NameTaken("definition", name)))
    _revise(connection, row, Change.UPDATED, user, at)
    return row


def remove(
    connection: sqlite3.Connection,
    id: int,
    *,
    user: str | None,
    at: datetime,
    expected_revision: int | None = None,
) -> Definition:
    """Take a definition out of use and return it; its name is free again.

    Raises NotStored, Conflict with the present revision.
    """
    _check(connection, id, expected_revision)
    values = {"id": id, "at": to_store(at)}
    row = _definition(connection.execute(_REMOVE, values).fetchone())
    _revise(connection, row, Change.DELETED, user, at)
    return row


def get(connection: sqlite3.Connection, id: int) -> Definition | None:
    """Return a definition in use, or None."""
    row = connection.execute(_GET, (id,)).fetchone()
    return None if row is None else _definition(row)


def load_all(connection: sqlite3.Connection, kind: str) -> list[Definition]:
    """Return every definition of a kind that is in use, by name."""
    return [_definition(row) for row in connection.execute(_ALL, (str(kind),))]


def revisions(connection: sqlite3.Connection, id: int) -> list[DefinitionRevision]:
    """Return what was done to a definition, oldest first; also when it is removed."""
    return [
        DefinitionRevision(
            id=number,
            revision=revision,
            change=Change(change),
            name=name,
            definition=from_json(content),
            user=user,
            at=from_store(at),
        )
        for number, revision, change, name, content, user, at in connection.execute(
            _REVISIONS, (id,)
        )
    ]


def _check(connection: sqlite3.Connection, id: int, expected: int | None) -> None:
    """Raise when a definition cannot be changed from the revision that is expected."""
    present = get(connection, id)
    if present is None:
        raise NotStored("definition", id)
    if expected is not None and expected != present.revision:
        raise Conflict("definition", id, present.revision)


def _revise(
    connection: sqlite3.Connection,
    row: Definition,
    change: Change,
    user: str | None,
    at: datetime,
) -> None:
    """Store a revision."""
    content = to_json(row.definition)
    connection.execute(
        _REVISE,
        (row.id, row.revision, change.value, row.name, content, user, to_store(at)),
    )


def _definition(row: tuple[Any, ...]) -> Definition:
    """Return the definition of a row."""
    return Definition(
        id=row[0],
        kind=row[1],
        name=row[2],
        definition=from_json(row[3]),
        revision=row[4],
        enabled=bool(row[5]),
        created_at=from_store(row[6]),
        updated_at=from_store(row[7]),
    )
