"""The definition of a saved sequence: read from what people send, and written back (R-C31)."""

from collections.abc import Mapping
import re
from typing import Any

import probatio as vol

from ..frozen import frozen
from ..schedules.errors import ErrorCode, Expected, ScheduleError, wrong_type
from ..schedules.validation import (
    arguments,
    boolean,
    integer,
    number,
    rejected,
    text,
    validated,
    word,
)
from .condition import Condition, Value
from .sequence import Sequence
from .steps import (
    AskStep,
    CommandStep,
    DelayStep,
    Mode,
    OnTimeout,
    SequenceStep,
    ServiceStep,
    StepKind,
    WaitStep,
)

LONGEST_SEQUENCE = 100
LONGEST_WAIT = 7 * 24 * 60 * 60
DEFAULT_MAXIMUM = 10
MOST_RUNS = 100
TIMEOUT_RANGE = (1.0, 30.0)
LONGEST_SERVICE = 600.0
_FARTHEST = 1e12
_SERVICE_NAME = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+", re.ASCII)
_TARGETS = ("entity_id", "device_id", "area_id", "floor_id", "label_id")
_EVERYTHING = "all"


@frozen
class RunDefinition:
    """A valid sequence; ``maximum`` bounds the runs of the modes queued and parallel."""

    name: str
    sequence: tuple[SequenceStep, ...]
    mode: Mode = Mode.SINGLE
    maximum: int = DEFAULT_MAXIMUM
    continue_on_error: bool = False

    @property
    def program(self) -> Sequence:
        """Return what knows which step comes next."""
        return Sequence(steps=self.sequence, continue_on_error=self.continue_on_error)

    @property
    def devices(self) -> frozenset[str]:
        """Return the UUIDs of the devices that a run changes."""
        return frozenset(
            step.device_id for step in self.sequence if isinstance(step, CommandStep)
        )


def _number(value: object) -> float:
    """Accept any number that is one to JSON, too."""
    return number(-_FARTHEST, _FARTHEST)(value)


def field_value(value: object) -> Value:
    """Accept what a field can be equal to."""
    if isinstance(value, bool | str):
        return value
    return _number(value)


def _service_name(value: object) -> object:
    """Accept `domain.service`."""
    name = str(text(255)(value))
    if _SERVICE_NAME.fullmatch(name) is None:
        raise rejected(ErrorCode.UNKNOWN_WORD, value=name, known="domain.service")
    return name


def _ids(value: object) -> tuple[str, ...]:
    """Accept one id or several; everything at once is none of them."""
    several = value if isinstance(value, list | tuple) else [value]
    if not several:
        raise rejected(ErrorCode.EMPTY)
    ids = tuple(str(text(255)(one)) for one in several)
    if _EVERYTHING in ids:
        raise rejected(ErrorCode.UNKNOWN_WORD, value=_EVERYTHING, known="-")
    return ids


def _service_data(value: object) -> Mapping[str, Any]:
    """Accept the data of a service, which does not say what the service is for."""
    data = arguments(value)
    for name in _TARGETS:
        if name in data:
            raise rejected(ErrorCode.NOT_TOGETHER, other=f"target.{name}")
    return data


def _maximum(value: object) -> object:
    """Accept how many runs there may be at once."""
    return vol.All(integer(1), number(1, MOST_RUNS))(value)


_DEFINITION = vol.Schema(
    {
        vol.Required("name"): text(100),
        vol.Required("sequence"): object,
        vol.Optional("mode", default=Mode.SINGLE.value): word(Mode),
        vol.Optional("max", default=DEFAULT_MAXIMUM): _maximum,
        vol.Optional("continue_on_error", default=False): boolean,
    }
)
_STEP = vol.Schema(
    {
        vol.Optional("command"): object,
        vol.Optional("delay"): number(0, LONGEST_WAIT),
        vol.Optional("wait"): object,
        vol.Optional("service"): object,
        vol.Optional("continue_on_error", default=False): boolean,
    }
)
_KINDS = (StepKind.COMMAND, StepKind.DELAY, StepKind.WAIT, StepKind.SERVICE)
_COMMAND = vol.Schema(
    {
        vol.Required("device_id"): text(100),
        vol.Required("action"): text(100),
        vol.Optional("args", default=None): vol.Maybe(arguments),
        vol.Optional("timeout", default=10.0): number(*TIMEOUT_RANGE),
        vol.Optional("confirm", default=False): boolean,
    }
)
_SERVICE = vol.Schema(
    {
        vol.Required("service"): _service_name,
        vol.Optional("target", default=dict): vol.Schema(
            {vol.Optional(name): _ids for name in _TARGETS}
        ),
        vol.Optional("data", default=dict): _service_data,
        vol.Optional("timeout", default=30.0): number(1, LONGEST_SERVICE),
    }
)
_WAIT = vol.Schema(
    {
        vol.Required("device_id"): text(100),
        vol.Required("field_name"): text(100),
        vol.Optional("above", default=None): vol.Maybe(_number),
        vol.Optional("below", default=None): vol.Maybe(_number),
        vol.Optional("equals", default=None): vol.Maybe(field_value),
        vol.Required("timeout"): number(1, LONGEST_WAIT),
        vol.Optional("on_timeout", default=OnTimeout.STOP.value): word(OnTimeout),
    }
)


def parse_definition(data: Mapping[str, object]) -> RunDefinition:
    """Read a definition.

    Raises ScheduleError for the first field that is wrong, dotted inside the sequence and
    counted from 0 (`sequence.2.command.args`).
    """
    values = validated(_DEFINITION, data, within="")
    return RunDefinition(
        name=values["name"],
        sequence=parse_sequence(values["sequence"], within="sequence"),
        mode=values["mode"],
        maximum=values["max"],
        continue_on_error=values["continue_on_error"],
    )


def parse_sequence(data: object, *, within: str) -> tuple[SequenceStep, ...]:
    """Read the steps of a sequence. Raises ScheduleError naming the field."""
    if not isinstance(data, list | tuple):
        raise wrong_type(within, Expected.LIST)
    if not data:
        raise ScheduleError(within, ErrorCode.EMPTY)
    if len(data) > LONGEST_SEQUENCE:
        raise ScheduleError(
            within, ErrorCode.TOO_MANY, {"maximum": str(LONGEST_SEQUENCE)}
        )
    return tuple(_step(one, f"{within}.{index}") for index, one in enumerate(data))


def as_json(definition: RunDefinition) -> dict[str, Any]:
    """Write a definition as JSON values, which `parse_definition` reads back as it was."""
    return {
        "name": definition.name,
        "sequence": [step_json(step) for step in definition.sequence],
        "mode": definition.mode.value,
        "max": definition.maximum,
        "continue_on_error": definition.continue_on_error,
    }


def step_json(step: SequenceStep) -> dict[str, Any]:
    """Write one step as JSON values."""
    return {step.kind.value: _what(step), "continue_on_error": step.continue_on_error}


def _what(step: SequenceStep) -> Any:
    """Write what a step does."""
    match step:
        case CommandStep():
            return {
                "device_id": step.device_id,
                "action": step.action,
                "args": dict(step.args),
                "timeout": step.timeout,
                "confirm": step.confirm,
            }
        case DelayStep():
            return step.seconds
        case WaitStep():
            return wait_json(step)
        case ServiceStep():
            return {
                "service": step.service,
                "target": {name: list(ids) for name, ids in step.target.items()},
                "data": dict(step.data),
                "timeout": step.timeout,
            }
        case AskStep():
            return {"answers": sorted(step.answers), "timeout": step.seconds}
    return {
        "device_id": step.device_id,
        "head_index": step.head_index,
        "ran_for": step.ran_for,
        "measured": step.measured,
    }


def _step(data: object, within: str) -> SequenceStep:
    """Read one step: exactly one of the kinds, and whether the run goes on without it."""
    values = validated(_STEP, data, within=within)
    given = [kind for kind in _KINDS if kind.value in values]
    if not given:
        known = ", ".join(_KINDS)
        raise ScheduleError(within, ErrorCode.NONE_OF, {"known": known})
    if len(given) > 1:
        raise ScheduleError(
            f"{within}.{given[1]}", ErrorCode.NOT_TOGETHER, {"other": given[0]}
        )
    goes_on = values["continue_on_error"]
    what, inside = values[given[0].value], f"{within}.{given[0]}"
    match given[0]:
        case StepKind.COMMAND:
            command = validated(_COMMAND, what, within=inside)
            return CommandStep(
                **command | {"args": command["args"] or {}}, continue_on_error=goes_on
            )
        case StepKind.DELAY:
            return DelayStep(seconds=what, continue_on_error=goes_on)
        case StepKind.SERVICE:
            return parse_service(what, within=inside, goes_on=goes_on)
    return parse_wait(what, within=inside, goes_on=goes_on)


def parse_service(data: object, *, within: str, goes_on: bool = False) -> ServiceStep:
    """Read which service is called, and for what. Raises ScheduleError."""
    values = validated(_SERVICE, data, within=within)
    return ServiceStep(**values, continue_on_error=goes_on)


def wait_json(step: WaitStep) -> dict[str, Any]:
    """Write what a wait waits for as JSON values."""
    return {
        "device_id": step.device_id,
        "field_name": step.field_name,
        **step.condition.as_json(),
        "timeout": step.seconds,
        "on_timeout": step.on_timeout.value,
    }


def parse_wait(data: object, *, within: str, goes_on: bool = False) -> WaitStep:
    """Read what a wait waits for: a value, or one or two bounds. Raises ScheduleError."""
    values = validated(_WAIT, data, within=within)
    above, below, equals = values["above"], values["below"], values["equals"]
    if above is None and below is None and equals is None:
        raise ScheduleError(
            within, ErrorCode.NONE_OF, {"known": "above, below, equals"}
        )
    if equals is not None and not (above is None and below is None):
        other = "below" if above is None else "above"
        raise ScheduleError(
            f"{within}.equals", ErrorCode.NOT_TOGETHER, {"other": other}
        )
    if above is not None and below is not None and below <= above:
        raise ScheduleError(
            f"{within}.below",
            ErrorCode.OUT_OF_RANGE,
            {"minimum": str(above), "maximum": str(_FARTHEST)},
        )
    return WaitStep(
        device_id=values["device_id"],
        field_name=values["field_name"],
        condition=Condition(above=above, below=below, equals=equals),
        seconds=values["timeout"],
        on_timeout=values["on_timeout"],
        continue_on_error=goes_on,
    )
