"""A mode that is changed under way: a longer countdown, or another mode in its place."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.runs.mode import Stage
from custom_components.aquarist.store.errors import StoreReadOnlyError
from tests.engine.mode_rig import (
    COUNTDOWN,
    KEEPER,
    RETURN,
    TANK,
    ModeRig,
    hold,
    mode_rig,
)
from tests.engine.rig import Pump

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

    async def test_two_at_once_both_count(self, rig: ModeRig) -> None:
        """Countdown and holds last as long as both say together, also after a restart."""
        await rig.start("feed")
        await asyncio.gather(
            rig.engine.modes.extend(TANK, 5), rig.engine.modes.extend(TANK, 20)
        )
        for again in (False, True):
            if again:
                await rig.again()
            status = rig.status()
            assert status.seconds_left == 35 * MINUTE
            assert {one.ends_at for one in rig.holds} == {status.latest_end}

    async def test_a_return_that_has_begun_meanwhile_does_not_wait_longer(
        self, rig: ModeRig
    ) -> None:
        """The countdown ended while the longer holds were being written."""
        await rig.start("feed")
        claim = rig.engine.windows.claim

        async def late(*args: Any, **more: Any) -> Any:
            command = await claim(*args, **more)
            if rig.status().stage is Stage.COUNTDOWN:
                await rig.engine.modes.end(TANK)
                await rig.settle()
            return command

        rig.engine.windows.claim = late  # type: ignore[method-assign]
        wanted = ("mode_not_counting", {"field": "aquarium"})
        assert await refused(rig.engine.modes.extend(TANK, 60)) == wanted
        assert rig.levels() == (80, 0)
        await rig.advance(5 * MINUTE)
        assert rig.levels() == (80, 100)

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
