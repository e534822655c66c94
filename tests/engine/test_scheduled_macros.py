"""Schedules that start a macro: each moment once, as a run, with a verdict (RES-51, RES-58)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.changes import RunChanged
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.planner import Planned
from custom_components.aquarist.engine.verdicts import verdict_of_run
from custom_components.aquarist.runs.states import RunState
from custom_components.aquarist.store.occurrences import Verdict
from custom_components.aquarist.store.runs import RunRow
from tests.engine.plans import announced, create, daily, on_disk, verdicts, words
from tests.engine.rig import Pump, at
from tests.engine.run_rig import ORIGIN, RunRig, level, run_rig
from tests.engine.troubled_store import read_only

DAY = 24 * 60 * 60
PAUSE: dict[str, Any] = {"delay": 60}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RunRig]:
    """Give a started engine with a pump."""
    async with run_rig(tmp_path) as rig:
        await rig.attach(Pump(), aquarium="reef")
        yield rig


async def macro(
    rig: RunRig, *sequence: dict[str, Any], name: str = "Evening", **more: Any
) -> int:
    """Save a macro; return its number."""
    made = await rig.engine.macros.create(
        {"name": name, "sequence": list(sequence), **more}, user="admin"
    )
    return made.row.id


def at_four(macro: str | int = "Evening", **more: Any) -> dict[str, Any]:
    """Return a schedule that starts a macro at four in the afternoon, in four hours."""
    return daily("16:00", "macro", {"macro": macro}, devices=()) | more


async def four(rig: RunRig) -> None:
    """Let it become four in the afternoon."""
    moment = rig.clock.now().replace(hour=16, minute=0, second=0)
    await rig.advance((moment - rig.clock.now()).total_seconds() % DAY)


async def runs(rig: RunRig) -> list[RunRow]:
    """Return the runs of macros, the newest first."""
    return await rig.engine.runs.recent("macro", 10)


async def status(rig: RunRig, planned: Planned) -> str | None:
    """Return how a schedule last ran, which memory and disk agree about."""
    stored = await on_disk(rig, planned.row.id)
    assert stored is not None
    assert planned.row.last_run_status == stored.last_run_status
    return stored.last_run_status


@pytest.mark.parametrize("by_number", [False, True])
async def test_the_run_begins_with_its_moment(rig: RunRig, by_number: bool) -> None:
    """It says which one, and has its verdict when the run is over."""
    number = await macro(rig, level(20), PAUSE)
    planned = await create(rig, at_four(number if by_number else "Evening"))
    await four(rig)
    (run,) = await runs(rig)
    (occurrence,) = await verdicts(rig)
    assert (run.kind, run.name, run.definition_id) == ("macro", "Evening", number)
    assert (run.source, run.user) == (Source.SCHEDULE, None)
    assert run.data == {"occurrence": occurrence.id, "schedule": planned.row.id}
    assert (occurrence.verdict, announced(rig)) == (None, [(None, None)])

    await rig.advance(61)
    assert (await rig.run(run))[0].state == RunState.COMPLETED
    assert await words(rig) == [(Verdict.RAN, None)]
    assert announced(rig) == [(None, None), (Verdict.RAN, None)]
    assert await status(rig, planned) == "success"


async def test_each_moment_once(rig: RunRig) -> None:
    """The next day it runs again."""
    await macro(rig, level(20))
    await create(rig, at_four())
    for days in (1, 2):
        await four(rig)
        await rig.advance(DAY / 2)
        assert len(await runs(rig)) == days
    assert await words(rig) == [(Verdict.RAN, None)] * 2


async def test_one_that_fails_says_why(rig: RunRig) -> None:
    """The reason of the run is that of the verdict."""
    await macro(rig, level(20))
    planned = await create(rig, at_four())
    pump = rig.engine.device("uuid-Pump").device
    assert isinstance(pump, Pump)
    pump.fail_next(DeviceError("service_failed", transient=False))
    await four(rig)
    await rig.settle()
    assert await words(rig) == [(Verdict.FAILED, "service_failed")]
    assert await status(rig, planned) == "failed"


def row(state: RunState, code: str | None, error: str | None) -> RunRow:
    """Return a run that has ended."""
    return RunRow(
        kind="macro",
        name="Evening",
        definition={},
        state=state,
        source="schedule",
        started_at=at("16:00"),
        ended_at=at("16:01"),
        error_code=code,
        error=error,
    )


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (row(RunState.COMPLETED, None, None), (Verdict.RAN, None)),
        (
            row(RunState.COMPLETED, None, "steps_failed"),
            (Verdict.PARTLY, "steps_failed"),
        ),
        (
            row(RunState.FAILED, "safety_refused", "refused_budget_24h"),
            (Verdict.REFUSED, "refused_budget_24h"),
        ),
        (
            row(RunState.FAILED, "command_failed", "no_answer"),
            (Verdict.FAILED, "no_answer"),
        ),
        (
            row(RunState.CANCELLED, "command_cancelled", "superseded"),
            (Verdict.FAILED, "superseded"),
        ),
    ],
)
def test_the_verdict_follows_from_how_the_run_ended(
    run: RunRow, verdict: tuple[Verdict, str | None]
) -> None:
    """Law 9."""
    assert verdict_of_run(run) == verdict


@pytest.mark.parametrize("wanted", ["Nothing", 99])
async def test_an_unknown_macro_is_refused_when_it_is_planned(
    rig: RunRig, wanted: str | int
) -> None:
    """Law 10: the field is named, and nothing is stored."""
    with pytest.raises(EngineError) as refused:
        await create(rig, at_four(wanted))
    assert (refused.value.code, refused.value.field) == (
        "macro_not_found",
        "action_params.macro",
    )
    assert refused.value.placeholders["id"] == str(wanted)
    assert not rig.engine.planner.schedules


async def test_a_macro_that_does_not_validate_is_refused_when_it_is_planned(
    rig: RunRig,
) -> None:
    """It could not be run (law 10)."""
    number = await macro(rig, level(20))
    spoil(rig, number)
    with pytest.raises(EngineError) as refused:
        await create(rig, at_four())
    assert (refused.value.code, refused.value.field) == (
        "macro_invalid",
        "action_params.macro",
    )


def spoil(rig: RunRig, number: int) -> None:
    """Let the definition of a macro be one that does not validate any more."""
    found = rig.engine.macros.get(number).row
    definition = {"name": found.name, "sequence": [{"dance": 1}]}
    rig.engine.macros.load([replace(found, definition=definition)])


async def test_a_macro_that_is_gone_fails_the_moment(rig: RunRig) -> None:
    """Looked up when due (law 7): the verdict says why nothing ran."""
    number = await macro(rig, level(20))
    planned = await create(rig, at_four())
    await rig.engine.macros.delete(number, user=None)
    await four(rig)
    assert await words(rig) == [(Verdict.FAILED, "macro_not_found")]
    assert (await runs(rig), await status(rig, planned)) == ([], "failed")

    await macro(rig, level(30))
    await rig.advance(DAY)
    assert (await words(rig))[1:] == [(Verdict.RAN, None)]


async def test_a_macro_that_no_longer_validates_fails_the_moment(rig: RunRig) -> None:
    """It is not run."""
    number = await macro(rig, level(20))
    await create(rig, at_four())
    spoil(rig, number)
    await four(rig)
    assert await words(rig) == [(Verdict.FAILED, "macro_invalid")]


async def test_one_that_still_runs_is_left_out(rig: RunRig) -> None:
    """As the macro's mode has it: single."""
    number = await macro(rig, {"delay": 2 * 24 * 60 * 60})
    planned = await create(rig, at_four(number))
    await four(rig)
    await rig.advance(24 * 60 * 60)
    assert await words(rig) == [(None, None), (Verdict.SKIPPED, "run_under_way")]
    assert len(await runs(rig)) == 1
    assert await status(rig, planned) == "skipped"


async def test_a_newer_run_takes_the_place_of_the_older_one(rig: RunRig) -> None:
    """As the macro's mode has it: restart."""
    await macro(rig, {"delay": 2 * 24 * 60 * 60}, mode="restart")
    await create(rig, at_four())
    await four(rig)
    await rig.advance(24 * 60 * 60)
    assert await words(rig) == [(Verdict.FAILED, "superseded"), (None, None)]


async def test_what_the_keeper_holds_back_is_skipped(rig: RunRig) -> None:
    """Also one device of an aquarium whose automation is off holds all of it back."""
    await macro(rig, PAUSE, level(20))
    planned = await create(rig, at_four())
    assert rig.engine.planner.devices(definition_of(planned)) == (1,)
    await rig.engine.planner.set_automation("reef", enabled=False)
    await four(rig)
    assert await words(rig) == [(Verdict.SKIPPED, "automation_off")]
    assert (await runs(rig), await status(rig, planned)) == ([], "skipped")


def definition_of(planned: Planned) -> Any:
    """Return the definition of a schedule that validates."""
    assert planned.definition is not None
    return planned.definition


async def test_its_devices_are_those_of_the_macro_now(rig: RunRig) -> None:
    """None at all without a macro."""
    number = await macro(rig, level(20), level(30))
    other = await rig.attach(Pump("Other"))
    planned = await create(rig, at_four())
    devices = rig.engine.planner.devices
    assert devices(definition_of(planned)) == (1,)
    await rig.engine.macros.update(
        number,
        {
            "name": "Evening",
            "sequence": [level(5, "uuid-Other"), PAUSE],
        },
        user=None,
    )
    assert devices(definition_of(planned)) == (other.row.number,)
    spoil(rig, number)
    assert devices(definition_of(planned)) == ()
    await rig.engine.macros.delete(number, user=None)
    assert devices(definition_of(planned)) == ()
    on = await create(rig, daily("13:00", "on"))
    assert devices(definition_of(on)) == (1,)
    on.definition = None
    assert rig.engine.planner.concerned(on) == (1,)


async def test_what_was_missed_is_left_out(rig: RunRig) -> None:
    """A sequence does not come late (RES-37)."""
    await macro(rig, level(20))
    await create(rig, at_four())
    await rig.engine.close()
    rig.clock.jump(5 * 60 * 60)
    await rig.boot()
    await rig.settle()
    assert await words(rig) == [(Verdict.MISSED, "not_running")]
    assert await runs(rig) == []


async def test_a_restart_goes_on_with_the_run(rig: RunRig) -> None:
    """Its moment gets its verdict at the end, not twice."""
    await macro(rig, PAUSE, level(20))
    planned = await create(rig, at_four())
    await four(rig)
    await rig.reboot(Pump())
    await rig.advance(61)
    await rig.settle()
    assert await words(rig) == [(Verdict.RAN, None)]
    stored = await on_disk(rig, planned.row.id)
    assert stored is not None
    assert stored.last_run_status == "success"


async def test_a_run_that_ended_just_before_a_restart_has_its_verdict(
    rig: RunRig,
) -> None:
    """What was on disk of it is read."""
    await macro(rig, level(20))
    await create(rig, at_four())
    await four(rig)
    await rig.advance(1)
    await undecide(rig)
    await rig.reboot(Pump())
    await rig.settle()
    assert await words(rig) == [(Verdict.RAN, None)]


async def test_an_end_that_is_told_twice_is_one_verdict(rig: RunRig) -> None:
    """Final is final (law 8)."""
    await macro(rig, PAUSE)
    await create(rig, at_four())
    await four(rig)
    (run,) = await runs(rig)
    ended = replace(
        run, state=RunState.FAILED, ended_at=rig.clock.now(), error="no_answer"
    )
    for _ in range(2):
        rig.engine.announcer.announce(RunChanged(run=ended, steps=()))
    await rig.settle()
    assert announced(rig) == [(None, None), (Verdict.FAILED, "no_answer")]


async def undecide(rig: RunRig) -> None:
    """Take the verdicts off the disk, as if the process had died before them."""
    assert rig.engine.database is not None
    await rig.engine.journal.commit(
        lambda connection: connection.execute(
            "UPDATE occurrence SET verdict = NULL, reason = NULL, decided_at = NULL"
        )
    )


async def test_a_moment_that_cannot_be_stored_is_tried_again(rig: RunRig) -> None:
    """Neither it nor its run is there before (law 2)."""
    await macro(rig, level(20))
    await create(rig, at_four())
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        await four(rig)
        assert await words(rig) == []
    await rig.advance(5)
    assert await words(rig) == [(Verdict.RAN, None)]
    assert len(await runs(rig)) == 1


async def test_a_moment_that_had_its_turn_runs_no_second_time(rig: RunRig) -> None:
    """Whatever the engine remembers of it (RES-51)."""
    await macro(rig, level(20))
    planned = await create(rig, at_four())
    await four(rig)
    await rig.advance(1)
    planned.handled -= timedelta(hours=1)
    rig.engine.planner.start()
    await rig.settle()
    assert await words(rig) == [(Verdict.RAN, None)]
    assert len(await runs(rig)) == 1


async def test_to_delete_the_schedule_ends_its_run(rig: RunRig) -> None:
    """As what it has under way (RES-62); other runs of the macro go on."""
    number = await macro(rig, {"delay": 3600}, mode="parallel")
    planned = await create(rig, at_four())
    await four(rig)
    (own,) = await runs(rig)
    other = await rig.engine.macros.run(number, ORIGIN)
    await rig.engine.delete_schedule(planned.row.id, user=None)
    await rig.settle()
    assert (await rig.run(own))[0].state == RunState.CANCELLED
    assert (await rig.run(other))[0].state == RunState.RUNNING
    assert await words(rig) == [(Verdict.FAILED, "cancelled")]
