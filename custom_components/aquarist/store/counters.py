"""The table of pump counters: what the doser itself says it has given."""

from dataclasses import dataclass
from datetime import datetime
import sqlite3

from .instants import from_store, to_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """The counters of a doser's head as last read, in microlitres.

    ``booked`` is what of ``lifetime`` the doses explain; ``today`` is None when the doser
    did not say.
    """

    device: int
    head: int
    lifetime: int
    booked: int
    today: int | None
    at: datetime


_UPSERT = """
INSERT INTO counter (device, head, lifetime, booked, today, at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (device, head) DO UPDATE SET
    lifetime = excluded.lifetime, booked = excluded.booked, today = excluded.today,
    at = excluded.at
"""
_ALL = """
SELECT device, head, lifetime, booked, today, at FROM counter ORDER BY device, head
"""


def upsert(connection: sqlite3.Connection, counter: Counter) -> None:
    """Store the counters of a head."""
    connection.execute(
        _UPSERT,
        (
            counter.device,
            counter.head,
            counter.lifetime,
            counter.booked,
            counter.today,
            to_store(counter.at),
        ),
    )


def load_all(connection: sqlite3.Connection) -> list[Counter]:
    """Return the counters of every head that was ever read."""
    return [
        Counter(
            device=device,
            head=head,
            lifetime=lifetime,
            booked=booked,
            today=today,
            at=from_store(at),
        )
        for device, head, lifetime, booked, today, at in connection.execute(_ALL)
    ]
