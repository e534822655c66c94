"""The WebSocket commands: one file a resource."""

from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant, callback

from . import commands, devices, schedules


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register every command, once."""
    for command in (
        commands.list_commands,
        commands.subscribe_commands,
        devices.list_devices,
        schedules.list_schedules,
    ):
        websocket_api.async_register_command(hass, command)
