"""Migrations: numbered steps, one transaction each, a copy kept before (design section 6)."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path
import sqlite3
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.store import (
    calibrations,
    command_history,
    commands,
    configurations,
    containers,
    counters,
    definitions,
    devices,
    doses,
    filing,
    occurrences,
    on_times,
    programmes,
    resting,
    runs,
    schedules,
    settings,
)
from custom_components.aquarist.store.command_history import CommandFilter
from custom_components.aquarist.store.errors import StoreFailedError
from custom_components.aquarist.store.migrations import STEPS, Step
from custom_components.aquarist.store.opening import open_for_writing

from .samples import AT, files_of, newest

FIXTURES = Path(__file__).parent / "fixtures"


def first(connection: sqlite3.Connection) -> None:
    """Make a table of tanks, and one of fish that refer to them."""
    connection.execute("CREATE TABLE tank (number INTEGER PRIMARY KEY)")
    connection.execute("CREATE TABLE fish (tank INTEGER REFERENCES tank (number))")


def second(connection: sqlite3.Connection) -> None:
    """Give tanks a name."""
    connection.execute("ALTER TABLE tank ADD COLUMN name TEXT NOT NULL DEFAULT 'tank'")


def third(connection: sqlite3.Connection) -> None:
    """Do half of a step, then fail."""
    connection.execute("DELETE FROM tank")
    connection.execute("INSERT INTO pond VALUES (1)")


def orphaning(connection: sqlite3.Connection) -> None:
    """Take the tanks away from the fish."""
    connection.execute("DELETE FROM tank")


def old(path: Path) -> None:
    """Leave a store of version 1 with two tanks and a fish behind."""
    with closing(open_for_writing(path, AT, (first,))) as connection:
        connection.execute("INSERT INTO tank VALUES (1), (2)")
        connection.execute("INSERT INTO fish VALUES (1)")


def version(connection: sqlite3.Connection) -> int:
    """Return the version of an open store."""
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return number


def test_only_the_missing_steps_run(path: Path) -> None:
    """Rows are kept, and the copy is the file as it was."""
    old(path)
    with closing(open_for_writing(path, AT, (first, second))) as connection:
        assert version(connection) == 2
        rows = connection.execute("SELECT number, name FROM tank").fetchall()
    assert rows == [(1, "tank"), (2, "tank")]
    with closing(sqlite3.connect(path.with_name("aquarist.db.v1.bak"))) as copy:
        assert version(copy) == 1
        assert copy.execute("SELECT * FROM tank").fetchall() == [(1,), (2,)]
    assert sorted(files_of(path.parent)) == ["aquarist.db", "aquarist.db.v1.bak"]


def test_a_new_store_has_all_steps_and_no_copy(path: Path) -> None:
    """There is nothing to keep of a file that did not exist."""
    with closing(open_for_writing(path, AT, (first, second))) as connection:
        assert version(connection) == 2
    assert list(files_of(path.parent)) == ["aquarist.db"]


def test_the_copy_has_what_was_only_in_the_log(path: Path) -> None:
    """After a crash the newest rows are in the log; the copy has them too."""
    old(path)
    connection = open_for_writing(path, AT, (first,))
    connection.execute("INSERT INTO tank VALUES (3)")
    kept = files_of(path.parent)
    connection.close()
    for name, content in kept.items():
        path.with_name(name).write_bytes(content)
    open_for_writing(path, AT, (first, second)).close()
    with closing(sqlite3.connect(path.with_name("aquarist.db.v1.bak"))) as copy:
        assert copy.execute("SELECT number FROM tank").fetchall() == [(1,), (2,), (3,)]


@pytest.mark.parametrize("broken", [third, orphaning])
def test_a_step_that_fails_changes_nothing(path: Path, broken: Step) -> None:
    """The steps before it stay; it is tried again at the next opening."""
    old(path)
    with pytest.raises(StoreFailedError) as failed:
        open_for_writing(path, AT, (first, second, broken))
    assert failed.value.path == path
    with closing(open_for_writing(path, AT, (first, second))) as connection:
        assert version(connection) == 2
        assert connection.execute("SELECT count(*) FROM tank").fetchone() == (2,)
    assert path.with_name("aquarist.db.v1.bak").exists()


def test_a_bug_in_a_step_is_not_taken_for_a_fault(path: Path) -> None:
    """An error of our own code comes through, and the file is as it was."""

    def buggy(connection: sqlite3.Connection) -> None:
        """End the transaction, and fail on top of it."""
        connection.execute("ROLLBACK")
        raise LookupError("a mistake")

    old(path)
    with pytest.raises(LookupError, match="a mistake"):
        open_for_writing(path, AT, (first, buggy))
    with closing(open_for_writing(path, AT, (first,))) as connection:
        assert connection.execute("SELECT count(*) FROM tank").fetchone() == (2,)


def test_a_half_made_copy_is_made_anew(path: Path) -> None:
    """What an earlier crash left of a copy is in nobody's way."""
    old(path)
    path.with_name("aquarist.db.v1.bak.unfinished").write_text("half")
    open_for_writing(path, AT, (first, second)).close()
    assert sorted(files_of(path.parent)) == ["aquarist.db", "aquarist.db.v1.bak"]


def test_a_copy_that_cannot_be_put_in_its_place(path: Path) -> None:
    """Without it nothing is migrated; that is a fault of the store like any other."""
    old(path)
    path.with_name("aquarist.db.v1.bak").mkdir()
    with pytest.raises(StoreFailedError, match="aquarist.db.v1.bak") as failed:
        open_for_writing(path, AT, (first, second))
    assert failed.value.path == path
    with closing(open_for_writing(path, AT, (first,))) as connection:
        assert version(connection) == 1


def test_version_1_is_read_by_the_present_code(path: Path) -> None:
    """A store of version 1, written in full, is migrated and every row is understood."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript((FIXTURES / "version_1.sql").read_text())
    with closing(open_for_writing(path, AT, STEPS)) as connection:
        light, doser = devices.load_all(connection)
        assert (light.number, light.name, light.retired_at) == (1, "Light", AT)
        assert (doser.number, doser.address) == (2, "AA:BB:CC:DD:EE:FF")
        done, planned = newest(connection)[::-1]
        assert (done.order, done.phase, done.result) == (1, Phase.COMPLETED, {"n": 1})
        assert (planned.order, planned.created_at) == (3, AT)
        assert planned.value == {"level": 40.5}
        assert resting.load_all(connection) == {(1, "level"): {"level": 30}}
        assert (done.run, done.step, done.retry_of) == (None, None, None)
        assert commands.not_final(connection) == [planned]
        (dose,) = doses.open_doses(connection)
        assert (dose.volume, dose.lifetime_before) == (2000, 100_000)
        assert (dose.additive, dose.aquarium) == (None, None)
        (counter,) = counters.load_all(connection)
        assert (counter.lifetime, counter.today) == (102_000, 2000)
        # The open dose was told to the pump at 100 mL.
        assert counter.booked == 100_000
        (schedule,) = schedules.load_all(connection)
        assert schedule.definition == {"name": "Dawn", "action_type": "on"}
        assert [item.change for item in schedules.revisions(connection, 1)] == [
            schedules.Change.CREATED,
            schedules.Change.UPDATED,
        ]
        ran, missed = occurrences.recent(connection, 1, 10)
        assert (ran.verdict, ran.nominal) == (None, "2026-11-21T08:00:00")
        assert (missed.verdict, missed.count) == (occurrences.Verdict.MISSED, 3)
        assert settings.load_all(connection) == {"sweep": 30, "filed": 3}
        (anchor,) = on_times.load_all(connection)
        assert anchor.elapsed == pytest.approx(12.5)
        # Numbers that were given once are not given again.
        fresh = devices.ensure(
            connection,
            uuid="new",
            kind="light",
            name="New",
            address=None,
            aquarium=None,
            at=AT + timedelta(days=1),
        )
        assert fresh.number == 6


@pytest.mark.parametrize(
    ("state", "booked"), [("unknown", 101_500), ("not_given", 102_000)]
)
def test_what_the_doses_explain_of_a_counter_is_found(
    path: Path, state: str, booked: int
) -> None:
    """An open dose leaves open what came after it, but for the doses that are settled."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript((FIXTURES / "version_1.sql").read_text())
        connection.execute("UPDATE dose SET state = ?", (state,))
        connection.execute(
            "INSERT INTO dose SELECT 2, '2/b', device, head, volume, 'partly', at, 1500, "
            "lifetime_before, NULL, source, changed_at FROM dose"
        )
    with closing(open_for_writing(path, AT, STEPS)) as connection:
        (counter,) = counters.load_all(connection)
    assert counter.booked == booked


def test_version_1_loses_nothing(path: Path) -> None:
    """Every row of every table is what it was; what is new of it is empty, or follows."""

    def rows(connection: sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
        """Return all rows by table, but for what SQLite keeps for itself."""
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        )
        found = {}
        for (name,) in names.fetchall():
            cursor = connection.execute(f"SELECT * FROM {name}")  # noqa: S608
            columns = [column[0] for column in cursor.description]
            found[name] = [dict(zip(columns, row, strict=True)) for row in cursor]
        return found

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript((FIXTURES / "version_1.sql").read_text())
        before = rows(connection)
    assert all(before.values())
    with closing(open_for_writing(path, AT, STEPS[:2])) as connection:
        after = rows(connection)
    for name, table in before.items():
        kept = [{column: row[column] for column in table[0]} for row in after[name]]
        assert kept == table, name
        new = set(after[name][0]) - set(table[0]) - {"booked"}
        assert all(row[column] is None for row in after[name] for column in new)


def test_version_2_is_read_by_the_present_code(path: Path) -> None:
    """What came with version 2, written in full, is understood."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript((FIXTURES / "version_2.sql").read_text())
    with closing(open_for_writing(path, AT, STEPS)) as connection:
        (repeated,) = commands.of_run(connection, 1)
        assert (repeated.step, repeated.retry_of) == (0, "done")
        every = command_history.find(connection, CommandFilter(), 100)
        of_one = command_history.find(connection, CommandFilter(device=1), 100)
        assert [one for one in every if one.device == 1] == of_one != []
        assert filing.is_filed(connection)
        (dose,) = doses.open_doses(connection)
        assert (dose.additive, dose.aquarium, dose.source) == (
            "Calcium",
            "tank",
            "pump",
        )
        (container,) = containers.load_all(connection)
        assert (container.capacity, container.filled) == (500_000, 450_000)
        assert containers.load_seen(connection) == [container]
        assert (container.counted, container.taken) == (60_000, 50_000)
        assert containers.used_since(connection, 1, 0, container.at) == 2000
        (calibration,) = calibrations.load_all(connection)
        assert calibration.flow == pytest.approx(12.5)
        (programme,) = programmes.load_all(connection)
        assert (programme.slot, programme.definition) == ("head_0", {"mode": "daily"})
        (configuration,) = configurations.of_device(connection, 1)
        assert (configuration.name, configuration.revision) == ("summer", 2)
        (macro,) = definitions.load_all(connection, "macro")
        assert (macro.name, macro.revision) == ("feed", 2)
        changes = [item.change for item in definitions.revisions(connection, 2)]
        assert changes == [schedules.Change.CREATED, schedules.Change.DELETED]
        (run,) = runs.not_final(connection)
        assert (run.definition_id, run.data) == (1, {"seen": 1})
        (step,) = runs.steps(connection, run.id)
        assert (step.state, step.deadline) == ("waiting", {"elapsed": 2.5})
