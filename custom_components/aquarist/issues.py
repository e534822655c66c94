"""What needs the keeper, as the engine's present state shows it.

Each issue is here as long as its reason lasts: whoever compares the list with an earlier
one knows what is over.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from homeassistant.helpers.issue_registry import IssueSeverity

from .engine.engine import Engine
from .engine.planner import Planned
from .frozen import frozen
from .store.errors import StoreNewerError

EMERGENCY_STOP = "emergency_stop"
SCHEDULE_INVALID = "schedule_invalid"
SCHEDULE_DEVICE_RETIRED = "schedule_device_retired"
SCHEDULE_MACRO_GONE = "schedule_macro_gone"
STORE_CORRUPT = "store_corrupt"
STORE_DAMAGED = "store_damaged"

# What the store is in trouble with while it is open, or could not be opened at all.
_STORE_ISSUES = {
    "store_full": "store_full",
    "store_read_only": "store_read_only",
    "store_newer": "store_newer",
    "store_corrupt": STORE_DAMAGED,
    "store_failed": "store_failed",
    "store_locked": "store_failed",
}


@frozen
class Issue:
    """A repair issue: its text's key, what fills the text, and what a fix needs to know.

    ``device`` is the number of the device that it is about: nothing is known of its end as
    long as that is not attached.
    """

    id: str
    key: str
    placeholders: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str | int | None] = field(default_factory=dict)
    severity: IssueSeverity = IssueSeverity.ERROR
    fixable: bool = True
    device: int | None = None


def present(
    engine: Engine, path: str, name_of: Callable[[str], str]
) -> Iterator[Issue]:
    """Yield every issue there is now.

    ``path`` is the file of the store, ``name_of`` gives the name of an aquarium.
    """
    yield from _store(engine, path)
    yield from _stops(engine, name_of)
    yield from _schedules(engine)
    yield from _doubts(engine)


def _store(engine: Engine, path: str) -> Iterator[Issue]:
    """Yield what the store is in trouble with; a damaged one at the start is asked about."""
    trouble = engine.store_trouble
    if engine.database is None and trouble == STORE_CORRUPT:
        return
    if trouble is None or (key := _STORE_ISSUES.get(trouble)) is None:
        return
    fault = engine.store_fault
    versions = {"found": "?", "supported": "?"}
    if isinstance(fault, StoreNewerError):
        versions = {"found": str(fault.found), "supported": str(fault.supported)}
    yield Issue(
        id=key,
        key=key,
        placeholders={"path": path, **versions},
        severity=IssueSeverity.CRITICAL,
        fixable=False,
    )


def _stops(engine: Engine, name_of: Callable[[str], str]) -> Iterator[Issue]:
    """Yield the emergency stops that hold, one for each aquarium."""
    names: dict[str | None, list[str]] = {}
    for number in sorted(engine.emergency.stopped & engine.devices.keys()):
        row = engine.devices[number].row
        names.setdefault(row.aquarium, []).append(row.name)
    for aquarium, devices in names.items():
        listed = ", ".join(devices)
        yield Issue(
            id=f"{EMERGENCY_STOP}_{aquarium or 'none'}",
            key=EMERGENCY_STOP,
            placeholders={
                "name": name_of(aquarium) if aquarium else listed,
                "devices": listed,
            },
            data={"aquarium": aquarium},
            severity=IssueSeverity.CRITICAL,
        )


def _schedules(engine: Engine) -> Iterator[Issue]:
    """Yield the schedules that cannot run: unreadable, or without a device or macro."""
    for planned in engine.planner.schedules:
        if planned.definition is None:
            yield _of_schedule(SCHEDULE_INVALID, planned)
        elif planned.row.enabled and any(
            (device := engine.devices.get(number)) is None
            or device.row.retired_at is not None
            for number in planned.definition.device_ids
        ):
            yield _of_schedule(SCHEDULE_DEVICE_RETIRED, planned)
        elif planned.row.enabled and engine.scheduled_macros.lost(planned.definition):
            yield _of_schedule(SCHEDULE_MACRO_GONE, planned)


def _doubts(engine: Engine) -> Iterator[Issue]:
    """Yield the sensors that are not trusted, and what goes without a safe value for it."""
    for rule, reason in engine.safety.doubts():
        names = {
            device.row.name: bool(device.limits.safe)
            for device in engine.devices.values()
            if device.row.uuid in rule.devices
        }
        yield Issue(
            id=f"{reason}_{rule.id}",
            key=reason,
            placeholders={
                "name": rule.name,
                "sensor": rule.source,
                "safe": _listed(names, safe=True),
                "unprotected": _listed(names, safe=False),
            },
            severity=IssueSeverity.ERROR,
            fixable=False,
        )


def _listed(names: Mapping[str, bool], *, safe: bool) -> str:
    """Return the names of the devices that have a safe value, or have none."""
    return ", ".join(sorted(name for name, has in names.items() if has is safe)) or "-"


def _of_schedule(key: str, planned: Planned) -> Issue:
    """Return the issue of a schedule."""
    number = planned.row.id
    return Issue(
        id=f"{key}_{number}",
        key=key,
        placeholders={
            "name": planned.row.name,
            "id": str(number),
            "reason": planned.error or "",
        },
        data={"schedule": number},
        severity=IssueSeverity.WARNING,
    )
