"""Retention: what has ended goes in its time, what has not stays (R-T59, R-B74)."""

from datetime import timedelta
import sqlite3

import pytest

from custom_components.aquarist.commands.phases import FINAL, Phase
from custom_components.aquarist.dosing.ledger import TRANSITIONS, DoseState
from custom_components.aquarist.schedules.moments import Moment
from custom_components.aquarist.store import (
    commands,
    containers,
    doses,
    occurrences,
    runs,
)
from custom_components.aquarist.store.containers import Container, ContainerChange
from custom_components.aquarist.store.occurrences import Verdict
from custom_components.aquarist.store.retention import OFTEN, Purged, purge
from custom_components.aquarist.store.runs import RunRow, StepRow

from .samples import AT, MINUTE, command, dose, newest

DAY = timedelta(days=1)
BEFORE = AT - 14 * DAY
OLD = BEFORE - MINUTE


@pytest.mark.parametrize("phase", Phase)
def test_old_commands_go_when_they_have_ended(
    connection: sqlite3.Connection, phase: Phase
) -> None:
    """However long ago an unfinished one was accepted, it stays."""
    commands.insert(connection, command(phase=phase, created_at=OLD))
    purged = purge(connection, BEFORE, AT)
    assert purged.commands == (1 if phase in FINAL else 0)
    assert (commands.get(connection, 1, "first") is None) == (phase in FINAL)


def test_a_command_is_as_old_as_its_end(connection: sqlite3.Connection) -> None:
    """A long window that ended yesterday is new; the bound itself stays."""
    for command_id, completed_at in (
        ("yesterday", AT - DAY),
        ("bound", BEFORE),
        ("long ago", OLD),
    ):
        commands.insert(
            connection,
            command(
                command_id,
                phase=Phase.COMPLETED,
                created_at=OLD - DAY,
                completed_at=completed_at,
            ),
        )
    assert purge(connection, BEFORE, AT).commands == 1
    left = [item.id for item in newest(connection)]
    assert left == ["bound", "yesterday"]


def test_of_too_many_write_actions_the_oldest_go(
    connection: sqlite3.Connection,
) -> None:
    """R-T59: what has not ended stays, and other commands are no write actions."""
    for number in range(6):
        commands.insert(
            connection,
            command(
                f"{number}",
                action="turn_off" if number == 0 else commands.WRITE_ACTION,
                phase=Phase.IN_FORCE if number == 1 else Phase.COMPLETED,
                created_at=AT + number * MINUTE,
            ),
        )
    assert not purge(connection, BEFORE, AT, write_actions=5).any
    assert purge(connection, BEFORE, AT, write_actions=2, limit=2).commands == 2
    assert [item.id for item in newest(connection)] == ["5", "4", "1", "0"]
    assert purge(connection, BEFORE, AT, write_actions=2, limit=2).commands == 1
    assert not purge(connection, BEFORE, AT, write_actions=2, limit=2).any
    assert [item.id for item in newest(connection)] == ["5", "1", "0"]


@pytest.mark.parametrize("state", DoseState)
def test_old_doses_go_when_they_are_settled(
    connection: sqlite3.Connection, state: DoseState
) -> None:
    """An open one counts as given until somebody knows (law 3)."""
    doses.intend(connection, dose(state=state, at=OLD), 1, "service")
    settled = not TRANSITIONS[state]
    assert purge(connection, BEFORE, AT).doses == (1 if settled else 0)


def test_the_ledger_keeps_two_days(connection: sqlite3.Connection) -> None:
    """Whatever is asked for: budgets are counted from it."""
    for hours in (1, 47, 48, 49):
        doses.intend(
            connection,
            dose(f"{hours} h", state=DoseState.GIVEN, at=AT - timedelta(hours=hours)),
            1,
            "service",
        )
    assert purge(connection, AT, AT).doses == 1
    left = [item.key for item in doses.since(connection, AT - 9 * DAY)]
    assert left == ["48 h", "47 h", "1 h"]


def test_old_occurrences_go_when_they_are_decided(
    connection: sqlite3.Connection,
) -> None:
    """And when nothing that they started is still at work."""
    moments = [Moment(at=OLD - number * MINUTE) for number in range(4)]
    ids = [occurrences.claim(connection, 1, item, 0, OLD) for item in moments]
    undecided, at_work, done, new_end = ids
    assert undecided and at_work and done and new_end
    for number in (at_work, done, new_end):
        occurrences.set_verdict(connection, number, Verdict.RAN, None, OLD)
    connection.execute(
        "UPDATE occurrence SET last_at = 9223372036854775807 WHERE id = ?", (new_end,)
    )
    commands.insert(connection, command("work", occurrence=at_work))
    commands.insert(connection, command("done", occurrence=done, phase=Phase.COMPLETED))
    assert purge(connection, BEFORE, AT).occurrences == 1
    left = {row[0] for row in connection.execute("SELECT id FROM occurrence")}
    assert left == {undecided, at_work, new_end}


def test_verdicts_may_be_kept_longer(connection: sqlite3.Connection) -> None:
    """A question about last month has an answer when its commands are gone (law 9)."""
    occurrences.missed(connection, 1, Moment(at=OLD), Moment(at=OLD), 1, "off", OLD)
    year = AT - 365 * DAY
    assert purge(connection, BEFORE, AT, occurrences_before=year).occurrences == 0
    assert purge(connection, BEFORE, AT).occurrences == 1


def test_much_goes_in_portions(connection: sqlite3.Connection) -> None:
    """So that nobody waits for it; the oldest first."""
    for number in range(5):
        commands.insert(
            connection,
            command(f"c{number}", phase=Phase.FAILED, created_at=OLD - number * MINUTE),
        )
    first = purge(connection, BEFORE, AT, limit=3)
    assert first == Purged(commands=3, doses=0, occurrences=0, runs=0, rolled_up=0)
    assert first.any
    left = [item.id for item in newest(connection)]
    assert left == ["c0", "c1"]
    assert purge(connection, BEFORE, AT, limit=3).commands == 2
    assert not purge(connection, BEFORE, AT, limit=3).any


def test_a_container_keeps_its_doses(connection: sqlite3.Connection) -> None:
    """What is left in it is counted from them, however long ago it was filled."""
    for number, filled_at in enumerate((OLD - 3 * DAY, OLD - DAY)):
        containers.add(
            connection,
            Container(device=1, head=0, capacity=9, filled=number, at=filled_at),
            ContainerChange.REFILL,
            None,
        )
    for key, head, at in (
        ("before the last filling", 0, OLD - 2 * DAY),
        ("with it", 0, OLD - DAY),
        ("after it", 0, OLD),
        ("of another head", 1, OLD),
    ):
        given = dose(key, state=DoseState.GIVEN, head=head, at=at)
        doses.intend(connection, given, 1, "service")
    assert purge(connection, BEFORE, AT).doses == 2
    left = [item.key for item in doses.since(connection, OLD - 9 * DAY)]
    assert left == ["with it", "after it"]


def test_runs_go_with_their_steps(connection: sqlite3.Connection) -> None:
    """Those that ended long enough ago; one that goes on stays."""
    ended = {"old": OLD, "bound": BEFORE, "going on": None}
    for name, ended_at in ended.items():
        run = runs.insert(
            connection,
            RunRow(
                kind="macro",
                name=name,
                definition={},
                state="any",
                source="rest",
                started_at=OLD - DAY,
                ended_at=ended_at,
            ),
        )
        runs.put_step(connection, StepRow(run=run.id, step=0, state="any"))
    purged = purge(connection, BEFORE, AT)
    assert (purged.runs, purged.any) == (1, True)
    left = runs.recent(connection, None, 10)
    assert [run.name for run in left] == ["going on", "bound"]
    assert connection.execute("SELECT count(*) FROM run_step").fetchone() == (2,)


MIDNIGHT = (AT - 40 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)


def day_of_moments(
    connection: sqlite3.Connection,
    schedule: int = 1,
    count: int = OFTEN + 6,
    day: int = 0,
) -> None:
    """Store moments ten minutes apart: every third one failed, the others ran."""
    for number in range(count):
        moment = Moment(at=MIDNIGHT + day * DAY + 10 * number * MINUTE)
        claimed = occurrences.claim(connection, schedule, moment, 0, moment.at)
        assert claimed is not None
        failed = number % 3 == 0
        occurrences.set_verdict(
            connection,
            claimed,
            Verdict.FAILED if failed else Verdict.RAN,
            ("late" if number else "busy") if failed else "on time",
            moment.at,
        )


def test_old_verdicts_roll_up_by_day(connection: sqlite3.Connection) -> None:
    """One row a schedule, day and verdict; what all have in common stays (law 9)."""
    day_of_moments(connection)
    day_of_moments(connection, schedule=2, count=OFTEN)
    day_of_moments(connection, day=1)
    assert purge(connection, BEFORE - 365 * DAY, AT).rolled_up == 2 * (OFTEN + 6 - 2)
    assert len(occurrences.recent(connection, 2, 100)) == OFTEN
    *_, ran, failed = occurrences.recent(connection, 1, 100)
    assert [row.count for row in occurrences.recent(connection, 1, 100)] == [
        20,
        10,
        20,
        10,
    ]
    assert (ran.verdict, ran.reason) == (Verdict.RAN, "on time")
    assert (ran.at, ran.last_at) == (MIDNIGHT + 10 * MINUTE, MIDNIGHT + 290 * MINUTE)
    assert (failed.verdict, failed.reason) == (Verdict.FAILED, None)
    assert (failed.at, failed.last_at) == (MIDNIGHT, MIDNIGHT + 270 * MINUTE)
    assert failed.decided_at == failed.last_at
    assert not purge(connection, BEFORE - 365 * DAY, AT).any


def test_a_moment_that_was_rolled_up_does_not_run_again(
    connection: sqlite3.Connection,
) -> None:
    """Not even when the clock goes back so far; one around them may (RES-51)."""
    day_of_moments(connection)
    assert purge(connection, BEFORE - 365 * DAY, AT).rolled_up
    for number in range(OFTEN + 6):
        moment = Moment(at=MIDNIGHT + 10 * number * MINUTE)
        assert occurrences.claim(connection, 1, moment, 0, AT) is None
    for moment in (Moment(at=MIDNIGHT - MINUTE), Moment(at=MIDNIGHT + 291 * MINUTE)):
        assert occurrences.claim(connection, 1, moment, 0, AT) is not None


def test_what_does_not_roll_up(connection: sqlite3.Connection) -> None:
    """A day with something undecided, and days that are not over for long enough."""
    day_of_moments(connection)
    open_one = Moment(at=MIDNIGHT + 23 * 60 * MINUTE)
    occurrences.claim(connection, 1, open_one, 0, open_one.at)
    day_of_moments(connection, day=10)
    assert not purge(connection, BEFORE - 365 * DAY, AT).any
    assert not purge(connection, BEFORE - 365 * DAY, MIDNIGHT + 41 * DAY - MINUTE).any
    long_ago = BEFORE - 365 * DAY
    assert not purge(connection, long_ago, AT, roll_up_before=AT - 31 * DAY).any
    assert purge(connection, long_ago, AT, roll_up_before=AT - 29 * DAY).any
    assert not purge(connection, long_ago, MIDNIGHT + 41 * DAY).any


def test_much_rolls_up_in_portions(connection: sqlite3.Connection) -> None:
    """A day at a time once enough has gone."""
    day_of_moments(connection)
    day_of_moments(connection, day=1)
    for _ in range(2):
        purged = purge(connection, BEFORE - 365 * DAY, AT, limit=1)
        assert purged.rolled_up == OFTEN + 4
    assert not purge(connection, BEFORE - 365 * DAY, AT, limit=1).any
