"""Containers and the dose ledger over WebSocket."""

from datetime import datetime
from typing import Any, cast

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    async_response,
    websocket_command,
)
from homeassistant.core import HomeAssistant, callback
import probatio as vol

from ...data import DATA_ENGINE
from ...engine.errors import EngineError
from ...engine.history import DEVICE_PAGE, LARGEST_DEVICE_PAGE
from ...engine.state import DeviceState
from ...errors import translating
from ...store import doses as dose_rows
from ..fields import moment_text
from ..serializers import container_record, dose_record
from .access import DEVICE, readable, wanted_device

MOST_HEADS = 8


@websocket_command({vol.Required("type"): "aquarist/containers/list"})
@callback
def list_containers(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with the containers of all heads in use that the user may see."""
    engine = hass.data[DATA_ENGINE]
    connection.send_result(
        msg["id"],
        {
            "containers": [
                container_record(device, head, status)
                for number, device in sorted(engine.devices.items())
                if device.row.retired_at is None and readable(hass, connection, number)
                for head in range(MOST_HEADS)
                if (status := engine.containers.status(device, head)) is not None
            ]
        },
    )


@websocket_command(
    {
        vol.Required("type"): "aquarist/doses/list",
        vol.Required("device_id"): DEVICE,
        vol.Required("head_index"): vol.All(int, vol.Range(min=0, max=MOST_HEADS - 1)),
        vol.Optional("limit", default=DEVICE_PAGE): vol.All(
            int, vol.Range(min=1, max=LARGEST_DEVICE_PAGE)
        ),
        vol.Optional("before"): moment_text,
    }
)
@async_response
async def list_doses(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with the newest doses of a head first.

    ``before`` is the ``next_before`` of the page before.
    """
    with translating():
        device = cast(DeviceState, wanted_device(hass, connection, msg))
        database = hass.data[DATA_ENGINE].database
        if database is None:
            raise EngineError("store_locked")
        head, limit = msg["head_index"], msg["limit"]
        before: datetime | None = msg.get("before")
        found = await database.read(
            lambda connection: dose_rows.of_head(
                connection, device.row.number, head, limit, before
            )
        )
    last = found[-1].at.isoformat() if len(found) == limit else None
    connection.send_result(
        msg["id"],
        {"doses": [dose_record(dose, device) for dose in found], "next_before": last},
    )


COMMANDS = (
    list_containers,
    list_doses,
)
