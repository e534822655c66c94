"""Lists of commands by every filter, and the export page by page (R-C33)."""

from collections.abc import Iterator
from datetime import timedelta
import sqlite3
from typing import Any

import pytest

from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import FINAL, Phase
from custom_components.aquarist.store import command_history, commands, filing
from custom_components.aquarist.store.command_history import CommandFilter
from custom_components.aquarist.store.database import Database

from .samples import AT, MINUTE, command

EVERY = CommandFilter()


def put_in(connection: sqlite3.Connection, **changes: Any) -> Command:
    """Store one command more, named by its number."""
    number = connection.execute("SELECT count(*) FROM command").fetchone()[0]
    stored, _ = commands.insert(connection, command(f"c{number}", **changes))
    return stored


def ids(found: list[Command]) -> list[str]:
    """Return the ids of commands."""
    return [item.id for item in found]


def pages(
    connection: sqlite3.Connection, wanted: CommandFilter, limit: int
) -> Iterator[list[str]]:
    """Give the ids page by page, each asked for by the last command of the one before."""
    before = None
    while found := command_history.find(connection, wanted, limit, before):
        yield ids(found)
        before = found[-1].order


@pytest.fixture(params=[0, 40, 60], ids=lambda number: f"{number} filed")
def mixed(
    connection: sqlite3.Connection, request: pytest.FixtureRequest
) -> sqlite3.Connection:
    """Return a store with 60 commands, one a minute, in which each filter finds some."""
    phases = sorted(Phase)
    for number in range(60):
        if number == request.param:
            filing.file(connection)
        put_in(
            connection,
            device=1 + number % 3,
            phase=Phase.COMPLETED if number % 2 else phases[number // 2 % len(phases)],
            action="dose" if number % 7 == 0 else "set_level",
            user="keeper" if number % 5 == 0 else None,
            created_at=AT + number * MINUTE,
        )
    if request.param == 60:
        filing.file(connection)
    return connection


FILTERS = {
    "nothing asked": EVERY,
    "device": CommandFilter(device=2),
    "action": CommandFilter(action="dose"),
    "user": CommandFilter(user="keeper"),
    "completed": CommandFilter(phases=frozenset({Phase.COMPLETED})),
    "failed": CommandFilter(phases=frozenset({Phase.FAILED})),
    "ended": CommandFilter(phases=FINAL),
    "open": CommandFilter(phases=frozenset(Phase) - FINAL),
    "no phase": CommandFilter(phases=frozenset()),
    "since": CommandFilter(since=AT + 30 * MINUTE),
    "until": CommandFilter(until=AT + 30 * MINUTE),
    "between": CommandFilter(since=AT + 10 * MINUTE, until=AT + 50 * MINUTE),
    "device and action": CommandFilter(device=1, action="dose"),
    "action and user": CommandFilter(action="dose", user="keeper"),
    "device and phases in a time": CommandFilter(
        device=1,
        phases=frozenset({Phase.FAILED, Phase.COMPLETED}),
        since=AT + 5 * MINUTE,
        until=AT + 55 * MINUTE,
    ),
    "everything": CommandFilter(
        device=1,
        phases=frozenset({Phase.COMPLETED}),
        action="set_level",
        user="keeper",
        since=AT,
        until=AT + 60 * MINUTE,
    ),
    "unknown words": CommandFilter(device=9, action="nothing", user="nobody"),
}


def meets(item: Command, wanted: CommandFilter) -> bool:
    """Return whether a command is what a filter asks for."""
    return (
        wanted.device in (None, item.device)
        and wanted.action in (None, item.action)
        and wanted.user in (None, item.user)
        and (wanted.phases is None or item.phase in wanted.phases)
        and (wanted.since is None or item.created_at >= wanted.since)
        and (wanted.until is None or item.created_at < wanted.until)
    )


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_finds_what_meets_it(mixed: sqlite3.Connection, name: str) -> None:
    """Newest first, in one page or in many, without a gap or a repetition."""
    wanted = FILTERS[name]
    every = command_history.find(mixed, EVERY, 1000)
    assert len(every) == 60
    expected = ids([item for item in every if meets(item, wanted)])
    assert ids(command_history.find(mixed, wanted, 1000)) == expected
    told = list(pages(mixed, wanted, 4))
    assert [one for page in told for one in page] == expected
    assert all(len(page) == 4 for page in told[:-1])


def test_commands_of_one_instant_are_in_their_own_order(
    connection: sqlite3.Connection,
) -> None:
    """No page loses one of them, whatever the clock did."""
    for minute in (0, 0, 0, -5, 3, 0):
        put_in(connection, created_at=AT + minute * MINUTE)
    told = list(pages(connection, EVERY, 2))
    assert told == [["c4", "c5"], ["c2", "c1"], ["c0", "c3"]]


def test_a_page_after_what_is_gone_is_empty(connection: sqlite3.Connection) -> None:
    """What was before it is gone as well."""
    put_in(connection)
    assert command_history.find(connection, EVERY, 10, before=99) == []


@pytest.mark.parametrize("name", FILTERS)
def test_a_page_costs_a_page(mixed: sqlite3.Connection, name: str) -> None:
    """Every search reads its rows off an index in order; only the page itself is sorted."""
    asked: list[str] = []
    mixed.set_trace_callback(asked.append)
    command_history.find(mixed, FILTERS[name], 10, before=60)
    mixed.set_trace_callback(None)
    searches = [one for one in asked if "ORDER BY" in one]
    assert bool(searches) == (name != "no phase")
    for statement in searches:
        plan = mixed.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        parents = {row[0]: row[1] for row in plan}
        # The few that are not filed are read through.
        through = {row[1] for row in plan if row[3].endswith("PRIMARY KEY (rowid>?)")}
        for number, _, _, text in plan:
            if "TEMP B-TREE" in text:
                assert parents[number] in (0, *through)
            assert not text.startswith("SCAN command") or "INDEX" in text


async def fill(database: Database, count: int) -> None:
    """Store commands, one a minute."""

    def unit(connection: sqlite3.Connection) -> None:
        for number in range(count):
            put_in(
                connection,
                device=1 + number % 2,
                created_at=AT + number * MINUTE,
                phase=Phase.COMPLETED,
            )

    await database.writer.write(unit)


@pytest.mark.parametrize("size", [1, 3, 10, 500])
async def test_an_export_is_the_history(database: Database, size: int) -> None:
    """All of it, oldest first, no page larger than asked for."""
    await fill(database, 10)
    exported = [
        page async for page in command_history.export(database, EVERY, size=size)
    ]
    assert max(len(page) for page in exported) <= size
    history = await database.read(
        lambda connection: command_history.find(connection, EVERY, 100)
    )
    assert [item for page in exported for item in page] == history[::-1]


async def test_an_export_of_a_time(database: Database) -> None:
    """From its first instant on, up to the one that is left out, of one device."""
    await fill(database, 10)
    wanted = CommandFilter(device=1, since=AT + 2 * MINUTE, until=AT + 8 * MINUTE)
    exported = [ids(page) async for page in command_history.export(database, wanted)]
    assert exported == [["c2", "c4", "c6"]]


async def test_an_export_of_nothing(database: Database) -> None:
    """No page at all."""
    assert [page async for page in command_history.export(database, EVERY)] == []


async def test_an_export_ends(database: Database) -> None:
    """What is accepted while it goes on is not part of it; nothing is held open."""
    await fill(database, 4)
    exported: list[str] = []
    async for page in command_history.export(database, EVERY, size=2):
        exported += ids(page)
        await fill(database, 2)
        # A view that stayed open would keep the log from being folded.
        await database.writer.pause_checkpoints()
        await database.writer.resume_checkpoints()
    assert exported == ["c0", "c1", "c2", "c3"]


async def test_what_ends_meanwhile_is_told_as_it_ended(database: Database) -> None:
    """A record is read when its page is."""
    await fill(database, 1)
    later, _ = await database.writer.write(
        lambda connection: commands.insert(
            connection, command("later", created_at=AT + timedelta(days=1))
        )
    )
    told: list[Phase] = []
    async for page in command_history.export(database, EVERY, size=1):
        told += [item.phase for item in page]
        await database.writer.write(
            lambda connection: (
                connection.execute(
                    "UPDATE command SET phase = 'failed' WHERE ordinal = ?",
                    (later.order,),
                ).rowcount
            )
        )
    assert told == [Phase.COMPLETED, Phase.FAILED]


@pytest.mark.parametrize(
    ("phases", "found"),
    [
        ({Phase.RESTORING}, ["c2"]),
        ({Phase.FAILED}, ["c0"]),
        ({Phase.STOPPED}, ["c1"]),
        ({Phase.FAILED, Phase.STOPPED, Phase.RESTORING}, ["c2", "c1", "c0"]),
    ],
)
def test_what_failed_and_is_still_given_back_is_found_as_failed(
    connection: sqlite3.Connection, phases: set[Phase], found: list[str]
) -> None:
    """As it is told: by the phase that is shown."""
    codes = (ErrorCode.DEVICE_TIMEOUT, ErrorCode.COMMAND_CANCELLED, None)
    for number, code in enumerate(codes):
        created_at = AT + number * MINUTE
        put_in(
            connection, phase=Phase.RESTORING, error_code=code, created_at=created_at
        )
    wanted = CommandFilter(phases=frozenset(phases))
    assert ids(command_history.find(connection, wanted, 10)) == found
