"""The writer on a disk that fails: the batch fails, nothing is half stored (law 2, R-B58)."""

import asyncio
from pathlib import Path
import sqlite3

import pytest

from custom_components.aquarist.store import settings
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.errors import (
    StoreError,
    StoreFailedError,
    StoreFullError,
    StoreReadOnlyError,
)
from custom_components.aquarist.store.migrations import STEPS
from custom_components.aquarist.store.opening import open_for_writing
from custom_components.aquarist.store.work import HeldBackError
from custom_components.aquarist.store.writer import Writer

from .faults import big, files_limited, fill_up, largest_file, make_room
from .gate import blocked
from .samples import AT


def small(connection: sqlite3.Connection) -> None:
    """Store a little."""
    settings.put(connection, "small", 1)


async def refused(database: Database) -> tuple[list[StoreError], list[str]]:
    """Write a little and a lot in one batch; return the errors and what was told."""
    told: list[str] = []
    gate, standing = await blocked(database.writer)
    writes = [
        database.writer.write(small, lambda _: told.append("small")),
        database.writer.write(big, lambda _: told.append("big")),
    ]
    gate.opened.set()
    await standing
    results = await asyncio.gather(*writes, return_exceptions=True)
    return [error for error in results if isinstance(error, StoreError)], told


async def test_full(database: Database) -> None:
    """A full disk fails the batch, and room makes it work again."""
    await database.writer.write(fill_up)
    errors, told = await refused(database)
    assert [error.code for error in errors] == ["store_full", "store_full"]
    assert isinstance(errors[0], StoreFullError)
    assert errors[0] is not errors[1]
    assert errors[0].path == database.path
    assert told == []
    assert await database.read(settings.load_all) == {}
    await database.writer.write(make_room)
    assert await refused(database) == ([], ["small", "big"])


async def test_input_and_output_errors(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that refuses the bytes at the commit fails the batch; nothing is half stored."""
    size = database.path.with_name("aquarist.db-wal").stat().st_size
    with files_limited(size + 1000):
        errors, told = await refused(database)
    assert [error.code for error in errors] == ["store_failed", "store_failed"]
    assert "SQLITE_IOERR" in str(errors[0])
    assert told == []
    assert caplog.text.count("The store did not take 2 writes") == 1
    assert await database.read(settings.load_all) == {}
    assert await refused(database) == ([], ["small", "big"])


async def test_read_only(database: Database) -> None:
    """A connection that may not write fails the batch at once."""

    def forbid(connection: sqlite3.Connection) -> None:
        """Forbid writing, as SQLite does where the file is read-only."""
        connection.execute("PRAGMA query_only=ON")

    told: list[None] = []
    await database.writer.write(forbid)
    with pytest.raises(StoreReadOnlyError) as failed:
        await database.writer.write(small, told.append)
    assert failed.value.code == "store_read_only"
    assert told == []
    assert await database.read(settings.load_all) == {}


async def test_what_nobody_waits_for_keeps_its_order_over_a_fault(
    database: Database,
) -> None:
    """Behind what was refused nothing is tried, until whoever posts has caught up."""
    errors: list[BaseException] = []
    watched: list[StoreError | None] = []
    writer = database.writer
    writer.watcher = watched.append

    def refused(connection: sqlite3.Connection) -> None:
        """Try to store a little while SQLite refuses every change."""
        connection.execute("PRAGMA query_only=ON")
        try:
            small(connection)
        finally:
            connection.execute("PRAGMA query_only=OFF")

    def post(name: str) -> None:
        """Post a little."""
        writer.post(lambda one: settings.put(one, name, 1), None, errors.append)

    writer.post(refused, None, errors.append)
    while not errors:
        await asyncio.sleep(0)
    await writer.write(small)
    gate, standing = await blocked(writer)
    post("behind")
    beside = writer.write(small)
    gate.opened.set()
    await asyncio.gather(standing, beside)
    post("alone")
    while len(errors) < 3:
        await asyncio.sleep(0)
    assert [type(error) for error in errors] == [
        StoreReadOnlyError,
        HeldBackError,
        HeldBackError,
    ]
    assert [fault and fault.code for fault in watched] == ["store_read_only", None]
    assert list(await database.read(settings.load_all)) == ["small"]
    writer.caught_up()
    post("after")
    await writer.write(small)
    assert set(await database.read(settings.load_all)) == {"after", "small"}


async def test_a_passing_fault_is_tried_again(database: Database) -> None:
    """Two refusals, then it is written; nothing is lost and nothing is there twice (R-B58)."""
    attempts: list[int] = []
    size = database.path.with_name("aquarist.db-wal").stat().st_size

    def unit(connection: sqlite3.Connection) -> int:
        """Store a lot; the third time the disk takes it."""
        attempts.append(1)
        largest_file(None if len(attempts) == 3 else size + 1000)
        big(connection)
        return len(attempts)

    told: list[int] = []
    try:
        assert await database.writer.write(unit, told.append) == 3
    finally:
        largest_file(None)
    assert told == [3]
    assert list(await database.read(settings.load_all)) == ["big"]


async def test_a_fault_is_not_tried_for_ever(path: Path) -> None:
    """After the last pause the error goes to the caller."""
    writer = Writer(
        open_for_writing(path, AT, STEPS),
        path,
        asyncio.get_running_loop(),
        pauses=(0.001, 0.001),
    )
    await writer.write(fill_up)
    attempts: list[int] = []

    def unit(connection: sqlite3.Connection) -> None:
        """Store a lot."""
        attempts.append(1)
        big(connection)

    with pytest.raises(StoreFullError):
        await writer.write(unit)
    assert len(attempts) == 3
    await writer.close()


async def test_another_program_holds_the_store(path: Path) -> None:
    """Somebody else's transaction makes ours fail, and only as long as it lasts."""
    connection = open_for_writing(path, AT, STEPS)
    connection.execute("PRAGMA busy_timeout=0")
    writer = Writer(connection, path, asyncio.get_running_loop(), pauses=())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailedError, match="SQLITE_BUSY"):
        await writer.write(small)
    other.execute("ROLLBACK")
    other.close()
    await writer.write(small)
    await writer.close()


async def test_a_neighbour_that_fails_alone_does_not_hide_the_disk(
    database: Database,
) -> None:
    """A fault of the disk fails the batch also when a unit had failed by itself."""

    def failing(_: sqlite3.Connection) -> None:
        """Fail."""
        raise LookupError("no such device")

    await database.writer.write(fill_up)
    gate, standing = await blocked(database.writer)
    writes = [database.writer.write(failing), database.writer.write(big)]
    gate.opened.set()
    await standing
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [StoreFullError, StoreFullError]
    assert await database.read(settings.load_all) == {}


async def test_a_connection_that_is_gone(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every write and every upkeep is refused then, and the writer can still be closed."""
    database = await Database.open(path, at=AT)
    writer = database.writer
    with pytest.raises(StoreFailedError):
        await writer.write(sqlite3.Connection.close)
    assert "could not be rolled back" in caplog.text
    with pytest.raises(StoreFailedError, match="closed"):
        await writer.write(small)
    with pytest.raises(StoreFailedError, match="could not be folded"):
        await writer.pause_checkpoints()
    with pytest.raises(StoreFailedError, match="closed"):
        await writer.resume_checkpoints()
    impatient = asyncio.ensure_future(writer.resume_checkpoints())
    await asyncio.sleep(0)
    impatient.cancel()
    await database.close()
    assert impatient.cancelled()


async def test_a_unit_that_ends_the_transaction_is_caught(database: Database) -> None:
    """A unit has no business with the transaction; its batch is not taken for stored."""

    def meddling(connection: sqlite3.Connection) -> None:
        """Roll back what is not its own."""
        connection.execute("ROLLBACK")

    with pytest.raises(StoreFailedError, match="no transaction is active"):
        await database.writer.write(meddling)
    await database.writer.write(small)
    assert await database.read(settings.load_all) == {"small": 1}


@pytest.mark.parametrize("lost", ["aquarist.db", "aquarist.db-wal"])
async def test_a_file_that_was_removed_is_noticed(
    database: Database, lost: str
) -> None:
    """Nothing is acknowledged that would only go into a removed file."""
    database.path.with_name(lost).unlink()
    with pytest.raises(StoreFailedError, match="gone") as failed:
        await database.writer.write(small)
    assert failed.value.path == database.path


async def test_a_folder_that_was_removed_is_noticed(path: Path) -> None:
    """The same when the whole folder is moved away."""
    folder = path.parent / "config"
    folder.mkdir()
    database = await Database.open(folder / "aquarist.db", at=AT)
    moved = folder.rename(path.parent / "elsewhere")
    with pytest.raises(StoreFailedError, match="gone"):
        await database.writer.write(small)
    moved.rename(folder)
    await database.writer.write(small)
    await database.close()


async def test_a_file_that_was_replaced_is_noticed(database: Database) -> None:
    """Another file in the store's place is not the one that is written to."""
    copy = database.path.with_name("copy")
    copy.write_bytes(database.path.read_bytes())
    copy.replace(database.path)
    with pytest.raises(StoreFailedError, match="replaced"):
        await database.writer.write(small)


async def test_other_files_come_and_go(database: Database) -> None:
    """What else happens in the folder is nobody's concern."""
    neighbour = database.path.with_name("neighbour")
    neighbour.touch()
    await database.writer.write(small)
    neighbour.unlink()
    await database.writer.write(small)
    assert await database.read(settings.load_all) == {"small": 1}


async def test_a_log_that_cannot_be_folded_is_a_warning(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """A backup is refused then; what was written stays in the log."""
    await database.writer.write(big)
    with (
        files_limited(100),
        pytest.raises(StoreFailedError, match="could not be folded"),
    ):
        await database.writer.pause_checkpoints()
    assert "could not be folded" in caplog.text
    assert list(await database.read(settings.load_all)) == ["big"]
