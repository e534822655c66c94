"""From a request to a command: validated, complete, or refused by the field that is wrong.

Nothing here is stored and no device is touched (law 10). Refusals by a limit are quick
ones: the binding answer is the gate's, at the moment of execution.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from ..commands.command import Command, Source, new_id
from ..commands.phases import Kind, Phase
from ..curves.course import Shape
from ..devices.device import Device, DeviceKind, DoserDevice
from ..devices.fields import LEVEL, InvalidValue
from ..dosing.volume import VolumeError, microlitres, millilitres
from ..layers.claims import Layer
from ..layers.setting import Scalar, Setting
from .errors import EngineError
from .state import DeviceState

LEVEL_ACTIONS = frozenset(
    {"turn_on", "turn_off", "set_level", "set_brightness", "set_channels"}
)
QUEUE_EXPIRY = timedelta(minutes=5)
TIMEOUT_RANGE = (1.0, 30.0)
ID_LENGTH = 100
LONGEST_RAMP = 24 * 60 * 60
DOSERS = frozenset({DeviceKind.CHIHIROS_DOSER, DeviceKind.DOSER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request comes from, and on whose behalf (R-C63)."""

    source: Source
    user: str | None = None
    context: str | None = None
    by_hand: bool = False
    schedule: int | None = None
    depth: int = 0


def command_for(
    device: DeviceState,
    action: str,
    args: Mapping[str, Any],
    origin: Origin,
    now: datetime,
    *,
    id: str | None = None,
    timeout: float = 10.0,
    starts_at: datetime | None = None,
    at_once: bool = False,
) -> Command:
    """Return the command of an action at a device (R-C1, R-C12).

    ``at_once`` makes a point action one that runs as it is accepted: one transaction for
    both (design 6).

    Raises EngineError or InvalidValue for the first thing that is wrong.
    """
    port = attached(device)
    low, high = TIMEOUT_RANGE
    if not low <= timeout <= high:
        raise EngineError("out_of_range", field="timeout", minimum=low, maximum=high)
    common: dict[str, Any] = {
        "id": _id(id),
        "device": device.row.number,
        "action": action,
        "args": dict(args),
        "source": origin.source,
        "created_at": now,
        "timeout": float(timeout),
        "user": origin.user,
        "context": origin.context,
        "schedule": origin.schedule,
        "depth": origin.depth,
    }
    if action == "dose":
        check_dose(device, args)
        return Command(
            **common, kind=Kind.DOSE, repeatable=False, expires_at=now + QUEUE_EXPIRY
        )
    if action == "ramp":
        return _ramp(device, args, now, starts_at, common)
    if action in LEVEL_ACTIONS:
        if at_once and "duration" not in args:
            common |= {"phase": Phase.APPLYING, "attempts": 1, "started_at": now}
        return _level(device, port, action, args, now, starts_at, common)
    port.check_action(action, args)
    return Command(**common, kind=Kind.RAW, expires_at=now + QUEUE_EXPIRY)


def window_for(
    device: DeviceState,
    field_name: str,
    value: Scalar | Setting,
    origin: Origin,
    now: datetime,
    *,
    start: datetime,
    end: datetime,
    id: str | None = None,
) -> Command:
    """Return the window of a write action (R-T20 to R-T27).

    Raises EngineError or InvalidValue for the first thing that is wrong.
    """
    port = attached(device)
    for name, instant in (("start_timestamp", start), ("end_timestamp", end)):
        if instant.tzinfo is None:
            raise EngineError("naive_time", field=name)
    if end <= start:
        raise EngineError("end_not_after_start", field="end_timestamp")
    if end <= now:
        raise EngineError("end_in_past", field="end_timestamp")
    setting = port.check(field_name, value)
    return Command(
        id=_id(id),
        device=device.row.number,
        kind=Kind.WINDOW,
        action="write_action",
        args={"field_name": field_name, "value": value},
        source=origin.source,
        created_at=now,
        field=port.field_of(field_name),
        value=dict(setting),
        layer=Layer.WINDOW,
        starts_at=start.astimezone(UTC),
        ends_at=end.astimezone(UTC),
        user=origin.user,
        context=origin.context,
        depth=origin.depth,
    )


def field_command(
    device: DeviceState, name: str, value: Scalar, origin: Origin, now: datetime
) -> Command:
    """Return a point action on a field by its name. Raises EngineError or InvalidValue."""
    port = attached(device)
    return Command(
        id=new_id(),
        device=device.row.number,
        kind=Kind.SET,
        action="set_field",
        args={"field_name": name, "value": value},
        source=origin.source,
        created_at=now,
        field=port.field_of(name),
        value=dict(port.check(name, value)),
        expires_at=now + QUEUE_EXPIRY,
        user=origin.user,
        context=origin.context,
        depth=origin.depth,
    )


def attached(device: DeviceState) -> Device:
    """Return the hardware. Raises EngineError while none is attached."""
    if device.device is None:
        raise EngineError("device_not_loaded", field="device", name=device.row.name)
    return device.device


def _id(asked: str | None) -> str:
    """Return the id asked for, or a new one. Raises EngineError (R-C15)."""
    if asked is None:
        return new_id()
    if not 1 <= len(asked) <= ID_LENGTH:
        raise EngineError("invalid_id", field="id", maximum=ID_LENGTH)
    return asked


def check_dose(device: DeviceState, args: Mapping[str, Any]) -> tuple[int, int]:
    """Return head and microlitres of a dose. Raises EngineError naming what is wrong."""
    port = attached(device)
    if port.kind not in DOSERS:
        raise EngineError("not_a_doser", field="device", name=device.row.name)
    heads = cast(DoserDevice, port).heads
    unknown = set(args) - {"head_index", "volume_ml"}
    if unknown:
        raise EngineError("unknown_argument", field=min(unknown))
    for name in ("head_index", "volume_ml"):
        if name not in args:
            raise EngineError("missing_argument", field=name)
    index = args["head_index"]
    if isinstance(index, bool) or not isinstance(index, int):
        raise EngineError("not_a_whole_number", field="head_index")
    if not 0 <= index < len(heads):
        raise EngineError(
            "out_of_range", field="head_index", minimum=0, maximum=len(heads) - 1
        )
    try:
        volume = microlitres(args["volume_ml"])
    except VolumeError as error:
        raise EngineError(f"volume_{error.reason}", field="volume_ml") from error
    head = heads[index]
    if not head.minimum <= volume <= head.maximum:
        raise EngineError(
            "out_of_range",
            field="volume_ml",
            minimum=millilitres(head.minimum),
            maximum=millilitres(head.maximum),
        )
    return index, volume


def _level(
    device: DeviceState,
    port: Device,
    action: str,
    args: Mapping[str, Any],
    now: datetime,
    starts_at: datetime | None,
    common: dict[str, Any],
) -> Command:
    """Return a point action, or a window that holds the value where a duration is given (RES-31)."""
    plain = {name: value for name, value in args.items() if name != "duration"}
    field, setting = port.setting_for(action, plain, _resting(device, port))
    if "duration" not in args:
        return Command(
            **common,
            kind=Kind.SET,
            field=field,
            value=dict(setting),
            expires_at=now + QUEUE_EXPIRY,
        )
    begins = starts_at or now
    return Command(
        **common,
        kind=Kind.WINDOW,
        field=field,
        value=dict(setting),
        layer=Layer.WINDOW,
        starts_at=begins,
        ends_at=begins + _seconds(args, "duration"),
    )


def _ramp(
    device: DeviceState,
    args: Mapping[str, Any],
    now: datetime,
    starts_at: datetime | None,
    common: dict[str, Any],
) -> Command:
    """Return a ramp (R-B22): a claim of the plan that ends by leaving its last level."""
    port = attached(device)
    known = {"start_level", "end_level", "duration", "curve"}
    if unknown := set(args) - known:
        raise EngineError("unknown_argument", field=min(unknown))
    for name in ("end_level", "duration"):
        if name not in args:
            raise EngineError("missing_argument", field=name)
    curve = args.get("curve", Shape.LINEAR.value)
    if curve not in tuple(Shape):
        raise EngineError("unknown_word", field="curve", known=", ".join(Shape))
    resting = _resting(device, port)
    field, end = _level_setting(port, "end_level", args["end_level"], resting)
    arguments: dict[str, Any] = {"curve": str(curve)}
    if args.get("start_level") is not None:
        _, start = _level_setting(port, "start_level", args["start_level"], resting)
        arguments["start"] = dict(start)
    begins = starts_at or now
    return Command(
        **common | {"args": {**args, **arguments}},
        kind=Kind.RAMP,
        field=field,
        value=dict(end),
        layer=Layer.SCHEDULE,
        starts_at=begins,
        ends_at=begins + _seconds(args, "duration", LONGEST_RAMP),
    )


def _level_setting(
    port: Device, name: str, level: object, resting: Setting | None
) -> tuple[str, Setting]:
    """Return the setting of a level; an error names the argument that it came from."""
    try:
        return port.setting_for("set_level", {LEVEL: level}, resting)
    except InvalidValue as error:
        if error.field != LEVEL:
            raise
        placeholders = {
            key: value for key, value in error.placeholders.items() if key != "field"
        }
        raise InvalidValue(name, error.code, **placeholders) from error


def _resting(device: DeviceState, port: Device) -> Setting | None:
    """Return what the device's level field rests on, for actions that depend on it."""
    for state in device.fields.values():
        if state.name == LEVEL or LEVEL in state.description.parts:
            return state.resting or port.observed(state.name)
    return None


def _seconds(
    args: Mapping[str, Any], name: str, longest: float = 31 * 24 * 60 * 60
) -> timedelta:
    """Return a duration in seconds. Raises EngineError naming it."""
    value = args[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EngineError("not_a_number", field=name)
    if not 1 <= value <= longest:
        raise EngineError("out_of_range", field=name, minimum=1, maximum=longest)
    return timedelta(seconds=value)
