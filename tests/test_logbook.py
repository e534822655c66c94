"""Our events read like sentences about devices."""

from pathlib import Path
from typing import Any

from homeassistant.core import Event, HomeAssistant
import pytest

from custom_components.aquarist.api.events import (
    EVENT_COMMAND,
    EVENT_DOSE,
    EVENT_OCCURRENCE,
    EVENT_WRITE_ACTION,
)
from custom_components.aquarist.logbook import Describe, async_describe_events

from .aquarium import aquarium, device_named

COMMAND: dict[str, Any] = {"action": "turn_on", "status": "success", "error": None}
DOSE: dict[str, Any] = {"head_index": 0, "volume_ml": 2.5, "state": "given"}
OCCURRENCE: dict[str, Any] = {
    "schedule_id": 3,
    "name": "Dawn",
    "verdict": "ran",
    "reason": None,
}
WRITE: dict[str, Any] = {"field_name": "level", "value": 40, "status": "NEW_VALUE_SET"}


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (EVENT_COMMAND, COMMAND, "turn_on: success"),
        (
            EVENT_COMMAND,
            COMMAND | {"status": "failed", "error": "no_answer"},
            "turn_on: failed (no_answer)",
        ),
        (EVENT_DOSE, DOSE, "head 1, 2.5 mL: given"),
        (EVENT_WRITE_ACTION, WRITE, "level to 40: NEW_VALUE_SET"),
    ],
)
async def test_events_of_a_device_name_it(
    hass: HomeAssistant,
    tmp_path: Path,
    name: str,
    data: dict[str, Any],
    message: str,
) -> None:
    """By the name that its keeper gave it; one that is gone belongs to Aquarist."""
    async with aquarium(hass, tmp_path, demo=True):
        describe = described(hass)[name]
        device = device_named(hass, "Skimmer").row.uuid

        assert describe(Event(name, data | {"device_id": device})) == {
            "name": "Skimmer",
            "message": message,
        }
        for gone in ("no-such-device", None):
            shown = describe(Event(name, data | {"device_id": gone}))
            assert shown["name"] == "Aquarist"


@pytest.mark.parametrize(
    ("change", "who", "message"),
    [
        ({}, "Dawn", "ran"),
        ({"verdict": None}, "Dawn", "began"),
        (
            {"verdict": "refused", "reason": "refused_budget_24h", "name": None},
            "Schedule 3",
            "refused (refused_budget_24h)",
        ),
    ],
)
def test_a_due_moment_names_its_schedule(
    hass: HomeAssistant, change: dict[str, Any], who: str, message: str
) -> None:
    """What came of it, and why."""
    event = Event(EVENT_OCCURRENCE, OCCURRENCE | change)

    assert described(hass)[EVENT_OCCURRENCE](event) == {"name": who, "message": message}


def described(hass: HomeAssistant) -> dict[str, Describe]:
    """Return what says how each event reads."""
    found: dict[str, Describe] = {}

    def take(domain: str, name: str, describe: Describe) -> None:
        """Take one."""
        assert domain == "aquarist"
        found[name] = describe

    async_describe_events(hass, take)
    return found
