"""Claims: what wants to hold a field, with which rank, and for how long."""

from datetime import datetime
from enum import IntEnum
from typing import Protocol

from ..frozen import frozen
from .setting import Setting


class Layer(IntEnum):
    """The ranks of a field's owners, the higher wins (law 4)."""

    RESTING = 0
    SCHEDULE = 1
    WINDOW = 2
    OVERRIDE = 3
    ENFORCED = 4
    MODE = 5
    SAFETY = 6


class Course(Protocol):
    """What a claim wants over time. A course names the same parts at every instant."""

    def at(self, now: datetime) -> Setting:
        """Give the setting wanted at an instant."""

    def next_change(self, now: datetime) -> datetime | None:
        """Give the next instant, after `now`, that is worth a write; None when there is none."""

    @property
    def finishes(self) -> datetime | None:
        """The instant from which on nothing moves any more; None without such an end."""


@frozen
class Claim:
    """A command that holds a field, or will hold it.

    `id` is the command's key, `order` its place in the order of acceptance. Instants are
    aware UTC; the claim is in force from `started_at` on and no longer at `ends_at`. One that
    has `begun` stays in force when the clock is set back to before its start. Raises
    ValueError for the layer RESTING: what a field rests on is a stored value, not a claim.
    """

    id: str
    layer: Layer
    course: Course
    started_at: datetime
    order: int
    blocking: bool = False
    ends_at: datetime | None = None
    begun: bool = False

    def __post_init__(self) -> None:
        """Refuse a claim without a rank of its own."""
        if self.layer is Layer.RESTING:
            raise ValueError("layer: a claim cannot have the layer RESTING")

    def in_force(self, now: datetime) -> bool:
        """Tell whether the claim holds its field at an instant."""
        return not self.is_to_come(now) and (self.ends_at is None or now < self.ends_at)

    def is_to_come(self, now: datetime) -> bool:
        """Tell whether the claim has still to begin at an instant."""
        return not self.begun and now < self.started_at

    @property
    def precedence(self) -> tuple[Layer, datetime, bool, int]:
        """Sort key, the greater wins: rank, later start, blocking, accepted last.

        RES-55 lets a later write action win over an earlier geo block of equal rank, so
        blocking decides only between claims that started at the same instant.
        """
        return (self.layer, self.started_at, self.blocking, self.order)
