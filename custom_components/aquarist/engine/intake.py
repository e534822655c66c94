"""From a request to a command: validated, complete, or refused by the field that is wrong.

Nothing here is stored and no device is touched (law 10). Refusals by a limit are quick
ones: the binding answer is the gate's, at the moment of execution.

What was asked is one step, and needs no hardware: it is enough to recognise a request that
is repeated (RES-44). What it means for the device is the other.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
import re
from typing import Any, Final, cast

from ..commands.actions import ACTIONS, ActionSpec
from ..commands.arguments import ArgumentError
from ..commands.command import RAMP_START, Command, Source, changed, made, new_id
from ..commands.phases import Kind, Phase
from ..commands.schemas import LONGEST_HOLD
from ..devices.device import Device, DeviceKind, DoserDevice
from ..devices.fields import LEVEL, InvalidValue, unknown_action
from ..dosing.volume import microlitres, millilitres
from ..frozen import frozen
from ..layers.claims import Layer
from ..layers.setting import Scalar, Setting
from .errors import EngineError
from .settings import Settings
from .state import DeviceState

QUEUE_EXPIRY: Final = Settings().queue_expiry
TIMEOUT_RANGE: Final = (1.0, 30.0)
ID_LENGTH: Final = 100
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
TOGGLE: Final = "toggle"
DOSERS: Final = frozenset({DeviceKind.CHIHIROS_DOSER, DeviceKind.DOSER})
LATE_START: Final = timedelta(seconds=60)
"""How far back a start may lie that is meant as now (R-C61)."""
FURTHEST_START: Final = timedelta(days=3660)


@frozen
class Origin:
    """Where a request comes from, and on whose behalf (R-C63)."""

    source: Source
    user: str | None = None
    context: str | None = None
    by_hand: bool = False
    schedule: int | None = None
    depth: int = 0
    run: int | None = None
    step: int | None = None


@frozen
class Request:
    """An action that is asked of a device.

    ``scheduled_at`` is when it shall begin, aware; ``begins_at`` when the plan has it begin
    that it belongs to, where it lasts. With ``hold`` seconds the value is held that long,
    then gives way (RES-31).
    """

    action: str
    origin: Origin
    args: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    timeout: float = 10.0
    scheduled_at: datetime | None = None
    begins_at: datetime | None = None
    hold: float | None = None
    retry_of: str | None = None


def command_for(
    device: DeviceState,
    action: str,
    args: Mapping[str, Any],
    origin: Origin,
    now: datetime,
    *,
    timeout: float = 10.0,
) -> Command:
    """Return what a device would be asked now, for whoever checks that ahead of time.

    Raises EngineError or InvalidValue for the first thing that is wrong.
    """
    request = Request(action=action, args=args, origin=origin, timeout=timeout)
    return command_of(device, request, now, Settings())


def command_of(
    device: DeviceState,
    request: Request,
    now: datetime,
    settings: Settings,
    *,
    at_once: bool = False,
) -> Command:
    """Return the command of a request (R-C1, R-C12).

    ``at_once`` makes a point action one that runs as it is accepted: one transaction for
    both (design 6). Raises EngineError or InvalidValue for the first thing that is wrong.
    """
    kind = device.row.kind if device.device is None else device.device.kind
    spec = spec_of(request.action)
    if kind not in spec.families:
        if spec.kind is Kind.DOSE:
            raise EngineError("not_a_doser", field="device_id", name=device.row.name)
        raise unknown_action(request.action)
    command = asked(device.row.number, request, now, settings)
    meant = _meant(device, command)
    if at_once and command.kind is Kind.SET and not waits(command, now):
        meant |= {"phase": Phase.APPLYING, "attempts": 1, "started_at": now}
    return changed(command, **meant) if meant else command


def waits(command: Command, now: datetime) -> bool:
    """Return whether a command has to wait for the start that was asked for."""
    return command.starts_at is not None and command.starts_at > now


def asked(number: int, request: Request, now: datetime, settings: Settings) -> Command:
    """Return what is asked of a device, whatever the device makes of it.

    Raises EngineError or InvalidValue for the first thing that is wrong.
    """
    spec = spec_of(request.action)
    try:
        args = spec.checked(request.args)
    except ArgumentError as error:
        raise InvalidValue(error.field, error.code, **error.placeholders) from error
    low, high = TIMEOUT_RANGE
    if not low <= request.timeout <= high:
        raise EngineError("out_of_range", field="timeout", minimum=low, maximum=high)
    origin = request.origin
    values = {
        "id": id_for(request.id),
        "device": number,
        "action": request.action,
        "args": args,
        "source": origin.source,
        "created_at": now,
        "timeout": float(request.timeout),
        "repeatable": spec.repeatable,
        "schedule": origin.schedule,
        "depth": origin.depth,
        "user": origin.user,
        "context": origin.context,
        "run": origin.run,
        "step": origin.step,
        "retry_of": request.retry_of,
    }
    return made(values | _course(spec, request, args, now, settings))


def field_command(
    device: DeviceState,
    name: str,
    value: Scalar | Setting,
    origin: Origin,
    now: datetime,
    expiry: timedelta = QUEUE_EXPIRY,
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
        expires_at=now + expiry,
        user=origin.user,
        context=origin.context,
        depth=origin.depth,
    )


def spec_of(action: str) -> ActionSpec:
    """Return what is known of an action. Raises InvalidValue (R-C48)."""
    if (spec := ACTIONS.get(action)) is None:
        raise unknown_action(action)
    return spec


def attached(device: DeviceState) -> Device:
    """Return the hardware. Raises EngineError while none is attached."""
    if device.device is None:
        raise EngineError("device_not_loaded", field="device_id", name=device.row.name)
    return device.device


def id_for(asked_for: str | None, *, field: str = "id") -> str:
    """Return the id asked for, or a new one. Raises EngineError (R-C15)."""
    if asked_for is None:
        return new_id()
    # An address with a control character does not get past Home Assistant.
    if not 1 <= len(asked_for) <= ID_LENGTH or _CONTROL.search(asked_for):
        raise EngineError("invalid_id", field=field, maximum=ID_LENGTH)
    return asked_for


def check_dose(device: DeviceState, args: Mapping[str, Any]) -> tuple[int, int]:
    """Return head and microlitres of a valid dose. Raises EngineError for what the pump lacks."""
    heads = cast(DoserDevice, attached(device)).heads
    index, volume = args["head_index"], microlitres(args["volume_ml"])
    if index >= len(heads):
        raise EngineError(
            "out_of_range", field="head_index", minimum=0, maximum=len(heads) - 1
        )
    head = heads[index]
    if not head.minimum <= volume <= head.maximum:
        raise EngineError(
            "out_of_range",
            field="volume_ml",
            minimum=millilitres(head.minimum),
            maximum=millilitres(head.maximum),
        )
    return index, volume


def toggled(device: DeviceState, name: str) -> dict[str, Scalar]:
    """Return the setting that a toggle comes to: the other of what the field rests on.

    It is decided at the head of the queue, so that two of them undo each other. Raises
    EngineError or InvalidValue, `state_unknown` where nobody knows.
    """
    port = attached(device)
    rests_at = device.baseline(device.field_state(name))
    if rests_at is None:
        raise InvalidValue(name, "state_unknown")
    action = "turn_off" if rests_at.get(LEVEL, rests_at.get(name)) else "turn_on"
    return dict(port.setting_for(action, {}, rests_at)[1])


def _meant(device: DeviceState, command: Command) -> dict[str, Any]:
    """Return what a command means for its device. Raises EngineError, InvalidValue."""
    port = attached(device)
    match spec_of(command.action).kind:
        case Kind.SET:
            return _level(device, port, command)
        case Kind.RAMP:
            return _ramp(device, port, command)
        case Kind.DOSE:
            check_dose(device, command.args)
        case _:
            port.check_action(command.action, command.args)
    return {}


def _start(scheduled_at: datetime | None, now: datetime) -> datetime | None:
    """Return when a command shall begin, UTC. Raises EngineError naming the field (R-C61)."""
    if scheduled_at is None:
        return None
    if scheduled_at.tzinfo is None:
        raise EngineError("naive_time", field="scheduled_at")
    start = scheduled_at.astimezone(UTC)
    if start < now - LATE_START:
        raise EngineError("start_in_past", field="scheduled_at")
    if start > now + FURTHEST_START:
        raise EngineError(
            "start_too_late", field="scheduled_at", days=FURTHEST_START.days
        )
    return start


def _course(
    spec: ActionSpec,
    request: Request,
    args: Mapping[str, Any],
    now: datetime,
    settings: Settings,
) -> dict[str, Any]:
    """Return what kind of command it is, when it begins, and when it ends or expires."""
    start = _start(request.scheduled_at, now)
    lasts = _lasts(spec, request, args)
    if lasts is None:
        begins = now if start is None else max(start, now)
        expires_at = begins + settings.queue_expiry
        return {"kind": spec.kind, "starts_at": start, "expires_at": expires_at}
    begins = start or request.begins_at or now
    ramp = spec.kind is Kind.RAMP
    return {
        "kind": Kind.RAMP if ramp else Kind.WINDOW,
        "layer": Layer.SCHEDULE if ramp else Layer.WINDOW,
        "starts_at": begins,
        "ends_at": begins + lasts,
    }


def _lasts(
    spec: ActionSpec, request: Request, args: Mapping[str, Any]
) -> timedelta | None:
    """Return how long a command holds its field; None for one that only sets it."""
    if spec.kind is Kind.RAMP:
        return timedelta(seconds=args["duration"])
    if (hold := request.hold) is None:
        return None
    if not spec.holdable:
        raise EngineError("unknown_argument", field="duration")
    if isinstance(hold, bool) or not isinstance(hold, int | float):
        raise EngineError("not_a_number", field="duration")
    if not 1 <= hold <= LONGEST_HOLD:
        raise EngineError(
            "out_of_range", field="duration", minimum=1, maximum=LONGEST_HOLD
        )
    return timedelta(seconds=hold)


def _level(device: DeviceState, port: Device, command: Command) -> dict[str, Any]:
    """Return the field and setting of a point action, or of a level that is held."""
    resting = _resting(device, port)
    if command.action == TOGGLE:
        return {"field": port.setting_for("turn_off", {}, resting)[0]}
    name, setting = port.setting_for(command.action, command.args, resting)
    return {"field": name, "value": dict(setting)}


def _ramp(device: DeviceState, port: Device, command: Command) -> dict[str, Any]:
    """Return field and settings of a ramp (R-B22): it ends by leaving its last level."""
    args = dict(command.args)
    resting = _resting(device, port)
    name, end = _level_setting(port, "end_level", args["end_level"], resting)
    if args.get("start_level") is not None:
        _, start = _level_setting(port, "start_level", args["start_level"], resting)
        args[RAMP_START] = dict(start)
    return {"args": args, "field": name, "value": dict(end)}


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
