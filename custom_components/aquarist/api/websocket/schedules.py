"""Schedules over WebSocket."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import websocket_command
from homeassistant.core import HomeAssistant, callback
import probatio as vol

from ...data import DATA_ENGINE
from ..serializers import schedule_record
from .access import readable


@websocket_command({vol.Required("type"): "aquarist/schedules/list"})
@callback
def list_schedules(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with every schedule all of whose devices the user may see, by id."""
    engine = hass.data[DATA_ENGINE]
    connection.send_result(
        msg["id"],
        {
            "schedules": [
                schedule_record(planned, engine)
                for planned in engine.planner.schedules
                if all(
                    readable(hass, connection, number)
                    for number in planned.row.definition.get("device_ids", ())
                )
            ]
        },
    )
