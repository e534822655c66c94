"""Batches: each unit fails alone; on a disk that fails the batch does (law 2, R-B58)."""

import asyncio
from collections.abc import Sequence
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
from custom_components.aquarist.store.work import Alike, HeldBackError
from custom_components.aquarist.store.writer import Writer

from .faults import big, files_limited, fill_up, largest_file, make_room
from .gate import blocked
from .samples import AT
from .writers import put, small, stored


async def test_a_unit_fails_alone(writer: Writer, path: Path) -> None:
    """Its neighbours of the same batch are stored, nothing of it is."""

    def failing(connection: sqlite3.Connection) -> None:
        """Store something, then fail."""
        settings.put(connection, "half", 1)
        raise LookupError("no such device")

    gate, standing = await blocked(writer)
    told: list[str] = []
    first = writer.write(put("a"), told.append)
    second = writer.write(failing, lambda _: told.append("half"))
    third = writer.write(put("b"), told.append)
    gate.opened.set()
    await standing
    assert (await first, await third) == ("a", "b")
    with pytest.raises(LookupError, match="no such device"):
        await second
    assert stored(path) == ["a", "b"]
    assert told == ["a", "b"]


def put_all(connection: sqlite3.Connection, keys: Sequence[str]) -> list[str]:
    """Store settings; return them with how many came together. Refuses `bad`."""
    for key in keys:
        settings.put(connection, key, 1)
    if "bad" in keys:
        raise LookupError("bad")
    return [f"{key} of {len(keys)}" for key in keys]


async def test_units_that_are_alike_are_done_together(
    writer: Writer, path: Path
) -> None:
    """As far as they are neighbours; the order and the results are those of each alone."""
    gate, standing = await blocked(writer)
    told: list[str] = []
    alike = [writer.write(Alike(put_all, key), told.append) for key in "abc"]
    other = writer.write(put("d"), told.append)
    last = writer.write(Alike(put_all, "e"), told.append)
    gate.opened.set()
    await standing
    results = await asyncio.gather(*alike, other, last)
    assert results == ["a of 3", "b of 3", "c of 3", "d", "e of 1"]
    assert told == results
    assert stored(path) == ["a", "b", "c", "d", "e"]


async def test_of_units_that_are_alike_one_fails_alone(
    writer: Writer, path: Path
) -> None:
    """What they could not do together each does by itself."""
    gate, standing = await blocked(writer)
    told: list[str] = []
    keys = ("a", "bad", "c")
    good, bad, better = (writer.write(Alike(put_all, key), told.append) for key in keys)
    gate.opened.set()
    await standing
    assert (await good, await better) == ("a of 1", "c of 1")
    with pytest.raises(LookupError, match="bad"):
        await bad
    assert stored(path) == ["a", "c"]
    assert told == ["a of 1", "c of 1"]


async def test_a_broken_constraint_fails_its_unit_alone(
    writer: Writer, path: Path
) -> None:
    """An error of SQLite that is about the row is the unit's own."""

    def orphan(connection: sqlite3.Connection) -> None:
        """Refer to a device that is not there."""
        connection.execute("INSERT INTO resting VALUES (7, 'level', '{}', 0)")

    first = writer.write(put("a"))
    second = writer.write(orphan)
    assert await first == "a"
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        await second
    assert stored(path) == ["a"]


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


async def test_only_what_was_written_shows_that_there_is_room_again(
    database: Database,
) -> None:
    """A batch that changes nothing ends well on a full disk, too."""
    watched: list[StoreError | None] = []
    writer = database.writer
    writer.watcher = watched.append
    await writer.write(fill_up)
    with pytest.raises(StoreFullError):
        await writer.write(big)
    await writer.write(make_room)
    assert [fault and fault.code for fault in watched] == ["store_full"]
    await writer.write(small)
    assert [fault and fault.code for fault in watched] == ["store_full", None]


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
