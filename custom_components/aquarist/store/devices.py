"""The table of devices: a small number each, never used again (design section 2)."""

# ruff: noqa: S608 - statements are put together from constants, never from input

from datetime import datetime
import sqlite3
from typing import Any

from ..frozen import frozen
from .errors import NotStored
from .instants import from_store_or_none, to_store


@frozen
class DeviceRow:
    """A device as the store knows it; ``retired_at`` is None while it is in use."""

    number: int
    uuid: str
    kind: str
    name: str
    address: str | None = None
    aquarium: str | None = None
    retired_at: datetime | None = None


_COLUMNS = "number, uuid, kind, name, address, aquarium, retired_at"
# Not one statement: an insert that turns into an update would use a number up.
_UPDATE = f"""
UPDATE device SET kind = ?, name = ?, address = ?, aquarium = ?, retired_at = NULL
WHERE uuid = ?
RETURNING {_COLUMNS}
"""
_INSERT = f"""
INSERT INTO device (kind, name, address, aquarium, uuid, created_at)
VALUES (?, ?, ?, ?, ?, ?)
RETURNING {_COLUMNS}
"""
_RETIRE = "UPDATE device SET retired_at = ?, aquarium = NULL WHERE number = ?"
_ALL = f"SELECT {_COLUMNS} FROM device ORDER BY number"


def ensure(
    connection: sqlite3.Connection,
    *,
    uuid: str,
    kind: str,
    name: str,
    address: str | None,
    aquarium: str | None,
    at: datetime,
) -> DeviceRow:
    """Return the device's row, made or brought up to date; a retired one is in use again."""
    values = (kind, name, address, aquarium, uuid)
    row = connection.execute(_UPDATE, values).fetchone()
    if row is None:
        row = connection.execute(_INSERT, (*values, to_store(at))).fetchone()
    return _device(row)


def retire(connection: sqlite3.Connection, number: int, at: datetime) -> None:
    """Mark a device as out of use; its row stays. Raises NotStored."""
    if connection.execute(_RETIRE, (to_store(at), number)).rowcount == 0:
        raise NotStored("device", number)


def load_all(connection: sqlite3.Connection) -> list[DeviceRow]:
    """Return every device, the retired ones too, by number."""
    return [_device(row) for row in connection.execute(_ALL)]


def _device(row: tuple[Any, ...]) -> DeviceRow:
    """Return the device of a row."""
    number, uuid, kind, name, address, aquarium, retired_at = row
    return DeviceRow(
        number=number,
        uuid=uuid,
        kind=kind,
        name=name,
        address=address,
        aquarium=aquarium,
        retired_at=from_store_or_none(retired_at),
    )
