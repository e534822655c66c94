"""The table of doses: the ledger that budgets are counted from (law 3, RES-52)."""

# ruff: noqa: S608 - statements are put together from constants, never from input

from datetime import datetime
import sqlite3
from typing import Any

from ..dosing.ledger import TRANSITIONS, Dose, DoseState
from .errors import AlreadyFinal, NotStored
from .instants import from_store, to_store


class DuplicateDose(Exception):
    """A dose with this key was stored before; it is never given again (law 3)."""

    def __init__(self, key: str) -> None:
        """Keep the key."""
        super().__init__(key)
        self.key = key


SETTLED = ", ".join(
    f"'{state.value}'" for state, exits in TRANSITIONS.items() if not exits
)
UNSETTLED = ", ".join(
    f"'{state.value}'" for state, exits in TRANSITIONS.items() if exits
)

_COLUMNS = (
    "key, device, head, volume, state, at, given, lifetime_before, additive, aquarium, "
    "source"
)
_INTEND = (
    f"INSERT INTO dose ({_COLUMNS}, command, changed_at) "
    f"VALUES ({', '.join('?' * 13)}) ON CONFLICT (key) DO NOTHING"
)
_UPDATE = (
    "UPDATE dose SET state = ?, given = ?, lifetime_before = ?, changed_at = ? "
    f"WHERE key = ? AND state IN ({UNSETTLED})"
)
_EXISTS = "SELECT 1 FROM dose WHERE key = ?"
_OPEN = f"SELECT {_COLUMNS} FROM dose WHERE state IN ({UNSETTLED}) ORDER BY number"
_SINCE = f"SELECT {_COLUMNS} FROM dose WHERE at > ? ORDER BY at, number"
_OF_HEAD = (
    f"SELECT {_COLUMNS} FROM dose WHERE device = ? AND head = ? AND at < ? "
    "ORDER BY at DESC, number DESC LIMIT ?"
)
_BEYOND_ALL = 2**63 - 1


def intend(
    connection: sqlite3.Connection,
    dose: Dose,
    command_order: int | None,
    source: str,
) -> None:
    """Store a new dose.

    ``command_order`` is the order of the command that asked for it, None when the pump
    gave it by itself; ``source`` says who asked. Raises DuplicateDose.
    """
    cursor = connection.execute(
        _INTEND,
        (
            dose.key,
            dose.device,
            dose.head,
            dose.volume,
            dose.state.value,
            to_store(dose.at),
            dose.given,
            dose.lifetime_before,
            dose.additive,
            dose.aquarium,
            str(source),
            command_order,
            to_store(dose.at),
        ),
    )
    if cursor.rowcount == 0:
        raise DuplicateDose(dose.key)


def update(connection: sqlite3.Connection, dose: Dose, at: datetime) -> None:
    """Store what has become of a dose at this instant.

    Raises AlreadyFinal when the stored one is settled, NotStored when there is none.
    """
    cursor = connection.execute(
        _UPDATE,
        (
            dose.state.value,
            dose.given,
            dose.lifetime_before,
            to_store(at),
            dose.key,
        ),
    )
    if cursor.rowcount:
        return
    if connection.execute(_EXISTS, (dose.key,)).fetchone():
        raise AlreadyFinal("dose", dose.key)
    raise NotStored("dose", dose.key)


def open_doses(connection: sqlite3.Connection) -> list[Dose]:
    """Return every dose that is not settled, oldest first."""
    return [_dose(row) for row in connection.execute(_OPEN)]


def since(connection: sqlite3.Connection, at: datetime) -> list[Dose]:
    """Return every dose after an instant, oldest first."""
    return [_dose(row) for row in connection.execute(_SINCE, (to_store(at),))]


def of_head(
    connection: sqlite3.Connection,
    device: int,
    head: int,
    limit: int,
    before: datetime | None = None,
) -> list[Dose]:
    """Return the newest doses of a head first, those before an instant only."""
    bound = _BEYOND_ALL if before is None else to_store(before)
    rows = connection.execute(_OF_HEAD, (device, head, bound, limit))
    return [_dose(row) for row in rows]


def _dose(row: tuple[Any, ...]) -> Dose:
    """Return the dose of a row."""
    return Dose(
        key=row[0],
        device=row[1],
        head=row[2],
        volume=row[3],
        state=DoseState(row[4]),
        at=from_store(row[5]),
        given=row[6],
        lifetime_before=row[7],
        additive=row[8],
        aquarium=row[9],
        source=row[10],
    )
