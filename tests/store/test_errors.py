"""What SQLite's errors mean for the store."""

from pathlib import Path
import sqlite3

import pytest

from custom_components.aquarist.store.errors import (
    AlreadyFinal,
    NotStored,
    StoreCorruptError,
    StoreFailedError,
    StoreFullError,
    StoreReadOnlyError,
    damaged,
    of_the_store,
    passing,
    translated,
)


def failure(code: int) -> sqlite3.OperationalError:
    """Return an error as the sqlite3 module makes it."""
    error = sqlite3.OperationalError("no")
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_SOMETHING"
    return error


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, StoreFullError),
        (sqlite3.SQLITE_READONLY, StoreReadOnlyError),
        (sqlite3.SQLITE_READONLY_DBMOVED, StoreReadOnlyError),
        (sqlite3.SQLITE_CORRUPT, StoreCorruptError),
        (sqlite3.SQLITE_CORRUPT_INDEX, StoreCorruptError),
        (sqlite3.SQLITE_NOTADB, StoreCorruptError),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreFailedError),
        (sqlite3.SQLITE_CANTOPEN, StoreFailedError),
        (sqlite3.SQLITE_BUSY, StoreFailedError),
    ],
)
def test_each_fault_has_its_error(
    code: int, expected: type[Exception], tmp_path: Path
) -> None:
    """Extended codes count as their primary one."""
    error = translated(failure(code), tmp_path / "aquarist.db")
    assert type(error) is expected
    assert error.path == tmp_path / "aquarist.db"
    assert str(error) == "SQLITE_SOMETHING: no"
    assert of_the_store(failure(code))


def test_what_cannot_be_opened_without_a_path_failed() -> None:
    """Nothing is known about the folder then."""
    assert type(translated(failure(sqlite3.SQLITE_CANTOPEN))) is StoreFailedError


def test_an_error_without_a_code_failed() -> None:
    """Such as a connection that is closed."""
    assert translated(sqlite3.ProgrammingError("closed")).code == "store_failed"


def test_which_faults_may_pass() -> None:
    """A full disk may get room; a damaged or read-only file does not mend itself."""
    assert passing(failure(sqlite3.SQLITE_FULL))
    assert passing(failure(sqlite3.SQLITE_IOERR_WRITE))
    assert passing(failure(sqlite3.SQLITE_BUSY_SNAPSHOT))
    assert not passing(failure(sqlite3.SQLITE_READONLY))
    assert not passing(failure(sqlite3.SQLITE_CORRUPT))
    assert not passing(StoreFailedError("gone"))


def test_a_broken_constraint_is_not_the_stores_fault() -> None:
    """Nor is any error that is not SQLite's."""
    assert not of_the_store(failure(sqlite3.SQLITE_CONSTRAINT_UNIQUE))
    assert not of_the_store(LookupError())
    assert not damaged(failure(sqlite3.SQLITE_CONSTRAINT))
    assert of_the_store(StoreFailedError("gone"))


@pytest.mark.parametrize("error", [NotStored("command", 3), AlreadyFinal("command", 3)])
def test_row_errors_name_their_row(error: NotStored | AlreadyFinal) -> None:
    """The table and the key."""
    assert (error.table, error.key) == ("command", 3)
    assert str(error) == "command 3"
