"""The services: schema in, engine call, answer out.

They are registered once, whether an entry is loaded or not. Every request is validated
before anything is stored; an error names the field that is wrong (law 10).
"""

from collections.abc import Mapping
from enum import StrEnum
import json
from typing import Any
from uuid import UUID

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
import probatio as vol

from .api.rights import require_control
from .api.serializers import command_record, schedule_record, write_action_result
from .api.targets import target
from .commands.command import Source
from .commands.phases import Phase
from .const import CONF_AQUARIUM, CONF_KIND, DOMAIN, KIND_AQUARIUM
from .data import DATA_ENGINE
from .engine.emergency import NO_SAFE_VALUE, DeviceStopped
from .engine.engine import Engine
from .engine.errors import EngineError
from .engine.intake import TIMEOUT_RANGE, Origin
from .engine.state import DeviceState
from .errors import failed, translating
from .schedules.errors import ErrorCode
from .schedules.validation import (
    boolean,
    instant,
    integer,
    number,
    rejected,
    text,
    validated,
    word,
)

SEND_COMMAND = "send_command"
CREATE_SCHEDULE = "create_schedule"
DELETE_SCHEDULE = "delete_schedule"
CREATE_WRITE_ACTION = "create_write_action"
EMERGENCY_STOP = "emergency_stop"

LARGEST_ARGUMENTS = 64 * 1024


class Execution(StrEnum):
    """Whether a call waits for the end of its command (RES-42)."""

    QUEUED = "queued"
    SYNC = "sync"


def _reference(value: object) -> str | int:
    """Accept what stands for one device; a target picker gives a list."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return str(text(100)(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise rejected(ErrorCode.WRONG_TYPE)


def _references(value: object) -> list[str | int]:
    """Accept what stands for one or several devices."""
    several = value if isinstance(value, list | tuple) else [value]
    if not several:
        raise rejected(ErrorCode.EMPTY)
    return [_reference(one) for one in several]


def _arguments(value: object) -> Mapping[str, Any]:
    """Accept the arguments of an action: JSON of a bounded size (R-C56)."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise rejected(ErrorCode.WRONG_TYPE)
    try:
        size = len(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise rejected(ErrorCode.WRONG_TYPE) from error
    if size > LARGEST_ARGUMENTS:
        raise rejected(ErrorCode.TOO_LONG, maximum=LARGEST_ARGUMENTS)
    return dict(_plain(value))


def _plain(value: Any) -> Any:
    """Return data with keys that are nothing but text; those of YAML know their line."""
    match value:
        case Mapping():
            return {str(key): _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
    return value


def _uuid(value: object) -> str:
    """Accept the text of a UUID."""
    try:
        return str(UUID(str(text(100)(value))))
    except ValueError as error:
        raise rejected(ErrorCode.WRONG_TYPE) from error


def _scalar(value: object) -> bool | float | str:
    """Accept a single value; what the field takes is checked by its device (R-T26)."""
    if isinstance(value, bool | int | float | str):
        return value
    raise rejected(ErrorCode.WRONG_TYPE)


_SEND_COMMAND = vol.Schema(
    {
        vol.Required("device_id"): _reference,
        vol.Required("action"): text(100),
        vol.Optional("args", default=None): vol.Maybe(_arguments),
        vol.Optional("id", default=None): vol.Maybe(text(100)),
        vol.Optional("timeout", default=10.0): number(*TIMEOUT_RANGE),
        vol.Optional("execution", default=Execution.QUEUED.value): word(Execution),
    }
)
_DEVICES = vol.Schema({vol.Required("device_ids"): _references})
_DELETE_SCHEDULE = vol.Schema({vol.Required("schedule_id"): integer(1)})
_CREATE_WRITE_ACTION = vol.Schema(
    {
        vol.Optional("action_id", default=None): vol.Maybe(_uuid),
        vol.Required("device_id"): _reference,
        vol.Required("field_name"): text(100),
        vol.Required("value"): _scalar,
        vol.Required("start_timestamp"): instant,
        vol.Required("end_timestamp"): instant,
    }
)
_EMERGENCY_STOP = vol.Schema(
    {
        vol.Optional(CONF_AQUARIUM, default=None): vol.Maybe(text(100)),
        vol.Optional("release", default=False): boolean,
    }
)


@callback
def async_register_services(hass: HomeAssistant) -> None:
    """Register every service."""
    for name, handler, response in (
        (SEND_COMMAND, _send_command, SupportsResponse.OPTIONAL),
        (CREATE_SCHEDULE, _create_schedule, SupportsResponse.OPTIONAL),
        (DELETE_SCHEDULE, _delete_schedule, SupportsResponse.NONE),
        (CREATE_WRITE_ACTION, _create_write_action, SupportsResponse.OPTIONAL),
        (EMERGENCY_STOP, _emergency_stop, SupportsResponse.OPTIONAL),
    ):
        hass.services.async_register(DOMAIN, name, handler, supports_response=response)


async def _send_command(call: ServiceCall) -> ServiceResponse:
    """Have a device do something, once for each id (R-C1, RES-44)."""
    with translating():
        data = validated(_SEND_COMMAND, dict(call.data), within="")
        device = target(call.hass, data["device_id"])
        await require_control(call.hass, call.context, [device])
        waits = data["execution"] is Execution.SYNC
        if waits and _busy(device, data["id"]):
            raise EngineError("device_busy", name=device.row.name)
        engine = call.hass.data[DATA_ENGINE]
        command = await engine.send(
            device,
            data["action"],
            data["args"] or {},
            _origin(call),
            id=data["id"],
            timeout=data["timeout"],
        )
        if waits:
            command = await engine.finished(command)
    if waits and command.final and command.phase is not Phase.COMPLETED:
        raise failed(command)
    return command_record(command, device)


async def _create_schedule(call: ServiceCall) -> ServiceResponse:
    """Store and plan a schedule, for whoever may change all its devices (R-B65)."""
    with translating():
        data = _plain(call.data)
        if (wanted := data.get("device_ids")) is not None:
            devices = _targets(call.hass, wanted)
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
                _origin(call),
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


async def _emergency_stop(call: ServiceCall) -> ServiceResponse:
    """Stop the devices of an aquarium, or all, until somebody lets go (law 4)."""
    with translating():
        data = validated(_EMERGENCY_STOP, dict(call.data), within="")
        engine = call.hass.data[DATA_ENGINE]
        aquarium = _aquarium(call.hass, data[CONF_AQUARIUM])
        devices = [
            device
            for device in engine.devices.values()
            if aquarium is None or device.row.aquarium == aquarium
        ]
        await require_control(call.hass, call.context, devices)
        if data["release"]:
            return {"released": engine.release_emergency(aquarium)}
        reports = await engine.emergency_stop(
            aquarium, user=call.context.user_id, context=call.context.id
        )
    if not call.return_response:
        _require_confirmed(engine, reports)
    return {
        "devices": [
            {
                "device_id": engine.devices[report.device].row.uuid,
                "name": engine.devices[report.device].row.name,
                "confirmed": report.confirmed,
                "detail": report.detail,
            }
            for report in reports
        ]
    }


def _require_confirmed(engine: Engine, reports: list[DeviceStopped]) -> None:
    """Raise an error that names the devices which did not confirm their stop."""
    names = [
        engine.devices[report.device].row.name
        for report in reports
        if not report.confirmed and report.detail != NO_SAFE_VALUE
    ]
    if names:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="emergency_stop_unconfirmed",
            translation_placeholders={"devices": ", ".join(sorted(names))},
        )


def _origin(call: ServiceCall) -> Origin:
    """Return on whose behalf a service was called."""
    return Origin(
        source=Source.SERVICE, user=call.context.user_id, context=call.context.id
    )


def _busy(device: DeviceState, command_id: str | None) -> bool:
    """Return whether a device has something else to do than this command."""
    queued = (device.queue.running, *device.queue.waiting)
    return any(one is not None and one.id != command_id for one in queued)


def _targets(hass: HomeAssistant, wanted: object) -> list[DeviceState]:
    """Return the devices of a list of references. Raises what names the field."""
    data = validated(_DEVICES, {"device_ids": wanted}, within="")
    return [target(hass, one, field="device_ids") for one in data["device_ids"]]


def _aquarium(hass: HomeAssistant, reference: str | None) -> str | None:
    """Return the entry id of an aquarium, given by that or by its short name."""
    if reference is None:
        return None
    for entry in hass.config_entries.async_entries(DOMAIN):
        named = reference in (entry.entry_id, entry.unique_id)
        if named and entry.data[CONF_KIND] == KIND_AQUARIUM:
            return entry.entry_id
    raise EngineError("aquarium_not_found", field=CONF_AQUARIUM, id=reference)
