"""A due moment as one unit of work: once, in its time, or missed and for what reason."""

import asyncio
from contextlib import closing
from datetime import timedelta
import sqlite3
from typing import Any

import pytest

from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.store.errors import StoreReadOnlyError
from custom_components.aquarist.store.occurrences import Verdict
from tests.engine.plans import announced, create, daily, on_disk, ramp, verdicts, words
from tests.engine.rig import Pump, Rig, at
from tests.engine.troubled_store import read_only

DAY = 24 * 3600


async def outage(rig: Rig, seconds: float, *devices: Any) -> None:
    """Let the engine be gone for a while, and come back with its devices."""
    await rig.engine.close()
    rig.clock.advance(seconds)
    await rig.boot(start=False)
    for device in devices:
        await rig.attach(device)
    rig.changes.clear()
    rig.engine.start()
    await rig.settle()
    await rig.advance(0)


async def test_more_than_can_be_looked_at_at_once_never_runs_late(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then there are several rows, and the last moment is still the last one."""
    monkeypatch.setattr("custom_components.aquarist.engine.planner.LOOK_BACK", 100)
    pump = Pump(level=0)
    await rig.attach(pump)
    data = daily("12:30", "ramp", ramp(50, 20, start_level=10))
    await create(rig, data | {"cron_expression": "* * * * *"})
    await outage(rig, 250 * 60 + 30, pump)
    for _ in range(3):
        await rig.advance(0)
    assert [(one.verdict, one.count) for one in await verdicts(rig)] == [
        (Verdict.MISSED, 100),
        (Verdict.MISSED, 100),
        (Verdict.MISSED, 49),
        (Verdict.RAN, 1),
    ]
    assert pump.told == [50.0]


async def test_a_second_restart_notes_nothing_twice(rig: Rig) -> None:
    """The next run is stored with the row of the missed ones."""
    pump = Pump(level=80)
    await rig.attach(pump)
    planned = await create(rig, daily("12:30", "off"))
    await outage(rig, DAY, pump)
    await outage(rig, 60, pump)
    assert await words(rig) == [(Verdict.MISSED, "not_running")]
    stored = await on_disk(rig, planned.row.id)
    assert stored is not None
    assert (stored.last_run, stored.last_run_status) == (None, "skipped")
    assert stored.next_run == at("12:30") + timedelta(days=1)


async def test_who_wants_no_making_up_gets_none(rig: Rig) -> None:
    """RES-37: `skip` for a ramp."""
    pump = Pump(level=0)
    await rig.attach(pump)
    await create(rig, daily("12:30", "ramp", ramp(80, 1200), on_miss="skip"))
    await outage(rig, 2400, pump)
    assert pump.told == []
    assert await words(rig) == [(Verdict.MISSED, "not_running")]


async def test_two_schedules_of_one_second_run_in_the_order_of_their_ids(
    rig: Rig,
) -> None:
    """R-B115: the later one stays."""
    pump = Pump(level=80)
    await rig.attach(pump)
    await create(rig, daily("12:30", "set_level", {"level": 30}, name="z"))
    await create(rig, daily("12:30", "set_level", {"level": 60}, name="a"))
    await rig.advance(1800)
    assert pump.told == [30.0, 60.0]


async def test_a_moment_that_had_its_turn_has_none_again(rig: Rig) -> None:
    """RES-51: its identity is on disk, whatever the schedule and the clock say."""
    pump = Pump(level=80)
    await rig.attach(pump)
    await create(rig, daily("12:30", "off"))
    await rig.advance(1860)
    await rig.engine.close()
    with closing(sqlite3.connect(rig.path)) as connection, connection:
        connection.execute("UPDATE schedule SET next_run = NULL, last_run = NULL")
    rig.clock.jump(-3600)
    await rig.boot()
    await rig.attach(pump)
    for _ in range(3):
        await rig.advance(1800)
    assert await words(rig) == [(Verdict.RAN, None)]
    assert len(await rig.engine.history.recent(None, 10)) == 1


async def test_a_moment_that_is_not_taken_for_long_is_missed_for_that_reason(
    rig: Rig,
) -> None:
    """Not because nobody was there; the next one runs."""
    pump = Pump(level=80)
    await rig.attach(pump)
    planned = await create(rig, daily("12:30", "off"))
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        await rig.advance(1800)
        for _ in range(14):
            await rig.advance(5)
    await rig.advance(5)
    assert await words(rig) == [(Verdict.MISSED, "store_read_only")]
    assert announced(rig) == [("missed", "store_read_only")]
    assert pump.told == []
    assert planned.row.last_run_status == "skipped"
    await rig.advance(DAY - 75)
    assert (await words(rig))[-1] == (Verdict.RAN, None)


async def test_a_schedule_that_is_not_stored_does_not_exist(rig: Rig) -> None:
    """The error is the caller's."""
    await rig.attach(Pump())
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        with pytest.raises(StoreReadOnlyError):
            await create(rig, daily("12:30", "off"))
    assert rig.engine.planner.schedules == ()
    assert (await create(rig, daily("12:30", "off"))).row.id == 1


async def test_an_error_that_nobody_foresaw_waits_for_the_next_moment(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged; what was not stored has not happened."""
    pump = Pump(level=80)
    await rig.attach(pump)
    planned = await create(rig, daily("12:30", "off"))
    with closing(sqlite3.connect(rig.path)) as connection, connection:
        connection.execute("DROP TABLE occurrence")
    await rig.advance(1800)
    assert pump.told == []
    assert "A due moment of off at 12:30 failed" in caplog.text
    assert planned.row.last_run is None


async def test_deleted_in_the_very_moment_in_which_it_is_due(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """Deleted is deleted, and that is no fault of anything."""
    pump = Pump(level=80)
    await rig.attach(pump)
    planned = await create(rig, daily("12:30", "off"))
    await rig.advance(1799)
    deleting = asyncio.ensure_future(
        rig.engine.delete_schedule(planned.row.id, user="keeper")
    )
    await asyncio.sleep(0)
    rig.clock.advance(1)
    await deleting
    await rig.settle()
    assert pump.told == []
    assert await verdicts(rig) == []
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


async def test_one_that_is_not_there_cannot_be_deleted(rig: Rig) -> None:
    """The error names the argument."""
    with pytest.raises(EngineError) as refused:
        await rig.engine.delete_schedule(7, user=None)
    assert (refused.value.code, refused.value.field) == (
        "schedule_not_found",
        "schedule_id",
    )


async def test_what_does_not_validate_can_be_deleted(rig: Rig) -> None:
    """It has no plan and no next moment, and never runs."""
    pump = Pump(level=80)
    await rig.attach(pump)
    planned = await create(rig, daily("12:30", "off"))
    await rig.engine.close()
    with closing(sqlite3.connect(rig.path)) as connection, connection:
        connection.execute(
            "UPDATE schedule SET definition = "
            "json_set(definition, '$.cron_expression', 'soon')"
        )
    rig.clock.advance(DAY)
    await rig.boot()
    await rig.attach(pump)
    found = rig.engine.planner.get(planned.row.id)
    assert found is not None
    assert "cron_expression" in str(found.error)
    assert rig.engine.planner.next_moment(found) is None
    await rig.advance(DAY)
    assert await verdicts(rig) == []
    await rig.engine.delete_schedule(planned.row.id, user=None)
    assert await on_disk(rig, planned.row.id) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (
            {
                "schedule_type": "one_off",
                "cron_expression": None,
                "start_time": "2026-03-10T11:59:59Z",
            },
            "start_time",
        ),
        ({"end_time": "2026-03-10T12:29:59Z"}, "cron_expression"),
    ],
)
async def test_one_that_is_never_due_is_refused_unless_it_is_off(
    rig: Rig, changes: dict[str, Any], field: str
) -> None:
    """The field that says when is named."""
    await rig.attach(Pump())
    with pytest.raises(EngineError) as refused:
        await create(rig, daily("12:30", "off") | changes)
    assert (refused.value.code, refused.value.field) == ("schedule_never_due", field)
    planned = await create(rig, daily("12:30", "off", is_enabled=False) | changes)
    assert planned.row.next_run is None
    assert rig.engine.planner.next_moment(planned) is None


async def test_the_next_moment_lies_ahead(rig: Rig) -> None:
    """What the panel and the calendar show."""
    await rig.attach(Pump())
    planned = await create(rig, daily("12:30", "off"))
    moment = rig.engine.planner.next_moment(planned)
    assert moment is not None
    assert moment.at == at("12:30")
    await rig.advance(1800)
    moment = rig.engine.planner.next_moment(planned)
    assert moment is not None
    assert moment.at == at("12:30") + timedelta(days=1)


async def test_woken_too_early_or_for_nothing_it_waits_for_its_moment(
    rig: Rig,
) -> None:
    """Law 7: what is due is looked up, not remembered."""
    pump = Pump(level=80)
    await rig.attach(pump)
    planned = await create(rig, daily("12:30", "off"))
    for key in (planned.row.id, 99):
        rig.engine.agenda.put("schedule", key, rig.clock.now())
    await rig.advance(60)
    assert pump.told == []
    assert await verdicts(rig) == []
    await rig.advance(1740)
    assert await words(rig) == [(Verdict.RAN, None)]
