"""The table of commands: one record a cause, found again by its id (RES-44)."""

from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
import sqlite3
import threading
from typing import Any

import pytest

from custom_components.aquarist.commands.command import (
    Command,
    ErrorCode,
    Source,
    advance,
)
from custom_components.aquarist.commands.phases import FINAL, Kind, Phase
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.store import commands
from custom_components.aquarist.store.commands import ConflictingId
from custom_components.aquarist.store.errors import AlreadyFinal, NotStored
from custom_components.aquarist.store.migrations import STEPS
from custom_components.aquarist.store.opening import open_for_writing
from custom_components.aquarist.store.work import TOGETHER, NotTogetherError

from .samples import AT, MINUTE, add_devices, command, newest

FULL = Command(
    id="full",
    device=2,
    kind=Kind.WINDOW,
    action="window",
    source=Source.WEBSOCKET,
    created_at=AT,
    args={"level": 50, "names": ["a", None, True], "text": "{{ x }} <b>\"ö'"},
    field="level",
    value={"level": 50.5, "mix_red": 3},
    layer=Layer.WINDOW,
    phase=Phase.PLANNED,
    starts_at=AT + MINUTE,
    ends_at=AT + 2 * MINUTE,
    expires_at=AT + 3 * MINUTE,
    timeout=7.5,
    repeatable=False,
    attempts=2,
    started_at=AT + 4 * MINUTE,
    completed_at=AT + 5 * MINUTE,
    result={"given": 1},
    error_code=ErrorCode.DEVICE_TIMEOUT,
    error="too late",
    error_details={"after": 3},
    schedule=4,
    occurrence=5,
    depth=6,
    user="user",
    context="context",
    run=7,
    step=8,
    retry_of="first",
)


def test_every_field_comes_back(connection: sqlite3.Connection) -> None:
    """A command with all of its fields set, and one with none that can be left out."""
    untouched = [item.name for item in fields(Command) if item.name != "order"]
    bare = Command(
        id="bare",
        device=1,
        kind=Kind.RAW,
        action="raw",
        source=Source.ENGINE,
        created_at=AT,
    )
    defaults = [
        name
        for name in untouched
        if name != "phase" and getattr(FULL, name) == getattr(bare, name)
    ]
    assert defaults == ["created_at"]
    for given in (FULL, bare):
        stored, new = commands.insert(connection, given)
        assert new
        found = commands.get(connection, given.device, given.id)
        assert found == stored
        assert found is not None
        for name in untouched:
            assert getattr(found, name) == getattr(given, name), name
        assert isinstance(found.kind, Kind)
        assert isinstance(found.phase, Phase)


def test_orders_rise_and_are_never_given_again(connection: sqlite3.Connection) -> None:
    """Not even when the newest command is gone."""
    first, _ = commands.insert(connection, command("a"))
    second, _ = commands.insert(connection, command("b"))
    connection.execute("DELETE FROM command WHERE ordinal = ?", (second.order,))
    third, _ = commands.insert(connection, command("c"))
    assert first.order < second.order < third.order


def test_the_same_again_is_the_stored_one(connection: sqlite3.Connection) -> None:
    """It comes with its present phase and order, and nothing is stored."""
    first, _ = commands.insert(connection, command())
    commands.update(connection, advance(first, Phase.APPLYING, AT + MINUTE))
    again, new = commands.insert(
        connection, command(created_at=AT + MINUTE, source=Source.WEBSOCKET)
    )
    assert not new
    assert (again.order, again.phase) == (first.order, Phase.APPLYING)
    assert again.source is Source.SERVICE
    assert len(newest(connection)) == 1


def test_what_only_looks_different_is_the_same(connection: sqlite3.Connection) -> None:
    """Whole seconds and a tuple come back as a float and a list."""
    commands.insert(connection, command(timeout=10, args={"levels": (1, 2)}))
    _, new = commands.insert(connection, command(timeout=10.0, args={"levels": [1, 2]}))
    assert not new


def test_what_follows_from_a_request_is_not_the_request(
    connection: sqlite3.Connection,
) -> None:
    """The level that `turn_on` comes to depends on the moment (RES-44)."""
    commands.insert(connection, command(value={"level": 40}))
    _, new = commands.insert(connection, command(value={"level": 70}))
    assert not new


@pytest.mark.parametrize(
    "changes",
    [
        {"args": {"level": 51}},
        {"action": "turn_on"},
        {"timeout": 11.0},
        {"ends_at": AT + MINUTE},
        {"starts_at": AT + MINUTE},
    ],
)
def test_an_id_used_for_something_else(
    connection: sqlite3.Connection, changes: dict[str, Any]
) -> None:
    """It is refused with the stored one, which stays as it is (RES-44)."""
    first, _ = commands.insert(connection, command())
    with pytest.raises(ConflictingId) as refused:
        commands.insert(connection, command(**changes))
    assert refused.value.stored == first
    assert newest(connection) == [first]


def test_an_id_belongs_to_its_device(connection: sqlite3.Connection) -> None:
    """Another device may use it for its own."""
    _, first = commands.insert(connection, command(device=1))
    _, second = commands.insert(connection, command(device=2, args={"level": 1}))
    assert first
    assert second


def test_a_device_that_does_not_exist(connection: sqlite3.Connection) -> None:
    """The store refuses the command."""
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        commands.insert(connection, command(device=9))


def test_phase_and_outcome_are_updated(connection: sqlite3.Connection) -> None:
    """And nothing else."""
    first, _ = commands.insert(connection, command())
    applying = advance(first, Phase.APPLYING, AT + MINUTE)
    commands.update(connection, applying)
    assert commands.get(connection, 1, "first") == applying
    failed = advance(
        applying,
        Phase.FAILED,
        AT + 2 * MINUTE,
        result={"n": 1},
        error_code=ErrorCode.DEVICE_BUSY,
        error="busy",
        error_details={"by": "app"},
    )
    commands.update(connection, failed)
    assert commands.get(connection, 1, "first") == failed


@pytest.mark.parametrize("phase", sorted(FINAL))
def test_what_has_ended_stays_as_it_ended(
    connection: sqlite3.Connection, phase: Phase
) -> None:
    """A second end is refused (law 8)."""
    ended, _ = commands.insert(connection, command(phase=phase))
    with pytest.raises(AlreadyFinal) as refused:
        commands.update(connection, command(phase=Phase.APPLYING, order=ended.order))
    assert (refused.value.table, refused.value.key) == ("command", "1/first")
    assert commands.get(connection, 1, "first") == ended


def test_what_was_never_stored_cannot_be_updated(
    connection: sqlite3.Connection,
) -> None:
    """It has no order yet."""
    with pytest.raises(NotStored):
        commands.update(connection, command())
    assert commands.get(connection, 1, "first") is None


MANY = 2 * TOGETHER + 3


def many(**changes: Any) -> list[Command]:
    """Return so many commands that some share a statement and some do not."""
    return [
        command(f"c{number:02}", device=number % 3 + 1, **changes)
        for number in range(MANY)
    ]


def test_many_are_stored_as_one_after_the_other(
    connection: sqlite3.Connection,
) -> None:
    """Every one comes back whole, in the order given."""
    asked = [*many(), *(replace(FULL, id=f"f{number}") for number in range(MANY))]
    stored = commands.insert_all(connection, asked)
    assert all(new for _, new in stored)
    assert [replace(one, order=0) for one, _ in stored] == asked
    first = stored[0][0].order
    assert [one.order for one, _ in stored] == [*range(first, first + len(asked))]
    for one, _ in stored:
        assert commands.get(connection, one.device, one.id) == one


def test_of_many_one_that_is_known(connection: sqlite3.Connection) -> None:
    """They cannot share a statement; alone it is the stored one again (RES-44)."""
    known, _ = commands.insert(connection, command("c05", device=3))
    connection.execute("BEGIN")
    with pytest.raises(NotTogetherError):
        commands.insert_all(connection, many())
    connection.execute("ROLLBACK")
    assert commands.insert_all(connection, [command("c05", device=3)]) == [
        (known, False)
    ]


def test_many_write_actions_know_of_each_other(connection: sqlite3.Connection) -> None:
    """The id of one is taken at every device, also among those stored with it (RES-44)."""
    writes = [
        command(f"w{number}", action=commands.WRITE_ACTION, device=number % 3 + 1)
        for number in range(TOGETHER - 1)
    ]
    twin = command("w0", action=commands.WRITE_ACTION, device=3)
    with pytest.raises(ConflictingId) as refused:
        commands.insert_all(connection, [*writes, twin])
    assert refused.value.stored.device == 1


@pytest.mark.parametrize("first", [commands.WRITE_ACTION, commands.SYNCHRONOUS_WRITE])
@pytest.mark.parametrize("then", [commands.WRITE_ACTION, commands.SYNCHRONOUS_WRITE])
def test_an_id_is_one_write_whether_it_was_waited_for_or_not(
    connection: sqlite3.Connection, first: str, then: str
) -> None:
    """RES-44: the scope of the id is global; that of a command is its device."""
    commands.insert(connection, command("w", action=first, device=1))
    with pytest.raises(ConflictingId) as refused:
        commands.insert(connection, command("w", action=then, device=2))
    assert refused.value.stored.device == 1
    assert commands.insert(connection, command("w", device=3))[1]


def test_many_are_updated_as_one_after_the_other(
    connection: sqlite3.Connection,
) -> None:
    """Each has its own phase and outcome; of two about one command the later one stands."""
    stored = [one for one, _ in commands.insert_all(connection, many())]
    applying = [advance(one, Phase.APPLYING, AT + MINUTE) for one in stored]
    ended = [
        advance(one, Phase.COMPLETED, AT + 2 * MINUTE, result={"n": number})
        for number, one in enumerate(applying[:TOGETHER])
    ]
    commands.update_all(connection, [*applying[::-1], applying[0], *ended])
    assert newest(connection, MANY) == [*ended, *applying[TOGETHER:]][::-1]
    held = [advance(one, Phase.IN_FORCE, AT) for one in applying[TOGETHER:]]
    stopped = [advance(one, Phase.RESTORING, AT) for one in held]
    both = [one for pair in zip(held, stopped, strict=True) for one in pair]
    commands.update_all(connection, both)
    assert newest(connection, MANY) == [*ended, *stopped][::-1]


@pytest.mark.parametrize("missing", [True, False])
def test_of_many_one_that_cannot_be_updated(
    connection: sqlite3.Connection, missing: bool
) -> None:
    """They cannot share a statement; alone it is refused for its reason (law 8)."""
    stored = [one for one, _ in commands.insert_all(connection, many())]
    applying = [advance(one, Phase.APPLYING, AT) for one in stored]
    if missing:
        applying[3] = replace(applying[3], order=999)
    else:
        commands.update(connection, advance(applying[3], Phase.COMPLETED, AT))
    with pytest.raises(NotTogetherError):
        commands.update_all(connection, applying)
    with pytest.raises(NotStored if missing else AlreadyFinal):
        commands.update_all(connection, applying[3:4])


def test_the_commands_that_have_not_ended(connection: sqlite3.Connection) -> None:
    """In the order of acceptance, whatever their phase (R-C23)."""
    for phase in Phase:
        commands.insert(connection, command(phase.value, phase=phase))
    commands.insert(connection, command("last", device=2))
    assert [item.id for item in commands.not_final(connection)] == [
        "planned",
        "applying",
        "in_force",
        "restoring",
        "last",
    ]


def test_the_commands_of_an_occurrence_and_of_a_run(
    connection: sqlite3.Connection,
) -> None:
    """In the order of acceptance."""
    commands.insert(connection, command("a", occurrence=7, run=1))
    commands.insert(connection, command("b", occurrence=8, run=2))
    commands.insert(connection, command("c", occurrence=7, run=1, device=2))
    for found in (
        commands.of_occurrence(connection, 7),
        commands.of_run(connection, 1),
    ):
        assert [item.id for item in found] == ["a", "c"]


BY_ID = "sqlite_autoindex_command_1"
QUERIES = {
    "of an occurrence": (commands._OF_OCCURRENCE, "command_occurrence"),
    "of a run": (commands._OF_RUN, "command_run"),
    "not ended": (commands._NOT_FINAL, "command_phase"),
    "of an id": (commands._GET, BY_ID),
    "write action of an id": (commands._WRITE_ACTION, BY_ID),
    "write of an id elsewhere": (commands._ELSEWHERE, BY_ID),
}


@pytest.mark.parametrize("name", QUERIES)
def test_the_few_are_found_by_their_index(
    connection: sqlite3.Connection, name: str
) -> None:
    """However many others there are."""
    statement, index = QUERIES[name]
    values = [1] * statement.count("?")
    plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
    assert f"INDEX {index} " in " ".join(row[3] for row in plan)


def test_two_writers_with_one_id(path: Path) -> None:
    """Whoever comes first has it; the other finds it, and nothing is there twice."""
    with closing(open_for_writing(path, AT, STEPS)) as opened:
        add_devices(opened)
    start = threading.Barrier(2)
    answers: list[tuple[int, bool]] = []

    def insert_all() -> None:
        """Insert the same fifty commands as the other one, each durably."""
        with closing(open_for_writing(path, AT, STEPS)) as own:
            start.wait(10)
            for number in range(50):
                own.execute("BEGIN IMMEDIATE")
                stored, new = commands.insert(own, command(f"c{number}"))
                own.execute("COMMIT")
                answers.append((stored.order, new))

    threads = [threading.Thread(target=insert_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == 100
    orders = {order for order, new in answers if new}
    assert len(orders) == 50
    assert {order for order, new in answers if not new} == orders
