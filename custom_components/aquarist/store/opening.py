"""Opening the store's file: what is checked, migrated and set aside. Blocking code.

Nothing in a file is changed before it is known to be sound and of a known version.
"""

from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
import sqlite3

from .errors import (
    StoreCorruptError,
    StoreFailedError,
    StoreNewerError,
    damaged,
    translated,
)
from .migrations import Step

# Below this size the whole file is checked at every opening, above it only after an
# end that was not clean.
CHECKED_SIZE = 64 * 1024 * 1024
BUSY_TIMEOUT = 5.0
LOG_LIMIT = 8 * 1024 * 1024


def open_for_writing(
    path: Path, at: datetime, steps: Sequence[Step]
) -> sqlite3.Connection:
    """Return a connection that may write the store, made or migrated as needed.

    ``at`` is the present instant; it names a damaged file that is set aside.
    Raises StoreCorruptError (with ``set_aside``), StoreNewerError, StoreReadOnlyError,
    StoreFullError or StoreFailedError; the file is then as it was, or set aside.
    """
    try:
        return _opened(path, steps)
    except sqlite3.Error as error:
        if not damaged(error):
            raise translated(error, path) from error
        reason = str(error)
    except OSError as error:
        raise StoreFailedError(str(error), path=path) from error
    except _DamagedError as error:
        reason = str(error)
    raise StoreCorruptError(reason, path=path, set_aside=_set_aside(path, at))


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot change the store. Raises StoreError."""
    try:
        connection = _connect(path)
        connection.execute("PRAGMA query_only=ON")
    except sqlite3.Error as error:
        raise translated(error, path) from error
    return connection


class _DamagedError(Exception):
    """The file is there but is not a sound store."""


def _connect(path: Path) -> sqlite3.Connection:
    """Return a connection whose transactions are ours to begin and end."""
    return sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def _opened(path: Path, steps: Sequence[Step]) -> sqlite3.Connection:
    """Return the connection, with the file checked and of the newest version."""
    log = path.with_name(f"{path.name}-wal")
    unclean = log.exists() and log.stat().st_size > 0
    existing = path.exists()
    if existing and path.stat().st_size == 0:
        raise _DamagedError("the file is empty")
    connection = _connect(path)
    try:
        # A file that is refused keeps its log too.
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
        version = _version(connection, path, len(steps))
        if existing:
            _check(connection, version, path.stat().st_size, unclean)
        _prepare(connection, version)
        _migrate(connection, path, version, steps)
        connection.execute("PRAGMA foreign_keys=ON")
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, False)
    except BaseException:
        connection.close()
        if not existing:
            _take_back(path)
        raise
    return connection


def _take_back(path: Path) -> None:
    """Remove a new file that got no content, which would be taken for a damaged one."""
    with suppress(OSError):
        if path.stat().st_size == 0:
            path.unlink()


def _version(connection: sqlite3.Connection, path: Path, supported: int) -> int:
    """Return the version of the store; 0 for a new file. Raises StoreNewerError."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > supported:
        raise StoreNewerError(version, supported, path=path)
    return version


def _check(
    connection: sqlite3.Connection, version: int, size: int, unclean: bool
) -> None:
    """Raise when the file is damaged, or is a database of somebody else."""
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        raise _DamagedError("the file is not a store of Aquarist")
    if unclean or size <= CHECKED_SIZE:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise _DamagedError(verdict)


def _prepare(connection: sqlite3.Connection, version: int) -> None:
    """Set how the store is written, and find out that it can be."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # What a statement of many rows needs to go back is no file of its own.
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute(f"PRAGMA journal_size_limit={LOG_LIMIT}")
    # A file that cannot be written opens, and begins, without a word; only a write tells.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA user_version={version}")
    connection.execute("ROLLBACK")


def _migrate(
    connection: sqlite3.Connection, path: Path, version: int, steps: Sequence[Step]
) -> None:
    """Run the steps that the file has not had, each in one transaction."""
    if 0 < version < len(steps):
        _keep_copy(connection, path.with_name(f"{path.name}.v{version}.bak"))
    for number, step in enumerate(steps[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            step(connection)
            connection.execute(f"PRAGMA user_version={number}")
            _check_references(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _check_references(connection: sqlite3.Connection) -> None:
    """Raise IntegrityError when a migration left a reference that leads nowhere."""
    broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        table, row, parent, _ = broken
        raise sqlite3.IntegrityError(f"{table} {row} refers to no {parent}")


def _keep_copy(connection: sqlite3.Connection, target: Path) -> None:
    """Keep the whole store as it is, so that a copy is there complete or not at all."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as copy:
        connection.backup(copy)
    unfinished.replace(target)


def _set_aside(path: Path, at: datetime) -> Path | None:
    """Move a damaged file and its log out of the way; None when that is impossible."""
    name = f"{path.name}.corrupt-{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"
    target = path.with_name(name)
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{name}.{number}")
    try:
        for suffix in ("-wal", "-shm", ""):
            part = path.with_name(f"{path.name}{suffix}")
            if part.exists():
                part.rename(target.with_name(f"{target.name}{suffix}"))
    except OSError:
        return None
    return target
