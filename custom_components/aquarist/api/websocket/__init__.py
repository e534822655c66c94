"""The WebSocket commands: one file a resource."""

from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant, callback

from . import (
    commands,
    configurations,
    devices,
    dosing,
    macros,
    modes,
    overrides,
    runs,
    schedules,
    settings,
    write_actions,
)


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
        configurations.apply_configuration,
        configurations.delete_configuration,
        configurations.get_configuration,
        configurations.import_configuration,
        configurations.list_configurations,
        configurations.list_revisions,
        configurations.save_configuration,
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
        modes.create_mode,
        modes.delete_mode,
        modes.end,
        modes.extend,
        modes.get_mode,
        modes.list_modes,
        modes.start,
        modes.subscribe_modes,
        modes.update_mode,
        overrides.create_override,
        overrides.list_overrides,
        overrides.release,
        runs.cancel_run,
        runs.get_run,
        runs.list_runs,
        runs.subscribe_runs,
        schedules.list_schedules,
        settings.get_settings,
        settings.update_settings,
        write_actions.cancel_write_actions,
        write_actions.create_write_actions,
        write_actions.get_write_action,
        write_actions.list_write_actions,
        write_actions.retry_write_action,
        write_actions.subscribe_write_actions,
    ):
        websocket_api.async_register_command(hass, command)
