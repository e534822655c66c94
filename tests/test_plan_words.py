"""What a schedule does, as the calendar says it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.plan_words import length, words_of
from custom_components.aquarist.schedules.actions import ActionType, OnMiss
from custom_components.aquarist.schedules.definition import ScheduleDefinition

from .aquarium import aquarium, device_named, engine_of

GONE = 9999


def definition(
    devices: tuple[int, ...], action: str, params: Mapping[str, Any]
) -> ScheduleDefinition:
    """Return a schedule of every morning."""
    return ScheduleDefinition(
        name="Morning",
        device_ids=devices,
        schedule_type="cron",
        cron_expression="0 8 * * *",
        timezone="UTC",
        action_type=ActionType(action),
        action_params=params,
        on_miss=OnMiss.SKIP,
    )


@pytest.mark.parametrize(
    ("names", "action", "params", "words"),
    [
        (["Skimmer"], "on", {}, "On: Skimmer"),
        (
            ["Skimmer"],
            "command",
            {"action": "request_status"},
            "Request status: Skimmer",
        ),
        (
            ["Skimmer", "Return pump"],
            "off",
            {"duration": 5400},
            "Off for 90 min: Skimmer, Return pump",
        ),
        (["Skimmer"], "set_level", {"level": 42.5}, "42.5 %: Skimmer"),
        (
            ["Demo light"],
            "ramp",
            {"end_level": 80, "duration": 7200, "description": "Slowly, for the fish"},
            "Fade to 80 % in 2 h: Demo light\nSlowly, for the fish",
        ),
        (
            ["Demo doser"],
            "dose",
            {"head_index": 1, "volume_ml": 2.5},
            "2.5 mL with Head 2: Demo doser",
        ),
        (
            ["Demo doser"],
            "dose",
            {"head_index": 7, "volume_ml": 1.0},
            "1 mL with Head 8: Demo doser",
        ),
    ],
)
async def test_words(
    hass: HomeAssistant,
    tmp_path: Path,
    names: list[str],
    action: str,
    params: dict[str, Any],
    words: str,
) -> None:
    """The action with its numbers, the devices, and the keeper's own note below."""
    async with aquarium(hass, tmp_path, Platform.CALENDAR, demo=True):
        numbers = tuple(device_named(hass, name).row.number for name in names)

        assert words_of(engine_of(hass), definition(numbers, action, params)) == words


async def test_devices_that_are_not_there(hass: HomeAssistant, tmp_path: Path) -> None:
    """A removed one is not named; a head of a pump that is not loaded has its number."""
    async with aquarium(hass, tmp_path, Platform.CALENDAR, demo=True):
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        await engine.equipment.detach(doser.row.number)
        dose = definition(
            (GONE, doser.row.number), "dose", {"head_index": 0, "volume_ml": 2}
        )

        assert words_of(engine, dose) == "2 mL with Head 1: Demo doser"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 s"),
        (59.5, "59.5 s"),
        (60, "1 min"),
        (90, "90 s"),
        (600, "10 min"),
        (3600, "1 h"),
        (86400, "24 h"),
    ],
)
def test_lengths(seconds: float, words: str) -> None:
    """In the largest unit that the time fills without a rest."""
    assert length(seconds) == words
