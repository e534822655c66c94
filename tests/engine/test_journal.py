"""The road to the store: causes are refused loudly, outcomes are kept in order (law 2)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from sqlite3 import Connection
import threading
from typing import Any

import pytest

from custom_components.aquarist.engine.changes import Announcer, StoreChanged
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.journal import Journal
from custom_components.aquarist.store import settings
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.errors import (
    AlreadyFinal,
    NotStored,
    StoreClosedError,
    StoreError,
    StoreFullError,
    StoreOwesError,
    StoreReadOnlyError,
)
from tests.engine.troubled_store import full, read_only
from tests.fakes.manual_clock import START
from tests.store.gate import blocked


class Desk:
    """A journal on a real store, and what it told."""

    def __init__(self, database: Database) -> None:
        """Write down every fault and every commit."""
        self.database = database
        self.troubles: list[str | None] = []
        self.committed: list[Any] = []
        self.journal = Journal(database, self._troubled)

    def _troubled(self, error: StoreError | None) -> None:
        self.troubles.append(error.code if error else None)

    def record(self, key: str, value: int) -> None:
        """Record an outcome."""
        self.hand_over(put(key, value), value)

    def hand_over(self, unit: Callable[[Connection], None], value: int) -> None:
        """Record an outcome of any kind, that is known by its value."""
        self.journal.record(unit, lambda _: self.committed.append(value))

    async def written(self) -> dict[str, Any]:
        """Return what is on disk."""
        return await self.database.read(settings.load_all)

    async def settle(self) -> None:
        """Let everything that was handed over come back."""
        for _ in range(3):
            try:
                await self.journal.commit(lambda connection: None)
            except StoreError:
                await asyncio.sleep(0)


def put(key: str, value: int | str) -> Callable[[Connection], None]:
    """Return a unit that stores a value."""
    return lambda connection: settings.put(connection, key, value)


def broken(connection: Connection) -> None:
    """Be a unit with a mistake of its own."""
    raise RuntimeError("broken")


def after(key: str, number: int) -> Callable[[Connection], None]:
    """Return a unit that counts on; it raises NotStored when the number is not there."""

    def unit(connection: Connection) -> None:
        if settings.load_all(connection).get(key) != number:
            raise NotStored("setting", key)
        settings.put(connection, key, number + 1)

    return unit


class Refused:
    """A unit that the store refuses the first time; the writer waits in it until it may go on."""

    def __init__(self, key: str, value: int) -> None:
        """Store a number the second time."""
        self.unit = put(key, value)
        self.refused = True
        self.running = threading.Event()
        self.may_go_on = threading.Event()

    def __call__(self, connection: Connection) -> None:
        """Try to store the number."""
        self.running.set()
        assert self.may_go_on.wait(5)
        connection.execute(f"PRAGMA query_only={self.refused}")
        self.refused = False
        try:
            self.unit(connection)
        finally:
            connection.execute("PRAGMA query_only=OFF")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Give a journal."""
    database = await Database.open(tmp_path / "aquarist.db", at=START)
    yield Desk(database)
    await database.close()


async def test_a_cause_is_on_disk_when_the_future_ends(desk: Desk) -> None:
    """And what follows from it has been called by then."""
    await desk.journal.commit(put("a", 1), desk.committed.append)
    assert desk.committed == [None]
    assert await desk.written() == {"a": 1}


async def test_a_cause_that_the_store_refuses_is_an_error(desk: Desk) -> None:
    """It is not kept: whoever asked has been told no."""
    async with read_only(desk.database):
        with pytest.raises(StoreReadOnlyError):
            await desk.journal.commit(put("a", 1), desk.committed.append)
    await desk.journal.retry()
    assert desk.journal.kept == 0
    assert desk.committed == []
    assert await desk.written() == {}


async def test_outcomes_are_kept_and_written_in_their_order(desk: Desk) -> None:
    """Only then does memory change."""
    async with read_only(desk.database):
        for number in (1, 2, 3):
            desk.record("a", number)
        await desk.settle()
        desk.record("a", 4)
        assert desk.journal.kept == 4
        await desk.journal.retry()
        assert desk.journal.kept == 4
        assert desk.committed == []
    await desk.journal.retry()
    assert desk.journal.kept == 0
    assert desk.committed == [1, 2, 3, 4]
    assert await desk.written() == {"a": 4}


async def test_what_is_recorded_while_the_kept_are_written_comes_after_them(
    desk: Desk,
) -> None:
    """No outcome overtakes another."""
    async with read_only(desk.database):
        desk.record("a", 1)
        desk.record("a", 2)
        await desk.settle()
    retrying = asyncio.ensure_future(desk.journal.retry())
    await asyncio.sleep(0)
    desk.record("a", 3)
    await desk.journal.retry()
    await retrying
    assert desk.committed == [1, 2, 3]


async def test_nothing_overtakes_what_was_refused(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """What is on its way when a fault comes waits behind it, though the store would take it."""
    refused = Refused("a", 1)
    desk.hand_over(refused, 1)
    assert refused.running.wait(5)
    desk.record("a", 2)
    # This one depends on what is before it: it must not be tried without.
    desk.hand_over(after("a", 2), 3)
    refused.may_go_on.set()
    while not desk.journal.kept:
        await asyncio.sleep(0)
    desk.record("a", 4)
    await desk.settle()
    assert desk.journal.kept == 4
    assert desk.committed == []
    assert await desk.written() == {}
    await desk.journal.retry()
    desk.record("a", 5)
    await desk.settle()
    assert desk.committed == [1, 2, 3, 4, 5]
    assert desk.journal.kept == 0
    assert await desk.written() == {"a": 5}
    assert "could not be recorded" not in caplog.text


async def test_a_cause_is_not_held_up_by_outcomes_that_wait(desk: Desk) -> None:
    """Somebody waits for it, and it says that the store is well again."""
    async with read_only(desk.database):
        desk.record("a", 1)
        await desk.settle()
    await desk.journal.commit(put("b", 2))
    assert await desk.written() == {"b": 2}
    assert desk.journal.kept == 1
    assert desk.troubles[-1] is None


async def test_a_fault_is_told_and_its_end_too(desk: Desk) -> None:
    """Causes and outcomes alike; whoever listens is told of every one."""
    async with read_only(desk.database):
        desk.record("a", 1)
        await desk.settle()
    assert set(desk.troubles) == {"store_read_only"}
    await desk.journal.retry()
    assert desk.troubles[-1] is None
    assert desk.troubles.count(None) == 1


async def test_an_outcome_that_is_wrong_itself_holds_nothing_up(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, now or when its turn comes."""
    desk.journal.record(broken)
    await desk.settle()
    assert desk.journal.kept == 0
    async with read_only(desk.database):
        desk.record("a", 1)
        await desk.settle()
        desk.journal.record(broken)
        desk.record("b", 2)
    await desk.journal.retry()
    assert await desk.written() == {"a": 1, "b": 2}
    assert caplog.text.count("An outcome could not be recorded") == 2


async def test_a_retry_that_is_called_off_writes_nothing_twice(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """What it has handed over comes back, and whoever tries next waits for that."""

    def once(connection: Connection) -> None:
        if "a" in settings.load_all(connection):
            raise AlreadyFinal("setting", "a")
        settings.put(connection, "a", 1)

    async with read_only(desk.database):
        desk.hand_over(once, 1)
        await desk.settle()
    gate, standing = await blocked(desk.database.writer)
    trying = asyncio.ensure_future(desk.journal.retry())
    await asyncio.sleep(0)
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    again = asyncio.ensure_future(desk.journal.retry())
    await asyncio.sleep(0)
    gate.opened.set()
    await asyncio.gather(standing, again)
    assert desk.journal.kept == 0
    assert desk.committed == [1]
    assert "could not be recorded" not in caplog.text


async def test_closing_writes_what_was_kept(desk: Desk) -> None:
    """As far as the store takes it."""
    async with read_only(desk.database):
        desk.record("a", 1)
        await desk.settle()
    await desk.journal.close()
    again = await Database.open(desk.database.path, at=START)
    assert await again.read(settings.load_all) == {"a": 1}
    await again.close()


async def test_who_waits_for_what_was_recorded(desk: Desk) -> None:
    """It is on disk then, also what the store refused before; else that is an error."""
    async with read_only(desk.database):
        desk.record("a", 1)
        with pytest.raises(StoreOwesError) as owed:
            await desk.journal.written()
        assert isinstance(owed.value.__cause__, StoreReadOnlyError)
    desk.record("b", 2)
    await desk.journal.written()
    assert desk.committed == [1, 2]
    assert await desk.written() == {"a": 1, "b": 2}


async def test_who_waits_is_told_of_what_was_recorded_and_could_not_be_written(
    desk: Desk,
) -> None:
    """Also where a cause of its own would have had room."""
    async with full(desk.database):
        for number in range(200):
            desk.journal.record(put(f"{number}", "x" * 1000))
        with pytest.raises(StoreOwesError) as owed:
            await desk.journal.written()
        assert isinstance(owed.value.__cause__, StoreFullError)
    await desk.journal.written()
    assert len(await desk.written()) == 200


async def test_who_has_nothing_recorded_is_owed_nothing(desk: Desk) -> None:
    """Whatever the store refuses meanwhile."""
    async with read_only(desk.database):
        await desk.journal.written()


async def test_a_closed_store_owes_nothing_more(desk: Desk) -> None:
    """What it did not take comes too late."""
    await desk.journal.close()
    desk.record("a", 1)
    with pytest.raises(StoreClosedError):
        await desk.journal.written()


async def test_without_a_store_nothing_is_waited_for() -> None:
    """There is none to wait for."""
    journal = Journal(None, lambda error: None)
    journal.record(put("a", 1))
    await journal.written()


async def test_without_a_store_nothing_is_accepted_and_nothing_piles_up() -> None:
    """The engine is locked, maybe for weeks: what can never be written is not kept."""
    journal = Journal(None, lambda error: None)
    assert journal.locked
    with pytest.raises(EngineError, match="store_locked"):
        journal.commit(lambda connection: None)
    journal.record(lambda connection: None)
    await journal.retry()
    assert journal.kept == 0
    await journal.close()


async def test_what_follows_from_a_commit_is_done_before_it_is_told(
    tmp_path: Path,
) -> None:
    """A device hears first, and only then whoever listens."""
    announcer = Announcer()
    happened: list[str] = []
    announcer.listen(lambda change: happened.append("told"))
    async with asyncio.timeout(5):
        database = await Database.open(tmp_path / "aquarist.db", at=START)
        journal = Journal(database, lambda error: None, announcer.acting)

        def committed(_: None) -> None:
            announcer.announce(StoreChanged(code=None))
            happened.append("done")

        await journal.commit(put("key", 1), committed)
        assert happened == ["done", "told"]
        await journal.close()
