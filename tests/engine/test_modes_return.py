"""Whatever happens, what a mode held comes back: at the latest end, and over restarts."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.changes import ModeChanged
from custom_components.aquarist.runs.mode import Stage
from tests.engine.holding import BY_HAND
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
from tests.engine.run_rig import level
from tests.engine.troubled_store import read_only

MINUTE = 60


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ModeRig]:
    """Give an aquarium with a return pump, a skimmer and a doser."""
    async with mode_rig(tmp_path) as rig:
        yield rig


class TestHeld:
    """What has not come back is named."""

    async def test_devices_go_as_they_are_given_back(self, rig: ModeRig) -> None:
        """In their order; a device of which something is still held stays among them."""
        allowed = "dosing_allowed_"
        await rig.keep(
            hold(SKIMMER),
            hold(DOSER, field_name=f"{allowed}0", value=False),
            hold(DOSER, field_name=f"{allowed}1", value=False),
            hold(RETURN),
            COUNTDOWN,
            {"release": {"device_id": DOSER, "field_name": f"{allowed}1"}},
            release(RETURN),
            {"delay": 60},
            release(DOSER),
            {"delay": 60},
        )
        await rig.start("Night feed")
        assert rig.status().held == (SKIMMER, DOSER, RETURN)
        await rig.engine.modes.end(TANK)
        await rig.settle()
        assert rig.status().held == (SKIMMER, DOSER)
        before = len(rig.changes)
        await rig.advance(60)
        assert rig.status().held == (SKIMMER,)
        told = [one for one in rig.changes[before:] if isinstance(one, ModeChanged)]
        assert [one.held for one in told] == [1]

    async def test_a_device_that_did_not_follow_is_none(self, rig: ModeRig) -> None:
        """Nothing of it is held."""
        await rig.keep(hold(SKIMMER), hold(RETURN), COUNTDOWN)
        await rig.engine.equipment.retire(rig.engine.device(SKIMMER).row.number)
        await rig.start("Night feed")
        assert rig.status().held == (RETURN,)


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
