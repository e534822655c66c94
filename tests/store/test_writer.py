"""The writer: what waits is one commit, told of in order; the end loses nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
import logging
from pathlib import Path
import sqlite3
import threading

import pytest

from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.errors import StoreClosedError, StoreFailedError
from custom_components.aquarist.store.writer import Writer

from .gate import Gate, blocked
from .samples import AT
from .writers import put, small, start, stored


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


async def test_closing_twice_is_closing(path: Path) -> None:
    """The second time finds it done; checkpoints are refused then."""
    writer = start(path)
    await asyncio.gather(writer.close(), writer.close())
    await writer.close()
    with pytest.raises(StoreClosedError):
        await writer.pause_checkpoints()


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
