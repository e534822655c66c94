"""Filing: which commands each device had, found whether they are filed yet or not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
import sqlite3

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.store import command_history, commands
from custom_components.aquarist.store.command_history import CommandFilter
from custom_components.aquarist.store.filing import FILE_AFTER, file, is_filed, mark
from custom_components.aquarist.store.migrations import STEPS
from custom_components.aquarist.store.opening import open_for_reading, open_for_writing
from custom_components.aquarist.store.retention import purge
from custom_components.aquarist.store.writer import Writer

from .samples import AT, MINUTE, add_devices, command
from .test_command_history import ids, put_in

FIRST = CommandFilter(device=1)


def filed(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    """Return device and order of what is filed."""
    return connection.execute(
        "SELECT device, ordinal FROM command_by_device ORDER BY ordinal"
    ).fetchall()


def test_a_store_without_commands_has_nothing_to_file(
    connection: sqlite3.Connection,
) -> None:
    """Nor does filing do any harm."""
    assert mark(connection) == 0
    assert is_filed(connection)
    file(connection)
    assert filed(connection) == []
    assert is_filed(connection)


def test_each_command_is_filed_once(connection: sqlite3.Connection) -> None:
    """However often it is asked for; what comes later is filed later."""
    put_in(connection, device=1)
    put_in(connection, device=2)
    assert not is_filed(connection)
    file(connection)
    file(connection)
    assert filed(connection) == [(1, 1), (2, 2)]
    put_in(connection, device=1)
    assert not is_filed(connection)
    assert mark(connection) == 2
    file(connection)
    assert filed(connection) == [(1, 1), (2, 2), (1, 3)]


def test_what_is_filed_and_what_is_not_is_one_history(
    connection: sqlite3.Connection,
) -> None:
    """In the order of acceptance by the clock, although one accepted late was filed first."""
    for minute in (5, 1):
        put_in(connection, device=1, created_at=AT + minute * MINUTE)
    file(connection)
    for minute in (3, 9):
        put_in(connection, device=1, created_at=AT + minute * MINUTE)
    found = command_history.find(connection, FIRST, 10)
    assert ids(found) == ["c3", "c0", "c2", "c1"]
    assert ids(command_history.find(connection, FIRST, 2)) == ["c3", "c0"]
    rest = command_history.find(connection, FIRST, 2, before=found[1].order)
    assert ids(rest) == ["c2", "c1"]


def test_what_is_purged_is_filed_no_longer(connection: sqlite3.Connection) -> None:
    """And what was accepted after it keeps its place."""
    put_in(connection, device=1, phase=Phase.COMPLETED, completed_at=AT)
    put_in(connection, device=1, created_at=AT + timedelta(days=2))
    file(connection)
    purge(connection, AT + timedelta(days=1), AT + timedelta(days=3))
    assert filed(connection) == [(1, 2)]
    connection.execute("DELETE FROM command")
    assert is_filed(connection)
    put_in(connection, device=1)
    assert not is_filed(connection)


@pytest.fixture
async def resting(path: Path) -> AsyncIterator[Callable[[float], Writer]]:
    """Return what makes a writer that rests after so many seconds without work."""
    writers: list[Writer] = []

    def made(idle: float) -> Writer:
        connection = open_for_writing(path, AT, STEPS)
        add_devices(connection, 2)
        loop = asyncio.get_running_loop()
        writers.append(Writer(connection, path, loop, pauses=(), idle=idle))
        return writers[-1]

    yield made
    for writer in writers:
        await writer.close()


async def until(path: Path, holds: Callable[[sqlite3.Connection], bool]) -> None:
    """Wait until something holds of what is committed."""
    with closing(open_for_reading(path)) as connection:
        async with asyncio.timeout(10):
            while not holds(connection):
                await asyncio.sleep(0.01)


async def test_the_writer_files_when_it_rests(
    path: Path, resting: Callable[[float], Writer]
) -> None:
    """Also what was left behind in another life."""
    first = resting(3600)
    await first.write(lambda connection: put_in(connection, device=1))
    await first.close()
    with closing(open_for_reading(path)) as connection:
        assert filed(connection) == []
    writer = resting(0.01)
    await until(path, lambda connection: filed(connection) == [(1, 1)])
    await writer.write(lambda connection: put_in(connection, device=2))
    await until(path, lambda connection: filed(connection) == [(1, 1), (2, 2)])


async def test_a_writer_that_never_rests_files_all_the_same(
    path: Path, resting: Callable[[float], Writer]
) -> None:
    """After so many units of work."""
    writer = resting(3600)
    await writer.write(lambda connection: put_in(connection, device=1))
    units = [writer.write(lambda connection: None) for _ in range(FILE_AFTER)]
    await asyncio.gather(*units)
    await writer.write(lambda connection: None)
    await until(path, lambda connection: filed(connection) == [(1, 1)])


async def test_what_cannot_be_filed_is_found_all_the_same(
    path: Path,
    resting: Callable[[float], Writer],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The writer says so once and goes on."""
    writer = resting(0.01)

    def spoil(connection: sqlite3.Connection) -> None:
        connection.execute(
            "CREATE TRIGGER never BEFORE INSERT ON command_by_device "
            "BEGIN SELECT RAISE(ABORT, 'the drawer is stuck'); END"
        )
        commands.insert(connection, command("first"))

    await writer.write(spoil)
    async with asyncio.timeout(10):
        while "could not be filed: the drawer is stuck" not in caplog.text:
            await asyncio.sleep(0.01)
    found = await writer.write(
        lambda connection: command_history.find(connection, FIRST, 10)
    )
    assert ids(found) == ["first"]
