"""What devices do wrong, and what stands above a mode."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from custom_components.aquarist.runs.mode import Stage
from custom_components.aquarist.store.errors import StoreReadOnlyError
from tests.engine.mode_rig import (
    COUNTDOWN,
    DOSER,
    RETURN,
    SKIMMER,
    TANK,
    ModeRig,
    hold,
    mode_rig,
    release,
    until,
)
from tests.engine.troubled_store import read_only
from tests.store.gate import blocked

MINUTE = 60


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ModeRig]:
    """Give an aquarium with a return pump, a skimmer and a doser."""
    async with mode_rig(tmp_path) as rig:
        yield rig


class TestTrouble:
    """What a device does wrong does not stop the others."""

    async def test_a_device_that_vanished(self, rig: ModeRig) -> None:
        """The mode begins for the others, and says so."""
        await rig.keep(
            hold(SKIMMER), hold(RETURN), COUNTDOWN, release(SKIMMER), release(RETURN)
        )
        await rig.engine.equipment.retire(rig.engine.device(SKIMMER).row.number)
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
        await rig.engine.emergency.stop(TANK)
        await rig.settle()
        assert rig.levels() == (80, 0)
        await rig.advance(10 * MINUTE)
        await rig.advance(5 * MINUTE)
        assert rig.engine.modes.status(TANK) is None
        assert rig.levels() == (80, 0)
        rig.engine.emergency.release(TANK)
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

    async def test_an_end_that_the_store_refuses_late(self, rig: ModeRig) -> None:
        """The mode goes on, and so does what it holds: a sweep came in between."""
        await rig.start("feed")
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            gate, standing = await blocked(rig.engine.database.writer)
            ending = asyncio.ensure_future(rig.engine.modes.normal(TANK))
            await asyncio.sleep(0)
            rig.clock.advance(31)
            gate.opened.set()
            await asyncio.gather(standing, return_exceptions=True)
            with pytest.raises(StoreReadOnlyError):
                await ending
        await rig.settle()
        assert rig.status().stage is Stage.COUNTDOWN
        assert rig.levels() == (0, 0)
