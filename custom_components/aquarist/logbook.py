"""Aquarist's events in the words of the logbook, which knows no translations."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .api.events import (
    EVENT_COMMAND,
    EVENT_DOSE,
    EVENT_MODE,
    EVENT_OCCURRENCE,
    EVENT_WRITE_ACTION,
)
from .const import DOMAIN
from .data import DATA_ENGINE
from .devices.dosing_fields import DOSING_ALLOWED
from .engine.errors import EngineError

type Describe = Callable[[Event[Any]], dict[str, str]]
type Words = Mapping[str, str]

_ICONS: Final = {
    EVENT_COMMAND: "mdi:send-outline",
    EVENT_DOSE: "mdi:eyedropper",
    EVENT_MODE: "mdi:tune-variant",
    EVENT_OCCURRENCE: "mdi:calendar-check",
    EVENT_WRITE_ACTION: "mdi:pencil-outline",
}
_ACTIONS: Final[Words] = {
    "turn_on": "switch on",
    "turn_off": "switch off",
    "toggle": "switch over",
    "ramp": "fade",
    "release_for_app": "release for phone app",
}
_COMMANDS: Final[Words] = {
    "pending": "waiting",
    "running": "under way",
    "success": "done",
    "timed_out": "took too long",
}
_DOSES: Final[Words] = {
    "intended": "about to be given",
    "sent": "being given",
    "partly": "partly given",
    "not_given": "not given",
    "unknown": "nobody knows whether it was given",
}
EXTENDED: Final = "extended"
_PROGRESS: Final[Words] = {EXTENDED: "lasts longer"}
_VERDICTS: Final[Words] = {"ran": "done", "partly": "partly done"}
_WRITE_ACTIONS: Final[Words] = {
    "PLANNED": "planned",
    "NEW_VALUE_SET": "in force",
    "OLD_VALUE_RESTORED": "over",
    "FAILED": "failed",
}
_REASONS: Final[Words] = {
    "automation_off": "automation is off",
    "dose_cut_off": "a safety rule ended it",
    "field_owned": "something else holds the value",
    "held_by_app": "the phone app holds the connection, or the power is gone",
    "mode_ended": "everything was given back at once",
    "mode_latest_end": "its latest end has come",
    "no_free_slot": "no free Bluetooth connection",
    "not_confirmed": "the device did not follow",
    "refused_at_shutdown": "Home Assistant was being shut down",
    "refused_at_start": "Home Assistant was starting",
    "refused_budget_24h": "more than the head may give in 24 hours",
    "refused_budget_additive_24h": "more of this additive than allowed in 24 hours",
    "refused_budget_aquarium_24h": "more than the aquarium may get in 24 hours",
    "refused_container_empty": "not enough in the container",
    "refused_emergency_stop": "an emergency stop holds it",
    "refused_head_disabled": "the head is not in use",
    "refused_interlock": "a safety rule forbids it",
    "refused_maximum_on_time": "it was on for as long as it may be",
    "refused_maximum_volume": "more than the head may give at once",
    "refused_minimum_interval": "too soon after the last dose",
    "refused_not_allowed": "the head may not dose now",
    "refused_not_calibrated": "the head was never calibrated",
    "refused_sensor_doubt": "a sensor cannot be trusted",
    "steps_failed": "some steps failed",
    "superseded": "something newer took its place",
}


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Describe], None],
) -> None:
    """Say how each event reads."""

    def name(data: Mapping[str, Any]) -> str:
        """Return the name of the device that an event is about."""
        reference = data.get("device_id") or ""
        try:
            return hass.data[DATA_ENGINE].device(reference).row.name
        except EngineError:
            return "Aquarist"

    def told(event: Event, who: str, message: str) -> dict[str, str]:
        return {
            LOGBOOK_ENTRY_NAME: who,
            LOGBOOK_ENTRY_MESSAGE: message,
            LOGBOOK_ENTRY_ICON: _ICONS[str(event.event_type)],
        }

    def command(event: Event) -> dict[str, str]:
        data = event.data
        status = _plain(data["status"], _COMMANDS)
        message = f"{_asked(data)}: {status}{_why(data['error'])}"
        return told(event, name(data), message)

    def dose(event: Event) -> dict[str, str]:
        data = event.data
        head, volume = data["head_index"] + 1, data["volume_ml"]
        state = _plain(data["state"], _DOSES)
        return told(event, name(data), f"head {head}, {volume:g} mL: {state}")

    def mode(event: Event) -> dict[str, str]:
        data = event.data
        entry = hass.config_entries.async_get_entry(data["aquarium"])
        reason = None if data["reason"] == "completed" else data["reason"]
        progress = _progress(data)
        who = "Aquarist" if entry is None else entry.title
        return told(event, who, f"mode {data['mode']} {progress}{_why(reason)}")

    def occurrence(event: Event) -> dict[str, str]:
        data = event.data
        who = data["name"] or f"Schedule {data['schedule_id']}"
        verdict = _plain(data["verdict"] or "started", _VERDICTS)
        return told(event, who, f"{verdict}{_why(data['reason'])}")

    def write_action(event: Event) -> dict[str, str]:
        data = event.data
        status = _plain(data["status"], _WRITE_ACTIONS)
        change = f"{_field(data['field_name'])} to {_value(data['value'])}"
        return told(event, name(data), f"{change}: {status}")

    async_describe_event(DOMAIN, EVENT_COMMAND, command)
    async_describe_event(DOMAIN, EVENT_DOSE, dose)
    async_describe_event(DOMAIN, EVENT_MODE, mode)
    async_describe_event(DOMAIN, EVENT_OCCURRENCE, occurrence)
    async_describe_event(DOMAIN, EVENT_WRITE_ACTION, write_action)


def _asked(data: Mapping[str, Any]) -> str:
    """Return what a command asks of its device, with the number that matters most."""
    # Left out of a record that would be too large for an event.
    args: Mapping[str, Any] = data["args"] or {}
    match data["action"]:
        case "set_level" if "level" in args:
            return f"set level to {args['level']:g} %"
        case "ramp" if "end_level" in args:
            return f"fade to {args['end_level']:g} %"
        case "dose" if "volume_ml" in args:
            return f"dose {args['volume_ml']:g} mL"
        case "mode" if "value" in args:
            return f"mode holds {_field(args['field_name'])} at {_value(args['value'])}"
        case "set_field" if "value" in args:
            return f"set {_field(args['field_name'])} to {_value(args['value'])}"
        case action:
            return _plain(action, _ACTIONS)


def _field(name: str) -> str:
    """Return the name of a field as people say it; heads are counted from one."""
    head = name.removeprefix(DOSING_ALLOWED)
    if head != name and head.isdecimal():
        return f"dosing of head {int(head) + 1}"
    return _plain(name)


def _value(value: Any) -> str:
    """Return the value of a field as people say it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _progress(data: Mapping[str, Any]) -> str:
    """Return what a mode has come to; of one that lasts longer until when, as clocks show it."""
    ends_at = dt_util.parse_datetime(data.get("ends_at") or "")
    if data["progress"] == EXTENDED and ends_at is not None:
        return f"lasts until {dt_util.as_local(ends_at):%H:%M}"
    return _plain(data["progress"], _PROGRESS)


def _plain(word: str, words: Words | None = None) -> str:
    """Return a machine word as people say it; most need nothing but blanks."""
    return (words or {}).get(word, word.replace("_", " "))


def _why(reason: str | None) -> str:
    """Return a reason as the end of a message."""
    return f" ({_plain(reason, _REASONS)})" if reason else ""
