"""Modes over WebSocket: kept by administrators, started by who controls what they hold."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    async_response,
    require_admin,
    websocket_command,
)
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
import probatio as vol

from ...commands.command import Source
from ...data import DATA_ENGINE
from ...engine.changes import ModeChanged
from ...engine.intake import Origin
from ...engine.mode_definitions import Mode, ModeDefinitions
from ...engine.mode_status import ModeStatus
from ...errors import translating
from ...runs.mode_definition import minutes, mode_json
from ..fields import plain
from ..modes import end_mode, extend_mode, mode_record, start_mode, status_record
from ..runs import visible, with_uuids
from ..targets import aquarium_ids, one_aquarium

_TEXT = vol.All(str, vol.Length(min=1, max=100))
_AQUARIUM: dict[str | vol.Marker, Any] = {vol.Optional("aquarium"): _TEXT}
_KNOWN: dict[str | vol.Marker, Any] = {**_AQUARIUM, vol.Required("mode"): _TEXT}
_EXPECTED: dict[str | vol.Marker, Any] = {
    vol.Optional("expected_revision"): vol.All(int, vol.Range(min=1))
}


@websocket_command({vol.Required("type"): "aquarist/modes/list", **_AQUARIUM})
@callback
def list_modes(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with the modes whose devices the user may see, and those under way."""
    engine = hass.data[DATA_ENGINE]
    with translating():
        wanted = [_aquarium(hass, msg)] if "aquarium" in msg else aquarium_ids(hass)
    modes = [one for each in wanted for one in engine.modes.definitions.all(each)]
    connection.send_result(
        msg["id"],
        {
            "modes": [
                mode_record(mode) for mode in modes if _visible(hass, connection, mode)
            ],
            "present": [
                status_record(each, status)
                for each in wanted
                if _visible(hass, connection, status := engine.modes.status(each))
            ],
        },
    )


@websocket_command({vol.Required("type"): "aquarist/modes/get", **_KNOWN})
@callback
def get_mode(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with a mode."""
    with translating():
        mode = _definitions(hass).get(_aquarium(hass, msg), msg["mode"])
    if not _visible(hass, connection, mode):
        raise Unauthorized(context=connection.context(msg), user_id=connection.user.id)
    connection.send_result(msg["id"], mode_record(mode))


@websocket_command(
    {
        vol.Required("type"): "aquarist/modes/create",
        vol.Required("definition"): dict,
        **_AQUARIUM,
    }
)
@require_admin
@async_response
async def create_mode(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Store a mode; answer with it."""
    with translating():
        mode = await _definitions(hass).create(
            _aquarium(hass, msg),
            with_uuids(hass, plain(msg["definition"])),
            user=connection.user.id,
        )
    connection.send_result(msg["id"], mode_record(mode))


@websocket_command(
    {
        vol.Required("type"): "aquarist/modes/update",
        vol.Required("definition"): dict,
        **_KNOWN,
        **_EXPECTED,
    }
)
@require_admin
@async_response
async def update_mode(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Store the next revision of a mode; answer with it."""
    with translating():
        mode = await _definitions(hass).update(
            _aquarium(hass, msg),
            msg["mode"],
            with_uuids(hass, plain(msg["definition"])),
            user=connection.user.id,
            expected_revision=msg.get("expected_revision"),
        )
    connection.send_result(msg["id"], mode_record(mode))


@websocket_command(
    {vol.Required("type"): "aquarist/modes/delete", **_KNOWN, **_EXPECTED}
)
@require_admin
@async_response
async def delete_mode(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Remove a stored mode; one under way goes on."""
    with translating():
        await _definitions(hass).delete(
            _aquarium(hass, msg),
            msg["mode"],
            user=connection.user.id,
            expected_revision=msg.get("expected_revision"),
        )
    connection.send_result(msg["id"])


@websocket_command(
    {
        vol.Required("type"): "aquarist/modes/start",
        vol.Optional("minutes"): minutes,
        **_KNOWN,
    }
)
@async_response
async def start(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Start a mode; answer with where it is."""
    context = connection.context(msg)
    with translating():
        aquarium = _aquarium(hass, msg)
        status = await start_mode(
            hass,
            context,
            aquarium,
            msg["mode"],
            Origin(source=Source.WEBSOCKET, user=context.user_id, context=context.id),
            minutes=msg.get("minutes"),
        )
    connection.send_result(msg["id"], status_record(aquarium, status))


@websocket_command(
    {
        vol.Required("type"): "aquarist/modes/end",
        vol.Optional("at_once", default=False): bool,
        **_AQUARIUM,
    }
)
@async_response
async def end(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Begin the staged return, or give everything back at once; answer with where it is."""
    with translating():
        aquarium = _aquarium(hass, msg)
        await end_mode(hass, connection.context(msg), aquarium, at_once=msg["at_once"])
    status = hass.data[DATA_ENGINE].modes.status(aquarium)
    connection.send_result(msg["id"], status_record(aquarium, status))


@websocket_command(
    {
        vol.Required("type"): "aquarist/modes/extend",
        vol.Required("minutes"): minutes,
        **_AQUARIUM,
    }
)
@async_response
async def extend(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Let the countdown last longer; answer with where it is."""
    with translating():
        aquarium = _aquarium(hass, msg)
        status = await extend_mode(
            hass, connection.context(msg), aquarium, msg["minutes"]
        )
    connection.send_result(msg["id"], status_record(aquarium, status))


@websocket_command({vol.Required("type"): "aquarist/modes/subscribe", **_AQUARIUM})
@callback
def subscribe_modes(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Push where an aquarium is, now and after each change, as far as the user may see it."""
    with translating():
        aquarium = _aquarium(hass, msg)

    def push() -> None:
        status = hass.data[DATA_ENGINE].modes.status(aquarium)
        if _visible(hass, connection, status):
            record = status_record(aquarium, status)
            connection.send_message(event_message(msg["id"], record))

    def forward(change: ModeChanged) -> None:
        if change.aquarium == aquarium:
            push()

    announcer = hass.data[DATA_ENGINE].announcer
    connection.subscriptions[msg["id"]] = announcer.listen(forward, ModeChanged)
    connection.send_result(msg["id"])
    push()


def _definitions(hass: HomeAssistant) -> ModeDefinitions:
    """Return the modes of all aquariums."""
    return hass.data[DATA_ENGINE].modes.definitions


def _aquarium(hass: HomeAssistant, msg: dict[str, Any]) -> str:
    """Return the aquarium that a message means. Raises EngineError."""
    return one_aquarium(hass, msg.get("aquarium"))


def _visible(
    hass: HomeAssistant, connection: ActiveConnection, shown: Mode | ModeStatus | None
) -> bool:
    """Return whether the user may see all devices of a mode; normal has none."""
    definition = None if shown is None else shown.definition
    return definition is None or visible(hass, connection.user, mode_json(definition))


COMMANDS = (
    create_mode,
    delete_mode,
    end,
    extend,
    get_mode,
    list_modes,
    start,
    subscribe_modes,
    update_mode,
)
