"""The table of settings: JSON by key, for the whole domain (RES-66)."""

import sqlite3
from typing import Any

from .encoding import from_json, to_json

_GET = "SELECT value FROM setting WHERE key = ?"
_PUT = """
INSERT INTO setting (key, value) VALUES (?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""
_ALL = "SELECT key, value FROM setting ORDER BY key"


def get(connection: sqlite3.Connection, key: str) -> Any:
    """Return the value of a key, or None when it was never put."""
    row = connection.execute(_GET, (key,)).fetchone()
    return None if row is None else from_json(row[0])


def put(connection: sqlite3.Connection, key: str, value: Any) -> None:
    """Store the value of a key. Raises TypeError when it has no JSON form."""
    connection.execute(_PUT, (key, to_json(value)))


def load_all(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return every setting by its key."""
    return {key: from_json(value) for key, value in connection.execute(_ALL)}
