"""The table of configurations: named settings of a device, every revision kept."""

# ruff: noqa: S608 - statements are put together from constants, never from input

from collections.abc import Mapping
from datetime import datetime
import sqlite3
from typing import Any

from ..frozen import frozen
from .encoding import from_json, to_json
from .errors import Conflict, NotStored
from .instants import from_store, to_store


@frozen
class Configuration:
    """One revision of a named configuration; ``definition`` is plain JSON data."""

    device: int
    name: str
    revision: int
    definition: Mapping[str, Any]
    user: str | None
    at: datetime


_COLUMNS = "device, name, revision, definition, user, at"
_ADD = f"INSERT INTO configuration ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"
_PRESENT = """
SELECT COALESCE(max(revision), 0) FROM configuration WHERE device = ? AND name = ?
"""
_GET = f"""
SELECT {_COLUMNS} FROM configuration
WHERE device = ? AND name = ? ORDER BY revision DESC LIMIT 1
"""
_REVISIONS = f"""
SELECT {_COLUMNS} FROM configuration WHERE device = ? AND name = ? ORDER BY revision
"""
_OF_DEVICE = f"""
SELECT {_COLUMNS} FROM configuration AS newest
WHERE device = ? AND revision = (
    SELECT max(revision) FROM configuration
    WHERE device = newest.device AND name = newest.name
)
ORDER BY name
"""
_NEWEST = f"""
SELECT {_COLUMNS} FROM configuration AS newest
WHERE revision = (
    SELECT max(revision) FROM configuration
    WHERE device = newest.device AND name = newest.name
)
ORDER BY device, name
"""
_REMOVE = "DELETE FROM configuration WHERE device = ? AND name = ?"


def put(
    connection: sqlite3.Connection,
    device: int,
    name: str,
    definition: Mapping[str, Any],
    *,
    user: str | None,
    at: datetime,
    expected_revision: int | None = None,
) -> Configuration:
    """Store the next revision of a configuration, the first with revision 1.

    ``expected_revision`` is the revision that the change was made from, 0 for a new
    name; raises Conflict with the present one when it is another.
    """
    (present,) = connection.execute(_PRESENT, (device, name)).fetchone()
    if expected_revision is not None and expected_revision != present:
        raise Conflict("configuration", name, present)
    row = (device, name, present + 1, to_json(definition), user, to_store(at))
    connection.execute(_ADD, row)
    return _configuration(row)


def remove(connection: sqlite3.Connection, device: int, name: str) -> None:
    """Remove a configuration with all of its revisions. Raises NotStored."""
    if connection.execute(_REMOVE, (device, name)).rowcount == 0:
        raise NotStored("configuration", name)


def get(connection: sqlite3.Connection, device: int, name: str) -> Configuration | None:
    """Return the newest revision of a configuration, or None."""
    row = connection.execute(_GET, (device, name)).fetchone()
    return None if row is None else _configuration(row)


def of_device(connection: sqlite3.Connection, device: int) -> list[Configuration]:
    """Return the newest revision of each configuration of a device, by name."""
    return [_configuration(row) for row in connection.execute(_OF_DEVICE, (device,))]


def load_all(connection: sqlite3.Connection) -> list[Configuration]:
    """Return the newest revision of each configuration of all devices."""
    return [_configuration(row) for row in connection.execute(_NEWEST)]


def revisions(
    connection: sqlite3.Connection, device: int, name: str
) -> list[Configuration]:
    """Return every revision of a configuration, oldest first."""
    rows = connection.execute(_REVISIONS, (device, name))
    return [_configuration(row) for row in rows]


def _configuration(row: tuple[Any, ...]) -> Configuration:
    """Return the configuration of a row."""
    device, name, revision, definition, user, at = row
    return Configuration(
        device=device,
        name=name,
        revision=revision,
        definition=from_json(definition),
        user=user,
        at=from_store(at),
    )
