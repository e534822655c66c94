"""Asking for overrides: a value that wins over the plan for a while (R-B111, law 4)."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import Context, HomeAssistant
import probatio as vol

from ..commands.command import Command
from ..commands.phases import HOLDING
from ..data import DATA_ENGINE
from ..engine.claims import NEXT_EVENT, is_by_hand, seconds_left
from ..engine.intake import Origin
from ..engine.overrides import LONGEST_SECONDS
from ..engine.state import DeviceState
from ..layers.claims import Layer
from ..schedules.validation import number, text
from .fields import LONGEST_NAME, reference
from .rights import require_control
from .targets import target
from .write_action_requests import VALUE

FIELD: dict[str | vol.Marker, Any] = {
    vol.Required("device_id"): reference,
    vol.Required("field_name"): text(LONGEST_NAME),
}
OVERRIDE: dict[str | vol.Marker, Any] = VALUE | {
    vol.Optional("seconds", default=None): vol.Maybe(number(1, LONGEST_SECONDS)),
    vol.Optional("until", default=None): vol.Maybe(text(LONGEST_NAME)),
}


async def set_override(
    hass: HomeAssistant, asked: Mapping[str, Any], origin: Origin, context: Context
) -> dict[str, Any]:
    """Let a value win from now on; return the override.

    Raises EngineError, InvalidValue, StoreError, Unauthorized.
    """
    device = target(hass, asked["device_id"])
    await require_control(hass, context, [device])
    command = await hass.data[DATA_ENGINE].override(
        device,
        asked["field_name"],
        asked["value"],
        origin,
        seconds=asked["seconds"],
        until=asked["until"],
    )
    return override_record(hass, command, device)


async def release_override(
    hass: HomeAssistant, asked: Mapping[str, Any], context: Context
) -> dict[str, Any]:
    """Let the override of a field go; return whether there was one, once that is on disk.

    Raises EngineError, InvalidValue, StoreError, Unauthorized.
    """
    device = target(hass, asked["device_id"])
    await require_control(hass, context, [device])
    engine = hass.data[DATA_ENGINE]
    released = engine.overrides.release(device, asked["field_name"])
    await engine.journal.written()
    return {"released": released is not None}


def overrides_of(hass: HomeAssistant) -> list[Command]:
    """Return the overrides that hold their fields, in the order of acceptance."""
    return [
        command
        for command in hass.data[DATA_ENGINE].records.open
        if command.layer is Layer.OVERRIDE and command.phase in HOLDING
    ]


def override_record(
    hass: HomeAssistant, command: Command, device: DeviceState
) -> dict[str, Any]:
    """Return an override: what it sets, since when, and when it ends.

    ``seconds_left`` of elapsed time and ``ends_at`` by the wall clock are the latest end: with
    ``until_next_event`` the plan's next event comes first. None ends when it is released.
    """
    begun, ends_at = command.starts_at or command.created_at, command.ends_at
    return {
        "id": command.id,
        "device_id": device.row.uuid,
        "field_name": command.args.get("field_name", command.field),
        "value": command.args.get("value", dict(command.value or {})),
        "by_hand": is_by_hand(command),
        "until_next_event": bool(command.args.get(NEXT_EVENT)),
        "seconds_left": seconds_left(command, hass.data[DATA_ENGINE].clock),
        "starts_at": begun.isoformat(),
        "ends_at": ends_at.isoformat() if ends_at else None,
        "user": command.user,
    }
