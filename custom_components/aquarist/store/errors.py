"""What can go wrong with the store as a whole, and with one of its rows.

A StoreError says that the store did not take or give something; the row errors
(NotStored, AlreadyFinal, Conflict, NameTaken) say that a unit of work asked for what cannot be.
"""

import os
from pathlib import Path
import sqlite3


class StoreError(Exception):
    """The store could not do what it was asked for.

    ``code`` is the machine word of the fault, ``path`` the file of the store.
    """

    code = "store_failed"

    def __init__(self, message: str, *, path: Path | None = None) -> None:
        """Keep the message and the file of the store."""
        super().__init__(message)
        self.path = path


class StoreFullError(StoreError):
    """There is no room left for the store."""

    code = "store_full"


class StoreReadOnlyError(StoreError):
    """The store's file or its folder cannot be written."""

    code = "store_read_only"


class StoreCorruptError(StoreError):
    """The store's file is damaged.

    ``set_aside`` is the path that it was moved to, or None when it is still in place.
    """

    code = "store_corrupt"

    def __init__(
        self, message: str, *, path: Path | None = None, set_aside: Path | None = None
    ) -> None:
        """Keep where the damaged file is now."""
        super().__init__(message, path=path)
        self.set_aside = set_aside


class StoreNewerError(StoreError):
    """The store's file was written by a newer Aquarist; it is left alone.

    ``found`` is the version of the file, ``supported`` the newest one known here.
    """

    code = "store_newer"

    def __init__(self, found: int, supported: int, *, path: Path | None = None) -> None:
        """Keep both versions."""
        super().__init__(
            f"the store has version {found}, only {supported} is known", path=path
        )
        self.found = found
        self.supported = supported


class StoreClosedError(StoreError):
    """The store is closed, or closing, and takes nothing more."""

    code = "store_closed"


class StoreOwesError(StoreError):
    """What was asked for has happened, but is not on disk yet; it is written as soon as may be."""

    code = "store_owes"


class StoreFailedError(StoreError):
    """The store failed in any other way, an input or output error most of all."""

    code = "store_failed"


class NotStored(Exception):
    """A row that was to be changed does not exist."""

    def __init__(self, table: str, key: object) -> None:
        """Keep which row was meant."""
        super().__init__(f"{table} {key}")
        self.table = table
        self.key = key


class AlreadyFinal(Exception):
    """A row that was to be changed has ended (law 8)."""

    def __init__(self, table: str, key: object) -> None:
        """Keep which row was meant."""
        super().__init__(f"{table} {key}")
        self.table = table
        self.key = key


class Conflict(Exception):
    """A row was changed meanwhile; ``present`` is the revision that it has now."""

    def __init__(self, table: str, key: object, present: int) -> None:
        """Keep which row was meant and its revision."""
        super().__init__(f"{table} {key} has revision {present}")
        self.table = table
        self.key = key
        self.present = present


class NameTaken(Exception):
    """Another row of this kind has the name."""

    def __init__(self, table: str, name: str) -> None:
        """Keep the table and the name."""
        super().__init__(f"{table} {name}")
        self.table = table
        self.name = name


_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FORBIDDEN = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM})
_UNREADABLE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH})
_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_OF_THE_STORE = _DAMAGED | _FORBIDDEN | _UNREADABLE | _PASSING


def primary(error: BaseException) -> int | None:
    """Return SQLite's primary result code of an error, or None when it carries none."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def of_the_store(error: BaseException) -> bool:
    """Return whether the store failed, rather than the statement that was asked for."""
    return isinstance(error, StoreError) or primary(error) in _OF_THE_STORE


def passing(error: BaseException) -> bool:
    """Return whether the same write may succeed a moment later (R-B58)."""
    return primary(error) in _PASSING


def damaged(error: BaseException) -> bool:
    """Return whether SQLite found the file itself to be broken."""
    return primary(error) in _DAMAGED


def translated(
    error: sqlite3.Error | StoreError, path: Path | None = None
) -> StoreError:
    """Return a new StoreError that says what an error of SQLite means for the store."""
    if isinstance(error, StoreError):
        return StoreFailedError(str(error), path=path)
    code = primary(error)
    text = f"{getattr(error, 'sqlite_errorname', 'SQLITE')}: {error}"
    if code == sqlite3.SQLITE_FULL:
        return StoreFullError(text, path=path)
    if code in _DAMAGED:
        return StoreCorruptError(text, path=path)
    if code in _FORBIDDEN or (code in _UNREADABLE and _not_writable(path)):
        return StoreReadOnlyError(text, path=path)
    return StoreFailedError(text, path=path)


def _not_writable(path: Path | None) -> bool:
    """Return whether the folder of the store exists and refuses to be written."""
    if path is None or not path.parent.is_dir():
        return False
    return not os.access(path.parent, os.W_OK | os.X_OK, effective_ids=True)
