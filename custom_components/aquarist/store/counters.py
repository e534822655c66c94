"""The table of pump counters: what the doser itself says it has given."""

from datetime import date, datetime
import sqlite3

from ..frozen import frozen
from .instants import from_store, to_store


@frozen
class Counter:
    """The counters of a doser's head as last read, in microlitres.

    ``booked`` is what of ``lifetime`` the doses explain; ``today`` is None when the doser
    did not say. ``total`` is the total of its day ``day`` that goes with ``lifetime``;
    ``blind`` means that it is waited for, as ``lifetime`` did not go on.
    """

    device: int
    head: int
    lifetime: int
    booked: int
    today: int | None
    at: datetime
    total: int | None = None
    day: date | None = None
    blind: bool = False


_UPSERT = """
INSERT INTO counter (device, head, lifetime, booked, today, at, total, day, blind)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (device, head) DO UPDATE SET
    lifetime = excluded.lifetime, booked = excluded.booked, today = excluded.today,
    at = excluded.at, total = excluded.total, day = excluded.day, blind = excluded.blind
"""
_ALL = """
SELECT device, head, lifetime, booked, today, at, total, day, blind
FROM counter ORDER BY device, head
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
            counter.total,
            None if counter.day is None else counter.day.isoformat(),
            counter.blind,
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
            total=total,
            day=None if day is None else date.fromisoformat(day),
            blind=bool(blind),
        )
        for device, head, lifetime, booked, today, at, total, day, blind in (
            connection.execute(_ALL)
        )
    ]
