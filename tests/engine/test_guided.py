"""Guided calibration: run, measure, store, test, confirm; one for a head at a time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
import threading
from typing import override

import pytest

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.errors import EngineError, SafetyRefusedError
from custom_components.aquarist.engine.guided import Guide
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.state import HeadLimits
from custom_components.aquarist.runs.calibration import Stage
from custom_components.aquarist.store import runs as run_rows
from custom_components.aquarist.store.errors import StoreReadOnlyError
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import Pump
from tests.engine.run_rig import RunRig, run_rig
from tests.engine.troubled_store import read_only

STARTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEEPER = Origin(source=Source.SERVICE, user="keeper", context="call")


class MeasuredDoser(MemoryDoser):
    """A doser that can be calibrated, and writes down how."""

    ACTIONS = {
        **MemoryDoser.ACTIONS,
        "calibrate_head": ("head_index", "seconds", "measured_ml"),
    }

    def __init__(self, kind: DeviceKind = DeviceKind.CHIHIROS_DOSER) -> None:
        """Take the place of a pump with a mind of its own, or of a switch."""
        super().__init__()
        self.kind = kind
        self.calibrated: list[Mapping[str, object]] = []
        self.errors: list[Exception] = []
        self.flow: float | None = None
        self.hanging: asyncio.Event | None = None

    @override
    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Run, or take what was measured."""
        if action != "calibrate_head":
            return await super().perform(action, args)
        self.calibrated.append(dict(args))
        if self.hanging is not None:
            await self.hanging.wait()
        if self.errors:
            raise self.errors.pop(0)
        if self.kind is DeviceKind.DOSER and isinstance(args.get("seconds"), int):
            # The switch is off already, and nothing but it knows what it gave.
            self._tell_ran(int(str(args["head_index"])), 5000, STARTED)
        return dict(args)

    def set_flow(self, flow: float) -> None:
        """Dose by another flow."""
        self.flow = flow


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RunRig]:
    """Give a started engine without devices."""
    async with run_rig(tmp_path) as rig:
        yield rig


def where(guide: Guide) -> tuple[str, Stage, str | None]:
    """Return where a guided run is."""
    return guide.run.state, guide.stage, guide.error


class TestTheWholeWay:
    """From the first run to the keeper's confirmation."""

    async def test_a_pump_with_a_mind_of_its_own(self, rig: RunRig) -> None:
        """It runs for five seconds, is told what came out, and gives 4 mL."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        guided = rig.engine.guided

        guide = await guided.start(state, 1, KEEPER)
        assert where(guide) == ("running", Stage.MEASURE, None)
        assert guide.answers == ("measured", "start")
        assert guide.run.name == "Doser 2"
        assert doser.calibrated == [{"head_index": 1, "seconds": 5}]
        await rig.advance(5)

        guide = await guided.measured(guide.run.id, 4.85)
        assert where(guide) == ("running", Stage.STORED, None)
        assert doser.calibrated[1:] == [{"head_index": 1, "measured_ml": 4.85}]
        stored = rig.engine.calibrations[state.row.number, 1]
        assert (stored.asked, stored.measured, stored.flow) == (5000, 4850, None)

        guide = await guided.test_dose(guide.run.id)
        assert where(guide) == ("running", Stage.CONFIRM, None)
        assert doser.sent == [(1, 4000)]

        guide = await guided.finish(guide.run.id, ok=True)
        await rig.settle()
        guide = await guided.guide(guide.run.id)
        assert where(guide) == ("completed", Stage.DONE, None)
        assert guide.answers == ()
        assert guided.under_way(state, 1) is None

    async def test_a_switch_doses_by_the_measured_flow(self, rig: RunRig) -> None:
        """Nothing but its flow is changed."""
        doser = MeasuredDoser(DeviceKind.DOSER)
        state = await rig.attach(doser)
        guide = await rig.engine.guided.start(state, 0, KEEPER)
        await rig.engine.guided.measured(guide.run.id, 4.0)

        assert doser.calibrated == [{"head_index": 0, "seconds": 5}]
        assert doser.flow == 800

    async def test_a_run_that_is_stopped_measures_nothing(self, rig: RunRig) -> None:
        """Less came out than is reckoned with: it ends, and can be begun anew."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        guided = rig.engine.guided
        other = await guided.start(state, 1, KEEPER)
        await rig.advance(5)
        guide = await guided.start(state, 0, KEEPER)
        assert guide.stage is Stage.MEASURE
        await rig.engine.emergency.stop(None)
        await rig.settle()
        guide = await guided.guide(guide.run.id)
        assert where(guide) == ("cancelled", Stage.MEASURE, "stopped")
        assert guided.under_way(state, 0) is None
        assert (await guided.guide(other.run.id)).stage is Stage.MEASURE

        rig.engine.emergency.release(None)
        await rig.settle()
        assert (await guided.start(state, 0, KEEPER)).stage is Stage.MEASURE

    async def test_a_run_that_is_primed_alone_ends_by_a_stop(self, rig: RunRig) -> None:
        """Nothing is measured by it, so nothing else ends."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        command = await rig.engine.send(
            state, "calibrate_head", {"head_index": 0, "seconds": 5}, KEEPER
        )
        await rig.engine.finished(command)
        await rig.settle()
        assert state.busy_heads
        await rig.engine.emergency.stop(None)
        await rig.settle()
        assert not state.busy_heads

    async def test_its_commands_belong_to_the_run(self, rig: RunRig) -> None:
        """On behalf of the keeper who began it."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        guide = await rig.engine.guided.start(state, 0, KEEPER)
        (command,) = await rig.engine.history.recent(state, 5)
        assert (command.run, command.step) == (guide.run.id, 0)
        assert (command.user, command.context) == ("keeper", "call")


class TestRepeating:
    """The keeper may start again at every point."""

    async def test_start_runs_the_head_again(self, rig: RunRig) -> None:
        """In the same run: there is one for a head."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        first = await rig.engine.guided.start(state, 0, KEEPER)
        await rig.advance(5)
        again = await rig.engine.guided.start(state, 0, KEEPER)
        assert again.run.id == first.run.id
        assert len(doser.calibrated) == 2
        await rig.advance(5)
        other = await rig.engine.guided.start(state, 1, KEEPER)
        assert other.run.id != first.run.id

    async def test_a_rejected_test_waits_for_a_new_start(self, rig: RunRig) -> None:
        """The pump runs only when the keeper says so."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        guided = rig.engine.guided
        run = (await guided.start(state, 0, KEEPER)).run.id
        await rig.advance(5)
        await guided.measured(run, 5)
        await guided.test_dose(run)
        guide = await guided.finish(run, ok=False)
        assert where(guide) == ("running", Stage.READY, None)
        assert guide.answers == ("start",)
        ran = len(doser.calibrated)
        guide = await guided.start(state, 0, KEEPER)
        assert guide.stage is Stage.MEASURE
        assert len(doser.calibrated) == ran + 1

    async def test_a_run_under_way_is_not_started_twice(self, rig: RunRig) -> None:
        """While the pump has it."""
        doser = MeasuredDoser()
        doser.hanging = asyncio.Event()
        state = await rig.attach(doser)
        first = asyncio.ensure_future(rig.engine.guided.start(state, 0, KEEPER))
        await rig.settle()
        with pytest.raises(EngineError) as refused:
            await rig.engine.guided.start(state, 0, KEEPER)
        assert refused.value.code == "run_expects_nothing"
        doser.hanging.set()
        assert (await first).stage is Stage.MEASURE

    async def test_what_takes_long_is_told_as_it_stands(
        self, rig: RunRig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody waits for a pump for ever."""
        monkeypatch.setattr("custom_components.aquarist.engine.guided.PATIENCE", 0.05)
        doser = MeasuredDoser()
        doser.hanging = asyncio.Event()
        state = await rig.attach(doser)
        guide = await rig.engine.guided.start(state, 0, KEEPER)
        assert where(guide) == ("running", Stage.RUN, None)
        assert guide.answers == ()
        doser.hanging.set()
        await rig.settle()
        guide = await rig.engine.guided.guide(guide.run.id)
        assert guide.stage is Stage.MEASURE


class TestOtherDoses:
    """What else would give with the head meanwhile."""

    async def test_a_dose_does_not_go_into_the_glass(self, rig: RunRig) -> None:
        """Refused until it was measured; other heads dose on, and the test dose is given."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        run = (await rig.engine.guided.start(state, 0, KEEPER)).run.id
        await rig.advance(5)
        args = {"head_index": 0, "volume_ml": 2}
        with pytest.raises(SafetyRefusedError) as refused:
            await rig.engine.send(state, "dose", args, KEEPER)
        assert refused.value.refusal.limit == "calibrating"
        other = await rig.engine.send(state, "dose", args | {"head_index": 1}, KEEPER)
        assert (await rig.done(other)).phase is Phase.COMPLETED

        await rig.engine.guided.measured(run, 5)
        await rig.engine.guided.test_dose(run)
        given = await rig.engine.send(state, "dose", args, KEEPER)
        assert (await rig.done(given)).phase is Phase.COMPLETED
        assert doser.sent == [(1, 2000), (0, 4000), (0, 2000)]

    async def test_a_calibration_that_was_left_holds_nothing_up(
        self, rig: RunRig
    ) -> None:
        """Its half hour ends."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        await rig.engine.guided.start(state, 0, KEEPER)
        await rig.advance(31 * 60)
        args = {"head_index": 0, "volume_ml": 2}
        given = await rig.engine.send(state, "dose", args, KEEPER)
        assert (await rig.done(given)).phase is Phase.COMPLETED


class TestWhatGoesWrong:
    """Each has its answer."""

    async def test_what_is_measured_must_be_possible(self, rig: RunRig) -> None:
        """A slip of the hand changes nothing, and can be corrected."""
        state = await rig.attach(MeasuredDoser())
        guide = await rig.engine.guided.start(state, 0, KEEPER)
        for wrong in (0.5, 48.5):
            with pytest.raises(EngineError) as refused:
                await rig.engine.guided.measured(guide.run.id, wrong)
            assert (refused.value.code, refused.value.field) == (
                "out_of_range",
                "measured_ml",
            )
        guide = await rig.engine.guided.measured(guide.run.id, 4.85)
        assert guide.stage is Stage.STORED

    async def test_an_answer_out_of_turn_is_refused(self, rig: RunRig) -> None:
        """It says what the run waits for."""
        state = await rig.attach(MeasuredDoser())
        guide = await rig.engine.guided.start(state, 0, KEEPER)
        with pytest.raises(EngineError) as refused:
            await rig.engine.guided.test_dose(guide.run.id)
        assert refused.value.code == "run_expects_other"
        assert refused.value.placeholders["known"] == "measured, start"

    @pytest.mark.parametrize("ok", [True, False])
    async def test_what_was_asked_is_named_as_the_keeper_calls_it(
        self, rig: RunRig, ok: bool
    ) -> None:
        """There is one step that ends it, whether it is right or not."""
        state = await rig.attach(MeasuredDoser())
        guide = await rig.engine.guided.start(state, 0, KEEPER)
        with pytest.raises(EngineError) as refused:
            await rig.engine.guided.finish(guide.run.id, ok=ok)
        assert refused.value.placeholders["value"] == "finish"
        await rig.engine.guided.measured(guide.run.id, 5)
        with pytest.raises(EngineError) as refused:
            await rig.engine.guided.measured(guide.run.id, 5)
        assert refused.value.placeholders["known"] == "finish, start, test"

    async def test_an_answer_while_the_pump_is_busy_is_refused(
        self, rig: RunRig
    ) -> None:
        """Nothing is waited for: it says that it is too early."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        doser.hanging = asyncio.Event()
        starting = asyncio.ensure_future(rig.engine.guided.start(state, 0, KEEPER))
        await rig.settle()
        run = rig.engine.guided.under_way(state, 0)
        assert run is not None
        with pytest.raises(EngineError) as refused:
            await rig.engine.guided.finish(run.id, ok=True)
        assert refused.value.code == "run_expects_nothing"
        assert refused.value.placeholders == {"field": "step", "value": "finish"}
        doser.hanging.set()
        await starting

    async def test_two_answers_at_once_count_once(self, rig: RunRig) -> None:
        """The second is out of turn."""
        state = await rig.attach(MeasuredDoser())
        run = (await rig.engine.guided.start(state, 0, KEEPER)).run.id
        answers = await asyncio.gather(
            rig.engine.guided.measured(run, 4.0),
            rig.engine.guided.measured(run, 6.0),
            return_exceptions=True,
        )
        assert sum(isinstance(one, EngineError) for one in answers) == 1
        assert rig.engine.calibrations[state.row.number, 0].measured == 4000

    async def test_an_answer_that_cannot_be_written_can_be_given_again(
        self, rig: RunRig
    ) -> None:
        """The run waits on."""
        state = await rig.attach(MeasuredDoser())
        run = (await rig.engine.guided.start(state, 0, KEEPER)).run.id
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            with pytest.raises(StoreReadOnlyError):
                await rig.engine.guided.measured(run, 4.0)
        guide = await rig.engine.guided.measured(run, 4.0)
        assert guide.stage is Stage.STORED

    async def test_an_answer_on_its_way_to_the_store_is_in_time(
        self, rig: RunRig
    ) -> None:
        """The half hour ends while it is being written."""
        state = await rig.attach(MeasuredDoser())
        run = (await rig.engine.guided.start(state, 0, KEEPER)).run.id
        slow = threading.Event()
        rig.engine.journal.record(lambda connection: slow.wait(10))
        answer = asyncio.ensure_future(rig.engine.guided.measured(run, 5))
        await asyncio.sleep(0)
        rig.clock.advance(31 * 60)
        for _ in range(5):
            await asyncio.sleep(0)
        slow.set()
        assert (await answer).stage is Stage.STORED

    async def test_a_pump_that_was_not_told_can_be_told_again(
        self, rig: RunRig
    ) -> None:
        """The calibration counts only once the pump knows it."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        run = (await rig.engine.guided.start(state, 0, KEEPER)).run.id
        doser.errors = [DeviceError("no_answer", transient=False)]
        guide = await rig.engine.guided.measured(run, 4.85)
        assert where(guide) == ("running", Stage.MEASURE, "no_answer")
        assert (state.row.number, 0) not in rig.engine.calibrations
        guide = await rig.engine.guided.measured(run, 4.85)
        assert where(guide) == ("running", Stage.STORED, None)

    async def test_a_head_that_does_not_run_ends_the_run(self, rig: RunRig) -> None:
        """Nothing is repeated by itself (law 3)."""
        doser = MeasuredDoser()
        doser.errors = [DeviceError("link_lost", transient=False)]
        state = await rig.attach(doser)
        guide = await rig.engine.guided.start(state, 0, KEEPER)
        await rig.settle()
        guide = await rig.engine.guided.guide(guide.run.id)
        assert where(guide) == ("failed", Stage.RUN, "link_lost")
        assert len(doser.calibrated) == 1

    async def test_a_test_dose_keeps_to_the_limits(self, rig: RunRig) -> None:
        """Law 5: the refusal is told, and the calibration stays."""
        state = await rig.attach(
            MeasuredDoser(), heads={0: HeadLimits(maximum_volume=3000)}
        )
        run = (await rig.engine.guided.start(state, 0, KEEPER)).run.id
        await rig.engine.guided.measured(run, 5)
        guide = await rig.engine.guided.test_dose(run)
        assert where(guide) == ("running", Stage.STORED, "refused_maximum_volume")
        assert guide.error_code == "safety_refused"

    async def test_only_heads_of_dosers_are_calibrated(self, rig: RunRig) -> None:
        """And only those that there are."""
        pump = await rig.attach(Pump())
        doser = await rig.attach(MeasuredDoser())
        for state, head, code in (
            (pump, 0, "not_a_doser"),
            (doser, 2, "out_of_range"),
        ):
            with pytest.raises(EngineError) as refused:
                await rig.engine.guided.start(state, head, KEEPER)
            assert refused.value.code == code

    async def test_a_keeper_who_goes_away_ends_the_run(self, rig: RunRig) -> None:
        """After half an hour."""
        state = await rig.attach(MeasuredDoser())
        run = (await rig.engine.guided.start(state, 0, KEEPER)).run.id
        await rig.advance(29 * 60)
        assert (await rig.engine.guided.guide(run)).run.state == "running"
        await rig.advance(2 * 60)
        guide = await rig.engine.guided.guide(run)
        assert where(guide) == ("failed", Stage.MEASURE, "timed_out")

    async def test_a_keeper_may_call_it_off(self, rig: RunRig) -> None:
        """What is stored stays."""
        state = await rig.attach(MeasuredDoser())
        run = (await rig.engine.guided.start(state, 0, KEEPER)).run.id
        await rig.engine.guided.measured(run, 5)
        guide = await rig.engine.guided.cancel(run)
        assert where(guide) == ("cancelled", Stage.STORED, "cancelled")
        assert (state.row.number, 0) in rig.engine.calibrations


class TestRestart:
    """Between any two steps."""

    async def test_the_run_waits_on_for_its_keeper(self, rig: RunRig) -> None:
        """By its deadline; and every step is done once."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        guided = rig.engine.guided
        run = (await guided.start(state, 0, KEEPER)).run.id
        (state,) = await rig.reboot(doser)
        assert (await rig.engine.guided.guide(run)).stage is Stage.MEASURE
        await rig.engine.guided.measured(run, 5)
        (state,) = await rig.reboot(doser)
        assert rig.engine.calibrations[state.row.number, 0].measured == 5000
        await rig.engine.guided.test_dose(run)
        await rig.reboot(doser)
        await rig.engine.guided.finish(run, ok=True)
        await rig.settle()

        guide = await rig.engine.guided.guide(run)
        assert guide.run.state == "completed"
        assert len(doser.calibrated) == 2
        assert doser.sent == [(0, 4000)]

    async def test_a_run_of_the_pump_that_was_cut_is_not_repeated(
        self, rig: RunRig
    ) -> None:
        """Law 3: liquid may have flowed; the run ends and says so."""
        doser = MeasuredDoser()
        doser.hanging = asyncio.Event()
        state = await rig.attach(doser)
        begun = asyncio.ensure_future(rig.engine.guided.start(state, 0, KEEPER))
        await rig.settle()
        begun.cancel()
        doser.hanging = None
        await rig.reboot(doser)

        assert len(doser.calibrated) == 1
        (row,) = await rig.engine.runs.recent("calibration", 1)
        assert (row.state, row.error_code) == ("failed", "interrupted")

    async def test_a_guide_that_nobody_can_read_any_more_ends(
        self, rig: RunRig
    ) -> None:
        """Law 10."""
        doser = MeasuredDoser()
        state = await rig.attach(doser)
        run = (await rig.engine.guided.start(state, 0, KEEPER)).run.id
        await rig.engine.journal.commit(
            lambda connection: connection.execute(
                "UPDATE run SET definition = '{\"colour\": 1}' WHERE id = ?", (run,)
            )
        )
        await rig.reboot(doser)
        assert rig.engine.database is not None
        row = await rig.engine.database.read(
            lambda connection: run_rows.get(connection, run)
        )
        assert row is not None
        assert (row.state, row.error) == ("failed", "definition_invalid")
