"""The table of containers: what each head pumps from, and how much was in it when.

A row says how much a container held at an instant; a new one is added for every refill
and correction, and the newest of a head is in force. A head whose newest says that it was
removed has none.
"""

# ruff: noqa: S608 - statements are put together from constants, never from input

from datetime import datetime
from enum import StrEnum
import sqlite3

from ..frozen import frozen
from .instants import from_store, to_store


class ContainerChange(StrEnum):
    """Why there is a new row."""

    REFILL = "refill"
    CORRECTION = "correction"
    CAPACITY = "capacity"
    REMOVED = "removed"


@frozen
class Container:
    """How much a head's container takes, and what was in it at ``at``. Volumes are µL.

    A correction that only looked says what should have gone out since it was known last,
    ``counted``, and what has, ``taken``.
    """

    device: int
    head: int
    capacity: int
    filled: int
    at: datetime
    counted: int | None = None
    taken: int | None = None


_ADD = """
INSERT INTO container (device, head, change, capacity, filled, at, user, counted, taken)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
NEWEST = "SELECT max(number) FROM container GROUP BY device, head"
_ALL = f"""
SELECT device, head, capacity, filled, at, counted, taken FROM container
WHERE number IN ({NEWEST}) AND change <> '{ContainerChange.REMOVED}'
ORDER BY device, head
"""
_SEEN = """
SELECT device, head, capacity, filled, at, counted, taken FROM container
WHERE number IN (
    SELECT max(number) FROM container WHERE counted IS NOT NULL GROUP BY device, head
)
ORDER BY device, head
"""
# What counts is the ledger's own rule: all of a dose as long as nobody knows better.
_USED = """
SELECT COALESCE(sum(COALESCE(given, volume)), 0) FROM dose
WHERE device = ? AND head = ? AND at >= ? AND state <> 'not_given'
"""


def add(
    connection: sqlite3.Connection,
    container: Container,
    change: ContainerChange,
    user: str | None,
) -> None:
    """Store what is in a container from its instant on."""
    connection.execute(
        _ADD,
        (
            container.device,
            container.head,
            change.value,
            container.capacity,
            container.filled,
            to_store(container.at),
            user,
            container.counted,
            container.taken,
        ),
    )


def load_all(connection: sqlite3.Connection) -> list[Container]:
    """Return the container in force of every head that has one."""
    return [_container(*row) for row in connection.execute(_ALL)]


def load_seen(connection: sqlite3.Connection) -> list[Container]:
    """Return the newest correction of every head that compared it with the ledger."""
    return [_container(*row) for row in connection.execute(_SEEN)]


def _container(
    device: int,
    head: int,
    capacity: int,
    filled: int,
    at: int,
    counted: int | None,
    taken: int | None,
) -> Container:
    """Return the container of a row."""
    return Container(
        device=device,
        head=head,
        capacity=capacity,
        filled=filled,
        at=from_store(at),
        counted=counted,
        taken=taken,
    )


def used_since(
    connection: sqlite3.Connection, device: int, head: int, at: datetime
) -> int:
    """Return the µL that a head took from its container at an instant or later."""
    row = connection.execute(_USED, (device, head, to_store(at))).fetchone()
    used: int = row[0]
    return used
