"""Our events read like sentences about devices."""

from pathlib import Path
from typing import Any

from homeassistant.core import Event, HomeAssistant
import pytest

from custom_components.aquarist import logbook
from custom_components.aquarist.api.events import (
    EVENT_COMMAND,
    EVENT_DOSE,
    EVENT_MODE,
    EVENT_OCCURRENCE,
    EVENT_WRITE_ACTION,
)
from custom_components.aquarist.logbook import Describe, async_describe_events

from .aquarium import aquarium, device_named

COMMAND: dict[str, Any] = {
    "action": "turn_on",
    "args": {},
    "status": "success",
    "error": None,
}
DOSE: dict[str, Any] = {"head_index": 0, "volume_ml": 2.5, "state": "given"}
OCCURRENCE: dict[str, Any] = {
    "schedule_id": 3,
    "name": "Dawn",
    "verdict": "ran",
    "reason": None,
}
ICONS = {
    EVENT_COMMAND: "mdi:send-outline",
    EVENT_DOSE: "mdi:eyedropper",
    EVENT_MODE: "mdi:tune-variant",
    EVENT_OCCURRENCE: "mdi:calendar-check",
    EVENT_WRITE_ACTION: "mdi:pencil-outline",
}
MODE: dict[str, Any] = {"mode": "feed", "progress": "began", "reason": None}
WRITE: dict[str, Any] = {"field_name": "level", "value": 40, "status": "NEW_VALUE_SET"}


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (EVENT_COMMAND, COMMAND, "switch on: done"),
        (
            EVENT_COMMAND,
            COMMAND | {"status": "failed", "error": "no_answer"},
            "switch on: failed (no answer)",
        ),
        (
            EVENT_COMMAND,
            COMMAND | {"action": "set_level", "args": {"level": 40.0}},
            "set level to 40 %: done",
        ),
        (
            EVENT_COMMAND,
            COMMAND
            | {"action": "ramp", "args": {"end_level": 80}, "status": "running"},
            "fade to 80 %: under way",
        ),
        (
            EVENT_COMMAND,
            COMMAND
            | {
                "action": "dose",
                "args": {"head_index": 0, "volume_ml": 2.5},
                "status": "failed",
                "error": "refused_budget_24h",
            },
            "dose 2.5 mL: failed (more than the head may give in 24 hours)",
        ),
        (
            EVENT_COMMAND,
            COMMAND
            | {"action": "mode", "args": {"field_name": "level", "value": 0.0}}
            | {"status": "running"},
            "mode holds level at 0: under way",
        ),
        (
            EVENT_COMMAND,
            COMMAND
            | {
                "action": "mode",
                "args": {"field_name": "dosing_allowed_0", "value": False},
            },
            "mode holds dosing of head 1 at off: done",
        ),
        (
            EVENT_COMMAND,
            COMMAND
            | {"action": "set_field", "args": {"field_name": "heater", "value": "eco"}},
            "set heater to eco: done",
        ),
        (
            EVENT_COMMAND,
            COMMAND | {"action": "set_custom_curve", "args": None},
            "set custom curve: done",
        ),
        (EVENT_DOSE, DOSE, "head 1, 2.5 mL: given"),
        (
            EVENT_DOSE,
            DOSE | {"state": "unknown"},
            "head 1, 2.5 mL: nobody knows whether it was given",
        ),
        (EVENT_WRITE_ACTION, WRITE, "level to 40: in force"),
        (
            EVENT_WRITE_ACTION,
            WRITE | {"field_name": "dosing_allowed_3", "value": True},
            "dosing of head 4 to on: in force",
        ),
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
            "icon": ICONS[name],
        }
        for gone in ("no-such-device", None):
            shown = describe(Event(name, data | {"device_id": gone}))
            assert shown["name"] == "Aquarist"


@pytest.mark.parametrize(
    ("change", "who", "message"),
    [
        ({}, "Dawn", "done"),
        ({"verdict": None}, "Dawn", "started"),
        (
            {"verdict": "refused", "reason": "refused_budget_24h", "name": None},
            "Schedule 3",
            "refused (more than the head may give in 24 hours)",
        ),
    ],
)
def test_a_due_moment_names_its_schedule(
    hass: HomeAssistant, change: dict[str, Any], who: str, message: str
) -> None:
    """What came of it, and why."""
    event = Event(EVENT_OCCURRENCE, OCCURRENCE | change)

    assert described(hass)[EVENT_OCCURRENCE](event) == {
        "name": who,
        "message": message,
        "icon": ICONS[EVENT_OCCURRENCE],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "mode feed began"),
        (
            {"progress": "extended", "ends_at": "2026-11-20T22:04:59+00:00"},
            "mode feed lasts until 14:04",
        ),
        ({"progress": "extended", "ends_at": None}, "mode feed lasts longer"),
        ({"progress": "ended", "reason": "completed"}, "mode feed ended"),
        (
            {"progress": "ended", "reason": "mode_latest_end"},
            "mode feed ended (its latest end has come)",
        ),
    ],
)
async def test_a_mode_names_its_aquarium(
    hass: HomeAssistant, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    """One that was removed belongs to Aquarist."""
    async with aquarium(hass, tmp_path) as entry:
        describe = described(hass)[EVENT_MODE]
        data = MODE | change
        assert describe(Event(EVENT_MODE, data | {"aquarium": entry.entry_id})) == {
            "name": "Reef",
            "message": message,
            "icon": ICONS[EVENT_MODE],
        }
        gone = describe(Event(EVENT_MODE, data | {"aquarium": "gone"}))
        assert gone["name"] == "Aquarist"


def test_every_word_of_a_reason_is_one_of_those_that_are_documented() -> None:
    """A word that no record has any more would be explained for nothing."""
    documented = Path("docs/words.md").read_text(encoding="utf-8")

    for word in logbook._REASONS:
        assert f"| {word} |" in documented


def described(hass: HomeAssistant) -> dict[str, Describe]:
    """Return what says how each event reads."""
    found: dict[str, Describe] = {}

    def take(domain: str, name: str, describe: Describe) -> None:
        """Take one."""
        assert domain == "aquarist"
        found[name] = describe

    async_describe_events(hass, take)
    return found
