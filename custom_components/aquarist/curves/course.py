"""Courses: a setting that stays, and one that moves from a start to an end (R-B107)."""

from datetime import datetime, timedelta
from enum import StrEnum
from math import expm1, log1p
from typing import override

from ..frozen import frozen
from ..layers.claims import Course
from ..layers.setting import Setting, is_number

# Exponent of the exponential shape: half-way through the time, an eighth of the way is done.
_STEEPNESS = 4.0
_FINEST_STEP = timedelta.resolution
# Share of a resolution step that arithmetic with floats may fall short of.
_ROUNDING = 1e-9


class Shape(StrEnum):
    """How a ramp moves: steadily, or slowly at first (ease-in)."""

    LINEAR = "linear"
    EXPONENTIAL = "exponential"

    def way(self, time: float) -> float:
        """Give the share of the way done after a share of the time, both 0 to 1."""
        if self is Shape.LINEAR:
            return time
        return expm1(_STEEPNESS * time) / expm1(_STEEPNESS)

    def time(self, way: float) -> float:
        """Give the share of the time after which a share of the way is done."""
        if self is Shape.LINEAR:
            return way
        return log1p(way * expm1(_STEEPNESS)) / _STEEPNESS


@frozen
class Constant(Course):
    """A setting that stays as it is."""

    setting: Setting

    @override
    def at(self, now: datetime) -> Setting:
        """Give the setting, whatever the instant."""
        return self.setting

    @override
    def next_change(self, now: datetime) -> datetime | None:
        """Never change."""
        return None

    @property
    @override
    def finishes(self) -> datetime | None:
        """A setting that stays has no end of its own."""
        return None


@frozen
class Ramp(Course):
    """A move from one setting to another.

    The ramp names the parts of `end`. Numbers move, monotonously; any other part keeps its
    start and switches at the end. A part without a start has its end value from the first
    instant on; a part that only `start` names is not the ramp's. `resolution` is the move,
    in the unit of the field, that is worth a write. Raises ValueError, naming the field, for
    a negative duration or minimum step and for a resolution that is not above zero.
    """

    start: Setting
    end: Setting
    begins: datetime
    duration: timedelta
    shape: Shape = Shape.LINEAR
    resolution: float = 1.0
    minimum_step: timedelta = timedelta(seconds=1)

    def __post_init__(self) -> None:
        """Refuse a ramp that could not be walked forward."""
        if self.duration < timedelta(0):
            raise ValueError("duration: a ramp cannot take less than no time")
        if self.minimum_step < timedelta(0):
            raise ValueError("minimum_step: steps cannot be less than no time apart")
        if not self.resolution > 0:
            raise ValueError("resolution: a step must be above zero")

    @property
    @override
    def finishes(self) -> datetime:
        """The instant from which on the setting is exactly `end`."""
        return self.begins + self.duration

    @override
    def at(self, now: datetime) -> Setting:
        """Give the setting at an instant: the start before the ramp, exactly the end after."""
        if now >= self.finishes:
            return self.end
        moving = self._moving()
        return {
            part: self._between(*moving[part], now)
            if part in moving
            else self.start.get(part, end)
            for part, end in self.end.items()
        }

    @override
    def next_change(self, now: datetime) -> datetime | None:
        """Give the instant of the next step, always after `now`; None when the ramp is over.

        It is the first instant at which a number has moved by `resolution` from its value
        now, though not sooner than `minimum_step` from now. The last step is the exact end:
        it comes when the ramp finishes, however short the time since the step before it.
        """
        if now >= self.finishes:
            return None
        moved = min(
            (self._moved(first, last, now) for first, last in self._moving().values()),
            default=self.finishes,
        )
        soonest = now + max(self.minimum_step, _FINEST_STEP)
        return min(max(soonest, moved), self.finishes)

    def _moving(self) -> dict[str, tuple[float, float]]:
        """Give start and end of the parts that are numbers on both sides and differ."""
        return {
            part: (start, end)
            for part, end in self.end.items()
            if is_number(end)
            and is_number(start := self.start.get(part, end))
            and start != end
        }

    def _between(self, first: float, last: float, now: datetime) -> float:
        """Give the value at an instant before the finish of a number on its way."""
        if now <= self.begins:
            return first
        way = self.shape.way((now - self.begins) / self.duration)
        return first + (last - first) * way

    def _moved(self, first: float, last: float, now: datetime) -> datetime:
        """Give the first instant at which a number has moved by `resolution` from now on."""
        value = self._between(first, last, now)
        step = self.resolution if last > first else -self.resolution
        way = (value + step - first) / (last - first)
        if way >= 1:
            return self.finishes
        moment = self.begins + self.duration * self.shape.time(way)
        move = abs(self._between(first, last, moment) - value)
        short = move < self.resolution * (1 - _ROUNDING)
        return moment + _FINEST_STEP if short else moment
