"""Sequences of steps: what they are, and what comes next in one that is under way.

Pure. What a run does next follows from its definition and the records of its steps alone,
so that a restart is a replay of what is on disk.
"""

from .admission import Admission, Turn, admit
from .calibration import Calibration
from .condition import Condition
from .definition import RunDefinition, as_json, parse_definition
from .driver import Begin, Finish, Move, Program, Resume, next_move
from .records import Outcome, StepRecord
from .sequence import Sequence
from .states import IllegalRunTransition, RunState, StepState, advance_run, advance_step
from .steps import (
    AskStep,
    CalibrateStep,
    CommandStep,
    DelayStep,
    Mode,
    OnTimeout,
    ServiceStep,
    Step,
    StepKind,
    WaitStep,
)

__all__ = [
    "Admission",
    "AskStep",
    "Begin",
    "CalibrateStep",
    "Calibration",
    "CommandStep",
    "Condition",
    "DelayStep",
    "Finish",
    "IllegalRunTransition",
    "Mode",
    "Move",
    "OnTimeout",
    "Outcome",
    "Program",
    "Resume",
    "RunDefinition",
    "RunState",
    "Sequence",
    "ServiceStep",
    "Step",
    "StepKind",
    "StepRecord",
    "StepState",
    "Turn",
    "WaitStep",
    "admit",
    "advance_run",
    "advance_step",
    "as_json",
    "next_move",
    "parse_definition",
]
