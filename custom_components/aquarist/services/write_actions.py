"""Write actions as services."""

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
import probatio as vol

from ..api.fields import reference, scalar, uuid_text
from ..api.rights import require_control
from ..api.serializers import write_action_result
from ..api.targets import target
from ..const import DOMAIN
from ..data import DATA_ENGINE
from ..engine.errors import EngineError
from ..errors import translating
from ..schedules.validation import instant, text, validated
from .calls import origin

CREATE_WRITE_ACTION = "create_write_action"

_CREATE_WRITE_ACTION = vol.Schema(
    {
        vol.Optional("action_id", default=None): vol.Maybe(uuid_text),
        vol.Required("device_id"): reference,
        vol.Required("field_name"): text(100),
        vol.Required("value"): scalar,
        vol.Required("start_timestamp"): instant,
        vol.Required("end_timestamp"): instant,
    }
)


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the services of this group."""
    hass.services.async_register(
        DOMAIN,
        CREATE_WRITE_ACTION,
        _create_write_action,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _create_write_action(call: ServiceCall) -> ServiceResponse:
    """Set a field for a time, once for each action id (R-T2, RES-44)."""
    with translating():
        data = validated(_CREATE_WRITE_ACTION, dict(call.data), within="")
        device = target(call.hass, data["device_id"])
        await require_control(call.hass, call.context, [device])
        try:
            command = await call.hass.data[DATA_ENGINE].create_window(
                device,
                data["field_name"],
                data["value"],
                origin(call),
                start=data["start_timestamp"],
                end=data["end_timestamp"],
                id=data["action_id"],
            )
        except EngineError as error:
            if error.code != "id_conflict":
                raise
            raise EngineError(
                error.code, field="action_id", id=data["action_id"]
            ) from error
    return write_action_result(command, device)
