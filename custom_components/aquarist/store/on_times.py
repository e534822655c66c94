"""The table of on-time anchors: since when a field is on, in both times (law 6)."""

from datetime import datetime
import sqlite3

from ..frozen import frozen
from .instants import from_store, to_store


@frozen
class OnTime:
    """Since when a field is on.

    ``elapsed`` is the reading of the elapsed clock in seconds, good only while the
    machine's ``boot`` is the same; ``wall`` is the wall time of the same moment.
    """

    device: int
    field: str
    wall: datetime
    elapsed: float
    boot: str


_PUT = """
INSERT INTO on_time (device, field, wall, elapsed, boot) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (device, field) DO UPDATE SET
    wall = excluded.wall, elapsed = excluded.elapsed, boot = excluded.boot
"""
_CLEAR = "DELETE FROM on_time WHERE device = ? AND field = ?"
_ALL = "SELECT device, field, wall, elapsed, boot FROM on_time"


def put(
    connection: sqlite3.Connection,
    device: int,
    field: str,
    wall: datetime,
    elapsed: float,
    boot: str,
) -> None:
    """Store since when a field is on."""
    connection.execute(_PUT, (device, field, to_store(wall), elapsed, boot))


def clear(connection: sqlite3.Connection, device: int, field: str) -> None:
    """Forget since when a field is on, if that is known."""
    connection.execute(_CLEAR, (device, field))


def load_all(connection: sqlite3.Connection) -> list[OnTime]:
    """Return the anchors of every field that is on."""
    return [
        OnTime(
            device=device,
            field=field,
            wall=from_store(wall),
            elapsed=elapsed,
            boot=boot,
        )
        for device, field, wall, elapsed, boot in connection.execute(_ALL)
    ]
