"""Asking a device for something: what every surface takes, and how long it waits (RES-42)."""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from homeassistant.core import HomeAssistant
import probatio as vol

from ..commands.actions import ACTIONS
from ..commands.command import Command, changed
from ..commands.phases import Phase
from ..data import DATA_ENGINE
from ..engine.errors import EngineError
from ..engine.intake import ID_LENGTH, TIMEOUT_RANGE, Origin, Request
from ..engine.state import DeviceState
from ..schedules.validation import boolean, number, takes, text, word
from .fields import arguments, moment, reference

LONGEST_WAIT = 60.0
"""Seconds that an answer is waited for; what takes longer is answered as it is by then."""

MOST_AT_ONCE = 100
"""Commands in one request."""


class Execution(StrEnum):
    """Whether a request waits for the end of its command (RES-42)."""

    QUEUED = "queued"
    SYNC = "sync"


_action = text(100)


@takes(type="string", enum=sorted(ACTIONS))
def action(value: object) -> object:
    """Accept the name of an action; whether a device has it is said by the device."""
    return _action(value)


CONFIRM: dict[str | vol.Marker, Any] = {vol.Optional("confirm", default=False): boolean}
CONTENT: dict[str | vol.Marker, Any] = {
    vol.Required("action"): action,
    vol.Optional("args", default=None): vol.Maybe(arguments),
    vol.Optional("id", default=None): vol.Maybe(text(ID_LENGTH)),
    vol.Optional("timeout", default=10.0): number(*TIMEOUT_RANGE),
    vol.Optional("scheduled_at", default=None): vol.Maybe(moment),
    **CONFIRM,
}
EXECUTION: dict[str | vol.Marker, Any] = {
    vol.Optional("execution", default=Execution.QUEUED.value): word(Execution)
}
DEVICE: dict[str | vol.Marker, Any] = {vol.Required("device_id"): reference}


async def submit(
    hass: HomeAssistant, device: DeviceState, asked: Mapping[str, Any], origin: Origin
) -> Command:
    """Have a device do what a valid request asks for.

    Returns the record: as accepted, which is `pending` (R-C20), or for a synchronous
    request as it ended (or is after the longest wait). Raises what the engine raises, for a
    synchronous request also EngineError `device_busy` or `not_synchronous`, where it would
    have to wait for its turn.
    """
    engine = hass.data[DATA_ENGINE]
    waits = asked.get("execution") is Execution.SYNC
    if waits and asked["scheduled_at"] is not None:
        raise EngineError("not_synchronous", field="execution")
    request = Request(
        action=asked["action"],
        args=asked["args"] or {},
        origin=origin,
        id=asked["id"],
        timeout=asked["timeout"],
        scheduled_at=asked["scheduled_at"],
    )
    command = await engine.acceptance.send(
        device, request, confirm=asked["confirm"], alone=waits
    )
    if not waits:
        return _as_accepted(command, origin)
    try:
        async with asyncio.timeout(LONGEST_WAIT):
            return await engine.finished(command)
    except TimeoutError:
        return await engine.history.command(device, command.id) or command


async def repeat(
    hass: HomeAssistant, command: Command, origin: Origin, *, confirm: bool
) -> Command:
    """Send the same once more; returns the new record as accepted. Raises what `send` does."""
    again = await hass.data[DATA_ENGINE].acceptance.rerun(
        command, origin, confirm=confirm
    )
    return _as_accepted(again, origin)


def _as_accepted(command: Command, origin: Origin) -> Command:
    """Return a command as the request that has brought it in is answered (R-C20, RES-42).

    Where nothing waits before it, it is stored as running at once (design 6); `pending` was
    announced all the same. One that was there before is answered as it is.
    """
    if command.phase is Phase.APPLYING and command.context == origin.context:
        return changed(command, phase=Phase.PLANNED, attempts=0, started_at=None)
    return command


def stored(found: Command | None, id: str, *, field: str = "id") -> Command:
    """Return a command that was looked for. Raises EngineError when there is none."""
    if found is None:
        raise EngineError("command_not_found", field=field, id=id)
    return found
