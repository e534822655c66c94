"""Writers of a store, what they are given, and what they committed."""

import asyncio
from pathlib import Path
import sqlite3

from custom_components.aquarist.store import settings
from custom_components.aquarist.store.migrations import STEPS
from custom_components.aquarist.store.opening import open_for_reading, open_for_writing
from custom_components.aquarist.store.work import Unit
from custom_components.aquarist.store.writer import Writer

from .samples import AT


def start(path: Path, *, checkpoint_after: int = 50, idle: float = 1.0) -> Writer:
    """Return a writer of the store at a path, which is made first if need be."""
    open_for_writing(path, AT, STEPS).close()
    return Writer(
        open_for_writing(path, AT, STEPS),
        path,
        asyncio.get_running_loop(),
        pauses=(),
        checkpoint_after=checkpoint_after,
        idle=idle,
    )


def put(key: str, value: object = 1) -> Unit[str]:
    """Return a unit that stores a setting and returns its key."""

    def unit(connection: sqlite3.Connection) -> str:
        """Store the setting."""
        settings.put(connection, key, value)
        return key

    return unit


def stored(path: Path) -> list[str]:
    """Return what is committed, as a connection of its own sees it."""
    connection = open_for_reading(path)
    try:
        return list(settings.load_all(connection))
    finally:
        connection.close()


def small(connection: sqlite3.Connection) -> None:
    """Store a little."""
    settings.put(connection, "small", 1)
