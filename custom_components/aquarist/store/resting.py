"""The table of resting values: what a field has when no claim holds it (law 4)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import batched
import sqlite3
from typing import Any

from ..layers.setting import Setting
from .encoding import from_json, to_json
from .instants import to_store
from .work import TOGETHER

type Rest = tuple[int, str, Setting, datetime]
"""The device, the field, what it rests on, and since when."""

_ROW = "(?, ?, ?, ?)"
_STATEMENT = """
INSERT INTO resting (device, field, setting, at) VALUES {rows}
ON CONFLICT (device, field) DO UPDATE SET setting = excluded.setting, at = excluded.at
"""
_UPSERT = _STATEMENT.format(rows=_ROW)
_UPSERT_TOGETHER = _STATEMENT.format(rows=", ".join([_ROW] * TOGETHER))
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
    connection.execute(_UPSERT, _row(device, field, setting, at))


def upsert_all(connection: sqlite3.Connection, rests: Sequence[Rest]) -> Sequence[None]:
    """Store the resting values of fields, the last one given where there are several."""
    for some in batched(rests, TOGETHER, strict=False):
        if len(some) == TOGETHER:
            values = [value for rest in some for value in _row(*rest)]
            connection.execute(_UPSERT_TOGETHER, values)
        else:
            for rest in some:
                upsert(connection, *rest)
    return [None] * len(rests)


def remove(connection: sqlite3.Connection, device: int, field: str) -> None:
    """Forget the resting value of a field, if there is one."""
    connection.execute(_REMOVE, (device, field))


def load_all(connection: sqlite3.Connection) -> Mapping[tuple[int, str], Setting]:
    """Return the resting value of every field that has one, by device and field."""
    return {
        (device, field): from_json(setting)
        for device, field, setting in connection.execute(_ALL)
    }


def _row(device: int, field: str, setting: Setting, at: datetime) -> tuple[Any, ...]:
    """Return what is stored of a resting value."""
    return device, field, to_json(setting), to_store(at)
