"""The table of commands: the record of every cause, with its identity (law 2, RES-44)."""

# ruff: noqa: S608 - statements are put together from constants, never from input

from collections.abc import Sequence
from datetime import datetime
from itertools import batched
import sqlite3
from typing import Any

from ..commands.command import Command, ErrorCode, Source, changed
from ..commands.phases import FINAL, Kind, Phase
from ..layers.claims import Layer
from .encoding import (
    from_json,
    from_json_or_none,
    to_json,
    to_json_or_none,
    to_word_or_none,
)
from .errors import AlreadyFinal, NotStored
from .instants import from_store, from_store_or_none, to_store, to_store_or_none
from .work import TOGETHER, NotTogetherError


class ConflictingId(Exception):
    """The id was used before for something else (RES-44); ``stored`` is what it was."""

    def __init__(self, stored: Command) -> None:
        """Keep the command that has the id."""
        super().__init__(stored.key)
        self.stored = stored


def _listed(phases: frozenset[Phase]) -> str:
    """Return phases as a list of SQL."""
    return ", ".join(f"'{phase.value}'" for phase in sorted(phases))


WRITE_ACTION = "write_action"
SYNCHRONOUS_WRITE = "synchronous_write"
WRITES = (WRITE_ACTION, SYNCHRONOUS_WRITE)
"""What the write-action API makes: an id of theirs is one for all devices (RES-44)."""
ENDED = _listed(FINAL)
OPEN = _listed(frozenset(Phase) - FINAL)
CALLED_OFF = f"error_code = '{ErrorCode.COMMAND_CANCELLED.value}'"
"""What was called off, of those that are still given back: `Command.ends_as`."""

_ASKED = (
    "id, device, kind, action, source, created_at, args, field, value, layer, phase, "
    "starts_at, ends_at, expires_at, timeout, repeatable, attempts, started_at, "
    "completed_at, result, error_code, error, error_details, schedule, occurrence, "
    "depth, user, context, run, step, retry_of"
)
COLUMNS = f"ordinal, {_ASKED}"
_ROW = f"({', '.join('?' * 31)})"
_INSERT = (
    f"INSERT INTO command ({_ASKED}) VALUES {_ROW} ON CONFLICT (id, device) DO NOTHING"
)
_INSERT_TOGETHER = _INSERT.replace(_ROW, ", ".join([_ROW] * TOGETHER))
_UPDATE = (
    "UPDATE command SET phase = ?, attempts = ?, started_at = ?, completed_at = ?, "
    "result = ?, error_code = ?, error = ?, error_details = ? "
    f"WHERE ordinal = ? AND phase IN ({OPEN})"
)
_OUTCOME = f"({', '.join('?' * 9)})"
_UPDATE_TOGETHER = (
    "UPDATE command SET phase = column1, attempts = column2, started_at = column3, "
    "completed_at = column4, result = column5, error_code = column6, error = column7, "
    f"error_details = column8 FROM (VALUES {', '.join([_OUTCOME] * TOGETHER)}) "
    f"WHERE ordinal = column9 AND phase IN ({OPEN})"
)
_POSTPONE = f"UPDATE command SET expires_at = ? WHERE ordinal = ? AND phase IN ({OPEN})"
_GET = f"SELECT {COLUMNS} FROM command WHERE device = ? AND id = ?"
# The plus keeps the index of actions out, by which all write actions would be read.
_WRITE_ACTION = (
    f"SELECT {COLUMNS} FROM command WHERE id = ? AND +action = '{WRITE_ACTION}'"
)
_ELSEWHERE = (
    f"SELECT {COLUMNS} FROM command WHERE id = ? AND device <> ? AND action IN (?, ?)"
)
_EXISTS = "SELECT 1 FROM command WHERE ordinal = ?"
# The index of what has not completed is used where the statement repeats its condition.
_NOT_FINAL = (
    f"SELECT {COLUMNS} FROM command WHERE phase IN ({OPEN}) AND phase <> 'completed' "
    "ORDER BY ordinal"
)
_OF_OCCURRENCE = f"SELECT {COLUMNS} FROM command WHERE occurrence = ? ORDER BY ordinal"
_OF_RUN = f"SELECT {COLUMNS} FROM command WHERE run = ? ORDER BY ordinal"


def insert(connection: sqlite3.Connection, command: Command) -> tuple[Command, bool]:
    """Store a new command, or find the one that was stored before with its id.

    Returns the command with its order and True when it is new; the stored one and
    False when the same was asked for before. Raises ConflictingId when the id was used
    for something else: at this device, or for a write action at another.
    """
    if command.action in WRITES:
        asked = (command.id, command.device, *WRITES)
        first = connection.execute(_ELSEWHERE, asked).fetchone()
        if first is not None:
            raise ConflictingId(command_of(first))
    row = _row(command)
    cursor = connection.execute(_INSERT, row)
    if cursor.rowcount:
        order: Any = cursor.lastrowid
        return changed(command, order=order), True
    stored = command_of(
        connection.execute(_GET, (command.device, command.id)).fetchone()
    )
    # Both as the store gives them back: 10 and 10.0 seconds are the same.
    if stored.fingerprint != command_of((stored.order, *row)).fingerprint:
        raise ConflictingId(stored)
    return stored, False


def insert_all(
    connection: sqlite3.Connection, commands: Sequence[Command]
) -> list[tuple[Command, bool]]:
    """Store commands in their order, each as `insert` does.

    Raises NotTogetherError when one of several was stored before, and for what is done
    alone what `insert` raises.
    """
    stored: list[tuple[Command, bool]] = []
    for some in batched(commands, TOGETHER, strict=False):
        if len(some) < TOGETHER or any(one.action in WRITES for one in some):
            stored += [insert(connection, one) for one in some]
            continue
        values = [value for one in some for value in _row(one)]
        cursor = connection.execute(_INSERT_TOGETHER, values)
        if cursor.rowcount < TOGETHER:
            raise NotTogetherError
        last: Any = cursor.lastrowid
        orders = range(last - TOGETHER + 1, last + 1)
        stored += [
            (changed(one, order=order), True)
            for one, order in zip(some, orders, strict=True)
        ]
    return stored


def update(connection: sqlite3.Connection, command: Command) -> None:
    """Store the phase and the outcome of a command.

    Raises AlreadyFinal when the stored one has ended (law 8), NotStored when there is
    none.
    """
    if connection.execute(_UPDATE, _outcome(command)).rowcount:
        return
    if connection.execute(_EXISTS, (command.order,)).fetchone():
        raise AlreadyFinal("command", command.key)
    raise NotStored("command", command.key)


def update_all(connection: sqlite3.Connection, commands: Sequence[Command]) -> None:
    """Store the phases and the outcomes of commands in their order, each as `update` does.

    Raises NotTogetherError when one of several has ended or is not stored, and for what is
    done alone what `update` raises.
    """
    for some in batched(commands, TOGETHER, strict=False):
        if len({one.order for one in some}) < TOGETHER:
            for one in some:
                update(connection, one)
            continue
        values = [value for one in some for value in _outcome(one)]
        if connection.execute(_UPDATE_TOGETHER, values).rowcount < TOGETHER:
            raise NotTogetherError


def postpone(
    connection: sqlite3.Connection, command: Command, expires_at: datetime
) -> None:
    """Store until when a command that has not ended may still begin."""
    connection.execute(_POSTPONE, (to_store(expires_at), command.order))


def get(connection: sqlite3.Connection, device: int, command_id: str) -> Command | None:
    """Return a command by its id at its device, or None."""
    row = connection.execute(_GET, (device, command_id)).fetchone()
    return None if row is None else command_of(row)


def write_action(connection: sqlite3.Connection, command_id: str) -> Command | None:
    """Return the write action with an id, at whatever device (RES-44), or None."""
    row = connection.execute(_WRITE_ACTION, (command_id,)).fetchone()
    return None if row is None else command_of(row)


def not_final(connection: sqlite3.Connection) -> list[Command]:
    """Return every command that has not ended, in the order of acceptance."""
    return [command_of(row) for row in connection.execute(_NOT_FINAL)]


def of_occurrence(connection: sqlite3.Connection, occurrence: int) -> list[Command]:
    """Return the commands of an occurrence, in the order of acceptance."""
    return [
        command_of(row) for row in connection.execute(_OF_OCCURRENCE, (occurrence,))
    ]


def of_run(connection: sqlite3.Connection, run: int) -> list[Command]:
    """Return the commands of a run, in the order of acceptance."""
    return [command_of(row) for row in connection.execute(_OF_RUN, (run,))]


def _row(command: Command) -> tuple[Any, ...]:
    """Return what is stored of a command that is new. Written out: it is on the fast path."""
    layer = command.layer
    return (
        command.id,
        command.device,
        command.kind.value,
        command.action,
        command.source.value,
        to_store(command.created_at),
        to_json(command.args),
        command.field,
        to_json_or_none(command.value),
        None if layer is None else layer.value,
        command.phase.value,
        to_store_or_none(command.starts_at),
        to_store_or_none(command.ends_at),
        to_store_or_none(command.expires_at),
        command.timeout,
        1 if command.repeatable else 0,
        command.attempts,
        to_store_or_none(command.started_at),
        to_store_or_none(command.completed_at),
        to_json_or_none(command.result),
        to_word_or_none(command.error_code),
        command.error,
        to_json_or_none(command.error_details),
        command.schedule,
        command.occurrence,
        command.depth,
        command.user,
        command.context,
        command.run,
        command.step,
        command.retry_of,
    )


def _outcome(command: Command) -> tuple[Any, ...]:
    """Return what is stored of how far a command is, and its order."""
    return (
        command.phase.value,
        command.attempts,
        to_store_or_none(command.started_at),
        to_store_or_none(command.completed_at),
        to_json_or_none(command.result),
        to_word_or_none(command.error_code),
        command.error,
        to_json_or_none(command.error_details),
        command.order,
    )


def command_of(row: tuple[Any, ...]) -> Command:
    """Return the command of a row that has the columns of COLUMNS."""
    layer = row[10]
    return Command(
        order=row[0],
        id=row[1],
        device=row[2],
        kind=Kind(row[3]),
        action=row[4],
        source=Source(row[5]),
        created_at=from_store(row[6]),
        args=from_json(row[7]),
        field=row[8],
        value=from_json_or_none(row[9]),
        layer=None if layer is None else Layer(layer),
        phase=Phase(row[11]),
        starts_at=from_store_or_none(row[12]),
        ends_at=from_store_or_none(row[13]),
        expires_at=from_store_or_none(row[14]),
        timeout=float(row[15]),
        repeatable=bool(row[16]),
        attempts=row[17],
        started_at=from_store_or_none(row[18]),
        completed_at=from_store_or_none(row[19]),
        result=from_json_or_none(row[20]),
        error_code=row[21],
        error=row[22],
        error_details=from_json_or_none(row[23]),
        schedule=row[24],
        occurrence=row[25],
        depth=row[26],
        user=row[27],
        context=row[28],
        run=row[29],
        step=row[30],
        retry_of=row[31],
    )
