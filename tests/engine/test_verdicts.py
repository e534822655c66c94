"""Verdicts that are known late: after the commands' ends, and after a restart (law 9)."""

from contextlib import closing
import sqlite3

import pytest

from custom_components.aquarist.store.occurrences import Verdict
from tests.engine.memory_doser import MemoryDoser
from tests.engine.plans import announced, create, daily, on_disk, ramp, words
from tests.engine.rig import Pump, Rig, at


async def test_the_end_of_a_ramp_is_the_end_of_its_occurrence(rig: Rig) -> None:
    """Also when the engine was ended in between."""
    pump = Pump(level=0)
    await rig.attach(pump)
    await create(rig, daily("12:30", "ramp", ramp(60, 600)))
    await rig.advance(1800 + 300)
    assert await words(rig) == [(None, None)]
    await rig.reboot(pump)
    assert await words(rig) == [(None, None)]
    for _ in range(4):
        await rig.advance(100)
    assert pump.level == 60
    assert await words(rig) == [(Verdict.RAN, None)]


async def test_a_verdict_that_was_not_written_any_more_is_made_up_for(
    rig: Rig,
) -> None:
    """The commands had ended, then the power went."""
    await rig.attach(Pump(level=80))
    await create(rig, daily("12:30", "off"))
    await rig.advance(1800)
    await rig.engine.close()
    with closing(sqlite3.connect(rig.path)) as connection, connection:
        connection.execute("UPDATE occurrence SET verdict = NULL, decided_at = NULL")
    rig.changes.clear()
    await rig.boot()
    await rig.settle()
    assert await words(rig) == [(Verdict.RAN, None)]
    assert announced(rig) == [("ran", None)]


async def test_a_dose_that_was_under_way_gives_its_moment_one_verdict(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """Its command is ended by the recovery that takes the moment up."""
    doser = MemoryDoser()
    doser.slow = True
    await rig.attach(doser)
    dose = {"head_index": 0, "volume_ml": 2}
    await create(rig, daily("12:30", "dose", dose))
    await rig.advance(1800)
    assert doser.sent == [(0, 2000)]
    rig.changes.clear()
    await rig.reboot(doser)
    assert await words(rig) == [(Verdict.FAILED, "interrupted")]
    assert announced(rig) == [("failed", "interrupted")]
    assert "could not be recorded" not in caplog.text
    assert doser.sent == [(0, 2000)]


async def test_a_newer_ramp_is_the_reason_of_the_older_ones_end(rig: Rig) -> None:
    """R-B107."""
    await rig.attach(Pump(level=0))
    await create(rig, daily("12:10", "ramp", ramp(100, 3600)))
    await create(rig, daily("12:30", "ramp", ramp(50, 60)))
    await rig.advance(1800)
    await rig.advance(60)
    assert await words(rig) == [(Verdict.FAILED, "superseded"), (Verdict.RAN, None)]


async def test_a_deleted_schedule_is_the_reason_of_its_ramps_end(rig: Rig) -> None:
    """RES-62: the occurrence stays when its schedule is gone."""
    pump = Pump(level=10)
    await rig.attach(pump)
    planned = await create(rig, daily("12:30", "ramp", ramp(90, 1000)))
    await rig.advance(2300)
    await rig.engine.delete_schedule(planned.row.id, user="keeper")
    await rig.settle()
    assert pump.level == 10
    assert await words(rig) == [(Verdict.FAILED, "cancelled")]


async def test_an_older_run_that_ends_later_does_not_hide_the_newer_one(
    rig: Rig,
) -> None:
    """The status of a schedule is that of its newest run."""
    pump = Pump(level=0)
    await rig.attach(pump)
    data = daily("12:30", "ramp", ramp(50, 900))
    planned = await create(rig, data | {"cron_expression": "0,10 13 * * *"})
    await rig.advance(3600)
    await rig.advance(600)
    assert await words(rig) == [(Verdict.FAILED, "superseded"), (None, None)]
    for stored in (await on_disk(rig, planned.row.id), planned.row):
        assert stored is not None
        assert stored.last_run == at("13:10")
        assert stored.last_run_status is None
    for _ in range(10):
        await rig.advance(100)
    assert planned.row.last_run_status == "success"
