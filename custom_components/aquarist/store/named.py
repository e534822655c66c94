"""Rows that have a name of their own."""

from collections.abc import Sequence
import sqlite3
from typing import Any


def named(
    connection: sqlite3.Connection,
    statement: str,
    values: Sequence[Any],
    taken: Exception,
) -> Any:
    """Return the row that a statement makes. Raises ``taken`` where another has its name."""
    try:
        return connection.execute(statement, values).fetchone()
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
            raise taken from error
        raise
