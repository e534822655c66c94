"""A real store that is really full, or really not to be written, for as long as a test wants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.errors import StoreError

_UNLIMITED = 4294967294


@asynccontextmanager
async def read_only(database: Database) -> AsyncIterator[None]:
    """Let SQLite refuse every change: SQLITE_READONLY."""
    connection = await database.writer.write(lambda connection: connection)
    connection.execute("PRAGMA query_only=ON")
    try:
        yield
    finally:
        await _idle(database)
        connection.execute("PRAGMA query_only=OFF")


@asynccontextmanager
async def full(database: Database) -> AsyncIterator[None]:
    """Let SQLite find no room for another page: SQLITE_FULL, once its pages are full."""
    connection = await database.writer.write(lambda connection: connection)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")
    try:
        yield
    finally:
        await _idle(database)
        connection.execute(f"PRAGMA max_page_count={_UNLIMITED}")


async def _idle(database: Database) -> None:
    """Wait until the writer, which still refuses, waits for work."""
    with suppress(StoreError):
        await database.writer.write(lambda connection: None)
