"""The life cycle of a command (law 8, RES-1: the left column of the status map).

```
PLANNED    -> APPLYING, IN_FORCE, WITHDRAWN, MISSED, FAILED
APPLYING   -> IN_FORCE, RESTORING, COMPLETED, FAILED, TIMED_OUT, STOPPED
IN_FORCE   -> RESTORING, COMPLETED, FAILED, TIMED_OUT, STOPPED
RESTORING  -> COMPLETED, STOPPED, FAILED
```
Every other phase is final. Phases only move forward.
"""

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What a command does to its device."""

    SET = "set"
    RAMP = "ramp"
    WINDOW = "window"
    DOSE = "dose"
    PROGRAMME = "programme"
    RAW = "raw"


class Phase(StrEnum):
    """Where a command is in its life."""

    PLANNED = "planned"
    APPLYING = "applying"
    IN_FORCE = "in_force"
    RESTORING = "restoring"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"
    MISSED = "missed"


TRANSITIONS: Mapping[Phase, frozenset[Phase]] = {
    Phase.PLANNED: frozenset(
        {
            Phase.APPLYING,
            Phase.IN_FORCE,
            Phase.WITHDRAWN,
            Phase.MISSED,
            Phase.FAILED,
        }
    ),
    Phase.APPLYING: frozenset(
        {
            Phase.IN_FORCE,
            Phase.RESTORING,
            Phase.COMPLETED,
            Phase.FAILED,
            Phase.TIMED_OUT,
            Phase.STOPPED,
        }
    ),
    Phase.IN_FORCE: frozenset(
        {
            Phase.RESTORING,
            Phase.COMPLETED,
            Phase.FAILED,
            Phase.TIMED_OUT,
            Phase.STOPPED,
        }
    ),
    Phase.RESTORING: frozenset({Phase.COMPLETED, Phase.STOPPED, Phase.FAILED}),
    Phase.COMPLETED: frozenset(),
    Phase.FAILED: frozenset(),
    Phase.TIMED_OUT: frozenset(),
    Phase.WITHDRAWN: frozenset(),
    Phase.STOPPED: frozenset(),
    Phase.MISSED: frozenset(),
}

FINAL = frozenset(phase for phase, exits in TRANSITIONS.items() if not exits)
HOLDING = frozenset({Phase.APPLYING, Phase.IN_FORCE})
