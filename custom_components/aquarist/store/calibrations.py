"""The table of calibrations: what a head was asked for, and what came out of it."""

from datetime import datetime
import sqlite3

from ..frozen import frozen
from .instants import from_store, to_store


@frozen
class Calibration:
    """One measurement of a head, in µL; ``flow`` is in µL a second, None where unknown."""

    device: int
    head: int
    at: datetime
    asked: int
    measured: int
    flow: float | None = None


_ADD = """
INSERT INTO calibration (device, head, at, asked, measured, flow, user)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_ALL = """
SELECT device, head, at, asked, measured, flow FROM calibration
WHERE number IN (SELECT max(number) FROM calibration GROUP BY device, head)
ORDER BY device, head
"""


def add(
    connection: sqlite3.Connection, calibration: Calibration, user: str | None
) -> None:
    """Store a calibration; it is the one in force of its head."""
    connection.execute(
        _ADD,
        (
            calibration.device,
            calibration.head,
            to_store(calibration.at),
            calibration.asked,
            calibration.measured,
            calibration.flow,
            user,
        ),
    )


def load_all(connection: sqlite3.Connection) -> list[Calibration]:
    """Return the newest calibration of every head that was ever calibrated."""
    return [
        Calibration(
            device=device,
            head=head,
            at=from_store(at),
            asked=asked,
            measured=measured,
            flow=flow,
        )
        for device, head, at, asked, measured, flow in connection.execute(_ALL)
    ]
