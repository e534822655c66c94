"""The database: reading while writing, and the end."""

import asyncio
from pathlib import Path
import sqlite3
import threading

import pytest

from custom_components.aquarist.store import (
    database as database_module,
    opening,
    settings,
)
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.errors import (
    StoreClosedError,
    StoreCorruptError,
    StoreFailedError,
)

from .faults import big, unreadable
from .samples import AT, files_of, names_of


async def test_reading_finds_what_is_committed(database: Database) -> None:
    """A query runs in a thread of its own and sees the writer's rows."""
    threads: set[str] = set()

    def query(connection: sqlite3.Connection) -> list[str]:
        """Note the thread."""
        threads.add(threading.current_thread().name)
        return names_of(connection)

    assert await database.read(query) == ["Light 1", "Light 2", "Light 3"]
    assert all(name.startswith("aquarist-store-reader") for name in threads)


async def test_a_reader_has_one_view_while_others_write(database: Database) -> None:
    """What is committed in the middle of a query is not seen by it, and does not wait."""
    begun = threading.Event()
    go_on = threading.Event()

    def query(connection: sqlite3.Connection) -> tuple[int, int]:
        """Count twice, with a write in between."""
        first = len(settings.load_all(connection))
        begun.set()
        assert go_on.wait(10)
        return first, len(settings.load_all(connection))

    reading = asyncio.ensure_future(database.read(query))
    await asyncio.to_thread(begun.wait, 10)
    async with asyncio.timeout(10):
        await database.writer.write(lambda connection: settings.put(connection, "a", 1))
        assert await database.read(settings.load_all) == {"a": 1}
    go_on.set()
    assert await reading == (0, 0)


async def test_a_query_cannot_write(database: Database) -> None:
    """The store refuses; the connection is good for the next query."""
    for _ in range(4):
        with pytest.raises(Exception, match="readonly") as failed:
            await database.read(lambda connection: settings.put(connection, "a", 1))
        assert failed.value.__class__.__name__ == "StoreReadOnlyError"
    assert await database.read(settings.load_all) == {}


async def test_a_query_fails_alone(database: Database) -> None:
    """Its own errors come through as they are, SQLite's about the statement too."""

    def failing(_: sqlite3.Connection) -> None:
        """Fail."""
        raise LookupError("no such device")

    for _ in range(4):
        with pytest.raises(LookupError, match="no such device"):
            await database.read(failing)
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await database.read(
                lambda connection: connection.execute("SELECT * FROM x")
            )
    assert len(await database.read(names_of)) == 3


async def test_a_file_that_breaks_while_open(path: Path) -> None:
    """Reading a damaged page is an error of the store that names the file."""
    database = await Database.open(path, at=AT)
    await database.writer.pause_checkpoints()
    await database.writer.resume_checkpoints()
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xa5" * (len(damaged) - 4096)
    path.write_bytes(damaged)
    with pytest.raises(StoreCorruptError) as failed:
        await database.read(names_of)
    assert failed.value.path == path
    assert failed.value.set_aside is None
    await database.close()


async def test_a_disk_that_cannot_be_read(path: Path) -> None:
    """An error of the store; once the disk is sound again the query finds everything."""
    database = await Database.open(path, at=AT)
    await database.writer.write(big)
    await database.writer.pause_checkpoints()
    for _ in range(4):
        assert await database.read(names_of) == []
    with unreadable(path):
        for _ in range(4):
            with pytest.raises(StoreFailedError, match="disk I/O error"):
                await database.read(settings.load_all)
    assert list(await database.read(settings.load_all)) == ["big"]
    await database.close()


async def test_closing_ends_everything(path: Path) -> None:
    """Queries that run are finished, threads are joined, the log is folded."""
    database = await Database.open(path, at=AT)
    begun = threading.Event()
    go_on = threading.Event()

    def query(_: sqlite3.Connection) -> str:
        """Take a while."""
        begun.set()
        assert go_on.wait(10)
        return "read"

    reading = asyncio.ensure_future(database.read(query))
    await asyncio.to_thread(begun.wait, 10)
    writing = database.writer.write(lambda connection: settings.put(connection, "a", 1))
    closing = asyncio.ensure_future(database.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreClosedError) as refused:
        await database.read(names_of)
    assert refused.value.path == path
    go_on.set()
    assert await reading == "read"
    await writing
    await closing
    await database.close()
    left = files_of(path.parent)
    assert list(left) == ["aquarist.db", "aquarist.db-wal"]
    assert left["aquarist.db-wal"] == b""
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("aquarist")]


async def test_without_readers_there_is_no_store(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the readers cannot be opened, the writer's connection is closed as well."""

    def elsewhere(path: Path) -> sqlite3.Connection:
        """Open a path that does not exist."""
        return real(path.parent / "missing" / path.name)

    real = opening.open_for_reading
    monkeypatch.setattr(database_module, "open_for_reading", elsewhere)
    with pytest.raises(StoreFailedError):
        await Database.open(path, at=AT)
    assert list(files_of(path.parent)) == ["aquarist.db"]
