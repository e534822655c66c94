"""Command records over WebSocket: the recent ones, and each change as it happens (R-C22)."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    async_response,
    websocket_command,
)
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import HomeAssistant, callback
import probatio as vol

from ...data import DATA_ENGINE
from ...engine.changes import Change, CommandChanged
from ...errors import translating
from ..progress import Progress
from ..serializers import bounded, command_record
from .access import DEVICE, readable, wanted_device

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 100


@websocket_command(
    {
        vol.Required("type"): "aquarist/commands/list",
        vol.Optional("device_id"): DEVICE,
        vol.Optional("limit", default=DEFAULT_LIMIT): vol.All(
            int, vol.Range(min=1, max=LARGEST_LIMIT)
        ),
        vol.Optional("before"): vol.All(int, vol.Range(min=1)),
    }
)
@async_response
async def list_commands(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with the newest commands first, of a device or of all (R-C4).

    ``before`` is the ``order`` of the last record of the page before. Of devices that the
    user may not see, nothing is told.
    """
    engine = hass.data[DATA_ENGINE]
    with translating():
        device = wanted_device(hass, connection, msg)
        found = await engine.recent(device, msg["limit"], msg.get("before"))
    connection.send_result(
        msg["id"],
        {
            "commands": [
                command_record(command, engine.devices.get(command.device))
                for command in found
                if readable(hass, connection, command.device)
            ]
        },
    )


@websocket_command(
    {
        vol.Required("type"): "aquarist/commands/subscribe",
        vol.Optional("device_id"): DEVICE,
    }
)
@callback
def subscribe_commands(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Push each status of each command once, in order, of a device or of all (R-C58)."""
    engine = hass.data[DATA_ENGINE]
    with translating():
        wanted = wanted_device(hass, connection, msg)
    progress = Progress(lambda words: words.command, engine.records.open)

    def forward(change: Change) -> None:
        if not isinstance(change, CommandChanged):
            return
        command = change.command
        if wanted is not None and command.device != wanted.row.number:
            return
        if progress.is_news(command) and readable(hass, connection, command.device):
            record = command_record(command, engine.devices.get(command.device))
            connection.send_message(event_message(msg["id"], bounded(record)))

    connection.subscriptions[msg["id"]] = engine.listen(forward)
    connection.send_result(msg["id"])
