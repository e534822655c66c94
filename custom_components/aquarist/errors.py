"""From our errors to those that people read: the one place that translates them.

What was asked wrongly is a ServiceValidationError, what failed is a HomeAssistantError. The
key below ``exceptions`` in the translations is the machine word of the error, with a prefix
where two rooms use the same word for different things.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
import re
from types import MappingProxyType
from typing import Any

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .commands.command import Command, ErrorCode
from .const import DOMAIN
from .devices.errors import DeviceError
from .devices.fields import InvalidValue
from .dosing.volume import VolumeError
from .engine.errors import EngineError
from .schedules.errors import EXPECTED, ScheduleError
from .store.errors import StoreError

UNKNOWN = "-"
FREES_AT = "frees_at"
_OF_REFUSALS = ("asked", "allowed", "left", FREES_AT)
_MINUTE = timedelta(minutes=1)
_NUMBERS = frozenset({"maximum", "minimum", "step", "value", "values"})
# A whole number that is written with a decimal.
_WHOLE = re.compile(r"(?<![\w.])(-?\d+)\.0(?![\w.])")

# What the engine cannot do although nothing is wrong with what was asked.
ENGINE_FAULTS = frozenset({"store_locked"})

DEVICE_WORDS = frozenset(
    {
        "already_running",
        "entity_missing",
        "entity_unavailable",
        "held_by_app",
        "link_lost",
        "no_answer",
        "no_free_slot",
        "not_confirmed",
        "out_of_range",
        "service_failed",
        "stopping",
        "unsupported",
        "write_failed",
    }
)
COMMAND_WORDS = frozenset(
    {
        "cancelled",
        "device_unavailable",
        "dose_cut_off",
        "dose_partly",
        "dose_stopped",
        "dose_unknown",
        "expired",
        "field_owned",
        "interrupted",
        "missed_window",
        "not_reached",
        "stopped",
        "superseded",
    }
)
# How the call of a service by a run ended, when not well.
CALL_WORDS = frozenset(
    {
        "call_failed",
        "call_not_allowed",
        "call_not_found",
        "call_refused",
        "call_timed_out",
    }
)
RUN_WORDS = frozenset({"definition_invalid", "timed_out", "unexpected"})
# What a command asked of a device's memory could not be, when its turn came.
MEMORY_WORDS = frozenset({"auto_setting_overlaps", "auto_settings_full"})
STORE_WORDS = frozenset(
    {
        "store_closed",
        "store_corrupt",
        "store_failed",
        "store_full",
        "store_locked",
        "store_newer",
        "store_owes",
        "store_read_only",
    }
)
_OF_CODES = {
    ErrorCode.COMMAND_CANCELLED: "cancelled",
    ErrorCode.EXPIRED: "expired",
    ErrorCode.INTERRUPTED: "interrupted",
    ErrorCode.MISSED_WINDOW: "missed_window",
    ErrorCode.SUPERSEDED: "superseded",
}


class RefusedError(ServiceValidationError):
    """What a limit refused; ``details`` are the values for programs, as far as they are known."""

    details: Mapping[str, str] = MappingProxyType({})


def translated(error: Exception) -> HomeAssistantError:
    """Return the error that Home Assistant shows for one of ours.

    Its placeholders always hold ``field`` where a field is wrong (law 10).
    """
    match error:
        case HomeAssistantError():
            return error
        case EngineError() if error.code in ENGINE_FAULTS:
            return _failure(error.code, error.placeholders)
        case EngineError():
            return _wrong(_key(error.code, error.placeholders), error.placeholders)
        case InvalidValue():
            return _wrong(*_expecting(error.code, error.placeholders))
        case ScheduleError():
            shown = {**error.placeholders, "field": error.field}
            return _wrong(*_expecting(f"schedule_{error.code}", shown))
        case VolumeError():
            return _wrong(f"volume_{error.reason}", {"field": "volume_ml"})
        case DeviceError():
            return _failure(f"device_{error.code}", error.placeholders)
        case StoreError():
            return _failure(error.code, {})
        case TimeoutError():
            return _failure("device_no_answer", {})
        case _:
            return _failure("unexpected", {"reason": type(error).__name__})


def details_of(error: HomeAssistantError) -> dict[str, str]:
    """Return the values of an error's message for programs: instants as ISO 8601 in UTC."""
    if isinstance(error, RefusedError):
        return dict(error.details)
    return dict(error.translation_placeholders or {})


@contextmanager
def translating() -> Iterator[None]:
    """Raise what our rooms raise as errors that people can read."""
    try:
        yield
    except (
        DeviceError,
        EngineError,
        InvalidValue,
        ScheduleError,
        StoreError,
        VolumeError,
    ) as error:
        raise translated(error) from error


def failed(command: Command) -> HomeAssistantError:
    """Return the error of a command that ended without success."""
    return ended(
        command.action, command.error_code, command.error, command.error_details
    )


def ended(
    action: str,
    error_code: str | None,
    error: str | None,
    details: Mapping[str, Any] | None = None,
) -> HomeAssistantError:
    """Return the error of something that ended without success, by its words."""
    # It may have come back from the store as plain text.
    code: Any = error_code or ErrorCode.COMMAND_FAILED.value
    word = error or _OF_CODES.get(code, "")
    shown = {"action": action, "reason": word or code}
    if word.startswith("refused_"):
        known = {
            name: value
            for name, value in (details or {}).items()
            if name not in _OF_REFUSALS or value != UNKNOWN
        }
        shown = {**shown, **known}
        return _wrong(_key(word, shown), shown)
    if word in MEMORY_WORDS:
        return _wrong(word, {**shown, **(details or {})})
    if word in CALL_WORDS:
        return _failure(word, {**shown, **(details or {})})
    if word in DEVICE_WORDS:
        return _failure(f"device_{word}", shown)
    if word in STORE_WORDS:
        return _failure(word, shown)
    if word in RUN_WORDS:
        return _failure(f"run_{word}", shown)
    if word in COMMAND_WORDS:
        return _failure(f"command_{word}", {**shown, **(details or {})})
    return _failure("command_failed", shown)


def _key(code: str, placeholders: Mapping[str, Any]) -> str:
    """Return the key for a code; waiting does not help where nothing ever frees."""
    if code.startswith("refused_budget_") and FREES_AT not in placeholders:
        return f"{code}_{'beside' if 'programme' in placeholders else 'alone'}"
    return code


def _expecting(
    code: str, placeholders: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return the key for a wrong value, and what fills its text.

    What is expected instead is in the key, so that it can be translated.
    """
    shown = dict(placeholders)
    expected = shown.pop(EXPECTED, None)
    return code if expected is None else f"wrong_type_{expected}", shown


def _wrong(key: str, placeholders: Mapping[str, Any]) -> HomeAssistantError:
    """Return the error of a request that was wrong."""
    shown = _shown(placeholders)
    if not key.startswith("refused_"):
        return ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=shown,
        )
    error = RefusedError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={**dict.fromkeys(_OF_REFUSALS, UNKNOWN), **shown},
    )
    error.details = shown
    if FREES_AT in placeholders:
        instant = datetime.fromisoformat(placeholders[FREES_AT]).astimezone(UTC)
        error.details = {**shown, FREES_AT: instant.isoformat()}
    return error


def _failure(key: str, placeholders: Mapping[str, Any]) -> HomeAssistantError:
    """Return the error of a request that was right and could not be carried out."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=_shown(placeholders),
    )


def _shown(placeholders: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a message as people read them."""
    shown = {name: str(value) for name, value in placeholders.items()}
    for name in _NUMBERS & shown.keys():
        shown[name] = _WHOLE.sub(r"\1", shown[name])
    if {"values", "minimum", "maximum", "step"} & shown.keys():
        shown["allowed"] = _allowed(shown)
    if (told := shown.get(FREES_AT)) is not None:
        frees_at = dt_util.as_local(_next_minute(datetime.fromisoformat(told)))
        shown[FREES_AT] = f"{frees_at:%Y-%m-%d %H:%M}"
    return shown


def _next_minute(instant: datetime) -> datetime:
    """Return the whole minute that is not before an instant: earlier would be too early."""
    past = timedelta(seconds=instant.second, microseconds=instant.microsecond)
    return instant + -past % _MINUTE


def _allowed(shown: Mapping[str, str]) -> str:
    """Return what a field takes: a list, a range, or multiples of a step."""
    if "values" in shown:
        return shown["values"]
    if "step" in shown:
        return f"n × {shown['step']}"
    minimum, maximum = shown.get("minimum", "None"), shown.get("maximum", "None")
    if minimum == "None":
        return f"≤ {maximum}"
    return f"≥ {minimum}" if maximum == "None" else f"{minimum} … {maximum}"
