"""The tables of definitions and their revisions."""

import sqlite3
from typing import Any

import pytest

from custom_components.aquarist.store import definitions
from custom_components.aquarist.store.definitions import Definition
from custom_components.aquarist.store.errors import Conflict, NameTaken, NotStored
from custom_components.aquarist.store.schedules import Change

from .samples import AT, MINUTE


def create(
    connection: sqlite3.Connection, name: str = "feed", kind: str = "macro"
) -> Definition:
    """Create a definition."""
    return definitions.create(
        connection, kind=kind, name=name, definition={"steps": []}, user="keeper", at=AT
    )


def update(connection: sqlite3.Connection, id: int, **changes: Any) -> Definition:
    """Change a definition a minute later."""
    asked: dict[str, Any] = {
        "name": "feed",
        "definition": {"steps": [1]},
        "enabled": False,
        "user": None,
        "at": AT + MINUTE,
    }
    return definitions.update(connection, id, **asked | changes)


def test_a_definition_is_stored(connection: sqlite3.Connection) -> None:
    """As it came, whether or not it still validates (law 10)."""
    macro = create(connection)
    assert macro == Definition(
        id=1,
        kind="macro",
        name="feed",
        definition={"steps": []},
        revision=1,
        enabled=True,
        created_at=AT,
        updated_at=AT,
    )
    mode = create(connection, kind="mode")
    other = create(connection, "clean")
    assert definitions.get(connection, macro.id) == macro
    assert definitions.get(connection, 99) is None
    assert definitions.load_all(connection, "macro") == [other, macro]
    assert definitions.load_all(connection, "mode") == [mode]


def test_every_change_is_a_revision(connection: sqlite3.Connection) -> None:
    """Who did what, when, under which name; also after the end (R-B70)."""
    macro = create(connection)
    changed = update(connection, macro.id, name="feeding", expected_revision=1)
    assert (changed.revision, changed.enabled, changed.name) == (2, False, "feeding")
    assert (changed.created_at, changed.updated_at) == (AT, AT + MINUTE)
    gone = definitions.remove(
        connection, macro.id, user="keeper", at=AT + 2 * MINUTE, expected_revision=2
    )
    assert gone.revision == 3
    assert definitions.load_all(connection, "macro") == []
    assert definitions.get(connection, macro.id) is None
    told = [
        (item.revision, item.change, item.name, item.definition, item.user, item.at)
        for item in definitions.revisions(connection, macro.id)
    ]
    assert told == [
        (1, Change.CREATED, "feed", {"steps": []}, "keeper", AT),
        (2, Change.UPDATED, "feeding", {"steps": [1]}, None, AT + MINUTE),
        (3, Change.DELETED, "feeding", {"steps": [1]}, "keeper", AT + 2 * MINUTE),
    ]


def test_a_name_is_used_once_a_kind(connection: sqlite3.Connection) -> None:
    """New or renamed; it is free again once its owner is removed."""
    feed, clean = create(connection), create(connection, "clean")
    create(connection, kind="mode")
    with pytest.raises(NameTaken) as refused:
        create(connection)
    assert (refused.value.table, refused.value.name) == ("definition", "feed")
    with pytest.raises(NameTaken):
        update(connection, clean.id)
    assert definitions.get(connection, clean.id) == clean
    assert len(definitions.revisions(connection, clean.id)) == 1
    definitions.remove(connection, feed.id, user=None, at=AT)
    assert create(connection).id not in (feed.id, clean.id)


def test_a_change_made_from_an_older_revision(connection: sqlite3.Connection) -> None:
    """It is refused with the present one, and nothing is stored (R-B70)."""
    macro = create(connection)
    present = update(connection, macro.id)
    with pytest.raises(Conflict) as refused:
        update(connection, macro.id, expected_revision=1)
    assert (refused.value.key, refused.value.present) == (macro.id, 2)
    with pytest.raises(Conflict):
        definitions.remove(connection, macro.id, user=None, at=AT, expected_revision=1)
    assert definitions.get(connection, macro.id) == present


def test_what_is_not_there_cannot_be_changed(connection: sqlite3.Connection) -> None:
    """Never made, or removed."""
    macro = create(connection)
    definitions.remove(connection, macro.id, user=None, at=AT)
    for number in (macro.id, 99):
        with pytest.raises(NotStored):
            update(connection, number)
        with pytest.raises(NotStored):
            definitions.remove(connection, number, user=None, at=AT)
    assert definitions.revisions(connection, 99) == []


def test_other_broken_constraints_are_not_taken_for_names(
    connection: sqlite3.Connection,
) -> None:
    """A definition without a name is a mistake of ours."""
    with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
        update(connection, create(connection).id, name=None)
