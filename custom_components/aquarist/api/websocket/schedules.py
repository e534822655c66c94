"""Schedules over WebSocket."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import websocket_command
from homeassistant.core import HomeAssistant, callback
import probatio as vol

from ...data import DATA_ENGINE
from ...engine.planner import Planned
from ..rights import sees_everything
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
                if _seen(hass, connection, planned)
            ]
        },
    )


def _seen(hass: HomeAssistant, connection: ActiveConnection, planned: Planned) -> bool:
    """Return whether the user may see all devices that a schedule is about.

    One whose macro is gone is about none: it is for those who may see everything.
    """
    numbers = hass.data[DATA_ENGINE].planner.concerned(planned)
    if not numbers:
        return sees_everything(connection.user)
    return all(readable(hass, connection, number) for number in numbers)


COMMANDS = (list_schedules,)
