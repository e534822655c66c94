"""The table of resting values: what a field has when no claim holds it (law 4)."""

from collections.abc import Mapping
from datetime import datetime
import sqlite3

from ..layers.setting import Setting
from .encoding import from_json, to_json
from .instants import to_store

_UPSERT = """
INSERT INTO resting (device, field, setting, at) VALUES (?, ?, ?, ?)
ON CONFLICT (device, field) DO UPDATE SET setting = excluded.setting, at = excluded.at
"""
_REMOVE = "DELETE FROM resting WHERE device = ? AND field = ?"
_ALL = "SELECT device, field, setting FROM resting"


def upsert(
    connection: sqlite3.Connection,
    device: int,
    field: str,
    setting: Setting,
    at: datetime,
) -> None:
    """Store the resting value of a field."""
    connection.execute(_UPSERT, (device, field, to_json(setting), to_store(at)))


def remove(connection: sqlite3.Connection, device: int, field: str) -> None:
    """Forget the resting value of a field, if there is one."""
    connection.execute(_REMOVE, (device, field))


def load_all(connection: sqlite3.Connection) -> Mapping[tuple[int, str], Setting]:
    """Return the resting value of every field that has one, by device and field."""
    return {
        (device, field): from_json(setting)
        for device, field, setting in connection.execute(_ALL)
    }
