"""Modes for the surfaces: records, and who may start and end them.

A mode is for those who see all its devices. Who starts, extends or ends it needs control of
all that it holds; so who starts another in its place.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from homeassistant.core import Context, HomeAssistant

from ..data import DATA_ENGINE
from ..engine.errors import EngineError
from ..engine.intake import Origin
from ..engine.mode_definitions import Mode
from ..engine.mode_status import ModeStatus
from ..engine.state import DeviceState
from ..runs.mode import ModeDefinition
from ..runs.mode_definition import NORMAL, mode_json
from .rights import require_control


def mode_record(mode: Mode) -> dict[str, Any]:
    """Return a mode; ``error`` says why one that is stored cannot be started.

    One that needs no set-up has no ``revision``, and no steps while it would hold nothing.
    """
    row, definition = mode.row, mode.definition
    shown = mode_json(definition) if definition is not None else {"steps": []}
    return {
        "icon": None,
        "duration_minutes": None,
        "latest_end_minutes": None,
        **shown,
        "name": mode.name,
        "aquarium": mode.aquarium,
        "revision": None if row is None else row.revision,
        "error": mode.error,
    }


def status_record(aquarium: str, status: ModeStatus | None) -> dict[str, Any]:
    """Return the mode that an aquarium is in; ``seconds_left`` of its countdown."""
    if status is None:
        return {
            "aquarium": aquarium,
            "mode": NORMAL,
            "run_id": None,
            "stage": None,
            "started_at": None,
            "ends_at": None,
            "seconds_left": None,
            "latest_end": None,
            "troubles": [],
        }
    return {
        "aquarium": aquarium,
        "mode": status.mode,
        "run_id": status.run,
        "stage": status.stage.value,
        "started_at": status.started_at.isoformat(),
        "ends_at": _iso(status.ends_at),
        "seconds_left": status.seconds_left,
        "latest_end": status.latest_end.isoformat(),
        "troubles": [
            {
                "step": trouble.step,
                "device_id": trouble.device_id,
                "error_code": trouble.error_code,
                "error": trouble.error,
            }
            for trouble in status.troubles
        ],
    }


async def start_mode(
    hass: HomeAssistant,
    context: Context,
    aquarium: str,
    name: str,
    origin: Origin,
    *,
    minutes: float | None = None,
) -> ModeStatus:
    """Start a mode for whoever controls all that it holds, and all that the present one does.

    Raises Unauthorized, EngineError, StoreError.
    """
    modes = hass.data[DATA_ENGINE].modes
    definition = modes.definitions.startable(aquarium, name)
    await require_held(hass, context, definition)
    await _require_present(hass, context, aquarium)
    return await modes.start(aquarium, name, origin, minutes=minutes)


async def end_mode(
    hass: HomeAssistant, context: Context, aquarium: str, *, at_once: bool
) -> None:
    """End a mode, in stages or at once, for whoever controls all that it holds.

    Raises Unauthorized, StoreError.
    """
    modes = hass.data[DATA_ENGINE].modes
    await _require_present(hass, context, aquarium)
    await (modes.normal(aquarium) if at_once else modes.end(aquarium))


async def extend_mode(
    hass: HomeAssistant, context: Context, aquarium: str, minutes: float
) -> ModeStatus:
    """Let a countdown last longer, for whoever controls all that the mode holds.

    Raises Unauthorized, EngineError, StoreError.
    """
    await _require_present(hass, context, aquarium)
    return await hass.data[DATA_ENGINE].modes.extend(aquarium, minutes)


async def require_held(
    hass: HomeAssistant, context: Context, definition: ModeDefinition
) -> None:
    """Raise Unauthorized unless the caller controls all devices that a mode holds.

    One that has vanished bars nobody: the mode begins for the others.
    """
    await require_control(hass, context, _devices(hass, definition.held))


def failed_devices(hass: HomeAssistant, status: ModeStatus) -> list[str]:
    """Return the names of the devices that do not follow a mode; the id of one that is gone."""
    uuids = {one.device_id for one in status.troubles if one.device_id is not None}
    known = {one.row.uuid: one.row.name for one in _devices(hass, uuids)}
    return sorted(known.get(uuid, uuid) for uuid in uuids)


def held_devices(hass: HomeAssistant, status: ModeStatus) -> list[str]:
    """Return the names of the devices that a mode has not given back, in their order."""
    return [one.row.name for one in _devices(hass, status.held)]


async def _require_present(
    hass: HomeAssistant, context: Context, aquarium: str
) -> None:
    """Raise Unauthorized unless the caller controls what the present mode holds."""
    status = hass.data[DATA_ENGINE].modes.status(aquarium)
    if status is not None:
        await require_held(hass, context, status.definition)


def _devices(hass: HomeAssistant, uuids: Iterable[str]) -> list[DeviceState]:
    """Return the devices that are still there."""
    found = []
    for uuid in uuids:
        try:
            found.append(hass.data[DATA_ENGINE].device(uuid))
        except EngineError:
            continue
    return found


def _iso(instant: datetime | None) -> str | None:
    """Return an instant as ISO 8601 with offset."""
    return None if instant is None else instant.isoformat()
