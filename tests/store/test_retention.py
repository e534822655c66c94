"""Retention: what has ended goes in its time, what has not stays (R-T59, R-B74)."""

from datetime import timedelta
import sqlite3

import pytest

from custom_components.aquarist.commands.phases import FINAL, Phase
from custom_components.aquarist.dosing.ledger import TRANSITIONS, DoseState
from custom_components.aquarist.schedules.moments import Moment
from custom_components.aquarist.store import commands, doses, occurrences
from custom_components.aquarist.store.occurrences import Verdict
from custom_components.aquarist.store.retention import Purged, purge

from .samples import AT, MINUTE, command, dose

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
    left = [item.id for item in commands.recent(connection, None, 10)]
    assert left == ["bound", "yesterday"]


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
    assert first == Purged(commands=3, doses=0, occurrences=0)
    assert first.any
    left = [item.id for item in commands.recent(connection, None, 10)]
    assert left == ["c1", "c0"]
    assert purge(connection, BEFORE, AT, limit=3).commands == 2
    assert not purge(connection, BEFORE, AT, limit=3).any
