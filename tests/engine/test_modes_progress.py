"""What is told of a mode: that it began, lasts longer, and ended, and why."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from custom_components.aquarist.engine.changes import ModeProgressed
from tests.engine.mode_rig import (
    COUNTDOWN,
    SKIMMER,
    TANK,
    ModeRig,
    hold,
    mode_rig,
    until,
)

MINUTE = 60


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ModeRig]:
    """Give an aquarium with a return pump, a skimmer and a doser."""
    async with mode_rig(tmp_path) as rig:
        yield rig


def progress(rig: ModeRig) -> list[tuple[str, str, str | None]]:
    """Return mode, progress and reason of all that was told, in order."""
    return [
        (change.run.name, change.progress.value, change.run.error)
        for change in rig.changes
        if isinstance(change, ModeProgressed)
    ]


async def test_a_mode_begins_and_ends_once(rig: ModeRig) -> None:
    """With its latest end, and nothing of what goes on in between."""
    await rig.start("feed")
    (begun,) = [one for one in rig.changes if isinstance(one, ModeProgressed)]
    assert begun.latest_end == rig.clock.now() + timedelta(hours=1)
    assert (begun.run.subject, begun.run.user) == (TANK, "keeper")
    await rig.advance(10 * MINUTE)
    await rig.advance(5 * MINUTE)
    assert progress(rig) == [("feed", "began", None), ("feed", "ended", None)]


async def test_a_restart_is_no_news(rig: ModeRig) -> None:
    """The mode has neither begun nor ended."""
    await rig.start("feed")
    await rig.again(after=60)
    assert progress(rig) == [("feed", "began", None)]
    await rig.engine.modes.normal(TANK)
    await rig.settle()
    assert progress(rig)[1:] == [("feed", "ended", "mode_ended")]


async def test_an_extension_tells_until_when(rig: ModeRig) -> None:
    """And when everything comes back at the latest."""
    await rig.start("feed")
    await rig.engine.modes.extend(TANK, 5)
    await rig.settle()
    told = [one for one in rig.changes if isinstance(one, ModeProgressed)]
    assert told[-1].progress == "extended"
    assert told[-1].ends_at == rig.clock.now() + timedelta(minutes=15)
    assert told[-1].latest_end == rig.clock.now() + timedelta(minutes=65)


async def test_another_mode_takes_its_place(rig: ModeRig) -> None:
    """The newer one has begun before the older one has ended."""
    await rig.start("feed")
    await rig.start("maintenance")
    assert progress(rig) == [
        ("feed", "began", None),
        ("maintenance", "began", None),
        ("feed", "ended", "superseded"),
    ]


async def test_a_step_that_never_completes_ends_with_the_latest_end(
    rig: ModeRig,
) -> None:
    """Whatever it waits for."""
    await rig.keep(
        hold(SKIMMER), COUNTDOWN, until(SKIMMER, 7200, above=200), latest_end_minutes=30
    )
    await rig.start("Night feed")
    await rig.advance(30 * MINUTE)
    assert rig.levels() == (80, 100)
    assert progress(rig)[-1] == ("Night feed", "ended", "mode_latest_end")


async def test_what_failed_on_the_way_is_told(rig: ModeRig) -> None:
    """A wait that is in vain leads to the return."""
    await rig.keep(hold(SKIMMER), until(SKIMMER, 60, above=200), COUNTDOWN)
    await rig.start("Night feed")
    await rig.advance(MINUTE)
    assert progress(rig)[-1] == ("Night feed", "ended", "steps_failed")
