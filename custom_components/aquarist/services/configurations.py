"""Device configurations as services (R-C59)."""

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import Unauthorized
import probatio as vol

from ..api import configurations
from ..api.command_requests import DEVICE, Execution
from ..api.fields import plain
from ..api.rights import seer
from ..api.runs import failure, run_record
from ..api.targets import target
from ..errors import translating
from ..schedules.validation import validated
from .calls import origin

SAVE_CONFIGURATION = "save_configuration"
APPLY_CONFIGURATION = "apply_configuration"
EXPORT_CONFIGURATION = "export_configuration"

_SAVE = vol.Schema(DEVICE | configurations.SAVING)
_APPLY = vol.Schema(DEVICE | configurations.NAME | configurations.APPLYING)
_EXPORT = vol.Schema(DEVICE | configurations.NAME | configurations.REVISION)


async def _save(call: ServiceCall) -> ServiceResponse:
    """Save what a device does now, or what is brought in; answer with the revision."""
    with translating():
        asked = validated(_SAVE, plain(call.data), within="")
        device = target(call.hass, asked["device_id"])
        return await configurations.saved(call.hass, call.context, device, asked)


async def _apply(call: ServiceCall) -> ServiceResponse:
    """Write a configuration into a device; one that was waited for and failed is an error."""
    with translating():
        asked = validated(_APPLY, dict(call.data), within="")
        device = target(call.hass, asked["device_id"])
        run, steps = await configurations.applied(
            call.hass, call.context, device, asked, origin(call)
        )
    waits = asked["execution"] is Execution.SYNC
    if waits and (error := failure(run, steps)) is not None:
        raise error
    return run_record(run, steps)


async def _export(call: ServiceCall) -> ServiceResponse:
    """Answer with a configuration that can be brought in elsewhere."""
    with translating():
        asked = validated(_EXPORT, dict(call.data), within="")
        device = target(call.hass, asked["device_id"])
        sees = await seer(call.hass, call.context)
        if not sees(device.row.number):
            raise Unauthorized(context=call.context, user_id=call.context.user_id)
        return await configurations.one(
            call.hass, device, asked["name"], asked["revision"]
        )


SERVICES = {
    SAVE_CONFIGURATION: _save,
    APPLY_CONFIGURATION: _apply,
    EXPORT_CONFIGURATION: _export,
}
