"""The tables of schedules and their revisions."""

import sqlite3
from typing import Any

import pytest

from custom_components.aquarist.store import schedules
from custom_components.aquarist.store.errors import NotStored
from custom_components.aquarist.store.schedules import (
    Change,
    DuplicateName,
    ScheduleRow,
)

from .samples import AT, MINUTE

DAWN: dict[str, Any] = {"name": "Dawn", "action_params": {"level": 50}}


def create(connection: sqlite3.Connection, name: str = "Dawn") -> ScheduleRow:
    """Create a schedule."""
    return schedules.create(
        connection,
        name=name,
        definition=DAWN,
        enabled=True,
        next_run=AT,
        user="keeper",
        at=AT,
    )


def update(
    connection: sqlite3.Connection, schedule: int, **changes: Any
) -> ScheduleRow:
    """Change a schedule a minute later."""
    asked: dict[str, Any] = {
        "name": "Dawn",
        "definition": {"name": "Dawn"},
        "enabled": False,
        "next_run": None,
        "user": None,
        "at": AT + MINUTE,
    }
    return schedules.update(connection, schedule, **asked | changes)


def test_a_schedule_is_stored(connection: sqlite3.Connection) -> None:
    """With its definition as it came."""
    row = create(connection)
    assert row == ScheduleRow(
        id=1,
        name="Dawn",
        definition=DAWN,
        revision=1,
        enabled=True,
        next_run=AT,
        last_run=None,
        last_run_status=None,
        created_at=AT,
        updated_at=AT,
    )
    assert schedules.get(connection, 1) == row
    assert schedules.get(connection, 2) is None
    assert schedules.load_all(connection) == [row]


def test_a_name_is_used_once(connection: sqlite3.Connection) -> None:
    """A second schedule of that name is refused, new or renamed (R-B103)."""
    create(connection)
    dusk = create(connection, "Dusk")
    with pytest.raises(DuplicateName) as refused:
        create(connection)
    assert refused.value.name == "Dawn"
    with pytest.raises(DuplicateName):
        update(connection, dusk.id, name="Dawn")
    assert schedules.get(connection, dusk.id) == dusk
    assert len(schedules.revisions(connection, dusk.id)) == 1


def test_other_broken_constraints_are_not_taken_for_names(
    connection: sqlite3.Connection,
) -> None:
    """A schedule without a name is a mistake of ours."""
    with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
        update(connection, create(connection).id, name=None)


def test_every_change_is_a_revision(connection: sqlite3.Connection) -> None:
    """Who did what, when, and what came of it; also after the end (R-B70)."""
    row = create(connection)
    changed = update(connection, row.id)
    assert (changed.revision, changed.enabled, changed.next_run) == (2, False, None)
    assert (changed.created_at, changed.updated_at) == (AT, AT + MINUTE)
    gone = schedules.delete(connection, row.id, user="keeper", at=AT + 2 * MINUTE)
    assert gone == changed
    assert schedules.load_all(connection) == []
    told = [
        (item.revision, item.change, item.definition, item.user, item.at)
        for item in schedules.revisions(connection, row.id)
    ]
    assert told == [
        (1, Change.CREATED, DAWN, "keeper", AT),
        (2, Change.UPDATED, {"name": "Dawn"}, None, AT + MINUTE),
        (3, Change.DELETED, {"name": "Dawn"}, "keeper", AT + 2 * MINUTE),
    ]


def test_a_number_is_never_given_again(connection: sqlite3.Connection) -> None:
    """So that history cannot be mistaken for another schedule's."""
    row = create(connection)
    schedules.delete(connection, row.id, user=None, at=AT)
    assert create(connection).id == row.id + 1


def test_runs_are_no_revisions(connection: sqlite3.Connection) -> None:
    """What is not said stays; the next run is always said."""
    row = create(connection)
    schedules.set_run(
        connection, row.id, next_run=AT + MINUTE, last_run=AT, last_run_status="success"
    )
    schedules.set_run(connection, row.id, next_run=None, enabled=False)
    found = schedules.get(connection, row.id)
    assert found is not None
    assert (found.next_run, found.last_run, found.last_run_status) == (
        None,
        AT,
        "success",
    )
    assert (found.enabled, found.revision) == (False, 1)


def test_what_is_not_there_cannot_be_changed(connection: sqlite3.Connection) -> None:
    """Each way says so."""
    with pytest.raises(NotStored):
        update(connection, 9)
    with pytest.raises(NotStored):
        schedules.delete(connection, 9, user=None, at=AT)
    with pytest.raises(NotStored):
        schedules.set_run(connection, 9, next_run=None)
    assert schedules.revisions(connection, 9) == []


def test_a_definition_that_no_longer_validates_is_loaded(
    connection: sqlite3.Connection,
) -> None:
    """The store keeps what it was given; to judge it is for others (law 10)."""
    row = create(connection)
    connection.execute('UPDATE schedule SET definition = \'{"type": "gone"}\'')
    (found,) = schedules.load_all(connection)
    assert (found.id, found.definition) == (row.id, {"type": "gone"})
