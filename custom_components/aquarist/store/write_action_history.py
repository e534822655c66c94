"""Lists of write actions: by any filter, with how many there are in all (R-T33, R-T40 to R-T45)."""

# ruff: noqa: S608 - statements are put together from constants, never from input

from collections.abc import Collection
from datetime import datetime
import json
import sqlite3
from typing import Any

from ..commands.command import Command
from ..commands.phases import Phase
from ..frozen import frozen
from .commands import CALLED_OFF, COLUMNS, WRITE_ACTION, command_of
from .instants import to_store

_UUID = "SELECT uuid FROM device WHERE number = command.device"
_SHOWN_PHASE = (
    f"CASE WHEN phase <> '{Phase.RESTORING}' OR error_code IS NULL THEN phase "
    f"WHEN {CALLED_OFF} THEN '{Phase.STOPPED}' ELSE '{Phase.FAILED}' END"
)


@frozen
class WriteActionFilter:
    """Which write actions are asked for; None leaves a side open.

    ``devices`` are UUIDs, of devices out of use too; ``visible`` the numbers of the devices that
    may be told of; ``phases`` are those that are shown, ``starts_after`` is before the first
    start (R-T44).
    """

    devices: Collection[str] | None = None
    visible: Collection[int] | None = None
    fields: Collection[str] | None = None
    phases: Collection[str] | None = None
    ids: Collection[str] | None = None
    starts_after: datetime | None = None


def find(
    connection: sqlite3.Connection, wanted: WriteActionFilter, limit: int, offset: int
) -> tuple[int, list[tuple[Command, str]]]:
    """Return how many meet the filter, and a page of them with the UUIDs of their devices.

    The one accepted last comes first: what is accepted meanwhile hides no other.
    """
    condition, values = _condition(wanted)
    (count,) = connection.execute(
        f"SELECT count(*) FROM command WHERE {condition}", values
    ).fetchone()
    rows = connection.execute(
        f"SELECT {COLUMNS}, ({_UUID}) FROM command WHERE {condition} "
        "ORDER BY created_at DESC, ordinal DESC LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )
    return count, [_with_device(row) for row in rows]


def get(
    connection: sqlite3.Connection, ids: Collection[str]
) -> dict[str, tuple[Command, str]]:
    """Return write actions with the UUIDs of their devices by id, as far as there are any."""
    _, found = find(connection, WriteActionFilter(ids=ids), len(ids), 0)
    return {command.id: (command, uuid) for command, uuid in found}


def ended_since(
    connection: sqlite3.Connection, phases: Collection[str], since: datetime
) -> list[Command]:
    """Return the write actions that ended in a phase since an instant, as they ended."""
    condition, values = _condition(WriteActionFilter(phases=phases))
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM command WHERE {condition} AND completed_at >= ? "
        "ORDER BY completed_at, ordinal",
        (*values, to_store(since)),
    )
    return [command_of(row) for row in rows]


def _with_device(row: tuple[Any, ...]) -> tuple[Command, str]:
    """Return the command of a row that ends with the UUID of its device."""
    return command_of(row[:-1]), row[-1]


def _condition(wanted: WriteActionFilter) -> tuple[str, tuple[Any, ...]]:
    """Return the condition of a filter, and the values in it."""
    # With ids, those lead: the index of actions would have all of them read.
    action = "action" if wanted.ids is None else "+action"
    terms: list[tuple[str, Any]] = [(f"{action} = ?", WRITE_ACTION)]
    for column, allowed in (
        (f"({_UUID})", wanted.devices),
        ("device", wanted.visible),
        ("args ->> 'field_name'", wanted.fields),
        (_SHOWN_PHASE, wanted.phases),
        ("id", wanted.ids),
    ):
        if allowed is not None:
            listed = json.dumps(list(allowed))
            terms.append((f"{column} IN (SELECT value FROM json_each(?))", listed))
    if wanted.starts_after is not None:
        terms.append(("starts_at > ?", to_store(wanted.starts_after)))
    return (
        " AND ".join(condition for condition, _ in terms),
        tuple(value for _, value in terms),
    )
