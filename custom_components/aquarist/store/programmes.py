"""The table of programmes: what was last written into the memory of a device."""

from collections.abc import Mapping
from datetime import datetime
import sqlite3
from typing import Any

from ..frozen import frozen
from .encoding import from_json, to_json
from .instants import from_store, to_store


@frozen
class ProgrammeRow:
    """What a slot of a device's memory was given; ``definition`` is plain JSON data.

    A slot is a head, ``head_0`` and so on, or ``auto`` for the plan of a light.
    """

    device: int
    slot: str
    definition: Mapping[str, Any]
    written_at: datetime


_PUT = """
INSERT INTO programme (device, slot, definition, written_at) VALUES (?, ?, ?, ?)
ON CONFLICT (device, slot) DO UPDATE SET
    definition = excluded.definition, written_at = excluded.written_at
"""
_REMOVE = "DELETE FROM programme WHERE device = ? AND slot = ?"
_ALL = """
SELECT device, slot, definition, written_at FROM programme ORDER BY device, slot
"""


def put(connection: sqlite3.Connection, programme: ProgrammeRow) -> None:
    """Store what a slot holds from now on."""
    connection.execute(
        _PUT,
        (
            programme.device,
            programme.slot,
            to_json(programme.definition),
            to_store(programme.written_at),
        ),
    )


def remove(connection: sqlite3.Connection, device: int, slot: str) -> None:
    """Forget what a slot holds, if that is known."""
    connection.execute(_REMOVE, (device, slot))


def load_all(connection: sqlite3.Connection) -> list[ProgrammeRow]:
    """Return what every slot holds that was ever written and not cleared."""
    return [
        ProgrammeRow(
            device=device,
            slot=slot,
            definition=from_json(definition),
            written_at=from_store(written_at),
        )
        for device, slot, definition, written_at in connection.execute(_ALL)
    ]
