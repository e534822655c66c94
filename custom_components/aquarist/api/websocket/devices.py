"""Devices over WebSocket."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import websocket_command
from homeassistant.core import HomeAssistant, callback
import probatio as vol

from ...data import DATA_ENGINE
from ..serializers import device_record
from .access import readable


@websocket_command({vol.Required("type"): "aquarist/devices/list"})
@callback
def list_devices(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with the devices in use that the user may see, by number."""
    engine = hass.data[DATA_ENGINE]
    connection.send_result(
        msg["id"],
        {
            "devices": [
                device_record(device, engine)
                for number, device in sorted(engine.devices.items())
                if device.row.retired_at is None and readable(hass, connection, number)
            ]
        },
    )


COMMANDS = (list_devices,)
