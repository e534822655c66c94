"""Who calls a service, and which devices the call means."""

from homeassistant.core import HomeAssistant, ServiceCall
import probatio as vol

from ..api.fields import references
from ..api.targets import target
from ..commands.command import Source
from ..engine.intake import Origin
from ..engine.state import DeviceState
from ..schedules.validation import validated

_DEVICES = vol.Schema({vol.Required("device_ids"): references})


def origin(call: ServiceCall) -> Origin:
    """Return on whose behalf a service was called."""
    return Origin(
        source=Source.SERVICE, user=call.context.user_id, context=call.context.id
    )


def targets(hass: HomeAssistant, wanted: object) -> list[DeviceState]:
    """Return the devices of a list of references. Raises what names the field."""
    data = validated(_DEVICES, {"device_ids": wanted}, within="")
    return [target(hass, one, field="device_ids") for one in data["device_ids"]]
