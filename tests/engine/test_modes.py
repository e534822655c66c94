"""Modes of an aquarium: holds, countdown, staged return, and how they end."""

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
)
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
            # The return pump is given back.
            ("feed", Stage.RETURNING),
            (None, None),
        ]

    async def test_its_name_is_a_word_however_it_is_written(self, rig: ModeRig) -> None:
        """The dashboard shows it with a capital letter."""
        status = await rig.start("Feed")
        assert status.mode == rig.status().mode == "feed"

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
        await rig.engine.planner.set_automation(TANK, enabled=False)
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

    async def test_who_asks_at_the_same_time_hears_of_it_too(
        self, rig: ModeRig
    ) -> None:
        """Nobody is left to wait for the countdown."""
        await rig.start("feed")
        assert rig.engine.database is not None
        async with asyncio.timeout(10), read_only(rig.engine.database):
            told = await asyncio.gather(
                rig.engine.modes.end(TANK),
                rig.engine.modes.end(TANK),
                return_exceptions=True,
            )
        assert [type(one) for one in told] == [StoreReadOnlyError] * 2
        await rig.settle()
        assert rig.status().stage is Stage.COUNTDOWN
