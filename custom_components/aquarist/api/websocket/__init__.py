"""The WebSocket commands: one file a resource, each read in at its first message.

No start waits for what nobody may ask.
"""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import WebSocketCommandHandler
from homeassistant.components.websocket_api.decorators import async_response
from homeassistant.components.websocket_api.messages import BASE_COMMAND_MESSAGE_SCHEMA
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.importlib import async_import_module
import probatio as vol

from ...const import DOMAIN

FILES: Final[Mapping[str, tuple[str, ...]]] = {
    "commands": (
        "commands/cancel",
        "commands/create",
        "commands/get",
        "commands/list",
        "commands/rerun",
        "commands/subscribe",
    ),
    "configurations": (
        "configurations/apply",
        "configurations/delete",
        "configurations/get",
        "configurations/import",
        "configurations/list",
        "configurations/revisions",
        "configurations/save",
    ),
    "devices": ("devices/list",),
    "dosing": (
        "containers/list",
        "doses/list",
    ),
    "macros": (
        "macros/create",
        "macros/delete",
        "macros/get",
        "macros/list",
        "macros/revisions",
        "macros/run",
        "macros/update",
    ),
    "modes": (
        "modes/create",
        "modes/delete",
        "modes/end",
        "modes/extend",
        "modes/get",
        "modes/list",
        "modes/start",
        "modes/subscribe",
        "modes/update",
    ),
    "overrides": (
        "overrides/create",
        "overrides/list",
        "overrides/release",
    ),
    "runs": (
        "runs/cancel",
        "runs/get",
        "runs/list",
        "runs/subscribe",
    ),
    "schedules": ("schedules/list",),
    "settings": (
        "settings/get",
        "settings/update",
    ),
    "subscriptions": (
        "configurations/subscribe",
        "containers/subscribe",
        "doses/subscribe",
        "macros/subscribe",
        "settings/subscribe",
    ),
    "write_actions": (
        "write_actions/cancel",
        "write_actions/create",
        "write_actions/get",
        "write_actions/list",
        "write_actions/retry",
        "write_actions/subscribe",
    ),
}
"""The file of each command."""


_ANYTHING = BASE_COMMAND_MESSAGE_SCHEMA.extend({}, extra=vol.ALLOW_EXTRA)
# Home Assistant has no schema for a command without arguments.
_NOTHING = BASE_COMMAND_MESSAGE_SCHEMA.extend({vol.Required("type"): str})


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register a door for every command."""
    for file, commands in FILES.items():
        door = _door(file)
        for command in commands:
            async_register_command(hass, f"{DOMAIN}/{command}", door, _ANYTHING)


def _door(file: str) -> WebSocketCommandHandler:
    """Return what puts a file's commands in the door's place, and passes the message on."""

    @async_response
    async def enter(
        hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
    ) -> None:
        subscribes = msg["type"].endswith("/subscribe")
        if subscribes:
            connection.subscriptions[msg["id"]] = _nothing
        module = await async_import_module(hass, f"{__package__}.{file}")
        for command in module.COMMANDS:
            async_register_command(hass, command)
        if subscribes and connection.subscriptions.pop(msg["id"], None) is None:
            # Who asked has gone meanwhile: nobody would ever take it away.
            return
        handler, schema = connection.handlers[msg["type"]]
        handler(hass, connection, (schema or _NOTHING)(msg))

    return enter


def _nothing() -> None:
    """Take a subscription away that has not begun."""
