"""Values that the store's tests put in and look for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3
from typing import Any

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Kind, Phase
from custom_components.aquarist.dosing.ledger import Dose, DoseState
from custom_components.aquarist.store import command_history, devices
from custom_components.aquarist.store.command_history import CommandFilter

AT = datetime(2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def add_devices(connection: sqlite3.Connection, count: int = 1) -> None:
    """Store devices with the numbers 1 to ``count``."""
    for number in range(1, count + 1):
        devices.ensure(
            connection,
            uuid=f"uuid-{number}",
            kind="light",
            name=f"Light {number}",
            address=None,
            aquarium=None,
            at=AT,
        )


def command(command_id: str = "first", **changes: Any) -> Command:
    """Return a command that sets a level."""
    asked: dict[str, Any] = {
        "id": command_id,
        "device": 1,
        "kind": Kind.SET,
        "action": "set_level",
        "source": Source.SERVICE,
        "created_at": AT,
        "args": {"level": 50},
        "phase": Phase.PLANNED,
    }
    return Command(**asked | changes)


def dose(key: str = "1/first", **changes: Any) -> Dose:
    """Return an intended dose of 2 mL."""
    meant: dict[str, Any] = {
        "key": key,
        "device": 1,
        "head": 0,
        "volume": 2000,
        "state": DoseState.INTENDED,
        "at": AT,
        "source": "service",
    }
    return Dose(**meant | changes)


def newest(
    connection: sqlite3.Connection, limit: int = 10, before: int | None = None
) -> list[Command]:
    """Return the newest commands first."""
    return command_history.find(connection, CommandFilter(), limit, before)


def names_of(connection: sqlite3.Connection) -> list[str]:
    """Return the names of all devices."""
    return [row.name for row in devices.load_all(connection)]


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder with what is in it, but for SQLite's shared memory."""
    return {
        file.name: file.read_bytes()
        for file in sorted(folder.iterdir())
        if not file.name.endswith("-shm")
    }
