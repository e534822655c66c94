"""The tables of runs and their steps."""

from dataclasses import fields, replace
import sqlite3

import pytest

from custom_components.aquarist.store import runs
from custom_components.aquarist.store.errors import AlreadyFinal, NotStored
from custom_components.aquarist.store.runs import RunRow, StepRow

from .samples import AT, MINUTE

BARE = RunRow(
    kind="macro",
    name="feed",
    definition={},
    state="running",
    source="rest",
    started_at=AT,
)
FULL = RunRow(
    kind="calibration",
    name="Head 1",
    definition={"steps": [{"delay": 5}]},
    state="failed",
    source="service",
    started_at=AT,
    definition_id=4,
    subject="2",
    step=3,
    data={"measured": 4.1},
    user="user",
    context="context",
    ended_at=AT + MINUTE,
    error_code="device_timeout",
    error="too late",
)


def test_every_field_comes_back(connection: sqlite3.Connection) -> None:
    """Of a run with all fields set, and of one with none that can be left out."""
    same = [
        item.name
        for item in fields(RunRow)
        if getattr(BARE, item.name) == getattr(FULL, item.name)
    ]
    assert same == ["started_at", "id"]
    for number, given in enumerate((BARE, FULL), start=1):
        stored = runs.insert(connection, given)
        assert stored == replace(given, id=number)
        assert runs.get(connection, number) == stored
    assert runs.get(connection, 9) is None


def test_where_a_run_is(connection: sqlite3.Connection) -> None:
    """Its state, its step, what it remembers, and its end."""
    run = runs.insert(connection, BARE)
    further = replace(run, state="waiting", step=2, data={"seen": [1]})
    runs.update(connection, further)
    assert runs.not_final(connection) == [further]
    ended = replace(
        further, state="failed", ended_at=AT + MINUTE, error_code="x", error="y"
    )
    runs.update(connection, ended)
    assert runs.get(connection, run.id) == ended
    assert runs.not_final(connection) == []


def test_a_run_that_has_ended_stays_as_it_ended(connection: sqlite3.Connection) -> None:
    """A second end is refused (law 8), and so is one of what was never stored."""
    ended = runs.insert(connection, FULL)
    with pytest.raises(AlreadyFinal) as refused:
        runs.update(connection, replace(ended, state="completed"))
    assert (refused.value.table, refused.value.key) == ("run", ended.id)
    assert runs.get(connection, ended.id) == ended
    with pytest.raises(NotStored):
        runs.update(connection, replace(ended, id=9))


def test_the_newest_runs_page_by_page(connection: sqlite3.Connection) -> None:
    """Of all kinds or of one, newest first, without a gap between pages."""
    for number in range(6):
        runs.insert(connection, replace(BARE, kind="macro" if number % 2 else "mode"))
    first = runs.recent(connection, None, 4)
    rest = runs.recent(connection, None, 4, before=first[-1].id)
    assert [run.id for run in first + rest] == [6, 5, 4, 3, 2, 1]
    first = runs.recent(connection, "macro", 2)
    rest = runs.recent(connection, "macro", 2, before=first[-1].id)
    assert [run.id for run in first + rest] == [6, 4, 2]


def test_the_run_of_a_due_moment(connection: sqlite3.Connection) -> None:
    """The one that remembers it."""
    runs.insert(connection, BARE)
    begun = runs.insert(connection, replace(BARE, data={"occurrence": 7}))
    runs.insert(connection, replace(BARE, data={"occurrence": 8}))
    assert runs.of_occurrence(connection, 7) == begun
    assert runs.of_occurrence(connection, 9) is None


def test_steps_of_a_run(connection: sqlite3.Connection) -> None:
    """Each as last known, in their order."""
    run = runs.insert(connection, BARE)
    other = runs.insert(connection, BARE)
    waiting = StepRow(
        run=run.id,
        step=1,
        state="waiting",
        started_at=AT,
        deadline={"wall": "2026", "elapsed": 3.5},
    )
    done = replace(
        waiting,
        step=0,
        state="failed",
        ended_at=AT + MINUTE,
        deadline=None,
        result={"command": "a"},
        error_code="device_busy",
        error="busy",
    )
    for step in (waiting, done, StepRow(run=other.id, step=0, state="pending")):
        runs.put_step(connection, step)
    assert runs.steps(connection, run.id) == [done, waiting]
    gone_on = replace(waiting, state="completed", ended_at=AT, deadline=None)
    runs.put_step(connection, gone_on)
    assert runs.steps(connection, run.id) == [done, gone_on]


def test_a_step_without_its_run(connection: sqlite3.Connection) -> None:
    """It is refused."""
    with pytest.raises(NotStored) as refused:
        runs.put_step(connection, StepRow(run=9, step=0, state="pending"))
    assert (refused.value.table, refused.value.key) == ("run", 9)
