"""Schedules as services."""

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
import probatio as vol

from ..api.fields import plain
from ..api.rights import require_control
from ..api.serializers import schedule_record
from ..const import DOMAIN
from ..data import DATA_ENGINE
from ..errors import translating
from ..schedules.validation import integer, validated
from .calls import targets

CREATE_SCHEDULE = "create_schedule"
DELETE_SCHEDULE = "delete_schedule"

_DELETE_SCHEDULE = vol.Schema({vol.Required("schedule_id"): integer(1)})


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the services of this group."""
    hass.services.async_register(
        DOMAIN,
        CREATE_SCHEDULE,
        _create_schedule,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(DOMAIN, DELETE_SCHEDULE, _delete_schedule)


async def _create_schedule(call: ServiceCall) -> ServiceResponse:
    """Store and plan a schedule, for whoever may change all its devices (R-B65)."""
    with translating():
        data = plain(call.data)
        if (wanted := data.get("device_ids")) is not None:
            devices = targets(call.hass, wanted)
            await require_control(call.hass, call.context, devices)
            data["device_ids"] = [device.row.number for device in devices]
        engine = call.hass.data[DATA_ENGINE]
        planned = await engine.create_schedule(data, user=call.context.user_id)
    return schedule_record(planned, engine)


async def _delete_schedule(call: ServiceCall) -> None:
    """Remove a schedule, for whoever may change all its devices."""
    with translating():
        schedule = validated(_DELETE_SCHEDULE, dict(call.data), within="")[
            "schedule_id"
        ]
        engine = call.hass.data[DATA_ENGINE]
        if (planned := engine.planner.get(schedule)) is not None:
            numbers = planned.row.definition.get("device_ids", ())
            devices = [
                engine.devices[number] for number in numbers if number in engine.devices
            ]
            await require_control(call.hass, call.context, devices)
        await engine.delete_schedule(schedule, user=call.context.user_id)
