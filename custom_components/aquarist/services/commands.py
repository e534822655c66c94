"""Device commands as services."""

from typing import Any

from homeassistant.core import ServiceCall, ServiceResponse
import probatio as vol

from ..api.command_lists import FILTERS, filter_of, page
from ..api.command_requests import (
    CONFIRM,
    CONTENT,
    DEVICE,
    EXECUTION,
    Execution,
    repeat,
    stored,
    submit,
)
from ..api.fields import LONGEST_NAME, reference
from ..api.rights import require_control, seer
from ..api.serializers import command_record
from ..api.targets import target
from ..commands.command import Command
from ..commands.phases import Phase
from ..data import DATA_ENGINE
from ..engine.history import LARGEST_PAGE
from ..engine.state import DeviceState
from ..errors import failed, translating
from ..schedules.validation import integer, text, validated
from .calls import origin

SEND_COMMAND = "send_command"
CANCEL_COMMAND = "cancel_command"
RERUN_COMMAND = "rerun_command"
EXPORT_AUDIT = "export_audit"
DOSE = "dose"

_REQUEST = vol.Schema(DEVICE | CONTENT | EXECUTION)
_KNOWN = vol.Schema(DEVICE | {vol.Required("id"): text(LONGEST_NAME)})
_RERUN = vol.Schema(_KNOWN.schema | CONFIRM)
# What a dose takes is checked where every dose is.
_VOLUME = {vol.Required("head_index"): object, vol.Required("volume_ml"): object}
_DOSE = vol.Schema(
    DEVICE
    | _VOLUME
    | EXECUTION
    | {key: CONTENT[key] for key in CONTENT if key not in ("action", "args", "confirm")}
)
_EXPORT = vol.Schema(
    FILTERS
    | {
        vol.Optional("device_id", default=None): vol.Maybe(reference),
        vol.Optional("limit", default=LARGEST_PAGE): integer(1, LARGEST_PAGE),
        vol.Optional("before", default=None): vol.Maybe(integer(1)),
    }
)


async def _send_command(call: ServiceCall) -> ServiceResponse:
    """Have a device do something, once for each id (R-C1, RES-44)."""
    with translating():
        asked = validated(_REQUEST, dict(call.data), within="")
        return await _sent(call, asked)


async def _dose(call: ServiceCall) -> ServiceResponse:
    """Have a head give a dose: a command in fewer words."""
    with translating():
        asked = validated(_DOSE, dict(call.data), within="")
        args = {name: asked.pop(name) for name in ("head_index", "volume_ml")}
        return await _sent(
            call, asked | {"action": "dose", "args": args, "confirm": False}
        )


async def _cancel_command(call: ServiceCall) -> ServiceResponse:
    """End a command that waits (R-C54)."""
    with translating():
        command, device, _ = await _known(call, _KNOWN)
        cancelled = await call.hass.data[DATA_ENGINE].cancel(command)
    return command_record(cancelled, device)


async def _rerun_command(call: ServiceCall) -> ServiceResponse:
    """Send the same once more, as a new command (R-C35)."""
    with translating():
        command, device, asked = await _known(call, _RERUN)
        again = await repeat(call.hass, command, origin(call), confirm=asked["confirm"])
    return command_record(again, device)


async def _export_audit(call: ServiceCall) -> ServiceResponse:
    """Answer with a page of the records that the caller may see (R-C33)."""
    with translating():
        asked = validated(_EXPORT, dict(call.data), within="")
        sees = await seer(call.hass, call.context)
        reference = asked["device_id"]
        device = None if reference is None else target(call.hass, reference)
        wanted = filter_of(device, asked)
        return await page(call.hass, wanted, asked["limit"], asked["before"], sees)


async def _sent(call: ServiceCall, asked: dict[str, Any]) -> ServiceResponse:
    """Send a valid request; a command that was waited for and failed is an error."""
    device = target(call.hass, asked["device_id"])
    await require_control(call.hass, call.context, [device])
    command = await submit(call.hass, device, asked, origin(call))
    waits = asked["execution"] is Execution.SYNC
    if waits and command.final and command.phase is not Phase.COMPLETED:
        raise failed(command)
    return command_record(command, device)


async def _known(
    call: ServiceCall, schema: vol.Schema
) -> tuple[Command, DeviceState, dict[str, Any]]:
    """Return a command that the caller may change, and all that was asked.

    Raises EngineError when there is none.
    """
    asked = validated(schema, dict(call.data), within="")
    device = target(call.hass, asked["device_id"])
    await require_control(call.hass, call.context, [device])
    found = await call.hass.data[DATA_ENGINE].history.command(device, asked["id"])
    return stored(found, asked["id"]), device, asked


SERVICES = {
    SEND_COMMAND: _send_command,
    CANCEL_COMMAND: _cancel_command,
    RERUN_COMMAND: _rerun_command,
    DOSE: _dose,
    EXPORT_AUDIT: _export_audit,
}
