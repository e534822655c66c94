"""Macros and runs for the surfaces: records, rights, and the errors of what failed.

A macro or run is for those who see all its devices, and run or ended by those who control
them. What it is made of is named by the ids that devices keep for ever.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..data import DATA_ENGINE
from ..engine.deadlines import Deadline
from ..engine.errors import EngineError
from ..engine.guided import Guide
from ..engine.macros import Macro
from ..engine.state import DeviceState
from ..errors import ended
from ..runs.definition import parse_service
from ..runs.states import RunState, StepState
from ..schedules.errors import ScheduleError
from ..store.definitions import DefinitionRevision
from ..store.runs import RunRow, StepRow
from .rights import may_read, require_control
from .targets import target

_STEPS = ("command", "wait", "hold", "release")
# What a macro calls its sequence are the steps of a mode.
_LISTS = ("sequence", "steps")


def macro_record(macro: Macro) -> dict[str, Any]:
    """Return a macro; ``error`` says why one that is stored cannot be run."""
    row = macro.row
    return {
        **row.definition,
        "id": row.id,
        "name": row.name,
        "revision": row.revision,
        "error": macro.error,
        "created_at": row.created_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
    }


def revision_record(revision: DefinitionRevision) -> dict[str, Any]:
    """Return one change of a macro: what it was after it."""
    return {
        "revision": revision.revision,
        "change": revision.change.value,
        "definition": dict(revision.definition),
        "user_id": revision.user,
        "at": revision.at.isoformat(),
    }


def run_record(row: RunRow, steps: Iterable[StepRow]) -> dict[str, Any]:
    """Return a run with its steps (R-C62)."""
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "macro_id": row.definition_id,
        "subject": row.subject,
        "state": row.state,
        "source": row.source,
        "user_id": row.user,
        "context_id": row.context,
        "occurrence_id": row.data.get("occurrence"),
        "started_at": row.started_at.isoformat(),
        "ended_at": _iso(row.ended_at),
        "error_code": row.error_code,
        "error": row.error,
        "definition": dict(row.definition),
        "steps": [step_record(step) for step in steps],
    }


def step_record(step: StepRow) -> dict[str, Any]:
    """Return a step; ``until`` is when a delay or wait is over at the latest."""
    return {
        "step": step.step,
        "state": step.state,
        "started_at": _iso(step.started_at),
        "ended_at": _iso(step.ended_at),
        "until": _until(step),
        "result": None if step.result is None else dict(step.result),
        "error_code": step.error_code,
        "error": step.error,
    }


def guide_record(guide: Guide) -> dict[str, Any]:
    """Return where a guided run is; ``answers`` are the words that it waits for."""
    return {
        "run_id": guide.run.id,
        "state": guide.run.state,
        "stage": guide.stage.value,
        "answers": list(guide.answers),
        "error_code": guide.error_code,
        "error": guide.error,
    }


def failure(row: RunRow, steps: Iterable[StepRow]) -> HomeAssistantError | None:
    """Return the error of a run that failed, or whose last step did; None for any other."""
    last: StepRow | None = None
    for step in steps:
        if step.state != StepState.RUNNING:
            last = step
    step_failed = last is not None and last.state == StepState.FAILED
    if row.state != RunState.FAILED and not (row.ended_at is None and step_failed):
        return None
    details = (last.result or {}).get("details") if last is not None else None
    if row.error is not None or last is None:
        return ended(row.name, row.error_code, row.error, details)
    return ended(row.name, last.error_code, last.error, details)


def with_uuids(hass: HomeAssistant, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition of a macro or mode with each device by the id that it keeps.

    What stands for no device is left, as text: whoever reads the definition names it.
    """
    return {
        name: [_with_uuid(hass, step) for step in value]
        if name in _LISTS and isinstance(value, list)
        else value
        for name, value in definition.items()
    }


def visible(hass: HomeAssistant, user: User, definition: Mapping[str, Any]) -> bool:
    """Return whether a user may see all devices that a macro or run is about."""
    if user.is_admin or user.permissions.access_all_entities(POLICY_READ):
        return True
    found = [_device(hass, uuid) for uuid in _uuids(definition)]
    devices, others = _called(hass, definition)
    return all(
        device is not None and may_read(hass, user, device)
        for device in (*found, *devices)
    ) and all(user.permissions.check_entity(one, POLICY_READ) for one in others)


async def require_all(
    hass: HomeAssistant, context: Context, definition: Mapping[str, Any]
) -> None:
    """Raise Unauthorized unless the caller controls all devices that a run is about.

    So with the entities that its services are for. A device that has vanished bars nobody:
    its step fails and says so.
    """
    found = [_device(hass, uuid) for uuid in _uuids(definition)]
    devices, others = _called(hass, definition)
    known = [one for one in (*found, *devices) if one is not None]
    await require_control(hass, context, known, others)


def _uuids(definition: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids of the devices that a macro, mode or run is about."""
    if "device_id" in definition:
        yield definition["device_id"]
    for step in _steps(definition):
        for kind in _STEPS:
            match step.get(kind):
                case {"device_id": str() as device_id}:
                    yield device_id


def _steps(definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the steps of a definition, which may be stored and no longer valid."""
    for name in _LISTS:
        match definition.get(name):
            case list() | tuple() as steps:
                yield from (step for step in steps if isinstance(step, Mapping))


def _called(
    hass: HomeAssistant, definition: Mapping[str, Any]
) -> tuple[list[DeviceState], set[str]]:
    """Return what the services of a macro are for: devices of ours, and other entities."""
    devices: list[DeviceState] = []
    others: set[str] = set()
    for step in _steps(definition):
        if "service" not in step:
            continue
        try:
            service = parse_service(step["service"], within="service")
        except ScheduleError:
            continue
        ours, theirs = hass.data[DATA_ENGINE].service_steps.targets(service)
        devices += ours
        others |= theirs
    return devices, others


def _device(hass: HomeAssistant, uuid: str) -> DeviceState | None:
    """Return the device that has an id."""
    try:
        return hass.data[DATA_ENGINE].device(uuid)
    except EngineError:
        return None


def _with_uuid(hass: HomeAssistant, step: Any) -> Any:
    """Return a step with its device by the id that it keeps."""
    if not isinstance(step, Mapping):
        return step
    changed = dict(step)
    for kind in _STEPS:
        what = step.get(kind)
        if isinstance(what, Mapping) and "device_id" in what:
            changed[kind] = {**what, "device_id": _uuid(hass, what["device_id"])}
    return changed


def _uuid(hass: HomeAssistant, reference: Any) -> Any:
    """Return the id that a device keeps for what stands for it, if that is a device."""
    if isinstance(reference, bool) or not isinstance(reference, str | int):
        return reference
    try:
        return target(hass, reference).row.uuid
    except EngineError:
        return str(reference)


def _until(step: StepRow) -> str | None:
    """Return when a step is over at the latest."""
    if step.deadline is None:
        return None
    deadline = Deadline.from_json(step.deadline)
    return (deadline.since.wall + timedelta(seconds=deadline.seconds)).isoformat()


def _iso(instant: datetime | None) -> str | None:
    """Return an instant as ISO 8601 with offset."""
    return None if instant is None else instant.isoformat()
