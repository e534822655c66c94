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
    head: int = 0
    source: str = ""
    at: float = 0.0

    @property
    def counted(self) -> int:
        """Return what counts as given."""
        if self.given is not None:
            return self.given
        return 0 if self.state == "not_given" else self.volume


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


def doses(folder: Path) -> list[DoseRow]:
    """Return the whole ledger, what the pump gave by itself included."""
    rows = _rows(
        folder / "aquarist.db",
        "SELECT state, volume, given, head, source, at FROM dose",
    )
    return [
        DoseRow(
            state=state,
            volume=volume,
            given=given,
            head=head,
            source=source,
            at=at / 1e6,
        )
        for state, volume, given, head, source, at in rows
    ]


def counters_read(folder: Path) -> dict[int, float]:
    """Return when the counter of each head was last read."""
    rows = _rows(folder / "aquarist.db", "SELECT head, at FROM counter")
    return {head: at / 1e6 for head, at in rows}


def ids(folder: Path) -> set[str]:
    """Return the ids of all commands."""
    return {one for (one,) in _rows(folder / "aquarist.db", "SELECT id FROM command")}


def open_commands(folder: Path, *, due_by: float) -> list[str]:
    """Return action, phase and id of what was due by an instant and has not ended."""
    rows = _rows(
        folder / "aquarist.db",
        "SELECT action, phase, id FROM command WHERE completed_at IS NULL"
        " AND coalesce(starts_at, 0) <= ?",
        int(due_by * 1e6),
    )
    return [" ".join(row) for row in rows]


def last_level(folder: Path, device_id: str) -> float | None:
    """Return the level that was set last at a device and came to a good end."""
    rows = _rows(
        folder / "aquarist.db",
        "SELECT args FROM command WHERE action = 'set_level' AND phase = 'completed'"
        " AND device = (SELECT number FROM device WHERE uuid = ?)"
        " ORDER BY ordinal DESC LIMIT 1",
        device_id,
    )
    return json.loads(rows[0][0])["level"] if rows else None


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


def _rows(path: Path, query: str, *values: str | int) -> list[tuple[Any, ...]]:
    """Return what a query finds; nothing is changed, also not in a file that is in use."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()
