"""Looking command records up: filters, and pages of what the caller may see (R-C4, R-C33)."""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.core import HomeAssistant
import probatio as vol

from ..data import DATA_ENGINE
from ..engine.errors import EngineError
from ..engine.state import DeviceState
from ..schedules.errors import ErrorCode, Expected
from ..schedules.validation import not_a, rejected, takes, text
from ..store.command_history import CommandFilter
from .fields import LONGEST_NAME, moment_text
from .serializers import COMMAND_STATUSES, command_record, phases_of


@takes(type="string", enum=list(COMMAND_STATUSES))
def status(value: object) -> str:
    """Accept a status of a command record."""
    if not isinstance(value, str):
        raise not_a(Expected.TEXT)
    if value not in COMMAND_STATUSES:
        raise rejected(
            ErrorCode.UNKNOWN_WORD, value=value, known=", ".join(COMMAND_STATUSES)
        )
    return value


SPAN: dict[str | vol.Marker, Any] = {
    vol.Optional("from", default=None): vol.Maybe(moment_text),
    vol.Optional("to", default=None): vol.Maybe(moment_text),
}
FILTERS: dict[str | vol.Marker, Any] = SPAN | {
    vol.Optional("status", default=None): vol.Maybe(status),
    vol.Optional("action", default=None): vol.Maybe(text(LONGEST_NAME)),
    vol.Optional("user", default=None): vol.Maybe(text(LONGEST_NAME)),
}


def filter_of(device: DeviceState | None, asked: Mapping[str, Any]) -> CommandFilter:
    """Return the filter that a valid query means. Raises EngineError `end_not_after_start`."""
    wanted = asked.get("status")
    since, until = asked.get("from"), asked.get("to")
    if since is not None and until is not None and until <= since:
        raise EngineError("end_not_after_start", field="to")
    return CommandFilter(
        device=device.row.number if device is not None else None,
        phases=phases_of(wanted) if wanted is not None else None,
        action=asked.get("action"),
        user=asked.get("user"),
        since=since,
        until=until,
    )


async def page(
    hass: HomeAssistant,
    wanted: CommandFilter,
    limit: int,
    before: int | None,
    sees: Callable[[int], bool],
) -> dict[str, Any]:
    """Return the newest records first, and where the next page begins.

    Of devices that the caller may not see nothing is told: a page may be shorter for it.
    """
    engine = hass.data[DATA_ENGINE]
    found = await engine.history.find(wanted, limit, before)
    return {
        "commands": [
            command_record(command, engine.devices.get(command.device))
            for command in found
            if sees(command.device)
        ],
        "next_before": found[-1].order if len(found) == limit else None,
    }
