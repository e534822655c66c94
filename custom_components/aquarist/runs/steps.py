"""The steps that a run can have, each a plain value."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any, ClassVar

from ..frozen import frozen
from .condition import Condition, Value


class StepKind(StrEnum):
    """What a step does: the word that it is written with in a definition."""

    COMMAND = "command"
    DELAY = "delay"
    WAIT = "wait"
    SERVICE = "service"
    ASK = "ask"
    CALIBRATE = "calibrate"
    HOLD = "hold"
    RELEASE = "release"


class Mode(StrEnum):
    """What happens when a definition is run while it is running already (R-A14 to R-A16)."""

    SINGLE = "single"
    RESTART = "restart"
    QUEUED = "queued"
    PARALLEL = "parallel"


class OnTimeout(StrEnum):
    """What follows a wait that has lasted too long."""

    CONTINUE = "continue"
    STOP = "stop"


@frozen
class CommandStep:
    """An action at a device; ``device_id`` is its UUID, ``timeout`` is in seconds.

    ``confirm`` says that an action which destroys something is meant (RES-70).
    """

    kind: ClassVar = StepKind.COMMAND

    device_id: str
    action: str
    args: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 10.0
    confirm: bool = False
    continue_on_error: bool = False

    @property
    def seconds(self) -> float | None:
        """Return nothing: the command has times of its own."""
        return None


@frozen
class ServiceStep:
    """A service of Home Assistant, at most once; ``timeout`` is in seconds.

    ``target`` has the ids that it is for by the kind of id, as Home Assistant names them.
    What of them backs a device becomes an intent for that device (law 1).
    """

    kind: ClassVar = StepKind.SERVICE

    service: str
    target: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 30.0
    continue_on_error: bool = False

    @property
    def seconds(self) -> float | None:
        """Return nothing: the call has a time of its own."""
        return None


@frozen
class DelayStep:
    """Let time pass, in seconds of elapsed time; ``countdown`` marks that of a mode."""

    kind: ClassVar = StepKind.DELAY

    seconds: float
    countdown: bool = False
    continue_on_error: bool = False


@frozen
class WaitStep:
    """Wait until a field of a device meets a condition, for so many seconds at most."""

    kind: ClassVar = StepKind.WAIT

    device_id: str
    field_name: str
    condition: Condition
    seconds: float
    on_timeout: OnTimeout = OnTimeout.STOP
    continue_on_error: bool = False


@frozen
class AskStep:
    """Wait for one of the answers of the keeper, for so many seconds at most."""

    kind: ClassVar = StepKind.ASK

    answers: frozenset[str]
    seconds: float
    continue_on_error: bool = False


@frozen
class CalibrateStep:
    """Keep how many microlitres a head gave in a run of so many seconds."""

    kind: ClassVar = StepKind.CALIBRATE

    device_id: str
    head_index: int
    ran_for: int
    measured: int
    continue_on_error: bool = False

    @property
    def seconds(self) -> float | None:
        """Return nothing: it takes no time of its own."""
        return None


@frozen
class HoldStep:
    """Hold a field of a device at a value until the mode lets go of it."""

    kind: ClassVar = StepKind.HOLD

    device_id: str
    field_name: str
    value: Value

    @property
    def seconds(self) -> float | None:
        """Return nothing: what it holds has an end of its own."""
        return None


@frozen
class ReleaseStep:
    """Let go of what a mode holds of a device: one field, or all of them (None)."""

    kind: ClassVar = StepKind.RELEASE

    device_id: str
    field_name: str | None = None

    @property
    def seconds(self) -> float | None:
        """Return nothing: it takes no time of its own."""
        return None


type SequenceStep = (
    CommandStep | ServiceStep | DelayStep | WaitStep | AskStep | CalibrateStep
)
type ModeStep = HoldStep | ReleaseStep | DelayStep | WaitStep
type Step = SequenceStep | ModeStep
