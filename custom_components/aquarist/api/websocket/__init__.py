"""The WebSocket commands: one file a resource."""

from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant, callback

from . import commands, devices, dosing, macros, runs, schedules, settings


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register every command, once."""
    for command in (
        commands.cancel_command,
        commands.create_command,
        commands.get_command,
        commands.list_commands,
        commands.rerun_command,
        commands.subscribe_commands,
        devices.list_devices,
        dosing.list_containers,
        dosing.list_doses,
        macros.create_macro,
        macros.delete_macro,
        macros.get_macro,
        macros.list_macros,
        macros.list_revisions,
        macros.run_macro,
        macros.update_macro,
        runs.cancel_run,
        runs.get_run,
        runs.list_runs,
        runs.subscribe_runs,
        schedules.list_schedules,
        settings.get_settings,
        settings.update_settings,
    ):
        websocket_api.async_register_command(hass, command)
