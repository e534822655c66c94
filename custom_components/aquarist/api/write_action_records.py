"""Write actions as their surface tells them (R-T12, R-T28, R-T31, R-T32)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..commands.command import Command
from ..commands.phases import Phase
from ..engine.arbiter import MANUAL_CHANGE
from ..engine.arrivals import RESTORE_ATTEMPTS
from ..engine.shown import LIMITED_TO, SHADOWED_BY
from ..engine.state import DeviceState
from ..engine.withheld import WITHHELD_BY
from .serializers import WORDS
from .write_action_errors import TIMEOUT, error_of_command, error_of_request

NEW_VALUE_SET = WORDS[Phase.IN_FORCE].write_action
FAILED = WORDS[Phase.FAILED].write_action
STATUSES = tuple(dict.fromkeys(words.write_action for words in WORDS.values()))
"""The four states of a write action (R-T1)."""

_ASKED = ("action_id", "device_id", "field_name", "value")
_TOLD = (RESTORE_ATTEMPTS, SHADOWED_BY, LIMITED_TO, MANUAL_CHANGE)
DETAILS = ("attempts", "retry_of", WITHHELD_BY, *_TOLD)
"""What else can be told of a write action."""
_TIMES = ("start_timestamp", "end_timestamp")


def phases_of(status: str) -> frozenset[Phase]:
    """Return the phases that write actions call so."""
    return frozenset(
        phase for phase, words in WORDS.items() if words.write_action == status
    )


def write_action_record(command: Command, device_id: str | None) -> dict[str, Any]:
    """Return a window in the words of the write actions.

    ``error`` is there when it failed, ``details`` when there is more to tell: how often it was
    tried, to set and to give back, which action it repeats, which limit it waits for (RES-57),
    what showed in its place when it began, which value somebody set by hand meanwhile (RES-28).
    """
    record = {
        "action_id": command.id,
        "device_id": device_id,
        "field_name": command.args.get("field_name"),
        "value": command.args.get("value"),
        "start_timestamp": _iso(command.starts_at),
        "end_timestamp": _iso(command.ends_at),
        "status": WORDS[command.shown_phase].write_action,
    }
    if record["status"] == FAILED:
        record["error"] = error_of_command(command)
    if details := _details(command):
        record["details"] = details
    return record


def synchronous_record(
    command: Command, device_id: str, timeout_ms: int
) -> dict[str, Any]:
    """Return a write that was waited for; it is set, or it failed (R-T32)."""
    completed = command.phase is Phase.COMPLETED
    record = {
        "action_id": command.id,
        "device_id": device_id,
        "field_name": command.args.get("field_name"),
        "value": command.args.get("value"),
        "status": NEW_VALUE_SET if completed else FAILED,
    }
    if not completed:
        error = error_of_command(command)
        if error["error_key"] == TIMEOUT:
            error["error_details"]["timeout_ms"] = timeout_ms
        record["error"] = error
    if details := _details(command):
        record["details"] = details
    return record


def refused_record(
    asked: object,
    error: Exception,
    device: DeviceState | None,
    *,
    synchronous: bool = False,
) -> dict[str, Any]:
    """Return what an action that was not taken is answered with: as it came, and why (R-T3)."""
    came: Mapping[str, Any] = asked if isinstance(asked, Mapping) else {}
    names = _ASKED if synchronous else _ASKED + _TIMES
    return {
        **{name: _echo(name, came.get(name)) for name in names},
        "status": FAILED,
        "error": error_of_request(error, came, device),
    }


def _echo(name: str, value: Any) -> Any:
    """Return what came for a name; only a value may be something else than text."""
    return value if name == "value" or isinstance(value, str) else None


def _details(command: Command) -> dict[str, Any]:
    """Return what else there is to tell of an action."""
    told: dict[str, Any] = {}
    if command.attempts > 1:
        told["attempts"] = command.attempts
    if command.retry_of is not None:
        told["retry_of"] = command.retry_of
    result = command.result or {}
    waiting = (WITHHELD_BY,) if command.phase is Phase.APPLYING else ()
    return told | {name: result[name] for name in (*waiting, *_TOLD) if name in result}


def _iso(instant: datetime | None) -> str | None:
    """Return an instant as ISO 8601 with offset."""
    return None if instant is None else instant.isoformat()
