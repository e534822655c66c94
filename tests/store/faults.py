"""Real faults of a disk, made by the operating system and by SQLite itself."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import resource
import sqlite3
import tempfile

from custom_components.aquarist.store import settings

NOBODY = 65534


def fill_up(connection: sqlite3.Connection) -> None:
    """Let the file grow no further, as on a full disk."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")


def make_room(connection: sqlite3.Connection) -> None:
    """Let the file grow again."""
    connection.execute("PRAGMA max_page_count=1000000")


def largest_file(size: int | None) -> None:
    """Let the operating system refuse writes beyond a size in bytes (SQLite: IOERR)."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    soft = hard if size is None else size
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def files_limited(size: int) -> Iterator[None]:
    """Refuse writes beyond a size in bytes for a while."""
    largest_file(size)
    try:
        yield
    finally:
        largest_file(None)


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Have the operating system refuse every read of an open file for a while."""
    folder = os.open(path.parent, os.O_RDONLY)
    named = ((int(one.name), one) for one in Path("/proc/self/fd").iterdir())
    mine = [number for number, one in named if os.path.realpath(one) == str(path)]
    kept = {number: os.dup(number) for number in mine}
    for number in mine:
        os.dup2(folder, number)
    try:
        yield
    finally:
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
        os.close(folder)


@contextmanager
def unprivileged_folder() -> Iterator[Path]:
    """Give a folder, and no more rights than an ordinary user has.

    The superuser may write what is read-only; so the superuser steps down.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder
            return
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            os.seteuid(0)


def big(connection: sqlite3.Connection) -> None:
    """Store more than fits on a few pages."""
    settings.put(connection, "big", "x" * 100_000)
