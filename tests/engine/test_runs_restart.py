"""A run goes on where it was, whenever the engine ends: replay, not memory (RES-45, 48)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from custom_components.aquarist.commands.command import ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.state import DEVICE_WAIT
from custom_components.aquarist.runs.steps import Mode
from custom_components.aquarist.store import runs as run_rows
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.errors import StoreFullError, StoreReadOnlyError
from custom_components.aquarist.store.runs import RunRow, StepRow
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import Pump, Rig
from tests.engine.run_rig import RunRig, level, run_rig, wait
from tests.engine.troubled_store import read_only

DOSE = {
    "command": {
        "device_id": "uuid-Doser",
        "action": "dose",
        "args": {"head_index": 0, "volume_ml": 5},
    }
}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RunRig]:
    """Give a started engine without devices."""
    async with run_rig(tmp_path) as rig:
        yield rig


def database(rig: RunRig) -> Database:
    """Return the engine's store."""
    assert rig.engine.database is not None
    return rig.engine.database


async def store_step(rig: RunRig, step: StepRow) -> None:
    """Write a step as an engine left it that was killed."""
    await rig.engine.journal.commit(
        lambda connection: run_rows.put_step(connection, step)
    )


async def test_a_delay_goes_on_by_its_deadline(rig: RunRig) -> None:
    """RES-48: what has passed meanwhile counts."""
    pump = Pump()
    await rig.attach(pump)
    run = await rig.begin({"delay": 60}, level(20))
    await rig.advance(20)
    await rig.engine.close()
    rig.clock.advance(30)
    await rig.boot(start=False)
    await rig.attach(pump)
    await rig.settle()
    assert await rig.states(run) == ("running", ["running"])
    rig.engine.start()
    await rig.settle()

    await rig.advance(9)
    assert pump.told == []
    await rig.advance(2)
    assert pump.told == [20]
    assert await rig.states(run) == ("completed", ["completed", "completed"])


async def test_a_delay_that_ended_meanwhile_is_over_at_once(rig: RunRig) -> None:
    """RES-48: overdue, the run goes on at the start."""
    pump = Pump()
    await rig.attach(pump)
    run = await rig.begin({"delay": 60}, level(20))
    await rig.engine.close()
    rig.clock.advance(600)
    await rig.boot(start=False)
    await rig.attach(pump)
    rig.engine.start()
    await rig.settle()

    assert pump.told == [20]
    assert (await rig.states(run))[0] == "completed"


async def test_between_any_two_steps_nothing_is_done_twice(rig: RunRig) -> None:
    """A restart after each step: every command is sent once, and the run ends."""
    pump = Pump()
    await rig.attach(pump)
    sequence = [level(value) for value in (10, 20, 30)]
    paused = [part for step in sequence for part in (step, {"delay": 5})]
    run = await rig.begin(*paused)
    for _ in range(len(sequence)):
        await rig.reboot(pump)
        await rig.advance(6)

    assert pump.told == [10, 20, 30]
    row, steps = await rig.run(run)
    assert row.state == "completed"
    assert [step.state for step in steps] == ["completed"] * 6


@pytest.mark.parametrize("resumed", [True, False])
@pytest.mark.parametrize("comes_after", [0, 30, DEVICE_WAIT - 1])
async def test_a_step_waits_for_a_device_that_comes_after_the_start(
    rig: RunRig, comes_after: float, resumed: bool
) -> None:
    """R-X5: the step that was under way, or the first one after a delay."""
    pump = Pump()
    await rig.attach(pump)
    run = await rig.begin({"delay": 60}, level(20), level(30))
    if resumed:
        (first,) = (await rig.run(run))[1]
        at = first.started_at
        await store_step(rig, replace(first, state="completed", ended_at=at))
        under_way = StepRow(run=run.id, step=1, state="running", started_at=at)
        await store_step(rig, under_way)
    await rig.engine.close()
    rig.clock.advance(60)
    await rig.boot()
    await Rig.settle(rig)
    await rig.attach(Pump("Other"))
    rig.clock.advance(comes_after)
    await Rig.settle(rig)
    assert await rig.states(run) == ("running", ["completed", "running"])

    await rig.attach(pump)
    await rig.settle()
    assert await rig.states(run) == ("completed", ["completed"] * 3)
    assert pump.told == [20, 30]


async def test_a_step_waits_for_its_device_within_bounds(rig: RunRig) -> None:
    """Who never comes is told of; later steps do not wait anew."""
    await rig.attach(Pump())
    run = await rig.begin(
        {"delay": 5}, level(20, continue_on_error=True), {"delay": 60}, level(30)
    )
    await rig.engine.close()
    await rig.boot()
    await rig.settle()
    rig.clock.advance(5)
    await Rig.settle(rig)
    assert await rig.states(run) == ("running", ["completed", "running"])
    rig.clock.advance(DEVICE_WAIT - 5)
    await rig.settle()
    _, steps = await rig.run(run)
    assert (steps[1].error_code, steps[1].error) == (
        ErrorCode.DEVICE_NOT_FOUND,
        "device_not_loaded",
    )
    await rig.advance(60)
    row, steps = await rig.run(run)
    assert (row.state, steps[3].error) == ("failed", "device_not_loaded")


async def test_a_wait_goes_on(rig: RunRig) -> None:
    """What shows now counts."""
    pump = Pump(level=80)
    await rig.attach(pump)
    run = await rig.begin(wait(above=90))
    await rig.reboot(pump)
    assert await rig.states(run) == ("running", ["running"])
    await rig.engine.close()
    await rig.boot(start=False)
    await rig.attach(Pump(level=95))
    rig.engine.start()
    await rig.settle()
    assert await rig.states(run) == ("completed", ["completed"])


async def test_a_command_that_was_accepted_is_waited_for(rig: RunRig) -> None:
    """It has its id: it is not sent again, and its end is that of the step."""
    pump = Pump()
    state = await rig.attach(pump)
    state.queue.hold()
    run = await rig.begin(level(20), level(30))
    (command,) = rig.engine.records.open
    await rig.reboot(pump)

    assert (await rig.stored(command)).phase is Phase.COMPLETED
    assert pump.told == [20, 30]
    assert await rig.states(run) == ("completed", ["completed", "completed"])


async def test_a_step_whose_command_was_not_accepted_is_done(rig: RunRig) -> None:
    """The engine was killed between the two: nothing had been sent."""
    pump = Pump()
    await rig.attach(pump)
    run = await rig.begin({"delay": 60}, level(20))
    await rig.engine.close()
    await rig.boot(start=False)
    _, (first,) = await rig.run(run)
    await store_step(
        rig,
        StepRow(
            run=run.id,
            step=0,
            state="completed",
            started_at=first.started_at,
            ended_at=first.started_at,
        ),
    )
    await store_step(
        rig,
        StepRow(run=run.id, step=1, state="running", started_at=first.started_at),
    )
    await rig.reboot(pump)

    assert pump.told == [20]
    assert (await rig.states(run))[0] == "completed"


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_dose_that_was_interrupted_fails_its_step(
    rig: RunRig, goes_on: bool
) -> None:
    """Law 3: it is never sent again; the run stops, or goes on as it says."""
    doser, pump = MemoryDoser(), Pump()
    doser.slow = True
    await rig.attach(doser)
    await rig.attach(pump)
    run = await rig.begin(DOSE | {"continue_on_error": goes_on}, level(20))
    assert doser.sent == [(0, 5000)]
    await rig.reboot(doser, pump)

    assert doser.sent == [(0, 5000)]
    row, steps = await rig.run(run)
    assert steps[0].error_code == ErrorCode.INTERRUPTED
    if goes_on:
        assert (row.state, pump.told) == ("completed", [20])
    else:
        assert (row.state, row.error_code, pump.told) == ("failed", "interrupted", [])


async def test_a_run_that_waits_for_its_turn_still_does(rig: RunRig) -> None:
    """And gets it when the one before has ended."""
    first = await rig.begin({"delay": 60}, mode=Mode.QUEUED)
    second = await rig.begin({"delay": 60}, mode=Mode.QUEUED)
    await rig.reboot()
    assert await rig.states(second) == ("waiting", [])
    await rig.advance(61)
    assert (await rig.states(first))[0] == "completed"
    assert (await rig.states(second))[0] == "running"


async def test_a_turn_that_came_with_the_end_of_the_engine_is_taken(
    rig: RunRig,
) -> None:
    """The one before ended, and the next one was not begun any more."""
    first = await rig.begin({"delay": 60}, mode=Mode.QUEUED)
    second = await rig.begin({"delay": 60}, mode=Mode.QUEUED)
    await rig.engine.close()
    await rig.boot(start=False)
    await rig.engine.runs.cancel(first.id)
    assert await rig.states(second) == ("waiting", [])
    rig.engine.start()
    await rig.settle()
    assert await rig.states(second) == ("running", ["running"])


async def test_what_no_longer_validates_ends_with_a_reason(rig: RunRig) -> None:
    """Law 10: it stays on disk, and is not run; so does what nobody knows any more."""
    run = await rig.begin({"delay": 60})
    await rig.engine.close()
    await rig.boot(start=False)

    def spoil(connection: Any) -> None:
        connection.execute("UPDATE run SET definition = '{}' WHERE id = ?", (run.id,))
        run_rows.insert(
            connection,
            RunRow(
                kind="dance",
                name="Waltz",
                definition={},
                state="waiting",
                source="service",
                started_at=rig.clock.now(),
            ),
        )

    await rig.engine.journal.commit(spoil)
    await rig.reboot()

    rows = await rig.engine.runs.recent(None, 2)
    assert [(row.state, row.error, row.error_code) for row in rows] == [
        ("failed", "definition_invalid", "validation_error")
    ] * 2


class TestTroubledStore:
    """What could not be written has not begun."""

    async def test_a_step_that_cannot_be_written_fails(self, rig: RunRig) -> None:
        """Law 2: the device never hears of it, and the run's end is kept."""
        pump = Pump()
        await rig.attach(pump)
        run = await rig.begin({"delay": 60}, level(20))
        async with read_only(database(rig)):
            await rig.advance(61)
            assert pump.told == []
            assert len(rig.engine.runs.live) == 1
            with pytest.raises(EngineError):
                await rig.engine.runs.cancel(run.id)
        await rig.engine.journal.retry()
        await rig.settle()

        assert pump.told == []
        row, steps = await rig.run(run)
        assert (row.state, row.error_code, row.error) == (
            "failed",
            "internal_error",
            "store_read_only",
        )
        assert [step.state for step in steps] == ["completed", "failed"]

    async def test_a_run_that_cannot_be_cancelled_goes_on(self, rig: RunRig) -> None:
        """The error reaches whoever asked, and the delay ends as it would have."""
        pump = Pump()
        await rig.attach(pump)
        run = await rig.begin({"delay": 60}, level(20))
        async with read_only(database(rig)):
            with pytest.raises(StoreReadOnlyError):
                await rig.engine.runs.cancel(run.id)
        await rig.advance(61)

        assert pump.told == [20]
        assert (await rig.states(run))[0] == "completed"

    async def test_a_command_that_cannot_be_written_fails_its_step(
        self, rig: RunRig
    ) -> None:
        """The step is on disk by then: it says why."""
        pump = Pump()
        await rig.attach(pump)
        steps = rig.engine.runs

        async def full(*_: object, **__: object) -> None:
            raise StoreFullError("no room")

        rig.engine.acceptance.accept = full  # type: ignore[assignment, method-assign]
        run = await rig.begin(level(20))
        row, _ = await steps.get(run.id)
        assert (row.error_code, row.error) == ("internal_error", "store_full")
