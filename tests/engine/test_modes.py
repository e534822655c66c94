"""Modes of an aquarium: holds, countdown, staged return, and what stands above them (issue 4)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.runs.mode import Stage
from custom_components.aquarist.store.errors import StoreReadOnlyError
from tests.engine.holding import BY_HAND, window
from tests.engine.mode_rig import (
    COUNTDOWN,
    DOSER,
    KEEPER,
    RETURN,
    SKIMMER,
    TANK,
    ModeRig,
    hold,
    mode_rig,
    release,
    until,
)
from tests.engine.rig import Pump
from tests.engine.run_rig import level
from tests.engine.troubled_store import read_only

MINUTE = 60


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ModeRig]:
    """Give an aquarium with a return pump, a skimmer and a doser."""
    async with mode_rig(tmp_path) as rig:
        yield rig


async def refused(request: Any) -> tuple[str, dict[str, str]]:
    """Return the word and the values of a refusal."""
    with pytest.raises(EngineError) as error:
        await request
    return error.value.code, dict(error.value.placeholders)


class TestFeed:
    """The feeding that needs no set-up."""

    async def test_the_pumps_stand_still_and_come_back_in_stages(
        self, rig: ModeRig
    ) -> None:
        """The return pump after the countdown, the skimmer five minutes later."""
        assert rig.engine.modes.status(TANK) is None
        status = await rig.start("feed")
        assert (status.mode, status.aquarium, status.stage) == (
            "feed",
            TANK,
            Stage.STARTING,
        )
        assert rig.levels() == (0, 0)
        assert (rig.status().stage, rig.status().seconds_left) == (Stage.COUNTDOWN, 600)
        assert rig.status().ends_at == rig.clock.now() + timedelta(minutes=10)

        await rig.advance(10 * MINUTE)
        assert rig.levels() == (80, 0)
        assert (rig.status().stage, rig.status().ends_at) == (Stage.RETURNING, None)
        await rig.advance(5 * MINUTE)
        assert rig.levels() == (80, 100)
        assert rig.engine.modes.status(TANK) is None
        assert rig.holds == []
        assert rig.pump.told == [0, 80]
        assert rig.skimmer.told == [0, 100]
        assert rig.told == [
            ("feed", Stage.STARTING),
            ("feed", Stage.COUNTDOWN),
            ("feed", Stage.RETURNING),
            (None, None),
        ]

    async def test_what_is_held_is_on_disk_with_its_run_and_latest_end(
        self, rig: ModeRig
    ) -> None:
        """Laws 2 and 4: claims of the rank mode, committed, each with an end of its own."""
        status = await rig.start("feed")
        holds = [await rig.stored(one) for one in rig.holds]
        assert [
            (one.run, one.step, one.source, one.layer, one.user) for one in holds
        ] == [(status.run, step, "mode", Layer.MODE, "keeper") for step in (0, 1)]
        assert {one.ends_at for one in holds} == {status.latest_end}
        assert status.latest_end == rig.clock.now() + timedelta(hours=1)

    async def test_the_plan_goes_on_underneath(self, rig: ModeRig) -> None:
        """A window that begins meanwhile shows when the mode gives the pump back."""
        await rig.start("feed")
        await window(rig, rig.engine.device(RETURN), 30, 60, 3600)
        await rig.advance(5 * MINUTE)
        assert rig.levels() == (0, 0)
        await rig.advance(5 * MINUTE)
        assert rig.levels() == (30, 0)

    async def test_a_hand_does_not_win(self, rig: ModeRig) -> None:
        """Law 4: it changes what shows afterwards."""
        await rig.start("feed")
        command = await rig.engine.send(
            rig.engine.device(RETURN), "set_level", {"level": 50}, BY_HAND
        )
        await rig.settle()
        assert (await rig.stored(command)).phase is Phase.COMPLETED
        assert rig.levels() == (0, 0)
        await rig.advance(10 * MINUTE)
        assert rig.levels() == (50, 0)

    async def test_automation_off_does_not_matter(self, rig: ModeRig) -> None:
        """What a keeper starts by hand is no schedule."""
        await rig.engine.set_automation(TANK, enabled=False)
        await rig.start("feed")
        assert rig.levels() == (0, 0)

    async def test_another_countdown_moves_the_latest_end_as_much(
        self, rig: ModeRig
    ) -> None:
        """This once: the mode itself stays as it is."""
        status = await rig.start("feed", minutes=2)
        assert rig.status().seconds_left == 120
        assert status.latest_end == rig.clock.now() + timedelta(minutes=52)
        assert (
            rig.engine.modes.definitions.startable(TANK, "feed").duration_minutes == 10
        )

    @pytest.mark.parametrize("minutes", [0, 1391, float("nan")])
    async def test_a_countdown_has_bounds(self, rig: ModeRig, minutes: float) -> None:
        """Nothing is held for longer than a day (law 4)."""
        assert await refused(
            rig.engine.modes.start(TANK, "feed", KEEPER, minutes=minutes)
        ) == (
            "out_of_range",
            {"field": "minutes", "minimum": "0.1", "maximum": "1390"},
        )
        assert rig.engine.runs.live == ()

    async def test_without_pumps_there_is_nothing_to_do(self, rig: ModeRig) -> None:
        """And it says so."""
        assert await refused(rig.engine.modes.start("nano", "feed", KEEPER)) == (
            "mode_holds_nothing",
            {"field": "mode", "name": "feed"},
        )

    async def test_a_locked_engine_starts_none(self, tmp_path: Path) -> None:
        """Nothing can be written down."""
        rig = ModeRig(tmp_path)
        rig.lock()
        await rig.furnish()
        code, _ = await refused(rig.engine.modes.start(TANK, "feed", KEEPER))
        assert code == "store_locked"
        assert rig.pump.told == []


async def test_maintenance_stops_pumps_and_doses(rig: ModeRig) -> None:
    """The doses come back with the last stage; a dose meanwhile is refused."""
    doser = rig.engine.device(DOSER)
    await rig.start("maintenance")
    assert rig.levels() == (0, 0)
    code, _ = await refused(
        rig.engine.send(doser, "dose", {"head_index": 0, "volume_ml": 1}, BY_HAND)
    )
    assert code == "refused_not_allowed"
    await rig.advance(30 * MINUTE)
    assert rig.levels() == (80, 0)
    code, _ = await refused(
        rig.engine.send(doser, "dose", {"head_index": 1, "volume_ml": 1}, BY_HAND)
    )
    await rig.advance(5 * MINUTE)
    assert rig.levels() == (80, 100)
    await rig.done(
        await rig.engine.send(doser, "dose", {"head_index": 0, "volume_ml": 1}, BY_HAND)
    )
    assert rig.doser.sent == [(0, 1000)]


class TestEnd:
    """The staged return, asked for early; and everything at once."""

    async def test_the_first_time_it_begins_the_return(self, rig: ModeRig) -> None:
        """The stages stay."""
        await rig.start("feed")
        await rig.advance(60)
        await rig.engine.modes.end(TANK)
        await rig.settle()
        assert rig.levels() == (80, 0)
        assert rig.status().stage is Stage.RETURNING
        await rig.advance(5 * MINUTE)
        assert rig.levels() == (80, 100)

    async def test_the_second_time_everything_comes_back(self, rig: ModeRig) -> None:
        """At once."""
        await rig.start("feed")
        await rig.engine.modes.end(TANK)
        await rig.settle()
        await rig.engine.modes.end(TANK)
        await rig.settle()
        assert rig.levels() == (80, 100)
        assert rig.engine.modes.status(TANK) is None
        (row,) = await rig.engine.runs.recent("mode", 1)
        assert (row.state, row.error) == ("cancelled", "mode_ended")

    async def test_normal_gives_everything_back(self, rig: ModeRig) -> None:
        """Whatever the stage."""
        await rig.start("feed")
        await rig.engine.modes.normal(TANK)
        await rig.settle()
        assert rig.levels() == (80, 100)
        assert rig.holds == []

    async def test_in_normal_there_is_nothing_to_end(self, rig: ModeRig) -> None:
        """And nothing happens."""
        await rig.engine.modes.end(TANK)
        await rig.engine.modes.normal(TANK)
        assert rig.told == []

    async def test_it_is_on_disk_when_it_is_answered(self, rig: ModeRig) -> None:
        """Law 2: a kill right afterwards does not bring the countdown back."""
        await rig.start("feed")
        await rig.engine.modes.end(TANK)
        await rig.again()
        assert rig.status().stage is Stage.RETURNING
        assert rig.levels() == (80, 0)

    async def test_before_the_countdown_it_leads_to_the_return(
        self, rig: ModeRig
    ) -> None:
        """What was still to be held is not."""
        await rig.keep(
            hold(SKIMMER),
            {"delay": 60},
            hold(RETURN),
            COUNTDOWN,
            {"delay": 30},
        )
        await rig.start("Night feed")
        assert (rig.levels(), rig.status().stage) == ((80, 0), Stage.STARTING)
        await rig.engine.modes.end(TANK)
        await rig.settle()
        assert (rig.levels(), rig.status().stage) == ((80, 0), Stage.RETURNING)
        await rig.advance(30)
        assert rig.levels() == (80, 100)
        assert rig.pump.told == []

    async def test_while_it_begins_the_end_waits_for_its_turn(
        self, rig: ModeRig
    ) -> None:
        """A step that takes no time is not cut in two."""
        await rig.engine.modes.start(TANK, "feed", KEEPER)
        await rig.engine.modes.end(TANK)
        await rig.settle()
        assert (rig.levels(), rig.status().stage) == ((80, 0), Stage.RETURNING)

    async def test_what_ends_meanwhile_needs_no_end(self, rig: ModeRig) -> None:
        """Somebody else was faster."""
        await rig.engine.modes.start(TANK, "feed", KEEPER)
        (live,) = rig.engine.runs.live
        live.ending = True
        await rig.engine.modes._cancel(live, "mode_ended")
        live.ending = False
        await rig.settle()
        assert rig.status().stage is Stage.COUNTDOWN

    async def test_what_cannot_be_written_has_not_ended(self, rig: ModeRig) -> None:
        """The error reaches whoever asked; the mode goes on."""
        await rig.start("feed")
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            for ask in (rig.engine.modes.end, rig.engine.modes.normal):
                with pytest.raises(StoreReadOnlyError):
                    await ask(TANK)
        await rig.settle()
        assert (rig.levels(), rig.status().stage) == ((0, 0), Stage.COUNTDOWN)


class TestExtend:
    """A longer countdown."""

    async def test_countdown_and_holds_last_longer(self, rig: ModeRig) -> None:
        """No device hears of it."""
        status = await rig.start("feed")
        older = rig.holds
        longer = await rig.engine.modes.extend(TANK, 60)
        await rig.settle()
        assert longer.seconds_left == 70 * MINUTE
        assert longer.latest_end == status.latest_end + timedelta(hours=1)
        assert {one.ends_at for one in rig.holds} == {longer.latest_end}
        assert [(await rig.stored(one)).error for one in older] == ["superseded"] * 2
        assert (rig.pump.told, rig.skimmer.told) == ([0], [0])
        assert rig.told[-1] == ("feed", Stage.COUNTDOWN)

        await rig.advance(69 * MINUTE)
        assert rig.levels() == (0, 0)
        await rig.advance(1 * MINUTE)
        assert rig.levels() == (80, 0)
        await rig.advance(5 * MINUTE)
        assert rig.levels() == (80, 100)
        assert (rig.pump.told, rig.skimmer.told) == ([0, 80], [0, 100])

    async def test_a_hold_that_waits_for_its_device_waits_longer(
        self, rig: ModeRig
    ) -> None:
        """It has not begun; the newer one takes its place."""
        gone = Pump("Gone")
        gone.available = False
        state = await rig.attach(gone)
        await rig.start("feed")
        (waiting,) = [one for one in rig.holds if one.device == state.row.number]
        assert waiting.phase is Phase.PLANNED
        await rig.engine.modes.extend(TANK, 5)
        await rig.settle()
        assert (await rig.stored(waiting)).phase is Phase.WITHDRAWN

    async def test_what_came_back_meanwhile_stays_back(self, rig: ModeRig) -> None:
        """It was released while the longer hold was being written."""
        await rig.start("feed")
        (live,) = rig.engine.runs.live
        first = rig.holds[0]
        claim = rig.engine.windows.claim

        async def late(*args: Any, **more: Any) -> Any:
            command = await claim(*args, **more)
            if command.step == first.step:
                rig.engine.arbiter.release(first)
            return command

        rig.engine.windows.claim = late  # type: ignore[method-assign]
        await rig.engine.modes._holds.renew(live, 60)
        await rig.settle()
        assert rig.levels() == (80, 0)

    async def test_only_a_countdown_can_be_extended(self, rig: ModeRig) -> None:
        """Neither normal nor the return."""
        wanted = ("mode_not_counting", {"field": "aquarium"})
        assert await refused(rig.engine.modes.extend(TANK, 5)) == wanted
        await rig.start("feed")
        await rig.engine.modes.end(TANK)
        await rig.settle()
        assert await refused(rig.engine.modes.extend(TANK, 5)) == wanted

    async def test_it_has_bounds(self, rig: ModeRig) -> None:
        """Nothing is held for longer than a day from now."""
        await rig.start("feed")
        for minutes in (0, 1381):
            assert await refused(rig.engine.modes.extend(TANK, minutes)) == (
                "out_of_range",
                {"field": "minutes", "minimum": "0.1", "maximum": "1380"},
            )


class TestSwitch:
    """From one mode directly to another."""

    async def test_what_both_hold_does_not_move(self, rig: ModeRig) -> None:
        """Not one call between."""
        first = await rig.start("feed")
        second = await rig.start("maintenance")
        assert (rig.pump.told, rig.skimmer.told) == ([0], [0])
        assert rig.status().run == second.run
        assert {one.run for one in rig.holds} == {second.run}
        row, _ = await rig.engine.runs.get(first.run)
        assert (row.state, row.error) == ("cancelled", "superseded")
        assert (None, None) not in rig.told

    async def test_what_only_the_first_holds_comes_back(self, rig: ModeRig) -> None:
        """And what only the second holds goes its way, each once."""
        await rig.keep(hold(RETURN, 20), COUNTDOWN)
        await rig.start("feed")
        await rig.start("Night feed")
        assert rig.levels() == (20, 100)
        assert (rig.pump.told, rig.skimmer.told) == ([0, 20], [0, 100])

    async def test_the_same_again_counts_from_the_start(self, rig: ModeRig) -> None:
        """One more feeding."""
        await rig.start("feed")
        await rig.advance(9 * MINUTE)
        await rig.start("feed")
        assert (rig.status().seconds_left, rig.pump.told) == (600, [0])
        await rig.advance(9 * MINUTE)
        assert rig.levels() == (0, 0)

    async def test_quickly_one_after_another_the_last_one_wins(
        self, rig: ModeRig
    ) -> None:
        """Every other one ends."""
        for name in ("feed", "maintenance", "feed", "maintenance"):
            await rig.engine.modes.start(TANK, name, KEEPER)
        await rig.settle()
        assert (rig.status().mode, len(rig.engine.runs.live)) == ("maintenance", 1)
        assert (rig.pump.told, rig.skimmer.told) == ([0], [0])

    async def test_the_first_ends_when_the_store_takes_it(self, rig: ModeRig) -> None:
        """Until then its holds lie below the newer ones; a sweep tries again."""
        await rig.start("feed")
        (first,) = rig.engine.runs.live
        cancel = rig.engine.runs.cancel

        async def troubled(*_: Any, **__: Any) -> None:
            raise StoreReadOnlyError("not now")

        rig.engine.runs.cancel = troubled  # type: ignore[assignment, method-assign]
        await rig.start("maintenance")
        assert (rig.status().mode, len(rig.engine.runs.live)) == ("maintenance", 2)
        rig.engine.runs.cancel = cancel  # type: ignore[method-assign]
        await rig.advance(31)
        assert len(rig.engine.runs.live) == 1
        assert (await rig.engine.runs.get(first.id))[0].state == "cancelled"

    async def test_another_aquarium_is_left_alone(self, rig: ModeRig) -> None:
        """Each has its own."""
        other = Pump("Other", level=60)
        await rig.attach(other, aquarium="nano")
        await rig.start("feed")
        assert other.told == []
        await rig.engine.modes.start("nano", "feed", KEEPER)
        await rig.settle()
        await rig.engine.modes.normal(TANK)
        await rig.settle()
        assert (rig.levels(), other.level) == ((80, 100), 0)


class TestLatestEnd:
    """Equipment comes back even if a step never completes."""

    async def test_a_wait_that_hangs(self, rig: ModeRig) -> None:
        """The skimmer waits for a level that never comes."""
        await rig.keep(
            hold(RETURN),
            hold(SKIMMER),
            COUNTDOWN,
            release(RETURN),
            until(RETURN, above=95, timeout=3600),
            release(SKIMMER),
            latest_end_minutes=20,
        )
        await rig.start("Night feed")
        await rig.advance(19 * MINUTE)
        assert (rig.levels(), rig.status().stage) == ((80, 0), Stage.RETURNING)
        await rig.advance(1 * MINUTE)
        assert rig.levels() == (80, 100)
        assert rig.engine.modes.status(TANK) is None
        (row,) = await rig.engine.runs.recent("mode", 1)
        assert (row.state, row.error) == ("cancelled", "mode_latest_end")

    async def test_a_wait_that_gives_up_stays_until_then(self, rig: ModeRig) -> None:
        """What it waited for has not come: the skimmer stays off, and the keeper can end it."""
        await rig.keep(
            hold(SKIMMER),
            COUNTDOWN,
            until(RETURN, above=95, timeout=60),
            release(SKIMMER),
            latest_end_minutes=30,
        )
        await rig.start("Night feed")
        await rig.advance(10 * MINUTE)
        await rig.advance(2 * MINUTE)
        assert rig.levels() == (80, 0)
        assert [
            (one.step, one.device_id, one.error) for one in rig.status().troubles
        ] == [(2, RETURN, "timed_out")]
        await rig.again()
        assert rig.levels() == (80, 0)
        await rig.advance(18 * MINUTE)
        assert rig.levels() == (80, 100)

    async def test_a_wait_that_may_time_out_goes_on(self, rig: ModeRig) -> None:
        """Back after so long, whatever shows."""
        await rig.keep(
            hold(SKIMMER),
            COUNTDOWN,
            until(RETURN, above=95, timeout=60, on_timeout="continue"),
            release(SKIMMER),
        )
        await rig.start("Night feed")
        await rig.advance(10 * MINUTE)
        assert rig.levels() == (80, 0)
        await rig.advance(1 * MINUTE)
        assert rig.levels() == (80, 100)

    async def test_the_condition_brings_it_back(self, rig: ModeRig) -> None:
        """The skimmer only when the level is back."""
        await rig.keep(
            hold(SKIMMER), COUNTDOWN, until(RETURN, above=85), release(SKIMMER)
        )
        await rig.start("Night feed")
        await rig.advance(11 * MINUTE)
        assert rig.levels() == (80, 0)
        await rig.engine.send(
            rig.engine.device(RETURN), "set_level", {"level": 90}, BY_HAND
        )
        await rig.settle()
        assert rig.levels() == (90, 100)

    async def test_without_the_engine_it_passes_as_well(self, rig: ModeRig) -> None:
        """What was held comes back with the next start."""
        await rig.start("feed")
        await rig.again(after=2 * 60 * MINUTE)
        assert rig.levels() == (80, 100)
        assert rig.engine.modes.status(TANK) is None

    async def test_a_clock_that_is_set_changes_nothing(self, rig: ModeRig) -> None:
        """Law 6: elapsed time counts; the sweep tells when it ends by the new clock."""
        await rig.start("feed")
        rig.clock.jump(7200)
        await rig.advance(30)
        assert rig.levels() == (0, 0)
        assert rig.status().seconds_left == 570
        assert rig.status().ends_at == rig.clock.now() + timedelta(seconds=570)
        assert rig.told[-2:] == [("feed", Stage.COUNTDOWN)] * 2

    async def test_with_a_store_that_broke_everything_comes_back(
        self, rig: ModeRig
    ) -> None:
        """Law 2: giving back does not wait for the store."""
        await rig.start("feed")
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            await rig.advance(10 * MINUTE)
            await rig.advance(31)
            assert rig.levels() == (80, 100)
        await rig.engine.journal.retry()
        await rig.settle()
        assert rig.engine.runs.live == ()

    async def test_it_is_asked_again_when_it_was_put_off(self, rig: ModeRig) -> None:
        """Law 7: what is due is looked up."""
        status = await rig.start("feed")
        rig.engine.agenda.put_elapsed("mode", status.run, 0)
        rig.engine.agenda.put_elapsed("mode", 4711, 0)
        await rig.advance(1)
        assert rig.status().stage is Stage.COUNTDOWN


class TestRestart:
    """A mode goes on, whenever the engine ends."""

    async def test_the_countdown_goes_on(self, rig: ModeRig) -> None:
        """By elapsed time; no device is told anything anew."""
        await rig.start("feed")
        ends_at = rig.status().ends_at
        await rig.advance(60)
        await rig.again(after=120)
        assert (rig.status().seconds_left, rig.status().ends_at) == (420, ends_at)
        assert rig.levels() == (0, 0)
        await rig.advance(420)
        assert rig.levels() == (80, 0)
        await rig.again(after=60)
        await rig.advance(240)
        assert rig.levels() == (80, 100)

    async def test_a_countdown_that_ended_meanwhile_is_over(self, rig: ModeRig) -> None:
        """The return begins with the start."""
        await rig.start("feed")
        await rig.again(after=20 * MINUTE)
        assert (rig.levels(), rig.status().stage) == ((80, 0), Stage.RETURNING)

    @pytest.mark.parametrize("steps", range(2, 9))
    async def test_after_any_step(self, rig: ModeRig, steps: int) -> None:
        """Killed as soon as so many rows of steps were written: nothing is there twice."""
        await rig.engine.modes.start(TANK, "feed", KEEPER)
        live = rig.engine.runs.live[0]
        while len(live.steps) < min(steps, 3):
            await live.change()
        if steps > 3:
            await rig.engine.modes.end(TANK)
            while live in rig.engine.runs.live and len(live.steps) < steps - 1:
                if live.under_way is not None and live.under_way.deadline:
                    await rig.engine.runs.skip(live.id)
                await live.change()
        await rig.again()
        # Every field is held at most once, by the one run.
        held = [
            (one.device, one.field)
            for one in rig.holds
            if one.phase is not Phase.RESTORING
        ]
        assert len(held) == len(set(held))
        await rig.advance(10 * MINUTE)
        await rig.advance(5 * MINUTE)
        assert rig.levels() == (80, 100)
        assert (rig.engine.modes.status(TANK), rig.holds) == (None, [])
        rows = await rig.engine.runs.recent("mode", 10)
        assert len(rows) == 1

    async def test_a_hold_that_was_accepted_is_not_asked_for_again(
        self, rig: ModeRig
    ) -> None:
        """Killed between the hold and the record of its step."""
        status = await rig.start("feed")
        first = rig.holds[0]
        await rig.engine.close()
        await rig.boot(start=False)

        def back(connection: Any) -> None:
            connection.execute("DELETE FROM run_step WHERE step > 0")
            connection.execute(
                "UPDATE run_step SET state = 'running', ended_at = NULL, result = NULL"
            )

        await rig.engine.journal.commit(back)
        await rig.again()
        _, steps = await rig.engine.runs.get(status.run)
        assert steps[0].result == {"command_id": first.id}
        assert (len(rig.holds), rig.levels()) == (2, (0, 0))
        assert set(rig.pump.told) == {0}

    async def test_between_two_modes(self, rig: ModeRig) -> None:
        """Killed while the first was being replaced: the second one holds, the first ends."""
        await rig.start("feed")

        async def never(*_: Any) -> None:
            return None

        rig.engine.modes._ended = never  # type: ignore[assignment, method-assign]
        await rig.start("maintenance")
        assert len(rig.engine.runs.live) == 2
        await rig.again()
        assert (rig.status().mode, len(rig.engine.runs.live)) == ("maintenance", 1)
        assert (rig.levels(), set(rig.pump.told)) == ((0, 0), {0})

    async def test_what_an_ended_mode_still_holds_is_let_go(self, rig: ModeRig) -> None:
        """Killed between the end of the run and the release."""
        status = await rig.start("feed")
        await rig.engine.close()
        await rig.boot(start=False)
        await rig.engine.journal.commit(
            lambda connection: connection.execute(
                "UPDATE run SET state = 'completed', ended_at = started_at "
                "WHERE id = ?",
                (status.run,),
            )
        )
        await rig.again()
        assert (rig.levels(), rig.holds) == ((80, 100), [])

    async def test_a_mode_that_no_longer_validates_gives_back(
        self, rig: ModeRig
    ) -> None:
        """Law 10: its run ends, and with it what it held."""
        await rig.start("feed")
        await rig.engine.close()
        await rig.boot(start=False)
        await rig.engine.journal.commit(
            lambda connection: connection.execute("UPDATE run SET definition = '{}'")
        )
        await rig.again()
        assert (rig.levels(), rig.holds) == ((80, 100), [])

    async def test_other_runs_are_none_of_its_business(self, rig: ModeRig) -> None:
        """A macro is no mode."""
        await rig.begin(level(20, RETURN), {"delay": 60})
        await rig.again()
        assert (rig.engine.modes.status(TANK), rig.told) == (None, [])


class TestTrouble:
    """What a device does wrong does not stop the others."""

    async def test_a_device_that_vanished(self, rig: ModeRig) -> None:
        """The mode begins for the others, and says so."""
        await rig.keep(
            hold(SKIMMER), hold(RETURN), COUNTDOWN, release(SKIMMER), release(RETURN)
        )
        await rig.engine.retire(rig.engine.device(SKIMMER).row.number)
        status = await rig.start("Night feed")
        assert rig.pump.level == 0
        assert [
            (one.step, one.device_id, one.error_code, one.error)
            for one in rig.status().troubles
        ] == [(0, SKIMMER, "device_not_found", "device_not_found")]
        await rig.advance(10 * MINUTE)
        assert rig.pump.level == 80
        row, _ = await rig.engine.runs.get(status.run)
        assert (row.state, row.error) == ("completed", "steps_failed")

    async def test_a_device_that_hangs(self, rig: ModeRig) -> None:
        """Nobody waits for it; it is given back like the others."""
        rig.pump.hanging = hanging = asyncio.Event()
        await rig.start("feed")
        assert (rig.skimmer.level, rig.status().stage) == (0, Stage.COUNTDOWN)
        hanging.set()
        await rig.settle()
        assert rig.levels() == (0, 0)

    async def test_a_device_that_comes_later_is_held_then(self, rig: ModeRig) -> None:
        """Its hold waits until something is known of it."""
        rig.skimmer.available = False
        await rig.start("feed")
        rig.skimmer.available = True
        await rig.advance(1)
        assert rig.levels() == (0, 0)

    async def test_an_emergency_stop_stands_above(self, rig: ModeRig) -> None:
        """The return pump goes where it is safe, and stays there until it is let go."""
        await rig.start("feed")
        await rig.engine.emergency_stop(TANK)
        await rig.settle()
        assert rig.levels() == (80, 0)
        await rig.advance(10 * MINUTE)
        await rig.advance(5 * MINUTE)
        assert rig.engine.modes.status(TANK) is None
        assert rig.levels() == (80, 0)
        rig.engine.release_emergency(TANK)
        await rig.settle()
        assert rig.levels() == (80, 100)

    async def test_a_mode_that_is_stopped_before_it_counts(self, rig: ModeRig) -> None:
        """A wait for something to happen first gives up: nothing more is held."""
        await rig.keep(
            until(RETURN, above=95, timeout=60),
            hold(RETURN),
            COUNTDOWN,
            hold(SKIMMER, 50),
        )
        await rig.start("Night feed")
        await rig.advance(60)
        assert rig.pump.told == []
        assert rig.skimmer.told == [50, 100]
        assert rig.engine.modes.status(TANK) is None

    async def test_one_field_of_a_device_is_let_go(self, rig: ModeRig) -> None:
        """The others stay held."""
        allowed = "dosing_allowed_"
        await rig.keep(
            hold(DOSER, field_name=f"{allowed}0", value=False),
            hold(DOSER, field_name=f"{allowed}1", value=False),
            COUNTDOWN,
            {"release": {"device_id": DOSER, "field_name": f"{allowed}0"}},
            {"delay": 60},
        )
        await rig.start("Night feed")
        assert [one.field for one in rig.holds] == [f"{allowed}0", f"{allowed}1"]
        await rig.engine.modes.end(TANK)
        await rig.settle()
        assert [one.field for one in rig.holds] == [f"{allowed}1"]
