"""Macros over WebSocket: kept by administrators, run by who controls their devices (R-C31)."""

from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    async_response,
    require_admin,
    websocket_command,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
import probatio as vol

from ...commands.command import Source
from ...data import DATA_ENGINE
from ...engine.intake import Origin
from ...engine.macros import Macro
from ...errors import translating
from ...schedules.validation import integer
from ..fields import plain
from ..runs import (
    macro_record,
    require_all,
    revision_record,
    run_record,
    visible,
    with_uuids,
)

_NUMBER = integer(1)
_KNOWN: dict[str | vol.Marker, Any] = {vol.Required("macro_id"): _NUMBER}
_EXPECTED: dict[str | vol.Marker, Any] = {vol.Optional("expected_revision"): _NUMBER}


@websocket_command({vol.Required("type"): "aquarist/macros/list"})
@callback
def list_macros(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with every macro all of whose devices the user may see, by name."""
    macros = hass.data[DATA_ENGINE].macros.all
    connection.send_result(
        msg["id"],
        {
            "macros": [
                macro_record(macro)
                for macro in macros
                if visible(hass, connection.user, macro.row.definition)
            ]
        },
    )


@websocket_command({vol.Required("type"): "aquarist/macros/get", **_KNOWN})
@callback
def get_macro(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with a macro."""
    with translating():
        macro = _seen(hass, connection, msg)
    connection.send_result(msg["id"], macro_record(macro))


@websocket_command({vol.Required("type"): "aquarist/macros/revisions", **_KNOWN})
@async_response
async def list_revisions(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with what was done to a macro, oldest first."""
    with translating():
        macro = _seen(hass, connection, msg)
        found = await hass.data[DATA_ENGINE].macros.revisions(macro.row.id)
    records = [revision_record(revision) for revision in found]
    connection.send_result(msg["id"], {"revisions": records})


@websocket_command(
    {
        vol.Required("type"): "aquarist/macros/create",
        vol.Required("definition"): dict,
    }
)
@require_admin
@async_response
async def create_macro(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Store a macro; answer with it."""
    with translating():
        definition = with_uuids(hass, plain(msg["definition"]))
        macro = await hass.data[DATA_ENGINE].macros.create(
            definition, user=connection.user.id
        )
    connection.send_result(msg["id"], macro_record(macro))


@websocket_command(
    {
        vol.Required("type"): "aquarist/macros/update",
        vol.Required("definition"): dict,
        **_KNOWN,
        **_EXPECTED,
    }
)
@require_admin
@async_response
async def update_macro(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Store the next revision of a macro; answer with it."""
    with translating():
        definition = with_uuids(hass, plain(msg["definition"]))
        macro = await hass.data[DATA_ENGINE].macros.update(
            msg["macro_id"],
            definition,
            user=connection.user.id,
            expected_revision=msg.get("expected_revision"),
        )
    connection.send_result(msg["id"], macro_record(macro))


@websocket_command(
    {vol.Required("type"): "aquarist/macros/delete", **_KNOWN, **_EXPECTED}
)
@require_admin
@async_response
async def delete_macro(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Remove a macro and end its runs."""
    with translating():
        await hass.data[DATA_ENGINE].macros.delete(
            msg["macro_id"],
            user=connection.user.id,
            expected_revision=msg.get("expected_revision"),
        )
    connection.send_result(msg["id"])


@websocket_command({vol.Required("type"): "aquarist/macros/run", **_KNOWN})
@async_response
async def run_macro(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Run a macro, for who controls all its devices; answer with the run."""
    engine = hass.data[DATA_ENGINE]
    context = connection.context(msg)
    with translating():
        macro = engine.macros.get(msg["macro_id"])
        await require_all(hass, context, macro.row.definition)
        run = await engine.macros.run(
            macro.row.id,
            Origin(source=Source.MACRO, user=context.user_id, context=context.id),
        )
    connection.send_result(msg["id"], run_record(run, ()))


def _seen(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> Macro:
    """Return the macro that a message names. Raises EngineError, Unauthorized."""
    macro = hass.data[DATA_ENGINE].macros.get(msg["macro_id"])
    if not visible(hass, connection.user, macro.row.definition):
        raise Unauthorized(context=connection.context(msg), user_id=connection.user.id)
    return macro


COMMANDS = (
    create_macro,
    delete_macro,
    get_macro,
    list_macros,
    list_revisions,
    run_macro,
    update_macro,
)
