"""What a schedule does, in words for the calendar, which knows no translations."""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from .devices.device import DoserDevice
from .engine.engine import Engine
from .engine.state import DeviceState
from .schedules.actions import ActionType
from .schedules.definition import ScheduleDefinition


def words_of(engine: Engine, definition: ScheduleDefinition) -> str:
    """Return what is done and with which devices; below it, the keeper's own note."""
    found = map(engine.devices.get, engine.planner.devices(definition))
    states = [state for state in found if state is not None]
    names = ", ".join(state.row.name for state in states)
    note = str(definition.action_params.get("description", ""))
    action = _action(engine, definition, states)
    return f"{action}: {names}\n{note}".strip()


def _action(
    engine: Engine, definition: ScheduleDefinition, states: Sequence[DeviceState]
) -> str:
    """Return the action with its numbers."""
    params = definition.action_params
    hold = f" for {length(params['duration'])}" if "duration" in params else ""
    match definition.action_type:
        case ActionType.ON:
            return f"On{hold}"
        case ActionType.OFF:
            return f"Off{hold}"
        case ActionType.SET_LEVEL:
            return f"{params['level']:g} %{hold}"
        case ActionType.RAMP:
            return f"Fade to {params['end_level']:g} % in {length(params['duration'])}"
        case ActionType.DOSE:
            heads = {_head(state, params["head_index"]) for state in states}
            return f"{params['volume_ml']:g} mL with {', '.join(sorted(heads))}"
        case ActionType.COMMAND:
            return str(params["action"]).replace("_", " ").capitalize()
    macro = engine.scheduled_macros.find(definition)
    return str(params["macro"]) if macro is None else macro.row.name


def _head(state: DeviceState, index: int) -> str:
    """Return the name of a head; one that is not there has its number."""
    port = cast(DoserDevice | None, state.device)
    heads = () if port is None else port.heads
    return heads[index].name if index < len(heads) else f"Head {index + 1}"


def length(seconds: float) -> str:
    """Return a time in its largest unit that it fills, such as 90 min or 45 s."""
    whole = timedelta(seconds=seconds)
    for unit, word in ((timedelta(hours=1), "h"), (timedelta(minutes=1), "min")):
        if whole >= unit and not whole % unit:
            return f"{whole // unit} {word}"
    return f"{seconds:g} s"
