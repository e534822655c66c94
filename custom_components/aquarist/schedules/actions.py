"""What a schedule does when it is due: the action types and their parameters."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import probatio as vol

from ..curves.course import Shape
from ..dosing.volume import VolumeError, microlitres
from .errors import ErrorCode
from .validation import (
    LARGEST_INTEGER,
    arguments,
    boolean,
    integer,
    number,
    rejected,
    takes,
    text,
    validated,
    word,
)

LONGEST_RAMP = 24 * 60 * 60
LONGEST_HOLD = 31 * LONGEST_RAMP
SMALLEST_DOSE = 0.1
LARGEST_DOSE = 999.9


class ActionType(StrEnum):
    """What a schedule can do (R-B20 to R-B23, RES-58)."""

    ON = "on"
    OFF = "off"
    SET_LEVEL = "set_level"
    RAMP = "ramp"
    DOSE = "dose"
    COMMAND = "command"
    MACRO = "macro"


class OnMiss(StrEnum):
    """What becomes of moments missed (RES-37); a dose may ask its keeper (RES-67)."""

    SKIP = "skip"
    CONVERGE = "converge"
    ASK = "ask"


def _volume(value: object) -> float:
    """Accept the volume of a dose in mL, with at most one decimal (RES-71)."""
    volume = number(SMALLEST_DOSE, LARGEST_DOSE)(value)
    try:
        microlitres(volume)
    except VolumeError as error:
        raise rejected(ErrorCode.TOO_FINE, resolution=SMALLEST_DOSE) from error
    return volume


@takes(
    anyOf=[
        {"type": "integer", "minimum": 1, "maximum": LARGEST_INTEGER},
        {"type": "string", "minLength": 1, "maxLength": 100},
    ]
)
def _macro(value: object) -> object:
    """Accept the number or the name of a macro."""
    return text(100)(value) if isinstance(value, str) else integer(1)(value)


_LEVEL = number(0, 100)
_NOTE = {vol.Optional("description"): text(255)}
_HOLD = {vol.Optional("duration"): number(1, LONGEST_HOLD)}

# A duration is the transition time of a ramp; elsewhere the value is held that long and
# the previous one comes back (RES-31).
_PARAMETERS: Mapping[ActionType, vol.Schema] = {
    ActionType.ON: vol.Schema(_NOTE | _HOLD),
    ActionType.OFF: vol.Schema(_NOTE | _HOLD),
    ActionType.SET_LEVEL: vol.Schema(_NOTE | _HOLD | {vol.Required("level"): _LEVEL}),
    ActionType.RAMP: vol.Schema(
        _NOTE
        | {
            vol.Optional("start_level"): _LEVEL,
            vol.Required("end_level"): _LEVEL,
            vol.Required("duration"): number(1, LONGEST_RAMP),
            vol.Optional("curve"): vol.All(word(Shape), vol.Coerce(str)),
        }
    ),
    ActionType.DOSE: vol.Schema(
        _NOTE
        | {vol.Required("head_index"): integer(0), vol.Required("volume_ml"): _volume}
    ),
    # Whether there is such an action, and what it takes, is for the devices to say.
    ActionType.COMMAND: vol.Schema(
        _NOTE
        | {
            vol.Required("action"): text(100),
            vol.Optional("args"): arguments,
            vol.Optional("confirm"): boolean,
        }
    ),
    # Which devices it is about is in the macro.
    ActionType.MACRO: vol.Schema(_NOTE | {vol.Required("macro"): _macro}),
}
UNFIT: Mapping[ActionType, frozenset[OnMiss]] = {
    ActionType.DOSE: frozenset({OnMiss.CONVERGE}),
    ActionType.COMMAND: frozenset({OnMiss.CONVERGE, OnMiss.ASK}),
    ActionType.MACRO: frozenset({OnMiss.CONVERGE, OnMiss.ASK}),
}
"""What cannot become of the missed moments of an action; of any other it is to ask."""


def parameters(action_type: ActionType, data: object) -> dict[str, Any]:
    """Validate the parameters of an action.

    Raises ScheduleError for `action_params` or, dotted, for what it holds.
    """
    return validated(_PARAMETERS[action_type], data, within="action_params")


def default_on_miss(action_params: Mapping[str, Any]) -> OnMiss:
    """Skip missed point actions and doses; converge ramps and holds (RES-37, RES-67)."""
    return OnMiss.CONVERGE if "duration" in action_params else OnMiss.SKIP
