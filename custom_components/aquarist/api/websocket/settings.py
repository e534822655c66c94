"""The settings of the whole domain over WebSocket, for administrators (RES-66)."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    async_response,
    require_admin,
    websocket_command,
)
from homeassistant.core import HomeAssistant, callback
import probatio as vol

from ...data import DATA_ENGINE
from ...errors import translating


@websocket_command({vol.Required("type"): "aquarist/settings/get"})
@require_admin
@callback
def get_settings(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with all settings."""
    settings = hass.data[DATA_ENGINE].live_settings
    connection.send_result(msg["id"], settings.record())


@websocket_command(
    {
        vol.Required("type"): "aquarist/settings/update",
        vol.Required("settings"): dict,
        vol.Optional("expected_revision"): vol.All(int, vol.Range(min=0)),
    }
)
@require_admin
@async_response
async def update_settings(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Change some settings; answer with all as they are from now on."""
    settings = hass.data[DATA_ENGINE].live_settings
    with translating():
        await settings.update(
            msg["settings"],
            connection.user.id,
            expected_revision=msg.get("expected_revision"),
        )
    connection.send_result(msg["id"], settings.record())


COMMANDS = (
    get_settings,
    update_settings,
)
