"""What the tests of write actions over REST ask for, and how they wait."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from homeassistant.core import HomeAssistant

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.changes import Change, CommandChanged
from tests.aquarium import device_named

from .rest import PUMP, Rest

PATH = "/write_actions"
FAR = datetime(2035, 3, 1, 17, tzinfo=UTC)


def action(
    hass: HomeAssistant, device: str = PUMP, *, start: float = -60, **more: Any
) -> dict[str, Any]:
    """Return a write action: from seconds from now on, for an hour."""
    begins = datetime.now(UTC) + timedelta(seconds=start)
    return {
        "action_id": str(uuid4()),
        "device_id": device_named(hass, device).row.uuid,
        "field_name": "level",
        "value": 25,
        "start_timestamp": begins.isoformat(),
        "end_timestamp": (begins + timedelta(hours=1)).isoformat(),
    } | more


def in_phase(phase: Phase, action_id: str) -> Callable[[Change], bool]:
    """Return what tells that an action has entered a phase."""
    return lambda change: (
        isinstance(change, CommandChanged)
        and change.command.id == action_id
        and change.command.phase is phase
    )


async def one(rest: Rest, action_id: str) -> dict[str, Any]:
    """Return an action as it stands now."""
    answer = await rest.get(PATH, action_id=action_id)
    assert answer.status == 200
    (found,) = answer.body["results"]
    result: dict[str, Any] = found
    return result


def why(result: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return key and details of a result that failed."""
    assert result["status"] == "FAILED"
    error = result["error"]
    assert error["error_message"] not in ("", error["error_key"])
    return error["error_key"], error["error_details"]
