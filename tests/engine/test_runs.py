"""Runs: each step on disk before it acts, one after another (R-C62, laws 2 and 8)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.changes import CommandChanged, RunChanged
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.runs import RunRequest
from custom_components.aquarist.runs.states import RunState
from custom_components.aquarist.runs.steps import Mode
from custom_components.aquarist.store import commands
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import Pump
from tests.engine.run_rig import ORIGIN, RunRig, level, run_rig, wait
from tests.store.gate import blocked

SERVICE = Origin(source=Source.SERVICE)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RunRig]:
    """Give a started engine without devices."""
    async with run_rig(tmp_path) as rig:
        yield rig


def refusal(call: BaseException) -> str:
    """Return the word of a refusal."""
    assert isinstance(call, EngineError)
    return call.code


class TestSteps:
    """One after another, each written down first."""

    async def test_a_run_does_its_steps_and_ends(self, rig: RunRig) -> None:
        """The parent record, its step records and their commands belong together."""
        pump = Pump()
        await rig.attach(pump)
        run = await rig.begin(level(20), {"delay": 30}, level(60))

        assert pump.told == [20]
        assert await rig.states(run) == ("running", ["completed", "running"])
        await rig.advance(29)
        assert pump.told == [20]
        await rig.advance(2)

        assert pump.told == [20, 60]
        row, steps = await rig.run(run)
        assert (row.state, row.step, row.error) == ("completed", 2, None)
        assert row.ended_at == rig.clock.now()
        assert (row.user, row.context, row.source) == ("keeper", "call", "macro")
        assert [step.state for step in steps] == ["completed"] * 3
        assert steps[0].result is not None
        assert steps[0].result["command_id"] == f"run-{run.id}-0"
        assert rig.engine.runs.live == ()
        assert await rig.engine.runs.finished(run.id) == row

    async def test_a_command_knows_its_run(self, rig: RunRig) -> None:
        """And on whose behalf it was sent (R-C63)."""
        await rig.attach(Pump())
        run = await rig.begin({"delay": 0}, level(20))

        assert rig.engine.database is not None
        (command,) = await rig.engine.database.read(
            lambda connection: commands.of_run(connection, run.id)
        )
        assert (command.run, command.step, command.id) == (run.id, 1, f"run-{run.id}-1")
        assert (command.source, command.user, command.context) == (
            Source.MACRO,
            "keeper",
            "call",
        )

    async def test_a_step_is_on_disk_before_its_command(self, rig: RunRig) -> None:
        """Law 2, by the order in which the world hears of them."""
        await rig.attach(Pump())
        rig.changes.clear()
        await rig.begin(level(20))

        seen = [
            type(change).__name__
            for change in rig.changes
            if isinstance(change, RunChanged | CommandChanged)
        ]
        assert seen.index("RunChanged") < seen.index("CommandChanged")
        first = next(one for one in rig.changes if isinstance(one, RunChanged))
        assert (first.run.state, first.steps) == (RunState.RUNNING, ())

    async def test_a_failed_step_ends_the_run(self, rig: RunRig) -> None:
        """R-C62: three steps, the second fails: the third is not done."""
        pump = Pump()
        await rig.attach(pump)
        pump.raise_after = [DeviceError("unsupported", transient=False)]
        run = await rig.begin({"delay": 0}, level(20), level(60))

        row, steps = await rig.run(run)
        assert (row.state, row.error, row.error_code) == (
            "failed",
            "unsupported",
            steps[1].error_code,
        )
        assert [step.state for step in steps] == ["completed", "failed"]
        assert pump.told[:1] == [20]
        assert 60 not in pump.told

    @pytest.mark.parametrize("whole", [True, False])
    async def test_a_run_may_go_on_after_errors(self, rig: RunRig, whole: bool) -> None:
        """As a whole, or past the one step that says so."""
        pump = Pump()
        await rig.attach(pump)
        run = await rig.begin(
            level(20, "gone", **({} if whole else {"continue_on_error": True})),
            level(60),
            continue_on_error=whole,
        )

        row, steps = await rig.run(run)
        assert (row.state, row.error) == ("completed", "steps_failed")
        assert [step.state for step in steps] == ["failed", "completed"]
        assert (steps[0].error_code, steps[0].error) == (
            "device_not_found",
            "device_not_found",
        )
        assert pump.told == [60]

    async def test_what_a_device_cannot_do_fails_clearly(self, rig: RunRig) -> None:
        """A value, a limit and a device without hardware each say why."""
        doser = MemoryDoser()
        await rig.attach(Pump())
        state = await rig.attach(doser)
        dose = {"device_id": "uuid-Doser", "action": "dose"}
        for args, code, error in (
            ({"head_index": 0, "volume_ml": 49}, None, None),
            (
                {"head_index": 0, "volume_ml": 49},
                "safety_refused",
                "refused_budget_24h",
            ),
        ):
            run = await rig.begin({"command": dose | {"args": args}})
            row, (step,) = await rig.run(run)
            if code is None:
                await rig.begin({"command": dose | {"args": args}})
                continue
            assert (step.error_code, step.error) == (code, error)
        run = await rig.begin(level(101))
        row, _ = await rig.run(run)
        assert row.error_code in ("invalid_arguments", "command_invalid")
        await rig.engine.equipment.detach(state.row.number)
        run = await rig.begin(
            {"command": dose | {"args": {"head_index": 0, "volume_ml": 1}}}
        )
        row, _ = await rig.run(run)
        assert (row.error_code, row.error) == ("device_not_found", "device_not_loaded")

    async def test_a_refusal_at_the_last_moment_has_its_details(
        self, rig: RunRig
    ) -> None:
        """Law 5: both doses fitted when they were accepted."""
        state = await rig.attach(MemoryDoser())
        state.queue.hold()
        dose = {"head_index": 0, "volume_ml": 49}
        for _ in range(2):
            await rig.engine.send(state, "dose", dose, SERVICE)
        command = {"device_id": "uuid-Doser", "action": "dose", "args": dose}
        run = await rig.begin({"command": command})
        state.queue.release()
        await rig.settle()

        row, (step,) = await rig.run(run)
        assert (row.error_code, row.error) == ("safety_refused", "refused_budget_24h")
        assert step.result is not None
        assert step.result["details"]["left"] == "2"

    async def test_an_unforeseen_error_ends_the_run(
        self, rig: RunRig, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is logged, and the run does not stay "running" for ever."""
        pump = Pump()
        await rig.attach(pump)
        pump.field_of = None  # type: ignore[assignment, method-assign]
        run = await rig.begin(wait(above=5))

        row, _ = await rig.run(run)
        assert (row.state, row.error_code, row.error) == (
            "failed",
            "internal_error",
            "unexpected",
        )
        assert "Evening" in caplog.text


class TestWaits:
    """For a field, with a bound in time."""

    async def test_what_shows_already_is_not_waited_for(self, rig: RunRig) -> None:
        """The next step follows at once."""
        await rig.attach(Pump(level=80))
        run = await rig.begin(wait(above=50), level(20))

        row, steps = await rig.run(run)
        assert row.state == "completed"
        assert steps[0].result == {"met": True}

    async def test_a_change_ends_the_wait(self, rig: RunRig) -> None:
        """One that does not meet the condition does not; other devices neither."""
        pump, other = Pump(level=80), Pump("Other", level=80)
        state, second = await rig.attach(pump), await rig.attach(other)
        run = await rig.begin(wait(below=30))

        for device, value in ((second, 10), (state, 50)):
            command = await rig.engine.send(
                device, "set_level", {"level": value}, SERVICE
            )
            await rig.done(command)
            await rig.settle()
            assert await rig.states(run) == ("running", ["running"])
        await rig.engine.send(state, "set_level", {"level": 20}, SERVICE)
        await rig.settle()

        assert await rig.states(run) == ("completed", ["completed"])

    async def test_what_is_stale_meets_no_condition(self, rig: RunRig) -> None:
        """A device that cannot be reached, or is not there, only may come back."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        pump.available = False
        run = await rig.begin(wait(above=50))
        assert await rig.states(run) == ("running", ["running"])

        await rig.engine.equipment.detach(state.row.number)
        await rig.settle()
        assert await rig.states(run) == ("running", ["running"])
        await rig.attach(Pump(level=80))
        await rig.settle()
        assert await rig.states(run) == ("completed", ["completed"])

    @pytest.mark.parametrize(
        ("on_timeout", "state", "told"),
        [("stop", "failed", []), ("continue", "completed", [20])],
    )
    async def test_a_wait_has_an_end(
        self, rig: RunRig, on_timeout: str, state: str, told: list[float]
    ) -> None:
        """What follows is said in the step."""
        pump = Pump(level=80)
        await rig.attach(pump)
        run = await rig.begin(wait(above=90, on_timeout=on_timeout), level(20))
        await rig.advance(59)
        assert await rig.states(run) == ("running", ["running"])
        await rig.advance(2)

        row, steps = await rig.run(run)
        assert row.state == state
        assert pump.told == told
        if state == "failed":
            assert (row.error, row.error_code) == ("timed_out", "command_timeout")
        else:
            assert steps[0].result == {"met": False}

    async def test_an_unknown_field_fails_clearly(self, rig: RunRig) -> None:
        """At once, or when the device comes that does not have it: never."""
        await rig.attach(Pump())
        run = await rig.begin(wait(field_name="salt", above=1))
        row, _ = await rig.run(run)
        assert (row.error_code, row.error) == ("invalid_arguments", "field_not_found")

    async def test_a_device_that_comes_without_the_field_meets_nothing(
        self, rig: RunRig
    ) -> None:
        """The wait runs into its end."""
        state = await rig.attach(Pump(level=80))
        await rig.engine.equipment.detach(state.row.number)
        run = await rig.begin(wait(field_name="salt", above=1))
        await rig.attach(Pump(level=80))
        await rig.settle()
        assert await rig.states(run) == ("running", ["running"])

    async def test_a_wait_can_be_skipped_and_extended(self, rig: RunRig) -> None:
        """By whoever watches: end now, or give it more time."""
        await rig.attach(Pump(level=80))
        run = await rig.begin({"delay": 60}, wait(above=90))
        await rig.engine.runs.extend(run.id, 60)
        await rig.advance(100)
        assert await rig.states(run) == ("running", ["running"])
        await rig.advance(21)
        assert await rig.states(run) == ("running", ["completed", "running"])

        await rig.engine.runs.skip(run.id)
        await rig.settle()
        row, steps = await rig.run(run)
        assert row.state == "completed"
        assert steps[1].result == {"skipped": True}

    async def test_a_delay_that_is_skipped_says_so(self, rig: RunRig) -> None:
        """The next one is not."""
        run = await rig.begin({"delay": 60}, {"delay": 60})
        await rig.engine.runs.skip(run.id)
        await rig.settle()
        _row, steps = await rig.run(run)
        assert [step.state for step in steps] == ["completed", "running"]
        assert steps[0].result == {"skipped": True}

    async def test_the_end_of_a_run_can_be_waited_for(self, rig: RunRig) -> None:
        """Through all its steps."""
        run = await rig.begin({"delay": 10}, {"delay": 10})
        ended = asyncio.ensure_future(rig.engine.runs.finished(run.id))
        await rig.advance(11)
        assert not ended.done()
        await rig.advance(10)
        assert (await ended).state == "completed"

    async def test_what_is_due_of_a_run_that_has_ended_wakes_nobody(
        self, rig: RunRig
    ) -> None:
        """Law 7: it is looked up when it is due."""
        run = await rig.begin({"delay": 0})
        rig.engine.agenda.put_elapsed("run", run.id, 5)
        await rig.advance(6)
        assert (await rig.states(run))[0] == "completed"

    async def test_only_what_waits_can_be_extended(self, rig: RunRig) -> None:
        """A command has its own times."""
        pump = Pump()
        await rig.attach(pump)
        pump.hanging = asyncio.Event()
        run = await rig.begin(level(20))
        with pytest.raises(EngineError) as refused:
            await rig.engine.runs.extend(run.id, 60)
        assert refusal(refused.value) == "run_not_waiting"
        pump.hanging.set()

    async def test_an_extension_that_came_too_late_changes_nothing(
        self, rig: RunRig
    ) -> None:
        """The step has ended while it was being written."""
        run = await rig.begin({"delay": 60}, {"delay": 60})
        longer = asyncio.ensure_future(rig.engine.runs.extend(run.id, 600))
        rig.clock.advance(61)
        await longer
        await rig.settle()
        assert await rig.states(run) == ("running", ["completed", "running"])
        await rig.advance(61)
        assert (await rig.states(run))[0] == "completed"

    async def test_a_step_that_is_being_skipped_is_not_extended(
        self, rig: RunRig
    ) -> None:
        """Nor skipped twice: its end is on the way to the store."""
        run = await rig.begin({"delay": 60}, {"delay": 60})
        skipping = asyncio.ensure_future(rig.engine.runs.skip(run.id))
        await asyncio.sleep(0)
        for late in (rig.engine.runs.extend(run.id, 600), rig.engine.runs.skip(run.id)):
            with pytest.raises(EngineError) as refused:
                await late
            assert refusal(refused.value) == "run_not_waiting"
        rig.clock.advance(61)
        await skipping
        await rig.settle()
        row, steps = await rig.run(run)
        assert [step.result for step in steps] == [{"skipped": True}, None]
        assert row.state == "running"

    async def test_a_wait_that_is_being_skipped_is_not_met_any_more(
        self, rig: RunRig
    ) -> None:
        """A step ends once, by whoever came first."""
        pump = Pump()
        await rig.attach(pump)
        run = await rig.begin(wait(below=50), {"delay": 60})
        skipping = asyncio.ensure_future(rig.engine.runs.skip(run.id))
        await asyncio.sleep(0)
        await pump.apply({"level": {"level": 20.0}})
        await skipping
        await rig.settle()
        _, steps = await rig.run(run)
        assert [step.result for step in steps] == [{"skipped": True}, None]

    async def test_a_skip_is_on_disk_when_it_is_answered(self, rig: RunRig) -> None:
        """Law 2: a kill right afterwards does not undo it."""
        run = await rig.begin({"delay": 60}, {"delay": 60})
        await rig.engine.runs.skip(run.id)
        state, steps = await rig.states(run)
        assert (state, steps[0]) == ("running", "completed")


class TestModes:
    """What happens when something is run that runs already."""

    async def test_single(self, rig: RunRig) -> None:
        """R-A14: waiting in a delay is running."""
        await rig.begin({"delay": 30})
        with pytest.raises(EngineError) as refused:
            await rig.begin({"delay": 30})
        assert refusal(refused.value) == "run_under_way"
        await rig.advance(31)
        run = await rig.begin({"delay": 30})
        assert await rig.states(run) == ("running", ["running"])

    async def test_restart(self, rig: RunRig) -> None:
        """R-A15: the one before is cancelled."""
        first = await rig.begin({"delay": 30}, mode=Mode.RESTART)
        second = await rig.begin({"delay": 30}, mode=Mode.RESTART)

        row, (step,) = await rig.run(first)
        assert (row.state, row.error) == ("cancelled", "superseded")
        assert (step.state, step.error) == ("cancelled", "superseded")
        assert await rig.states(second) == ("running", ["running"])

    async def test_two_at_once_leave_one(self, rig: RunRig) -> None:
        """Whoever comes second ends the first, however close they are."""
        both = await asyncio.gather(
            *(rig.begin({"delay": 30}, mode=Mode.RESTART) for _ in range(2))
        )
        assert sorted([(await rig.states(run))[0] for run in both]) == [
            "cancelled",
            "running",
        ]
        with pytest.raises(EngineError):
            await asyncio.gather(
                *(rig.begin({"delay": 30}, mode=Mode.SINGLE) for _ in range(2))
            )

    async def test_what_ends_by_itself_meanwhile_keeps_nothing_from_beginning(
        self, rig: RunRig
    ) -> None:
        """Of several that give way, one was ended while another was."""
        older = [
            await rig.begin({"delay": 30}, mode=Mode.PARALLEL, maximum=2)
            for _ in range(2)
        ]
        newer, _ = await asyncio.gather(
            rig.begin({"delay": 30}, mode=Mode.RESTART),
            rig.engine.runs.cancel(older[1].id),
        )
        for run in older:
            assert (await rig.states(run))[0] == "cancelled"
        assert (await rig.states(newer))[0] == "running"

    async def test_queued(self, rig: RunRig) -> None:
        """One after another, up to the maximum."""
        first = await rig.begin({"delay": 30}, mode=Mode.QUEUED)
        second = await rig.begin({"delay": 30}, mode=Mode.QUEUED)
        assert await rig.states(second) == ("waiting", [])
        with pytest.raises(EngineError) as refused:
            await rig.begin({"delay": 30}, mode=Mode.QUEUED)
        assert refusal(refused.value) == "run_maximum"

        await rig.advance(31)
        assert (await rig.states(first))[0] == "completed"
        assert await rig.states(second) == ("running", ["running"])
        await rig.advance(31)
        assert (await rig.states(second))[0] == "completed"

    async def test_a_run_that_waits_can_be_cancelled(self, rig: RunRig) -> None:
        """The one after it follows."""
        first = await rig.begin({"delay": 30}, mode=Mode.QUEUED, maximum=3)
        second = await rig.begin({"delay": 30}, mode=Mode.QUEUED, maximum=3)
        third = await rig.begin({"delay": 30}, mode=Mode.QUEUED, maximum=3)
        await rig.engine.runs.cancel(second.id)
        await rig.engine.runs.cancel(first.id)
        await rig.settle()
        assert await rig.states(second) == ("cancelled", [])
        assert await rig.states(third) == ("running", ["running"])

    async def test_parallel(self, rig: RunRig) -> None:
        """R-A16: side by side, up to the maximum."""
        first = await rig.begin({"delay": 30}, mode=Mode.PARALLEL)
        await rig.advance(10)
        second = await rig.begin({"delay": 30}, mode=Mode.PARALLEL)
        with pytest.raises(EngineError) as refused:
            await rig.begin({"delay": 30}, mode=Mode.PARALLEL)
        assert refusal(refused.value) == "run_maximum"
        await rig.advance(21)
        assert (await rig.states(first))[0] == "completed"
        assert (await rig.states(second))[0] == "running"


class TestSubjects:
    """What a run is about, rather than where it came from."""

    async def test_runs_of_a_subject_share_their_mode(self, rig: RunRig) -> None:
        """Two definitions for one tank: the second takes the place of the first."""

        def request(definition: int, subject: str) -> RunRequest:
            """Return a run of a definition for a subject."""
            return RunRequest(
                kind="macro",
                name=f"{definition}",
                definition={"name": "x", "sequence": [{"delay": 60}]},
                origin=ORIGIN,
                mode=Mode.RESTART,
                definition_id=definition,
                subject=subject,
            )

        first = await rig.engine.runs.start(request(1, "tank"))
        other = await rig.engine.runs.start(request(1, "pond"))
        second = await rig.engine.runs.start(request(2, "tank"))
        await rig.settle()
        assert (await rig.states(first))[0] == "cancelled"
        assert (await rig.states(other))[0] == "running"
        assert (await rig.states(second))[0] == "running"


class TestCancelling:
    """What a run has under way ends with it, if it can."""

    async def test_a_delay_ends(self, rig: RunRig) -> None:
        """Nothing after it is done."""
        pump = Pump()
        await rig.attach(pump)
        run = await rig.begin({"delay": 30}, level(20))
        row = await rig.engine.runs.cancel(run.id)
        assert (row.state, row.error_code) == ("cancelled", "command_cancelled")
        await rig.advance(60)
        assert await rig.states(run) == ("cancelled", ["cancelled"])
        assert pump.told == []

    async def test_a_command_that_waits_is_withdrawn(self, rig: RunRig) -> None:
        """The device never hears of it."""
        pump = Pump()
        state = await rig.attach(pump)
        pump.available = False
        state.queue.hold()
        other = await rig.engine.send(state, "set_level", {"level": 5}, SERVICE)
        run = await rig.begin(level(20))
        _, command = rig.engine.records.open
        await rig.engine.runs.cancel(run.id)
        await rig.settle()

        assert (await rig.stored(command)).phase is Phase.WITHDRAWN
        pump.available = True
        state.queue.release()
        await rig.done(other)
        assert 20 not in pump.told

    async def test_a_command_that_runs_comes_to_its_own_end(self, rig: RunRig) -> None:
        """The run is over all the same."""
        pump = Pump()
        await rig.attach(pump)
        pump.hanging = asyncio.Event()
        run = await rig.begin(level(20))
        (command,) = rig.engine.records.open
        await rig.engine.runs.cancel(run.id)
        pump.hanging.set()
        assert (await rig.done(command)).phase is Phase.COMPLETED
        assert await rig.states(run) == ("cancelled", ["cancelled"])

    @pytest.mark.parametrize("turns", [1, 3])
    async def test_who_asked_for_it_may_hang_up(self, rig: RunRig, turns: int) -> None:
        """A run that was begun to be ended ends wholly, with the commands that wait."""
        pump = Pump()
        state = await rig.attach(pump)
        pump.available = False
        state.queue.hold()
        run = await rig.begin(level(20), mode=Mode.QUEUED)
        follower = await rig.begin({"delay": 30}, mode=Mode.QUEUED)
        (command,) = rig.engine.records.open
        assert rig.engine.database is not None
        gate, standing = await blocked(rig.engine.database.writer)
        cancelling = asyncio.ensure_future(rig.engine.runs.cancel(run.id))
        for _ in range(turns):
            await asyncio.sleep(0)
        cancelling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelling
        gate.opened.set()
        await standing
        await rig.settle()

        assert await rig.states(run) == ("cancelled", ["cancelled"])
        assert (await rig.stored(command)).phase is Phase.WITHDRAWN
        assert (await rig.states(follower))[0] == "running"

    async def test_a_run_that_has_ended_cannot_be_cancelled(self, rig: RunRig) -> None:
        """Final is final (law 8); one that never was is told apart."""
        run = await rig.begin({"delay": 0})
        with pytest.raises(EngineError) as refused:
            await rig.engine.runs.cancel(run.id)
        assert refusal(refused.value) == "run_is_final"
        with pytest.raises(EngineError) as refused:
            await rig.engine.runs.cancel(99)
        assert refusal(refused.value) == "run_not_found"

    async def test_a_run_asks_for_nothing_that_it_does_not_wait_for(
        self, rig: RunRig
    ) -> None:
        """An answer to a delay is refused."""
        run = await rig.begin({"delay": 30})
        with pytest.raises(EngineError) as refused:
            await rig.engine.runs.answer(run.id, "test", words={})
        assert refusal(refused.value) == "run_expects_nothing"


class TestLists:
    """What was run, newest first."""

    async def test_the_newest_come_first(self, rig: RunRig) -> None:
        """By kind or all, page by page."""
        runs = [await rig.begin({"delay": 0}) for _ in range(3)]
        ids = [run.id for run in reversed(runs)]
        recent = rig.engine.runs.recent
        assert [row.id for row in await recent("macro", 10)] == ids
        assert [row.id for row in await recent(None, 2)] == ids[:2]
        assert [row.id for row in await recent(None, 2, ids[1])] == ids[2:]
        assert await recent("calibration", 10) == []

    async def test_without_a_store_nothing_runs(self, rig: RunRig) -> None:
        """And nothing can be listed."""
        await rig.engine.close()
        rig.lock()
        with pytest.raises(EngineError) as refused:
            await rig.begin({"delay": 0})
        assert refusal(refused.value) == "store_locked"
        with pytest.raises(EngineError) as refused:
            await rig.engine.runs.recent(None, 1)
        assert refusal(refused.value) == "store_locked"
