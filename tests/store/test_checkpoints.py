"""Checkpoints: the log is folded at rest and at the end, and never during a backup."""

import asyncio
from pathlib import Path
import sqlite3

import pytest

from custom_components.aquarist.store import settings
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.errors import StoreFailedError
from custom_components.aquarist.store.migrations import STEPS
from custom_components.aquarist.store.opening import open_for_reading, open_for_writing
from custom_components.aquarist.store.writer import Writer

from .faults import big, files_limited
from .samples import AT
from .writers import put, start, stored


def folded(path: Path) -> list[str]:
    """Return what is in the file itself, without its log."""
    connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    try:
        return list(settings.load_all(connection))
    finally:
        connection.close()


async def test_the_log_is_folded_when_nothing_happens(path: Path) -> None:
    """After enough writes and a while without any, the file has them."""
    writer = start(path, checkpoint_after=3, idle=0.01)
    for key in "ab":
        await writer.write(put(key))
    assert folded(path) == []
    await writer.write(put("c"))
    async with asyncio.timeout(10):
        while folded(path) != ["a", "b", "c"]:
            await asyncio.sleep(0.01)
    await writer.close()


async def test_work_comes_before_folding(path: Path) -> None:
    """A unit that comes in the pause is stored at once."""
    writer = start(path, checkpoint_after=1, idle=60)
    for key in "abc":
        async with asyncio.timeout(10):
            await writer.write(put(key))
    assert folded(path) == []
    await writer.close()


async def test_closing_leaves_one_clean_file(path: Path) -> None:
    """The log is folded into the file; the room that a start needs beside it is kept."""
    writer = start(path)
    await writer.write(put("a"))
    log, index = (path.with_name(f"aquarist.db-{name}") for name in ("wal", "shm"))
    assert log.stat().st_size > 0
    room = index.stat().st_size
    await writer.close()
    assert folded(path) == ["a"]
    assert log.stat().st_size == 0
    assert index.stat().st_size == room > 0


async def test_during_a_backup_the_file_stays_as_it_is(path: Path) -> None:
    """Writing goes on into the log; afterwards the log is folded again."""
    writer = start(path, checkpoint_after=1, idle=0.01)
    await writer.write(put("before"))
    await writer.pause_checkpoints()
    assert path.with_name("aquarist.db-wal").stat().st_size == 0
    assert folded(path) == ["before"]
    file = path.read_bytes()
    # More than SQLite would let the log grow to by itself.
    for number in range(12):
        await writer.write(put(f"n{number}", "x" * 400_000))
    assert path.read_bytes() == file
    assert len(stored(path)) == 13
    await writer.resume_checkpoints()
    await writer.write(put("after"))
    async with asyncio.timeout(10):
        while len(folded(path)) != 14:
            await asyncio.sleep(0.01)
    await writer.close()


async def test_closing_during_a_backup_keeps_the_log(path: Path) -> None:
    """The file is not touched under the backup's hands; the next opening has it all."""
    writer = start(path)
    await writer.pause_checkpoints()
    file = path.read_bytes()
    await writer.write(put("a"))
    await writer.close()
    assert path.read_bytes() == file
    assert stored(path) == ["a"]


async def test_a_view_that_stays_open_is_no_backup(path: Path) -> None:
    """Before a backup the log must be folded whole; who reads on prevents that."""
    connection = open_for_writing(path, AT, STEPS)
    connection.execute("PRAGMA busy_timeout=0")
    writer = Writer(connection, path, asyncio.get_running_loop())
    reader = open_for_reading(path)
    reader.execute("BEGIN")
    settings.load_all(reader)
    await writer.write(put("a"))
    with pytest.raises(Exception, match="could not be folded") as failed:
        await writer.pause_checkpoints()
    assert failed.value.__class__.__name__ == "StoreFailedError"
    reader.execute("ROLLBACK")
    await writer.pause_checkpoints()
    reader.close()
    await writer.close()


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
