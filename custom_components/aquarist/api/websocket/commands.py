"""Device commands over WebSocket: what REST has, and each change as it happens (R-C22)."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    async_response,
    websocket_command,
)
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import HomeAssistant, callback
import probatio as vol

from ...commands.command import Command, Source
from ...data import DATA_ENGINE
from ...engine.changes import CommandChanged
from ...engine.history import DEVICE_PAGE, LARGEST_PAGE
from ...engine.intake import Origin
from ...engine.state import DeviceState
from ...errors import translating
from ...schedules.validation import integer
from ..command_lists import FILTERS, filter_of, page
from ..command_requests import CONFIRM, CONTENT, EXECUTION, repeat, stored, submit
from ..fields import LONGEST_NAME
from ..progress import Progress
from ..rights import require_control
from ..serializers import bounded, command_record
from ..targets import target
from .access import DEVICE, ONE_DEVICE, readable, wanted_device

# The id of a message is Home Assistant's, so that a command's has a name of its own.
_CONTENT: dict[str | vol.Marker, Any] = {
    (vol.Optional("command_id", default=None) if key == "id" else key): taken
    for key, taken in CONTENT.items()
}
_KNOWN: dict[str | vol.Marker, Any] = {
    vol.Required("device_id"): DEVICE,
    vol.Required("command_id"): vol.All(str, vol.Length(min=1, max=LONGEST_NAME)),
}


@websocket_command(
    {
        vol.Required("type"): "aquarist/commands/list",
        **ONE_DEVICE,
        vol.Optional("limit", default=DEVICE_PAGE): vol.All(
            int, vol.Range(min=1, max=LARGEST_PAGE)
        ),
        vol.Optional("before"): integer(1),
        **FILTERS,
    }
)
@async_response
async def list_commands(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with the newest commands first, of a device or of all (R-C4).

    ``before`` is the ``next_before`` of the page before. Of devices that the user may not
    see, nothing is told.
    """
    with translating():
        wanted = filter_of(wanted_device(hass, connection, msg), msg)
        found = await page(
            hass,
            wanted,
            msg["limit"],
            msg.get("before"),
            lambda number: readable(hass, connection, number),
        )
    connection.send_result(msg["id"], found)


@websocket_command({vol.Required("type"): "aquarist/commands/get", **_KNOWN})
@async_response
async def get_command(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with the record of a command."""
    with translating():
        device = target(hass, msg["device_id"])
        wanted_device(hass, connection, msg)
        command = await _known(hass, device, msg)
    connection.send_result(msg["id"], command_record(command, device))


@websocket_command(
    {
        vol.Required("type"): "aquarist/commands/create",
        vol.Required("device_id"): DEVICE,
        **_CONTENT,
        **EXECUTION,
    }
)
@async_response
async def create_command(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Have a device do something; answer with the record (R-C1)."""
    with translating():
        device, origin = await _controlled(hass, connection, msg)
        asked = {**msg, "id": msg["command_id"]}
        command = await submit(hass, device, asked, origin)
    connection.send_result(msg["id"], command_record(command, device))


@websocket_command({vol.Required("type"): "aquarist/commands/cancel", **_KNOWN})
@async_response
async def cancel_command(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """End a command that waits; answer with its record (R-C54)."""
    with translating():
        device, _ = await _controlled(hass, connection, msg)
        command = await _known(hass, device, msg)
        cancelled = await hass.data[DATA_ENGINE].cancel(command)
    connection.send_result(msg["id"], command_record(cancelled, device))


@websocket_command(
    {vol.Required("type"): "aquarist/commands/rerun", **_KNOWN, **CONFIRM}
)
@async_response
async def rerun_command(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send the same once more; answer with the new record (R-C35)."""
    with translating():
        device, origin = await _controlled(hass, connection, msg)
        command = await _known(hass, device, msg)
        again = await repeat(hass, command, origin, confirm=msg["confirm"])
    connection.send_result(msg["id"], command_record(again, device))


@websocket_command({vol.Required("type"): "aquarist/commands/subscribe", **ONE_DEVICE})
@callback
def subscribe_commands(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Push each status of each command once, in order, of a device or of all (R-C58)."""
    engine = hass.data[DATA_ENGINE]
    with translating():
        wanted = wanted_device(hass, connection, msg)
    progress = Progress(lambda words: words.command, engine.records.open)

    def forward(change: CommandChanged) -> None:
        command = change.command
        if wanted is not None and command.device != wanted.row.number:
            return
        if progress.is_news(command) and readable(hass, connection, command.device):
            record = command_record(command, engine.devices.get(command.device))
            connection.send_message(event_message(msg["id"], bounded(record)))

    connection.subscriptions[msg["id"]] = engine.announcer.listen(
        forward, CommandChanged
    )
    connection.send_result(msg["id"])


async def _controlled(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> tuple[DeviceState, Origin]:
    """Return the device of a message and on whose behalf it is changed.

    Raises EngineError for an unknown one, Unauthorized for one that the user may not change.
    """
    device = target(hass, msg["device_id"])
    context = connection.context(msg)
    await require_control(hass, context, [device])
    return device, Origin(
        source=Source.WEBSOCKET, user=context.user_id, context=context.id
    )


async def _known(
    hass: HomeAssistant, device: DeviceState, msg: dict[str, Any]
) -> Command:
    """Return the command that a message names. Raises EngineError when there is none."""
    wanted = msg["command_id"]
    found = await hass.data[DATA_ENGINE].history.command(device, wanted)
    return stored(found, wanted, field="command_id")


COMMANDS = (
    cancel_command,
    create_command,
    get_command,
    list_commands,
    rerun_command,
    subscribe_commands,
)
