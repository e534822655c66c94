"""Opening: sound files are taken, others refused or set aside, none silently replaced (R-X3)."""

from datetime import timedelta
from pathlib import Path
import sqlite3

import pytest

from custom_components.aquarist.store import opening, settings
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.errors import (
    StoreCorruptError,
    StoreFailedError,
    StoreFullError,
    StoreNewerError,
    StoreReadOnlyError,
)
from custom_components.aquarist.store.migrations import STEPS
from custom_components.aquarist.store.opening import open_for_reading, open_for_writing

from .faults import files_limited, unprivileged_folder
from .samples import AT, add_devices, files_of, names_of


def made(path: Path, devices: int = 60) -> None:
    """Leave a closed store behind."""
    connection = open_for_writing(path, AT, STEPS)
    add_devices(connection, devices)
    connection.close()


def still_open(path: Path) -> sqlite3.Connection:
    """Return a connection to a store whose log is not folded."""
    connection = open_for_writing(path, AT, STEPS)
    add_devices(connection)
    return connection


def test_a_new_store_has_the_newest_version(path: Path) -> None:
    """The file is made, durable and with foreign keys."""
    connection = open_for_writing(path, AT, STEPS)
    answers = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("user_version", "journal_mode", "synchronous", "foreign_keys")
    }
    connection.close()
    assert answers == {
        "user_version": len(STEPS),
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
    }


def test_what_was_stored_is_there_again(path: Path) -> None:
    """A second opening finds the first one's rows and makes no copy."""
    made(path, 1)
    connection = open_for_writing(path, AT, STEPS)
    assert names_of(connection) == ["Light 1"]
    connection.close()
    assert list(files_of(path.parent)) == ["aquarist.db"]


def test_a_reader_cannot_change_anything(path: Path) -> None:
    """Its connection refuses writes."""
    made(path, 1)
    connection = open_for_reading(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        settings.put(connection, "a", 1)
    connection.close()


def test_a_newer_file_is_left_alone(path: Path) -> None:
    """Not a byte of it, or of its log, changes."""
    connection = still_open(path)
    connection.execute("PRAGMA user_version=99")
    for file in (path, path.with_name("aquarist.db-wal")):
        (path.parent / f"{file.name}.kept").write_bytes(file.read_bytes())
    connection.close()
    for file in (path, path.with_name("aquarist.db-wal")):
        (path.parent / f"{file.name}.kept").replace(file)
    before = files_of(path.parent)
    assert len(before["aquarist.db-wal"]) > 0
    with pytest.raises(StoreNewerError) as refused:
        open_for_writing(path, AT, STEPS)
    assert (refused.value.found, refused.value.supported) == (99, len(STEPS))
    assert refused.value.code == "store_newer"
    assert refused.value.path == path
    assert files_of(path.parent) == before


def test_a_version_from_nowhere_is_refused_too(path: Path) -> None:
    """A file without our tables is somebody else's; it is kept."""
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with pytest.raises(StoreCorruptError, match="not a store of Aquarist") as refused:
        open_for_writing(path, AT, STEPS)
    assert refused.value.set_aside is not None
    assert refused.value.set_aside.exists()


def overwrite(path: Path) -> None:
    """Write over some pages of the file, but for the first."""
    damaged = bytearray(path.read_bytes())
    damaged[4096 : 4096 * 12] = b"\xa5" * 4096 * 11
    path.write_bytes(damaged)


def cut(path: Path) -> None:
    """Cut the file in the middle."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribble(path: Path) -> None:
    """Put a text in its place."""
    path.write_text("no database at all " * 100)


def empty(path: Path) -> None:
    """Leave nothing of it."""
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [overwrite, cut, scribble, empty])
def test_a_damaged_file_is_set_aside(path: Path, damage: object) -> None:
    """It is kept under a name that says when, and reported; the next opening starts anew."""
    assert callable(damage)
    made(path)
    damage(path)
    content = path.read_bytes()
    with pytest.raises(StoreCorruptError) as refused:
        open_for_writing(path, AT, STEPS)
    kept = path.with_name("aquarist.db.corrupt-20261121T080000.123456Z")
    assert refused.value.set_aside == kept
    assert refused.value.code == "store_corrupt"
    assert refused.value.path == path
    assert kept.read_bytes() == content
    assert not path.exists()
    connection = open_for_writing(path, AT, STEPS)
    assert names_of(connection) == []
    connection.close()


def test_the_log_is_set_aside_with_its_file(path: Path) -> None:
    """What a rescuer needs stays together, under SQLite's own names."""
    made(path)
    connection = still_open(path)
    log = path.with_name("aquarist.db-wal").read_bytes()
    connection.close()
    path.with_name("aquarist.db-wal").write_bytes(log)
    scribble(path)
    with pytest.raises(StoreCorruptError) as refused:
        open_for_writing(path, AT, STEPS)
    kept = refused.value.set_aside
    assert kept is not None
    assert kept.with_name(f"{kept.name}-wal").read_bytes() == log
    assert not path.with_name("aquarist.db-wal").exists()


def test_two_damaged_files_are_both_kept(path: Path) -> None:
    """The same instant does not overwrite the first one."""
    for text in ("first", "second"):
        path.write_text(text * 200)
        with pytest.raises(StoreCorruptError):
            open_for_writing(path, AT, STEPS)
    assert sorted(value[:5] for value in files_of(path.parent).values()) == [
        b"first",
        b"secon",
    ]


def test_a_large_file_is_checked_only_after_an_unclean_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clean one opens fast whatever its size; one with a log is looked through."""
    monkeypatch.setattr(opening, "CHECKED_SIZE", 0)
    made(path)
    overwrite(path)
    open_for_writing(path, AT, STEPS).close()
    log = path.with_name("aquarist.db-wal")
    log.touch()
    open_for_writing(path, AT, STEPS).close()
    log.write_bytes(b"written last")
    with pytest.raises(StoreCorruptError):
        open_for_writing(path, AT, STEPS)


def test_a_read_only_file_is_told_from_a_damaged_one() -> None:
    """It is refused and stays where it is."""
    with unprivileged_folder() as folder:
        path = folder / "aquarist.db"
        made(path)
        path.chmod(0o400)
        before = files_of(folder)
        with pytest.raises(StoreReadOnlyError) as refused:
            open_for_writing(path, AT, STEPS)
        assert refused.value.code == "store_read_only"
        assert files_of(folder)["aquarist.db"] == before["aquarist.db"]


@pytest.mark.parametrize("existing", [True, False])
def test_a_read_only_folder(existing: bool) -> None:
    """The log could not be made there; nor could a new store."""
    with unprivileged_folder() as folder:
        path = folder / "aquarist.db"
        if existing:
            made(path)
        folder.chmod(0o500)
        try:
            with pytest.raises(StoreReadOnlyError):
                open_for_writing(path, AT, STEPS)
        finally:
            folder.chmod(0o700)


def test_a_damaged_file_that_cannot_be_moved() -> None:
    """The error says so by having no new path."""
    with unprivileged_folder() as folder:
        path = folder / "aquarist.db"
        empty(path)
        folder.chmod(0o500)
        try:
            with pytest.raises(StoreCorruptError) as refused:
                open_for_writing(path, AT, STEPS)
        finally:
            folder.chmod(0o700)
        assert refused.value.set_aside is None
        assert path.exists()


def test_a_folder_that_is_not_there(path: Path) -> None:
    """No folder, no store; none is made up."""
    missing = path.parent / "missing" / "aquarist.db"
    with pytest.raises(StoreFailedError, match="unable to open"):
        open_for_writing(missing, AT, STEPS)
    with pytest.raises(StoreFailedError, match="unable to open"):
        open_for_reading(missing)
    assert not missing.parent.exists()


def test_a_folder_in_the_place_of_the_file(path: Path) -> None:
    """What is not a file is not touched."""
    path.mkdir()
    with pytest.raises(StoreFailedError):
        open_for_writing(path, AT, STEPS)
    assert path.is_dir()


@pytest.mark.parametrize("room", [0, 1000, 5000, 40_000])
def test_no_room_for_a_new_store(path: Path, room: int) -> None:
    """A disk that refuses the first bytes is an error, and the next try starts over."""
    with files_limited(room), pytest.raises((StoreFailedError, StoreFullError)):
        open_for_writing(path, AT, STEPS)
    open_for_writing(path, AT, STEPS).close()


async def test_damage_that_was_not_found_at_first(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit that meets it fails with its batch, and the file stays in place."""
    monkeypatch.setattr(opening, "CHECKED_SIZE", 0)
    made(path)
    overwrite(path)
    database = await Database.open(path, at=AT)
    with pytest.raises(StoreCorruptError) as failed:
        await database.writer.write(names_of)
    assert failed.value.path == path
    assert failed.value.set_aside is None
    await database.close()
    assert path.exists()


async def test_the_database_opens_what_is_sound(path: Path) -> None:
    """The errors of opening come through; afterwards a new store can be had."""
    scribble(path)
    with pytest.raises(StoreCorruptError):
        await Database.open(path, at=AT)
    database = await Database.open(path, at=AT + timedelta(seconds=1))
    assert await database.read(names_of) == []
    await database.close()
