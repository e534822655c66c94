"""Rows that have a name: a name that is another's is refused, all else is passed on."""

import sqlite3

import pytest

from custom_components.aquarist.store.named import named


@pytest.fixture
def connection() -> sqlite3.Connection:
    """Return a connection to a table whose rows have names, and one that is taken."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE row (name TEXT UNIQUE, at INTEGER NOT NULL)")
    connection.execute("INSERT INTO row VALUES ('taken', 1)")
    return connection


INSERT = "INSERT INTO row VALUES (?, ?) RETURNING name"


def test_the_row_is_returned(connection: sqlite3.Connection) -> None:
    """As the statement makes it."""
    assert named(connection, INSERT, ("free", 2), LookupError("free")) == ("free",)


def test_a_name_that_is_taken(connection: sqlite3.Connection) -> None:
    """The error is the caller's, who knows whose name it is."""
    with pytest.raises(LookupError, match="taken") as refused:
        named(connection, INSERT, ("taken", 2), LookupError("taken"))
    assert isinstance(refused.value.__cause__, sqlite3.IntegrityError)


def test_another_constraint(connection: sqlite3.Connection) -> None:
    """It has nothing to do with the name."""
    with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
        named(connection, INSERT, ("free", None), LookupError("free"))
