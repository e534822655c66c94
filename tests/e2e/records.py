"""What a Home Assistant left on disk: Aquarist's store, and the recorder's events."""

from contextlib import closing
from dataclasses import dataclass
import json
from pathlib import Path
import sqlite3
from typing import Any

FINAL = frozenset({"success", "failed", "timed_out", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A command as the store has it; instants are seconds since the epoch."""

    phase: str
    starts_at: float | None
    ends_at: float | None
    started_at: float | None
    completed_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRow:
    """A dose as the ledger has it; volumes in microlitres."""

    state: str
    volume: int
    given: int | None


def command(folder: Path, id: str) -> Record | None:
    """Return a command of the store, None when there is none of that id."""
    rows = _rows(
        folder / "aquarist.db",
        "SELECT phase, starts_at, ends_at, started_at, completed_at"
        " FROM command WHERE id = ?",
        id,
    )
    if not rows:
        return None
    ((phase, *instants),) = rows
    starts_at, ends_at, started_at, completed_at = (
        None if instant is None else instant / 1e6 for instant in instants
    )
    return Record(
        phase=phase,
        starts_at=starts_at,
        ends_at=ends_at,
        started_at=started_at,
        completed_at=completed_at,
    )


def dose(folder: Path, command_id: str) -> DoseRow | None:
    """Return the dose of a command, None when the pump was never about to hear of it."""
    rows = _rows(
        folder / "aquarist.db",
        "SELECT state, volume, given FROM dose WHERE key LIKE '%/' || ?",
        command_id,
    )
    if not rows:
        return None
    ((state, volume, given),) = rows
    return DoseRow(state=state, volume=volume, given=given)


def endings(folder: Path, id: str) -> list[str]:
    """Return the final statuses of a command that were ever announced on the bus."""
    rows = _rows(
        folder / "home-assistant_v2.db",
        "SELECT event_data.shared_data FROM events"
        " JOIN event_types USING (event_type_id) JOIN event_data USING (data_id)"
        " WHERE event_types.event_type = ?",
        "aquarist_command",
    )
    records = [json.loads(data) for (data,) in rows]
    return [
        record["status"]
        for record in records
        if record["id"] == id and record["status"] in FINAL
    ]


def _rows(path: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    """Return what a query finds; nothing is changed, also not in a file that is in use."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()
