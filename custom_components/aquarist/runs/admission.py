"""Whether a definition may run once more while it is running (R-A14 to R-A16, RES-4)."""

from collections.abc import Sequence
from enum import StrEnum

from ..frozen import frozen
from .steps import Mode


class Turn(StrEnum):
    """What becomes of a new run."""

    START = "start"
    WAIT = "wait"
    REFUSE = "refuse"


@frozen
class Admission:
    """What becomes of a new run, and which runs give way to it."""

    turn: Turn
    ends: tuple[int, ...] = ()


def admit(mode: Mode, maximum: int, under_way: Sequence[int]) -> Admission:
    """Decide for a new run; ``under_way`` are the runs that have not ended, waiting ones too.

    A run that waits in a delay is running. ``maximum`` counts all runs of the modes queued
    and parallel; the others never have more than one.
    """
    if not under_way:
        return Admission(turn=Turn.START)
    match mode:
        case Mode.SINGLE:
            return Admission(turn=Turn.REFUSE)
        case Mode.RESTART:
            return Admission(turn=Turn.START, ends=tuple(under_way))
    if len(under_way) >= maximum:
        return Admission(turn=Turn.REFUSE)
    waits = mode is Mode.QUEUED
    return Admission(turn=Turn.WAIT if waits else Turn.START)
