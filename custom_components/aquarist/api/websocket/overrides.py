"""Overrides over WebSocket (R-B111)."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    async_response,
    websocket_command,
)
from homeassistant.core import HomeAssistant, callback
import probatio as vol

from ...commands.command import Source
from ...data import DATA_ENGINE
from ...engine.intake import Origin
from ...errors import translating
from ..override_requests import (
    FIELD,
    OVERRIDE,
    override_record,
    overrides_of,
    release_override,
    set_override,
)
from .access import readable


@websocket_command({vol.Required("type"): "aquarist/overrides/list"})
@callback
def list_overrides(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with the overrides that hold, of the devices that the user may see."""
    devices = hass.data[DATA_ENGINE].devices
    found = [
        override_record(hass, command, devices[command.device])
        for command in overrides_of(hass)
        if readable(hass, connection, command.device)
    ]
    connection.send_result(msg["id"], {"overrides": found})


@websocket_command({vol.Required("type"): "aquarist/overrides/create", **OVERRIDE})
@async_response
async def create_override(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Let a value win over the plan for a while; answer with the override."""
    context = connection.context(msg)
    origin = Origin(source=Source.WEBSOCKET, user=context.user_id, context=context.id)
    with translating():
        override = await set_override(hass, msg, origin, context)
    connection.send_result(msg["id"], override)


@websocket_command({vol.Required("type"): "aquarist/overrides/release", **FIELD})
@async_response
async def release(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Let the plan have a field again; answer with whether there was an override."""
    with translating():
        answer = await release_override(hass, msg, connection.context(msg))
    connection.send_result(msg["id"], answer)


COMMANDS = (
    create_override,
    list_overrides,
    release,
)
