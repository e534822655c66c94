"""What needs the keeper about dosing, as the engine's present state shows it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
import json
from typing import cast
from zlib import crc32

from homeassistant.helpers.issue_registry import IssueSeverity
from homeassistant.util import dt as dt_util

from .devices.device import DeviceKind, DoserDevice, SwitchedDoser
from .dosing.volume import millilitres
from .engine.engine import Engine
from .engine.memory_content import AUTO, Drift, slot_head
from .engine.state import DeviceState
from .issues import Issue
from .subjects import DOSERS

DOSE_UNKNOWN = "dose_unknown"
DOSES_MISSED = "doses_missed"
CONTAINER_LOW = "container_low"
PROGRAMME_DRIFT = "programme_drift"
SETTINGS_DRIFT = "settings_drift"
RECALIBRATION = "recalibration"
NO_AUTOMATIC_OFF = "no_automatic_off"
NOTHING = "-"


def present(engine: Engine) -> Iterator[Issue]:
    """Yield every issue of dosing there is now."""
    yield from _unknown_doses(engine)
    yield from _missed_doses(engine)
    for device in engine.devices.values():
        if device.device is None or device.row.retired_at is not None:
            continue
        yield from _drifts(engine, device)
        if device.device.kind in DOSERS:
            yield from _heads(engine, device)
            yield from _automatic_off(device)


def _unknown_doses(engine: Engine) -> Iterator[Issue]:
    """Yield the doses of which nobody knows whether they were given."""
    for dose in engine.gate.unknown:
        device = engine.devices.get(dose.device)
        yield Issue(
            id=f"{DOSE_UNKNOWN}_{dose.key}",
            key=DOSE_UNKNOWN,
            placeholders={
                "name": device.row.name if device else str(dose.device),
                "head": str(dose.head + 1),
                "volume": f"{millilitres(dose.volume):g}",
                "at": _shown(dose.at),
            },
            data={"dose": dose.key},
            severity=IssueSeverity.WARNING,
        )


def _missed_doses(engine: Engine) -> Iterator[Issue]:
    """Yield what was missed and is not decided yet (RES-67)."""
    for waiting in engine.missed.waiting:
        planned = engine.planner.get(waiting.schedule)
        definition = planned.definition if planned is not None else None
        if planned is None or definition is None:
            continue
        yield Issue(
            id=f"{DOSES_MISSED}_{waiting.occurrence}",
            key=DOSES_MISSED,
            placeholders={
                "schedule": planned.row.name,
                "count": str(waiting.count),
                "volume": f"{definition.action_params['volume_ml']:g}",
                "at": _shown(waiting.at),
                "last_at": _shown(waiting.last_at),
            },
            data={"occurrence": waiting.occurrence},
            severity=IssueSeverity.WARNING,
        )


def _heads(engine: Engine, device: DeviceState) -> Iterator[Issue]:
    """Yield what the heads of a doser need."""
    for head in cast(DoserDevice, device.device).heads:
        yield from _container(engine, device, head.index)
        yield from _calibration(engine, device, head.index)


def _container(engine: Engine, device: DeviceState, head: int) -> Iterator[Issue]:
    """Yield that a container should be refilled."""
    status = engine.containers.status(device, head)
    if status is None or not status.low:
        return
    days = NOTHING if status.days_left is None else str(int(status.days_left))
    yield Issue(
        id=f"{CONTAINER_LOW}_{device.row.number}_{head}",
        key=CONTAINER_LOW,
        placeholders={
            **_of_head(device, head),
            "volume": f"{millilitres(status.remaining):g}",
            "days": days,
        },
        data={"device": device.row.number, "head": head},
        severity=IssueSeverity.WARNING,
        device=device.row.number,
    )


def _calibration(engine: Engine, device: DeviceState, head: int) -> Iterator[Issue]:
    """Yield that a head should be measured again: it was long ago, or it gives other volumes."""
    age = engine.calibrations.age(device, head)
    delivery = engine.calibrations.delivery(device, head)
    if not delivery.recalibration_suggested and (age is None or not age.due):
        return
    drift = delivery.drift
    yield Issue(
        id=f"{RECALIBRATION}_{device.row.number}_{head}",
        key=RECALIBRATION,
        placeholders={
            **_of_head(device, head),
            "at": NOTHING if age is None else _shown(age.at),
            "percent": NOTHING if drift is None else f"{100 + drift:.0f}",
        },
        data={"device": device.row.number, "head": head},
        severity=IssueSeverity.WARNING,
        device=device.row.number,
    )


def _drifts(engine: Engine, device: DeviceState) -> Iterator[Issue]:
    """Yield where a device's memory shows something else than was written into it.

    Another drift is another issue: to leave one as it is says nothing about the next.
    """
    for drift in engine.device_memory.content.drifts(device.row.number):
        key, about = SETTINGS_DRIFT, {"name": device.row.name}
        if drift.slot != AUTO:
            key, about = PROGRAMME_DRIFT, _of_head(device, slot_head(drift.slot))
        yield Issue(
            id=f"{key}_{device.row.number}_{drift.slot}_{_sum_of(drift)}",
            key=key,
            placeholders={
                **about,
                "written": _values(drift.written),
                "shown": _values(drift.shown),
            },
            data={"device": device.row.number, "slot": drift.slot},
            severity=IssueSeverity.WARNING,
            device=device.row.number,
        )


def _automatic_off(device: DeviceState) -> Iterator[Issue]:
    """Yield that nothing stops the switch of a doser while Home Assistant does not."""
    port = device.device
    if port is None or port.kind is not DeviceKind.DOSER:
        return
    if not cast(SwitchedDoser, port).has_automatic_off:
        yield Issue(
            id=f"{NO_AUTOMATIC_OFF}_{device.row.number}",
            key=NO_AUTOMATIC_OFF,
            placeholders={"name": device.row.name},
            severity=IssueSeverity.WARNING,
            fixable=False,
            device=device.row.number,
        )


def _of_head(device: DeviceState, head: int) -> dict[str, str]:
    """Return which head a text is about."""
    return {"name": device.row.name, "head": str(head + 1)}


def _values(content: object) -> str:
    """Return what a memory holds as plain text."""
    match content:
        case Mapping():
            parts = [f"{key} {_values(value)}" for key, value in content.items()]
            return ", ".join(parts) or NOTHING
        case list():
            return " + ".join(map(_values, content)) or NOTHING
        case None:
            return NOTHING
    return str(content)


def _sum_of(drift: Drift) -> str:
    """Return a short word for what differs."""
    both = json.dumps([drift.written, drift.shown], sort_keys=True)
    return f"{crc32(both.encode()):08x}"


def _shown(instant: datetime) -> str:
    """Return an instant as people of the house read it."""
    return f"{dt_util.as_local(instant):%Y-%m-%d %H:%M}"
