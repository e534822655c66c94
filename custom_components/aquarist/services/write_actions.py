"""Write actions as services."""

from homeassistant.core import ServiceCall, ServiceResponse
import probatio as vol

from ..api.fields import uuid_text
from ..api.rights import require_control, seer
from ..api.targets import target
from ..api.write_action_errors import naming_id
from ..api.write_action_records import write_action_record
from ..api.write_action_requests import RETRY, TIMES, VALUE, action_ids, cancel, retry
from ..data import DATA_ENGINE
from ..engine.errors import EngineError
from ..errors import translating
from ..schedules.validation import validated
from .calls import origin

CREATE_WRITE_ACTION = "create_write_action"
CANCEL_WRITE_ACTION = "cancel_write_action"
RETRY_WRITE_ACTION = "retry_write_action"

_CREATE = vol.Schema(
    {vol.Optional("action_id", default=None): vol.Maybe(uuid_text)} | VALUE | TIMES
)
_CANCEL = vol.Schema({vol.Required("action_ids"): action_ids})
_RETRY = vol.Schema(RETRY)


async def _create_write_action(call: ServiceCall) -> ServiceResponse:
    """Set a field for a time, once for each action id (R-T2, RES-44)."""
    with translating():
        data = validated(_CREATE, dict(call.data), within="")
        device = target(call.hass, data["device_id"])
        await require_control(call.hass, call.context, [device])
        try:
            command = await call.hass.data[DATA_ENGINE].acceptance.create_window(
                device,
                data["field_name"],
                data["value"],
                origin(call),
                start=data["start_timestamp"],
                end=data["end_timestamp"],
                id=data["action_id"],
            )
        except EngineError as error:
            raise naming_id(error, "action_id") from error
    return write_action_record(command, device.row.uuid)


async def _cancel_write_action(call: ServiceCall) -> ServiceResponse:
    """Call write actions off that have not begun (R-T31)."""
    with translating():
        listed = call.data.get("action_ids")
        ids = [listed] if isinstance(listed, str) else listed
        data = validated(_CANCEL, {**call.data, "action_ids": ids}, within="")
        sees = await seer(call.hass, call.context)
        return await cancel(call.hass, data["action_ids"], call.context, sees)


async def _retry_write_action(call: ServiceCall) -> ServiceResponse:
    """Take a failed write action once more, as a new one (RES-53)."""
    with translating():
        asked = validated(_RETRY, dict(call.data), within="")
        return await retry(call.hass, asked, origin(call), call.context)


SERVICES = {
    CREATE_WRITE_ACTION: _create_write_action,
    CANCEL_WRITE_ACTION: _cancel_write_action,
    RETRY_WRITE_ACTION: _retry_write_action,
}
