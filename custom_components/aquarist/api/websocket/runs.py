"""Runs over WebSocket: what was run, what is under way, and each change (R-C62)."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    async_response,
    websocket_command,
)
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
import probatio as vol

from ...data import DATA_ENGINE
from ...engine.changes import RunChanged
from ...errors import translating
from ...schedules.validation import integer
from ..runs import require_all, run_record, visible
from ..serializers import bounded

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 100

_NUMBER = integer(1)
_KNOWN: dict[str | vol.Marker, Any] = {vol.Required("run_id"): _NUMBER}


@websocket_command(
    {
        vol.Required("type"): "aquarist/runs/list",
        vol.Optional("kind"): vol.All(str, vol.Length(min=1, max=100)),
        vol.Optional("limit", default=DEFAULT_LIMIT): vol.All(
            int, vol.Range(min=1, max=LARGEST_LIMIT)
        ),
        vol.Optional("before"): _NUMBER,
    }
)
@async_response
async def list_runs(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with the newest runs first, of one kind or of all, without their steps.

    ``next_before`` goes on where this page ends, None at the end.
    """
    with translating():
        found = await hass.data[DATA_ENGINE].runs.recent(
            msg.get("kind"), msg["limit"], msg.get("before")
        )
    full = len(found) == msg["limit"]
    connection.send_result(
        msg["id"],
        {
            "runs": [
                run_record(row, ())
                for row in found
                if visible(hass, connection.user, row.definition)
            ],
            "next_before": found[-1].id if full else None,
        },
    )


@websocket_command({vol.Required("type"): "aquarist/runs/get", **_KNOWN})
@async_response
async def get_run(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with a run and its steps."""
    with translating():
        row, steps = await hass.data[DATA_ENGINE].runs.get(msg["run_id"])
        if not visible(hass, connection.user, row.definition):
            raise Unauthorized(
                context=connection.context(msg), user_id=connection.user.id
            )
    connection.send_result(msg["id"], run_record(row, steps))


@websocket_command({vol.Required("type"): "aquarist/runs/cancel", **_KNOWN})
@async_response
async def cancel_run(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """End a run, for who controls all its devices; answer with it."""
    runs = hass.data[DATA_ENGINE].runs
    with translating():
        row, _ = await runs.get(msg["run_id"])
        await require_all(hass, connection.context(msg), row.definition)
        await runs.cancel(row.id)
        row, steps = await runs.get(row.id)
    connection.send_result(msg["id"], run_record(row, steps))


@websocket_command({vol.Required("type"): "aquarist/runs/subscribe"})
@callback
def subscribe_runs(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Push each change of each run that the user may see, with its steps."""

    def forward(change: RunChanged) -> None:
        if visible(hass, connection.user, change.run.definition):
            record = run_record(change.run, change.steps)
            connection.send_message(event_message(msg["id"], bounded(record)))

    announcer = hass.data[DATA_ENGINE].announcer
    connection.subscriptions[msg["id"]] = announcer.listen(forward, RunChanged)
    connection.send_result(msg["id"])


COMMANDS = (
    cancel_run,
    get_run,
    list_runs,
    subscribe_runs,
)
