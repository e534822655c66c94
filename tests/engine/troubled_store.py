"""A real store that is really full, or really not to be written, for as long as a test wants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import sqlite3

from custom_components.aquarist.store.database import Database

_UNLIMITED = 4294967294


@asynccontextmanager
async def read_only(database: Database) -> AsyncIterator[None]:
    """Let SQLite refuse every change: SQLITE_READONLY."""
    connection = await _idle(database)
    connection.execute("PRAGMA query_only=ON")
    try:
        yield
    finally:
        connection = await _idle(database)
        connection.execute("PRAGMA query_only=OFF")


@asynccontextmanager
async def full(database: Database) -> AsyncIterator[None]:
    """Let SQLite find no room for another page: SQLITE_FULL."""
    connection = await _idle(database)
    connection.execute("CREATE TABLE ballast (weight BLOB)")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")
    # What room is left inside the pages is filled up, in ever smaller pieces.
    for table, column in (("ballast", "weight"),):
        for size in (2000, 200, 20):
            _fill(connection, f"INSERT INTO {table} ({column}) VALUES (?)", size)
    try:
        yield
    finally:
        connection = await _idle(database)
        connection.execute(f"PRAGMA max_page_count={_UNLIMITED}")
        connection.execute("DROP TABLE ballast")


def _fill(connection: sqlite3.Connection, statement: str, size: int) -> None:
    """Insert until there is no room."""
    while True:
        try:
            connection.execute(statement, (bytes(size),))
        except sqlite3.OperationalError:
            return


async def _idle(database: Database) -> sqlite3.Connection:
    """Return the writer's connection while the writer waits for work."""
    try:
        await database.writer.write(lambda connection: None)
    except Exception:  # noqa: BLE001
        pass
    return database.writer._connection
