"""Why a write action failed or was not taken, in the words of its surface (R-T23, R-T24).

A key is the machine word of our error; those of a request's own fields stand without the
prefix that they have among the translations.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.exceptions import HomeAssistantError

from ..commands.command import Command, ErrorCode
from ..commands.phases import Phase
from ..devices.fields import Field
from ..engine.announced import announced
from ..engine.errors import EngineError
from ..engine.state import DeviceState
from ..errors import (
    COMMAND_WORDS,
    DEVICE_WORDS,
    STORE_WORDS,
    details_of,
    failed,
    translated,
)
from ..schedules.errors import ScheduleError

PREFIX: Final = "schedule_"
"""What the keys of wrong fields begin with among the translations."""

WRONG_TYPE: Final = "wrong_type"
CONFLICT: Final = "action_id_conflict"
NOT_FOUND: Final = "action_not_found"
ALREADY_EXECUTED: Final = "action_already_executed"
CANCELED: Final = "canceled"
TIMEOUT: Final = "timeout"
REFUSED: Final = "refused_by_safety"
MISSED: Final = "missed_window"

OF_REQUESTS: Final = frozenset(
    {
        CONFLICT,
        "device_not_found",
        "device_not_loaded",
        "empty",
        "end_in_past",
        "end_not_after_start",
        "field_not_found",
        "field_not_writable",
        "malformed_time",
        "missing",
        "naive_time",
        "too_long",
        "unknown_field",
        "value_out_of_bounds",
        WRONG_TYPE,
    }
)
"""Why an action was not taken: nothing is stored, and no device hears of it."""

_NOT_OF_VALUES: Final = frozenset(
    {"cancelled", "dose_cut_off", "dose_partly", "dose_stopped", "dose_unknown"}
)
OF_OUTCOMES: Final = (
    DEVICE_WORDS
    | (COMMAND_WORDS - _NOT_OF_VALUES)
    | STORE_WORDS
    | {CANCELED, TIMEOUT, REFUSED, MISSED, *(code.value for code in ErrorCode)}
)
"""Why an action that was taken failed later."""

ERROR_KEYS: Final = (
    OF_REQUESTS | OF_OUTCOMES | {ALREADY_EXECUTED, NOT_FOUND, "unexpected"}
)
"""Every key that the error of a write action can have (R-T61)."""

_OF_PHASES = {
    Phase.TIMED_OUT: TIMEOUT,
    Phase.WITHDRAWN: CANCELED,
    Phase.STOPPED: CANCELED,
    Phase.MISSED: MISSED,
}


def key_of(error: HomeAssistantError) -> str:
    """Return the machine word of an error."""
    key = (error.translation_key or "unexpected").removeprefix(PREFIX)
    if key.startswith(f"{WRONG_TYPE}_"):
        return WRONG_TYPE
    return CONFLICT if key == "id_conflict" else key


def naming_id(error: EngineError, field: str) -> EngineError:
    """Return an error with the name that the id has in a request."""
    if error.field != "id":
        return error
    return EngineError(error.code, **{**error.placeholders, "field": field})


def error_of_command(command: Command) -> dict[str, Any]:
    """Return why a write action failed (RES-26, RES-30, RES-57)."""
    return {
        "error_key": _key_of_command(command),
        "error_message": str(failed(command)),
        "error_details": dict(command.error_details or {}),
    }


def error_of_request(
    error: Exception, asked: Mapping[str, Any], device: DeviceState | None
) -> dict[str, Any]:
    """Return why an action was not taken; ``asked`` is as it came."""
    if isinstance(error, EngineError):
        error = naming_id(error, "action_id")
    shown = translated(error)
    key = key_of(shown)
    details = details_of(shown)
    describe = _DETAILS.get(key)
    # A field of the request is no field of the device.
    of_request = isinstance(error, ScheduleError)
    return {
        "error_key": key,
        "error_message": str(shown),
        "error_details": details
        if describe is None or of_request
        else describe(asked, device, details),
    }


def _key_of_command(command: Command) -> str:
    """Return the machine word of a write action's end."""
    if command.error_code == ErrorCode.SAFETY_REFUSED:
        return REFUSED
    if command.error_code == ErrorCode.COMMAND_TIMEOUT:
        return TIMEOUT
    word = _OF_PHASES.get(command.shown_phase) or command.error
    code = str(command.error_code or ErrorCode.COMMAND_FAILED)
    return word if word in ERROR_KEYS else code


def _device(
    asked: Mapping[str, Any], device: DeviceState | None, shown: Mapping[str, str]
) -> dict[str, Any]:
    """Tell which device was meant."""
    return {"device_id": asked.get("device_id")}


def _action(
    asked: Mapping[str, Any], device: DeviceState | None, shown: Mapping[str, str]
) -> dict[str, Any]:
    """Tell which action had the id before."""
    return {"action_id": asked.get("action_id")}


def _field(
    asked: Mapping[str, Any], device: DeviceState | None, shown: Mapping[str, str]
) -> dict[str, Any]:
    """Tell which field was meant, and why it cannot be written."""
    reason = {"reason": shown["reason"]} if "reason" in shown else {}
    return {"field_name": asked.get("field_name"), **reason}


def _value(
    asked: Mapping[str, Any], device: DeviceState | None, shown: Mapping[str, str]
) -> dict[str, Any]:
    """Tell the value, and what the field takes instead (R-T25)."""
    told = {"field_name": asked.get("field_name"), "provided_value": asked.get("value")}
    described = _described(device, shown.get("field"))
    if described is None:
        return told
    told |= {"data_type": described.data_type.value}
    if described.values:
        return told | {"values": list(described.values)}
    return told | {"min": described.minimum, "max": described.maximum}


def _described(device: DeviceState | None, name: str | None) -> Field | None:
    """Return the description of a field or part."""
    port = device.device if device is not None else None
    for field in port.fields.values() if port is not None else ():
        for part in field.part_fields or (field,):
            if part.name == name and device is not None:
                return announced(device, field.name, part)
    return None


type Describe = Callable[
    [Mapping[str, Any], DeviceState | None, Mapping[str, str]], dict[str, Any]
]
_DETAILS: Mapping[str, Describe] = {
    "device_not_found": _device,
    "device_not_loaded": _device,
    "field_not_found": _field,
    "field_not_writable": _field,
    "value_out_of_bounds": _value,
    WRONG_TYPE: _value,
    CONFLICT: _action,
}
