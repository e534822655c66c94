"""Lists of write actions as the store finds them (R-T33, R-T40 to R-T45)."""

from datetime import timedelta
import sqlite3
from typing import Any

import pytest

from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import Kind, Phase
from custom_components.aquarist.store import commands, devices, write_action_history
from custom_components.aquarist.store.write_action_history import WriteActionFilter

from .samples import AT, MINUTE, command

EVERYTHING = "abcdef"


def put_in(connection: sqlite3.Connection, letter: str, **changes: Any) -> Command:
    """Store one write action more, a minute after the one before."""
    number = EVERYTHING.index(letter)
    asked: dict[str, Any] = {
        "kind": Kind.WINDOW,
        "action": "write_action",
        "device": 1 + number % 3,
        "args": {"field_name": "level" if number < 4 else "red", "value": number},
        "created_at": AT + number * MINUTE,
        "starts_at": AT + timedelta(hours=number),
        "phase": Phase.FAILED if number % 2 else Phase.PLANNED,
        "completed_at": AT + timedelta(days=number),
    }
    stored, _ = commands.insert(connection, command(letter, **asked | changes))
    return stored


@pytest.fixture
def filled(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a store with six write actions, and a command that is none."""
    for letter in EVERYTHING:
        put_in(connection, letter)
    commands.insert(connection, command("other"))
    return connection


def letters(
    connection: sqlite3.Connection,
    limit: int = 100,
    offset: int = 0,
    **wanted: Any,
) -> tuple[int, str]:
    """Return how many meet a filter, and those of a page."""
    count, found = write_action_history.find(
        connection, WriteActionFilter(**wanted), limit, offset
    )
    for one, uuid in found:
        assert uuid == f"uuid-{one.device}"
    return count, "".join(one.id for one, _ in found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "fedcba"),
        ({"devices": ["uuid-1"]}, "da"),
        ({"devices": ["uuid-1", "uuid-3", "nobody"]}, "fdca"),
        ({"devices": []}, ""),
        ({"visible": [2]}, "eb"),
        ({"visible": [2], "devices": ["uuid-1"]}, ""),
        ({"fields": ["red"]}, "fe"),
        ({"fields": ["red", "level"]}, "fedcba"),
        ({"phases": [Phase.FAILED]}, "fdb"),
        ({"phases": [Phase.FAILED, Phase.PLANNED]}, "fedcba"),
        ({"phases": [Phase.COMPLETED]}, ""),
        ({"ids": ["a", "f", "other"]}, "fa"),
        ({"starts_after": AT + timedelta(hours=3)}, "fe"),
        ({"fields": ["level"], "phases": [Phase.FAILED], "ids": ["b", "f"]}, "b"),
    ],
)
def test_filters(
    filled: sqlite3.Connection, wanted: dict[str, Any], found: str
) -> None:
    """The one accepted last comes first; all filters have to be met."""
    assert letters(filled, **wanted) == (len(found), found)


def test_pages(filled: sqlite3.Connection) -> None:
    """The count is that of all pages."""
    assert letters(filled, 4, 0) == (6, "fedc")
    assert letters(filled, 4, 4) == (6, "ba")
    assert letters(filled, 4, 8) == (6, "")


def test_by_id(filled: sqlite3.Connection) -> None:
    """Of devices out of use, too."""
    devices.retire(filled, 1, AT)
    found = write_action_history.get(filled, ["a", "b", "none", "other"])

    assert {key: uuid for key, (_, uuid) in found.items()} == {
        "a": "uuid-1",
        "b": "uuid-2",
    }
    assert found["a"][0].args == {"field_name": "level", "value": 0}
    assert write_action_history.get(filled, []) == {}


def test_an_id_is_found_without_reading_all(filled: sqlite3.Connection) -> None:
    """However many are kept."""
    asked: list[str] = []
    filled.set_trace_callback(asked.append)
    write_action_history.get(filled, ["w1"])
    filled.set_trace_callback(None)
    for statement in asked:
        plan = filled.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        assert "command USING INDEX sqlite_autoindex_command_1 (id=?)" in str(plan)
    assert len(asked) == 2


def test_what_ended_lately(filled: sqlite3.Connection) -> None:
    """In the order in which they ended."""
    since = AT + timedelta(days=3)
    found = write_action_history.ended_since(filled, [Phase.FAILED], since)

    assert [one.id for one in found] == ["d", "f"]


@pytest.mark.parametrize(
    ("phases", "found"),
    [
        ([Phase.RESTORING], "c"),
        ([Phase.FAILED], "a"),
        ([Phase.STOPPED], "b"),
        ([Phase.FAILED, Phase.STOPPED, Phase.RESTORING], "cba"),
    ],
)
def test_what_failed_and_is_still_given_back_is_found_as_failed(
    connection: sqlite3.Connection, phases: list[Phase], found: str
) -> None:
    """As it is told (R-T42): by the phase that is shown."""
    codes = (ErrorCode.DEVICE_TIMEOUT, ErrorCode.COMMAND_CANCELLED, None)
    for letter, code in zip("abc", codes, strict=True):
        stored = put_in(
            connection, letter, phase=Phase.RESTORING, error_code=code, error=code
        )
        assert (stored.shown_phase in phases) == (letter in found)
    assert letters(connection, phases=phases)[1] == found
