"""What a schedule asks of its devices: a command each, looked up when it is due (law 7)."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from ..commands.arguments import ArgumentError
from ..commands.command import Command, ErrorCode, Source, advance, new_id
from ..commands.phases import Kind, Phase
from ..devices.fields import InvalidValue
from ..dosing.budget import budget_refusal
from ..dosing.volume import microlitres, millilitres
from ..limits.refusal import Refusal
from ..schedules.actions import ActionType
from ..schedules.definition import ScheduleDefinition
from ..schedules.moments import Moment
from .due import AUTOMATION_OFF
from .errors import EngineError, SafetyRefusedError
from .ground import Ground
from .intake import Origin, Request, command_of, spec_of
from .state import DeviceState

ACTIONS = {
    ActionType.ON: "turn_on",
    ActionType.OFF: "turn_off",
    ActionType.SET_LEVEL: "set_level",
    ActionType.RAMP: "ramp",
    ActionType.DOSE: "dose",
}
# A duration is how long the value is held, and no argument (RES-31).
HOLDING = frozenset({ActionType.ON, ActionType.OFF, ActionType.SET_LEVEL})
_KINDS = {
    ActionType.RAMP: Kind.RAMP,
    ActionType.DOSE: Kind.DOSE,
    ActionType.COMMAND: Kind.RAW,
}
OWN = frozenset({"dose", "ramp"})
"""Commands that have an action type of their own, by which a plan is counted and shown."""
_CODES = {
    AUTOMATION_OFF: ErrorCode.COMMAND_CANCELLED,
    "device_not_found": ErrorCode.DEVICE_NOT_FOUND,
    "device_not_loaded": ErrorCode.DEVICE_NOT_FOUND,
}


class Orders:
    """Makes the commands of a schedule's moments."""

    def __init__(self, ground: Ground, automation_off: Collection[str]) -> None:
        """Look into the engine's devices, and into the aquariums that are held back."""
        self._clock = ground.clock
        self._devices = ground.devices
        self._settings = ground.settings
        self._memory = ground.memory
        self._automation_off = automation_off

    def check(self, definition: ScheduleDefinition) -> None:
        """Refuse a schedule whose devices are unknown or cannot do what it asks (R-B66).

        So is a dose that its head may never give by its limits of today: it would be
        refused each time. Raises EngineError or InvalidValue.
        """
        now = self._clock.now()
        if definition.action_type is ActionType.COMMAND:
            _check_command(definition)
        for number in definition.device_ids:
            device = self._devices.get(number)
            if device is None or device.row.retired_at is not None:
                raise EngineError("device_not_found", field="device_ids", id=number)
            if definition.action_type is ActionType.DOSE and definition.is_enabled:
                self._memory.refuse_dose(
                    number,
                    definition.action_params["head_index"],
                    device.row.name,
                    field="action_params.head_index",
                )
            if device.device is not None:
                self._try(definition, device, now)
            if definition.action_type is ActionType.DOSE:
                _refuse_never(device, definition.action_params, now)

    def at(
        self, definition: ScheduleDefinition, schedule: int, moment: Moment
    ) -> tuple[list[Command], str | None]:
        """Return a command for each device, or the word why none of them can act.

        What one device cannot do holds no other back: its record has ended before it
        began, and says why (RES-38).
        """
        origin = Origin(source=Source.SCHEDULE, schedule=schedule)
        made = [
            self._command_or_why(definition, number, moment, origin)
            for number in definition.device_ids
        ]
        if all(command.final for command in made):
            return [], made[0].error
        return made, None

    def _command_or_why(
        self,
        definition: ScheduleDefinition,
        number: int,
        moment: Moment,
        origin: Origin,
    ) -> Command:
        """Return the command of one device, one that has ended where there can be none."""
        device = self._devices.get(number)
        if device is None or device.row.retired_at is not None:
            return self._not_begun(definition, number, origin, "device_not_found")
        if device.row.aquarium in self._automation_off:
            return self._not_begun(definition, number, origin, AUTOMATION_OFF)
        try:
            return self._command(definition, device, moment.at, origin)
        except (EngineError, InvalidValue) as error:
            return self._not_begun(definition, number, origin, error.code)

    def _try(
        self, definition: ScheduleDefinition, device: DeviceState, now: datetime
    ) -> None:
        """Raise EngineError or InvalidValue for what a device cannot do by a schedule."""
        try:
            self._command(definition, device, now, Origin(source=Source.SCHEDULE))
        except EngineError as error:
            if error.field != "device_id":
                raise
            shown = {**error.placeholders, "field": "device_ids"}
            raise EngineError(error.code, **shown) from error

    def _command(
        self,
        definition: ScheduleDefinition,
        device: DeviceState,
        at: datetime,
        origin: Origin,
    ) -> Command:
        """Return the command of a schedule at one of its devices."""
        action, args = _asked(definition)
        holds = definition.action_type in HOLDING
        request = Request(
            action=action,
            hold=args.pop("duration", None) if holds else None,
            args=args,
            origin=origin,
            begins_at=at,
        )
        now, settings = self._clock.now(), self._settings.current
        if definition.action_type is not ActionType.COMMAND:
            return command_of(device, request, now, settings)
        try:
            return command_of(device, request, now, settings)
        except InvalidValue as error:
            raise _within_params(error) from error

    def _not_begun(
        self, definition: ScheduleDefinition, number: int, origin: Origin, word: str
    ) -> Command:
        """Return the record of what a device was not even asked for."""
        now = self._clock.now()
        command = Command(
            id=new_id(),
            device=number,
            kind=_KINDS.get(definition.action_type, Kind.SET),
            action=_asked(definition)[0],
            args=dict(definition.action_params),
            source=origin.source,
            created_at=now,
            schedule=origin.schedule,
        )
        return advance(
            command,
            Phase.WITHDRAWN if word == AUTOMATION_OFF else Phase.FAILED,
            now,
            error_code=_CODES.get(word, ErrorCode.COMMAND_INVALID),
            error=word,
        )


def _asked(definition: ScheduleDefinition) -> tuple[str, dict[str, Any]]:
    """Return the action that devices are asked for, and its arguments."""
    params = dict(definition.action_params)
    if definition.action_type is ActionType.COMMAND:
        return params["action"], dict(params.get("args", {}))
    params.pop("description", None)
    return ACTIONS[definition.action_type], params


def _check_command(definition: ScheduleDefinition) -> None:
    """Raise EngineError or InvalidValue for a command that no device would do by a schedule."""
    params = definition.action_params
    action, args = _asked(definition)
    if action in OWN:
        raise EngineError(
            "command_not_in_schedule", field="action_params.action", action=action
        )
    try:
        spec = spec_of(action)
        spec.checked(args)
    except InvalidValue as error:
        raise _within_params(error) from error
    except ArgumentError as error:
        wrong = InvalidValue(error.field, error.code, **error.placeholders)
        raise _within_params(wrong) from error
    if spec.destructive and not params.get("confirm", False):
        raise EngineError(
            "confirmation_needed", field="action_params.confirm", action=action
        )


def _within_params(error: InvalidValue) -> InvalidValue:
    """Return an error of a command's action or argument with its place in the schedule."""
    place = "action" if error.field == "action" else f"args.{error.field}"
    shown = {name: text for name, text in error.placeholders.items() if name != "field"}
    return InvalidValue(f"action_params.{place}", error.code, **shown)


def _refuse_never(device: DeviceState, args: Mapping[str, Any], now: datetime) -> None:
    """Raise SafetyRefusedError for a dose that is too large by itself (law 5)."""
    limits = device.limits.head(args["head_index"])
    volume, largest = microlitres(args["volume_ml"]), limits.maximum_volume
    refusal = budget_refusal((), volume, limits.budget, now)
    if largest is not None and volume > largest:
        asked, allowed = millilitres(volume), millilitres(largest)
        refusal = Refusal(limit="maximum_volume", asked=asked, allowed=allowed)
    if refusal is not None:
        raise SafetyRefusedError(refusal)
