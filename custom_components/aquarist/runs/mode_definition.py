"""The definition of a mode: read from what people send, and written back."""

from collections.abc import Iterable, Mapping
from typing import Any

import probatio as vol

from ..schedules.errors import ErrorCode, Expected, ScheduleError, wrong_type
from ..schedules.validation import not_a, number, text, validated
from .definition import field_value, parse_wait, wait_json
from .mode import MINUTE, ModeDefinition
from .steps import DelayStep, HoldStep, ModeStep, ReleaseStep, StepKind, WaitStep

NORMAL = "normal"
FEED = "feed"
MAINTENANCE = "maintenance"
PRESETS = (FEED, MAINTENANCE)

SHORTEST_MINUTES = 0.1
LONGEST_MINUTES = 24 * 60.0
LONGEST_STEPS = 100
MARGIN_MINUTES = 30.0
"""How much later than all its steps a mode ends at the latest, unless it says when."""

_COUNTDOWN = "countdown"
_LEVEL = "level"
_KINDS = (
    StepKind.HOLD.value,
    StepKind.RELEASE.value,
    StepKind.DELAY.value,
    StepKind.WAIT.value,
    _COUNTDOWN,
)


def _marked(value: object) -> bool:
    """Accept the mark of the countdown."""
    if value is not True:
        raise not_a(Expected.TRUE)
    return True


minutes = number(SHORTEST_MINUTES, LONGEST_MINUTES)
"""Accept how long a countdown lasts, in minutes."""

_DEFINITION = vol.Schema(
    {
        vol.Required("name"): text(100),
        vol.Optional("icon", default=None): vol.Maybe(text(100)),
        vol.Required("duration_minutes"): minutes,
        vol.Optional("latest_end_minutes", default=None): vol.Maybe(minutes),
        vol.Required("steps"): object,
    }
)
_STEP = vol.Schema(
    {
        vol.Optional("hold"): object,
        vol.Optional("release"): object,
        vol.Optional("delay"): number(0, LONGEST_MINUTES * MINUTE),
        vol.Optional("wait"): object,
        vol.Optional(_COUNTDOWN): _marked,
    }
)
_HOLD = vol.Schema(
    {
        vol.Required("device_id"): text(100),
        vol.Optional(_LEVEL): number(0, 100),
        vol.Optional("field_name"): text(100),
        vol.Optional("value"): field_value,
    }
)
_RELEASE = vol.Schema(
    {
        vol.Required("device_id"): text(100),
        vol.Optional("field_name", default=None): vol.Maybe(text(100)),
    }
)


def parse_mode(data: Mapping[str, object]) -> ModeDefinition:
    """Read the definition of a mode.

    Normal, and the names of the modes that need no set-up, are words however they are
    written. Raises ScheduleError for the first field that is wrong, dotted inside the steps and counted
    from 0 (`steps.2.hold.level`).
    """
    values = validated(_DEFINITION, data, within="")
    name: str = values["name"]
    if name.casefold() in (NORMAL, *PRESETS):
        name = name.casefold()
    steps = _steps(values["steps"], values["duration_minutes"] * MINUTE)
    return ModeDefinition(
        name=name,
        icon_name=values["icon"],
        steps=steps,
        latest_end_minutes=_latest_end(values["latest_end_minutes"], steps),
    )


def mode_json(definition: ModeDefinition) -> dict[str, Any]:
    """Write a mode as JSON values, which `parse_mode` reads back as it was."""
    return {
        "name": definition.name,
        "icon": definition.icon_name,
        "duration_minutes": definition.duration_minutes,
        "latest_end_minutes": definition.latest_end_minutes,
        "steps": [_step_json(step) for step in definition.steps],
    }


def _step_json(step: ModeStep) -> dict[str, Any]:
    """Write one step as JSON values."""
    match step:
        case HoldStep():
            return {
                "hold": {
                    "device_id": step.device_id,
                    "field_name": step.field_name,
                    "value": step.value,
                }
            }
        case ReleaseStep():
            return {
                "release": {"device_id": step.device_id, "field_name": step.field_name}
            }
        case WaitStep():
            return {"wait": wait_json(step)}
    return {_COUNTDOWN: True} if step.countdown else {"delay": step.seconds}


def _steps(data: object, duration: float) -> tuple[ModeStep, ...]:
    """Read the steps: at least one hold, and one countdown of so many seconds."""
    if not isinstance(data, list | tuple):
        raise wrong_type("steps", Expected.LIST)
    if not data:
        raise ScheduleError("steps", ErrorCode.EMPTY)
    if len(data) > LONGEST_STEPS:
        raise ScheduleError(
            "steps", ErrorCode.TOO_MANY, {"maximum": str(LONGEST_STEPS)}
        )
    steps = tuple(
        _step(one, f"steps.{place}", duration) for place, one in enumerate(data)
    )
    countdowns = [
        place
        for place, step in enumerate(steps)
        if isinstance(step, DelayStep) and step.countdown
    ]
    if len(countdowns) > 1:
        raise ScheduleError(f"steps.{countdowns[1]}.{_COUNTDOWN}", ErrorCode.DUPLICATE)
    held = any(isinstance(step, HoldStep) for step in steps)
    for wanted, found in ((_COUNTDOWN, bool(countdowns)), ("hold", held)):
        if not found:
            raise ScheduleError("steps", ErrorCode.NONE_OF, {"known": wanted})
    return steps


def _step(data: object, within: str, duration: float) -> ModeStep:
    """Read one step: exactly one of the kinds."""
    values = validated(_STEP, data, within=within)
    given = [kind for kind in _KINDS if kind in values]
    if not given:
        raise ScheduleError(within, ErrorCode.NONE_OF, {"known": ", ".join(_KINDS)})
    if len(given) > 1:
        raise ScheduleError(
            f"{within}.{given[1]}", ErrorCode.NOT_TOGETHER, {"other": given[0]}
        )
    kind = given[0]
    what, inside = values[kind], f"{within}.{kind}"
    match kind:
        case "hold":
            return _hold(what, inside)
        case "release":
            return ReleaseStep(**validated(_RELEASE, what, within=inside))
        case "wait":
            return parse_wait(what, within=inside)
        case "delay":
            return DelayStep(seconds=what)
    return DelayStep(seconds=duration, countdown=True)


def _hold(data: object, within: str) -> HoldStep:
    """Read what is held: a level, or a field and its value."""
    values = validated(_HOLD, data, within=within)
    device_id = values["device_id"]
    if _LEVEL in values:
        for other in ("field_name", "value"):
            if other in values:
                raise ScheduleError(
                    f"{within}.{other}", ErrorCode.NOT_TOGETHER, {"other": _LEVEL}
                )
        return HoldStep(
            device_id=device_id, field_name=_LEVEL, value=float(values[_LEVEL])
        )
    if "field_name" not in values and "value" not in values:
        raise ScheduleError(
            within, ErrorCode.NONE_OF, {"known": f"{_LEVEL}, field_name"}
        )
    for needed in ("field_name", "value"):
        if needed not in values:
            raise ScheduleError(f"{within}.{needed}", ErrorCode.MISSING)
    return HoldStep(
        device_id=device_id, field_name=values["field_name"], value=values["value"]
    )


def _latest_end(wanted: float | None, steps: Iterable[ModeStep]) -> float:
    """Return the latest end in minutes: after all delays, those of the waits are extra."""
    steps = tuple(steps)
    delays = sum(step.seconds for step in steps if isinstance(step, DelayStep)) / MINUTE
    waits = sum(step.seconds for step in steps if isinstance(step, WaitStep)) / MINUTE
    if wanted is None:
        wanted = min(delays + waits + MARGIN_MINUTES, LONGEST_MINUTES)
    if wanted <= delays:
        raise ScheduleError(
            "latest_end_minutes",
            ErrorCode.OUT_OF_RANGE,
            {"minimum": f"{delays:g}", "maximum": f"{LONGEST_MINUTES:g}"},
        )
    return wanted
