"""Schedules as services."""

from typing import Any

from homeassistant.core import ServiceCall, ServiceResponse
import probatio as vol

from ..api.fields import LONGEST_NAME, plain
from ..api.rights import require_admin, require_control, require_control_of_everything
from ..api.serializers import schedule_record
from ..data import DATA_ENGINE
from ..engine.engine import Engine
from ..engine.errors import EngineError
from ..errors import translating
from ..schedules.actions import ActionType
from ..schedules.errors import ErrorCode, ScheduleError
from ..schedules.validation import integer, text, validated
from .calls import targets

CREATE_SCHEDULE = "create_schedule"
DELETE_SCHEDULE = "delete_schedule"

_DELETE_SCHEDULE = vol.Schema(
    {vol.Optional("schedule_id"): integer(1), vol.Optional("name"): text(LONGEST_NAME)}
)


async def _create_schedule(call: ServiceCall) -> ServiceResponse:
    """Store and plan a schedule, for whoever may change all its devices (R-B65).

    One that starts a macro is for administrators: it acts with our authority (design 7).
    """
    with translating():
        data = plain(call.data)
        if data.get("action_type") == ActionType.MACRO:
            await require_admin(call.hass, call.context)
        elif (wanted := data.get("device_ids")) is not None:
            devices = targets(call.hass, wanted)
            await require_control(call.hass, call.context, devices)
            data["device_ids"] = [device.row.number for device in devices]
        engine = call.hass.data[DATA_ENGINE]
        planned = await engine.create_schedule(data, user=call.context.user_id)
    return schedule_record(planned, engine)


async def _delete_schedule(call: ServiceCall) -> None:
    """Remove a schedule, for whoever may change all its devices, or plan such a one."""
    with translating():
        engine = call.hass.data[DATA_ENGINE]
        schedule = _meant(engine, dict(call.data))
        if (planned := engine.planner.get(schedule)) is not None:
            if planned.row.definition.get("action_type") == ActionType.MACRO:
                await require_admin(call.hass, call.context)
            numbers = engine.planner.concerned(planned)
            devices = [
                engine.devices[number] for number in numbers if number in engine.devices
            ]
            await require_control(call.hass, call.context, devices)
            if not devices or len(devices) < len(numbers):
                # Of what is out of use nobody's rights are known.
                await require_control_of_everything(call.hass, call.context)
        await engine.delete_schedule(schedule, user=call.context.user_id)


def _meant(engine: Engine, data: dict[str, Any]) -> int:
    """Return the number of the schedule that is meant: it is given, or the name is.

    Raises ScheduleError for a bad request, EngineError `schedule_not_found`.
    """
    given = validated(_DELETE_SCHEDULE, data, within="")
    if "name" not in given:
        if "schedule_id" not in given:
            raise ScheduleError("schedule_id", ErrorCode.MISSING)
        return int(given["schedule_id"])
    if "schedule_id" in given:
        raise ScheduleError("name", ErrorCode.NOT_TOGETHER, {"other": "schedule_id"})
    name = given["name"]
    for planned in engine.planner.schedules:
        if planned.row.name == name:
            return planned.row.id
    raise EngineError("schedule_not_found", field="name", id=name)


SERVICES = {
    CREATE_SCHEDULE: _create_schedule,
    DELETE_SCHEDULE: _delete_schedule,
}
