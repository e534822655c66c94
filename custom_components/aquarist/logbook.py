"""Aquarist's events in the words of the logbook."""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.core import Event, HomeAssistant, callback

from .api.events import EVENT_COMMAND, EVENT_DOSE, EVENT_OCCURRENCE, EVENT_WRITE_ACTION
from .const import DOMAIN
from .data import DATA_ENGINE
from .engine.errors import EngineError

type Describe = Callable[[Event[Any]], dict[str, str]]


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

    def told(who: str, message: str) -> dict[str, str]:
        return {LOGBOOK_ENTRY_NAME: who, LOGBOOK_ENTRY_MESSAGE: message}

    def command(event: Event) -> dict[str, str]:
        data = event.data
        return told(
            name(data), f"{data['action']}: {data['status']}{_why(data['error'])}"
        )

    def dose(event: Event) -> dict[str, str]:
        data = event.data
        head, volume = data["head_index"] + 1, data["volume_ml"]
        return told(name(data), f"head {head}, {volume:g} mL: {data['state']}")

    def occurrence(event: Event) -> dict[str, str]:
        data = event.data
        who = data["name"] or f"Schedule {data['schedule_id']}"
        return told(who, f"{data['verdict'] or 'began'}{_why(data['reason'])}")

    def write_action(event: Event) -> dict[str, str]:
        data = event.data
        asked = f"{data['field_name']} to {data['value']}"
        return told(name(data), f"{asked}: {data['status']}")

    async_describe_event(DOMAIN, EVENT_COMMAND, command)
    async_describe_event(DOMAIN, EVENT_DOSE, dose)
    async_describe_event(DOMAIN, EVENT_OCCURRENCE, occurrence)
    async_describe_event(DOMAIN, EVENT_WRITE_ACTION, write_action)


def _why(reason: str | None) -> str:
    """Return a reason as the end of a message."""
    return f" ({reason})" if reason else ""
