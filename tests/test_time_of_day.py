"""What a test with a Home Assistant sees does not depend on when it is run."""

from datetime import datetime, timedelta
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .aquarium import aquarium, engine_of
from .conftest import NIGHT

QUIET = timedelta(hours=5)


async def test_nothing_of_the_demo_day_is_due_during_a_test(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The clock begins at the same hour of the night, and goes on."""
    began = datetime.fromisoformat(NIGHT)
    assert began < dt_util.utcnow() < began + timedelta(minutes=5)
    async with aquarium(hass, tmp_path, demo=True):
        due = [planned.row.next_run for planned in engine_of(hass).planner.schedules]

    assert due
    assert all(one is not None and one > began + QUIET for one in due)
