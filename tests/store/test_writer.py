"""The writer: many units, one commit; each fails alone, a batch fails together."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
import logging
from pathlib import Path
import sqlite3
import threading

import pytest

from custom_components.aquarist.store import settings
from custom_components.aquarist.store.errors import StoreClosedError
from custom_components.aquarist.store.migrations import STEPS
from custom_components.aquarist.store.opening import open_for_reading, open_for_writing
from custom_components.aquarist.store.work import Alike, Unit
from custom_components.aquarist.store.writer import Writer

from .gate import Gate, blocked
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


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[Writer]:
    """Return the writer of a new store."""
    opened = start(path)
    yield opened
    await opened.close()


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


def commits(path: Path) -> int:
    """Return how many transactions the log holds: the frames that end one (SQLite's format)."""
    log = path.with_name(f"{path.name}-wal").read_bytes()
    size = int.from_bytes(log[8:12]) + 24
    salt = log[16:24]
    frames = (log[place : place + 24] for place in range(32, len(log), size))
    return sum(
        1 for frame in frames if int.from_bytes(frame[4:8]) and frame[8:16] == salt
    )


async def test_what_is_acknowledged_is_committed(writer: Writer, path: Path) -> None:
    """The future has the unit's result, and others see the row (law 2)."""
    assert await writer.write(put("a")) == "a"
    assert stored(path) == ["a"]


async def test_all_that_waits_goes_into_one_commit(writer: Writer, path: Path) -> None:
    """Fifty units that wait together cost one transaction."""
    gate, standing = await blocked(writer)
    waiting = [writer.write(put(f"{number:02}")) for number in range(50)]
    before = commits(path)
    gate.opened.set()
    await standing
    results = await asyncio.gather(*waiting)
    assert results == [f"{number:02}" for number in range(50)]
    assert commits(path) == before + 1
    assert stored(path) == results


async def test_committed_is_called_in_order_before_the_caller_goes_on(
    writer: Writer, path: Path
) -> None:
    """Memory changes in commit order, and only with what is on disk."""
    told: list[str] = []

    def committed(key: str) -> None:
        """Note the order, and that the row is there."""
        assert key in stored(path)
        told.append(key)

    async def one(key: str) -> None:
        """Write, and see that the memory was changed first."""
        await writer.write(put(key), committed)
        assert key in told

    keys = [f"{number:02}" for number in range(20)]
    await asyncio.gather(*(one(key) for key in keys))
    assert told == keys


async def test_what_follows_from_a_batch_happens_within_one_act(
    writer: Writer,
) -> None:
    """It begins before the first consequence and is over before any caller goes on."""
    told: list[str] = []

    @contextmanager
    def acting() -> Iterator[None]:
        told.append("begin")
        yield
        told.append("end")

    async def one(key: str) -> None:
        await writer.write(put(key), told.append)
        told.append(f"{key} goes on")

    gate, standing = await blocked(writer)
    writer.acting = acting
    callers = [asyncio.Task(one(key), eager_start=True) for key in "ab"]
    gate.opened.set()
    await standing
    await asyncio.gather(*callers)
    batch = told[told.index("a") - 1 :]
    assert batch == ["begin", "a", "b", "end", "a goes on", "b goes on"]


async def test_committed_follows_the_order_over_many_batches(writer: Writer) -> None:
    """A writer that is kept busy tells of every batch, the older first."""
    told: list[str] = []

    async def several(name: str) -> None:
        """Write one after another."""
        for number in range(20):
            await writer.write(put(f"{name}{number:02}"), told.append)

    await asyncio.gather(*(several(name) for name in "abcde"))
    assert len(told) == 100
    for name in "abcde":
        mine = [key for key in told if key[0] == name]
        assert mine == sorted(mine)


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


async def test_a_failing_callback_hurts_nobody(
    writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged; the future is resolved and the next callback is called."""
    told: list[str] = []

    def failing(_: str) -> None:
        """Fail as a careless listener does."""
        raise LookupError("gone")

    first = writer.write(put("a"), failing)
    second = writer.write(put("b"), told.append)
    assert (await first, await second) == ("a", "b")
    assert told == ["b"]
    assert "What follows from a committed write failed" in caplog.text


async def test_a_cancelled_caller_does_not_undo_its_write(
    writer: Writer, path: Path
) -> None:
    """The write goes on and memory follows; there is just nobody to tell."""
    told: list[str] = []
    gate, standing = await blocked(writer)
    cancelled = writer.write(put("a"), told.append)
    cancelled.cancel()
    gate.opened.set()
    await standing
    await writer.write(put("b"))
    assert stored(path) == ["a", "b"]
    assert told == ["a"]


async def test_a_failure_that_nobody_waits_for_is_logged_once(
    writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller that was cancelled cannot be told, so the log is."""

    def failing(_: sqlite3.Connection) -> None:
        """Fail."""
        raise LookupError("no such device")

    gate, standing = await blocked(writer)
    cancelled = writer.write(failing)
    cancelled.cancel()
    gate.opened.set()
    await standing
    await writer.write(put("a"))
    del cancelled
    assert caplog.text.count("no such device") == 1
    assert "never retrieved" not in caplog.text


async def test_closing_stores_what_waits(path: Path) -> None:
    """Units handed over before the end are stored and told of; the thread ends."""
    writer = start(path)
    gate, standing = await blocked(writer)
    waiting = [writer.write(put(key)) for key in "abc"]
    closing = asyncio.ensure_future(writer.close())
    await asyncio.sleep(0)
    late = writer.write(put("late"))
    gate.opened.set()
    await asyncio.gather(standing, *waiting)
    await closing
    with pytest.raises(StoreClosedError) as refused:
        await late
    assert refused.value.code == "store_closed"
    assert refused.value.path == path
    assert stored(path) == ["a", "b", "c"]
    assert "aquarist-store-writer" not in {item.name for item in threading.enumerate()}


async def test_closing_leaves_one_clean_file(path: Path) -> None:
    """The log is folded into the file and gone."""
    writer = start(path)
    await writer.write(put("a"))
    assert path.with_name("aquarist.db-wal").stat().st_size > 0
    await writer.close()
    assert [file.name for file in path.parent.iterdir()] == ["aquarist.db"]


async def test_closing_twice_is_closing(path: Path) -> None:
    """The second time finds it done; checkpoints are refused then."""
    writer = start(path)
    await asyncio.gather(writer.close(), writer.close())
    await writer.close()
    with pytest.raises(StoreClosedError):
        await writer.pause_checkpoints()


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


async def test_a_caller_of_upkeep_may_go_away(path: Path) -> None:
    """A backup that is cancelled leaves the writer at work."""
    writer = start(path)
    gate, standing = await blocked(writer)
    pausing = asyncio.ensure_future(writer.pause_checkpoints())
    await asyncio.sleep(0)
    pausing.cancel()
    gate.opened.set()
    await standing
    assert await writer.write(put("a")) == "a"
    await writer.close()


def test_a_loop_that_ends_first_loses_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What was handed over is committed and the file is closed, though nobody hears of it."""
    loop = asyncio.new_event_loop()
    gate = Gate()

    async def leave() -> threading.Thread:
        """Hand over two units and do not wait."""
        writer = start(path)
        writer.write(gate)
        writer.write(put("a"))
        await asyncio.to_thread(gate.reached.wait, 10)
        return writer._thread

    thread = loop.run_until_complete(leave())
    loop.close()
    with caplog.at_level(logging.WARNING):
        gate.opened.set()
        thread.join(10)
    assert not thread.is_alive()
    assert "ended before the store was closed" in caplog.text
    assert stored(path) == ["a"]
