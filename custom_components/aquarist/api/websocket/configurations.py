"""Device configurations over WebSocket: what REST has (R-C59)."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    async_response,
    websocket_command,
)
from homeassistant.core import HomeAssistant
import probatio as vol

from ...commands.command import Source
from ...engine.intake import Origin
from ...engine.state import DeviceState
from ...errors import translating
from .. import configurations
from ..runs import run_record
from ..targets import target
from .access import DEVICE, wanted_device

_DEVICE: dict[str | vol.Marker, Any] = {vol.Required("device_id"): DEVICE}
_KNOWN: dict[str | vol.Marker, Any] = _DEVICE | configurations.NAME


@websocket_command({vol.Required("type"): "aquarist/configurations/list", **_DEVICE})
@async_response
async def list_configurations(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with the newest revision of each configuration of a device, by name."""
    with translating():
        device = _seen(hass, connection, msg)
        found = await configurations.kept(hass, device)
    connection.send_result(msg["id"], found)


@websocket_command(
    {
        vol.Required("type"): "aquarist/configurations/get",
        **_KNOWN,
        **configurations.REVISION,
    }
)
@async_response
async def get_configuration(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with a revision, the newest unless asked otherwise."""
    with translating():
        device = _seen(hass, connection, msg)
        found = await configurations.one(hass, device, msg["name"], msg["revision"])
    connection.send_result(msg["id"], found)


@websocket_command(
    {vol.Required("type"): "aquarist/configurations/revisions", **_KNOWN}
)
@async_response
async def list_revisions(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with every revision of a configuration, oldest first."""
    with translating():
        device = _seen(hass, connection, msg)
        found = await configurations.revisions(hass, device, msg["name"])
    connection.send_result(msg["id"], found)


@websocket_command(
    {
        vol.Required("type"): "aquarist/configurations/save",
        **_KNOWN,
        **configurations.EXPECTED,
    }
)
@async_response
async def save_configuration(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Save what a device does now, for who controls it; answer with the new revision."""
    await _store(hass, connection, msg, {**msg, "configuration": None})


@websocket_command(
    {
        vol.Required("type"): "aquarist/configurations/import",
        **_DEVICE,
        **configurations.IMPORTING,
    }
)
@async_response
async def import_configuration(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Store an export as the next revision, for administrators; answer with it."""
    await _store(hass, connection, msg, msg)


@websocket_command({vol.Required("type"): "aquarist/configurations/delete", **_KNOWN})
@async_response
async def delete_configuration(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Remove a configuration, for administrators; answer with its newest revision."""
    with translating():
        device, context = target(hass, msg["device_id"]), connection.context(msg)
        gone = await configurations.removed(hass, context, device, msg["name"])
    connection.send_result(msg["id"], gone)


@websocket_command(
    {
        vol.Required("type"): "aquarist/configurations/apply",
        **_KNOWN,
        **configurations.APPLYING,
    }
)
@async_response
async def apply_configuration(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Write a configuration into a device, for who controls it; answer with the run."""
    context = connection.context(msg)
    origin = Origin(source=Source.WEBSOCKET, user=context.user_id, context=context.id)
    with translating():
        device = target(hass, msg["device_id"])
        run, steps = await configurations.applied(hass, context, device, msg, origin)
    connection.send_result(msg["id"], run_record(run, steps))


async def _store(
    hass: HomeAssistant,
    connection: ActiveConnection,
    msg: dict[str, Any],
    asked: dict[str, Any],
) -> None:
    """Store a revision and answer with it."""
    with translating():
        device, context = target(hass, msg["device_id"]), connection.context(msg)
        saved = await configurations.saved(hass, context, device, asked)
    connection.send_result(msg["id"], saved)


def _seen(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> DeviceState:
    """Return the device of a message. Raises EngineError, Unauthorized."""
    wanted_device(hass, connection, msg)
    return target(hass, msg["device_id"])


COMMANDS = (
    apply_configuration,
    delete_configuration,
    get_configuration,
    import_configuration,
    list_configurations,
    list_revisions,
    save_configuration,
)
