"""Write actions over WebSocket: what REST has, and each status as it happens (R-T58)."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    async_response,
    websocket_command,
)
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import HomeAssistant, callback
import probatio as vol

from ...commands.command import Source
from ...data import DATA_ENGINE
from ...engine.changes import CommandChanged
from ...engine.errors import EngineError
from ...engine.intake import Origin
from ...errors import translating
from ...schedules.validation import integer, text
from ..fields import LONGEST_NAME
from ..progress import Progress
from ..rights import sees_everything
from ..serializers import WRITE_ACTION, bounded
from ..write_action_errors import NOT_FOUND
from ..write_action_lists import FILTERS, LARGEST_PAGE, LAST_PAGE, PAGE_SIZE, page
from ..write_action_records import write_action_record
from ..write_action_requests import (
    ACTION,
    RETRY,
    action_ids,
    cancel,
    create,
    find,
    listed,
    retry,
)
from .access import DEVICE, readable, wanted_device


@websocket_command(
    {
        vol.Required("type"): "aquarist/write_actions/list",
        vol.Optional("page", default=1): integer(1, LAST_PAGE),
        vol.Optional("page_size", default=PAGE_SIZE): integer(1, LARGEST_PAGE),
        **FILTERS,
    }
)
@async_response
async def list_write_actions(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with a page, the one accepted last first; ``next`` is the number of the next page."""
    everything = sees_everything(connection.user)
    with translating():
        count, results = await page(
            hass,
            msg,
            None if everything else lambda one: readable(hass, connection, one),
        )
    more = msg["page"] * msg["page_size"] < count
    following = msg["page"] + 1 if more else None
    connection.send_result(
        msg["id"], {"count": count, "next": following, "results": results}
    )


@websocket_command(
    {
        vol.Required("type"): "aquarist/write_actions/get",
        vol.Required("action_id"): text(LONGEST_NAME),
    }
)
@async_response
async def get_write_action(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with a write action as it stands now (R-T9)."""
    with translating():
        command, uuid = await find(hass, msg["action_id"])
        if not readable(hass, connection, command.device):
            raise EngineError(NOT_FOUND, field="action_id", id=msg["action_id"])
    connection.send_result(msg["id"], write_action_record(command, uuid))


@websocket_command(
    {
        vol.Required("type"): "aquarist/write_actions/create",
        vol.Required("actions"): listed(ACTION),
    }
)
@async_response
async def create_write_actions(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Set fields for a time; answer with a result for each, in order (R-T28)."""
    origin = _origin(connection, msg)
    with translating():
        context = connection.context(msg)
        results = await create(hass, msg["actions"], origin, context)
    connection.send_result(msg["id"], {"results": results})


@websocket_command(
    {
        vol.Required("type"): "aquarist/write_actions/cancel",
        vol.Required("action_ids"): action_ids,
    }
)
@async_response
async def cancel_write_actions(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Call write actions off that have not begun (R-T31)."""
    with translating():
        answer = await cancel(
            hass,
            msg["action_ids"],
            connection.context(msg),
            lambda number: readable(hass, connection, number),
        )
    connection.send_result(msg["id"], answer)


@websocket_command({vol.Required("type"): "aquarist/write_actions/retry", **RETRY})
@async_response
async def retry_write_action(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Take a failed write action once more; answer with the new one (RES-53)."""
    origin = _origin(connection, msg)
    with translating():
        again = await retry(hass, msg, origin, connection.context(msg))
    connection.send_result(msg["id"], again)


@websocket_command(
    {
        vol.Required("type"): "aquarist/write_actions/subscribe",
        vol.Optional("device_id"): DEVICE,
    }
)
@callback
def subscribe_write_actions(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Push each status of each write action once, of a device or of all."""
    engine = hass.data[DATA_ENGINE]
    with translating():
        wanted = wanted_device(hass, connection, msg)
    progress = Progress(lambda words: words.write_action, engine.records.open)

    def forward(change: CommandChanged) -> None:
        command = change.command
        if command.action != WRITE_ACTION or not progress.is_news(command):
            return
        if wanted is not None and command.device != wanted.row.number:
            return
        if readable(hass, connection, command.device):
            device = engine.devices.get(command.device)
            uuid = device.row.uuid if device is not None else None
            record = bounded(write_action_record(command, uuid))
            connection.send_message(event_message(msg["id"], record))

    connection.subscriptions[msg["id"]] = engine.announcer.listen(
        forward, CommandChanged
    )
    connection.send_result(msg["id"])


def _origin(connection: ActiveConnection, msg: dict[str, Any]) -> Origin:
    """Return on whose behalf a message asks for something."""
    context = connection.context(msg)
    return Origin(source=Source.WEBSOCKET, user=context.user_id, context=context.id)


COMMANDS = (
    cancel_write_actions,
    create_write_actions,
    get_write_action,
    list_write_actions,
    retry_write_action,
    subscribe_write_actions,
)
