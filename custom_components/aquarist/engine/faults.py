"""Why a try at a device failed: error codes, words, and which field it was."""

from collections.abc import Iterable, Mapping

from ..commands.command import ErrorCode
from ..devices.errors import DeviceError, FieldErrors

# With these a device was not reached at all, so nothing can have changed.
_UNTOUCHED = frozenset(
    {
        "entity_missing",
        "entity_unavailable",
        "held_by_app",
        "no_free_slot",
        "out_of_range",
        "unsupported",
    }
)
_CODES = {
    "out_of_range": ErrorCode.DEVICE_NOT_FOUND,
    "entity_missing": ErrorCode.DEVICE_NOT_FOUND,
    "entity_unavailable": ErrorCode.DEVICE_NOT_FOUND,
    "link_lost": ErrorCode.DEVICE_DISCONNECTED,
    "no_free_slot": ErrorCode.DEVICE_BUSY,
    "held_by_app": ErrorCode.DEVICE_BUSY,
    "no_answer": ErrorCode.DEVICE_TIMEOUT,
}


def describe_error(error: Exception) -> tuple[str, str]:
    """Return the error code (R-C41) and the reason of a failed try."""
    if isinstance(error, TimeoutError):
        return ErrorCode.DEVICE_TIMEOUT, "no_answer"
    if isinstance(error, DeviceError):
        code = _CODES.get(error.code, ErrorCode.COMMAND_FAILED)
        return code, error.code
    return ErrorCode.INTERNAL_ERROR, type(error).__name__


def by_field(error: Exception, fields: Iterable[str]) -> Mapping[str, Exception]:
    """Return the error of each field of a write that did not get there."""
    if isinstance(error, FieldErrors):
        return error.by_field
    return dict.fromkeys(fields, error)


def is_untouched(error: Exception | None) -> bool:
    """Return whether a try that failed so cannot have changed anything."""
    return isinstance(error, DeviceError) and error.code in _UNTOUCHED
