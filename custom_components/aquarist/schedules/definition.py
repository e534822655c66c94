"""The definition of a schedule: read from what people send, and written back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import probatio as vol

from ..frozen import frozen
from .actions import UNFIT, ActionType, OnMiss, default_on_miss, parameters
from .errors import ErrorCode, ScheduleError
from .plan import plan_for
from .validation import (
    boolean,
    instant,
    integer,
    text,
    unique_integers,
    validated,
    word,
    zone_name,
)


@frozen
class ScheduleDefinition:
    """A valid schedule: for which devices, when, and what (R-B1).

    Instants are aware UTC, `timezone` is an IANA name, `action_params` are those of the
    action type. Which of the timing fields are given depends on the schedule type.
    """

    name: str
    device_ids: tuple[int, ...]
    schedule_type: str
    cron_expression: str | None = None
    interval_seconds: int | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    timezone: str
    action_type: ActionType
    action_params: Mapping[str, Any]
    is_enabled: bool = True
    on_miss: OnMiss


_DEVICES = vol.Schema({vol.Required("device_ids"): unique_integers(1)})
_SCHEMA = vol.Schema(
    {
        vol.Required("name"): text(100),
        vol.Optional("device_ids", default=None): object,
        vol.Required("schedule_type"): text(100),
        vol.Optional("cron_expression", default=None): vol.Maybe(text(100)),
        vol.Optional("interval_seconds", default=None): vol.Maybe(integer(1)),
        vol.Optional("start_time", default=None): vol.Maybe(instant),
        vol.Optional("end_time", default=None): vol.Maybe(instant),
        vol.Optional("timezone", default=None): vol.Maybe(zone_name),
        vol.Required("action_type"): word(ActionType),
        vol.Optional("action_params", default=None): object,
        vol.Optional("is_enabled", default=True): boolean,
        vol.Optional("on_miss", default=None): vol.Maybe(word(OnMiss)),
    }
)


def parse_definition(
    data: Mapping[str, object], *, default_zone: str
) -> ScheduleDefinition:
    """Read a definition; null stands for a field that is not given.

    `default_zone` is the IANA name used when no zone is given. Raises ScheduleError for
    the first field that is wrong: missing, unknown, not used by the type or the action,
    outside its bounds, a naive time, an unknown zone, a cron expression outside the
    dialect, an end that is not after the start (R-B65 to R-B69, R-B103, R-B114). Times
    in the past are accepted.
    """
    values = validated(_SCHEMA, data, within="")
    action_type: ActionType = values["action_type"]
    action_params = parameters(
        action_type, {} if values["action_params"] is None else values["action_params"]
    )
    definition = ScheduleDefinition(
        **values
        | {
            "device_ids": _devices(action_type, values["device_ids"]),
            "timezone": values["timezone"] or default_zone,
            "action_params": action_params,
            "on_miss": values["on_miss"] or default_on_miss(action_params),
        }
    )
    if definition.on_miss in UNFIT.get(action_type, {OnMiss.ASK}):
        raise ScheduleError(
            "on_miss", ErrorCode.NOT_FOR_ACTION, {"action_type": definition.action_type}
        )
    start, end = definition.start_time, definition.end_time
    if start is not None and end is not None and end <= start:
        raise ScheduleError(
            "end_time", ErrorCode.NOT_AFTER_START, {"start_time": start.isoformat()}
        )
    plan_for(definition)
    return definition


def _devices(action_type: ActionType, given: object) -> tuple[int, ...]:
    """Return the devices of a schedule; a macro knows its own. Raises ScheduleError."""
    if action_type is not ActionType.MACRO:
        data = {} if given is None else {"device_ids": given}
        found: tuple[int, ...] = validated(_DEVICES, data, within="")["device_ids"]
        return found
    if given not in (None, [], ()):
        raise ScheduleError(
            "device_ids", ErrorCode.NOT_TOGETHER, {"other": "action_params.macro"}
        )
    return ()


def as_json(definition: ScheduleDefinition) -> dict[str, Any]:
    """Write a definition as JSON values, which `parse_definition` reads back as it was."""
    start, end = definition.start_time, definition.end_time
    return {
        "name": definition.name,
        "device_ids": list(definition.device_ids),
        "schedule_type": definition.schedule_type,
        "cron_expression": definition.cron_expression,
        "interval_seconds": definition.interval_seconds,
        "start_time": start and start.isoformat(),
        "end_time": end and end.isoformat(),
        "timezone": definition.timezone,
        "action_type": definition.action_type.value,
        "action_params": dict(definition.action_params),
        "is_enabled": definition.is_enabled,
        "on_miss": definition.on_miss.value,
    }
