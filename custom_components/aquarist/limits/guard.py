"""Guards: when a sensor cannot be trusted, and when it can be again (law 5).

A sensor is in doubt when it is silent for too long, out of its range, faster than nature
allows, or at odds with a second one. It is trusted again after some good readings in a row.
Times are readings of the elapsed clock, in seconds.
"""

from dataclasses import replace
from enum import StrEnum
from math import isfinite

from ..frozen import frozen

MINUTE = 60.0


class Doubt(StrEnum):
    """Why a sensor is not trusted."""

    STALE = "sensor_stale"
    OUT_OF_RANGE = "sensor_out_of_range"
    TOO_FAST = "sensor_too_fast"
    DISAGREES = "sensors_disagree"


@frozen
class Guard:
    """What a sensor may say. None leaves a check out.

    ``stale_after`` seconds of silence, ``fastest`` change a minute, ``disagreement`` the
    largest difference to the second sensor, ``good_readings`` in a row that end a doubt.
    Raises ValueError naming the field.
    """

    minimum: float | None = None
    maximum: float | None = None
    stale_after: float | None = None
    fastest: float | None = None
    disagreement: float | None = None
    good_readings: int = 3

    def __post_init__(self) -> None:
        """Refuse checks that nothing could pass."""
        if (
            self.minimum is not None
            and self.maximum is not None
            and self.minimum >= self.maximum
        ):
            raise ValueError("minimum: it does not lie below the maximum")
        for name in ("stale_after", "fastest", "disagreement"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name}: it must be above zero")
        if self.good_readings < 1:
            raise ValueError("good_readings: at least one")


@frozen
class Watched:
    """What is known of a guarded sensor: its last number, and the doubt about it.

    ``good`` counts the good readings since the doubt arose, ``pace`` is the number of at
    least a minute ago, or of the first one since, that the speed is measured from, and its time.
    """

    since: float
    value: float | None = None
    at: float | None = None
    doubt: Doubt | None = None
    good: int = 0
    pace: tuple[float, float] | None = None


def read(
    guard: Guard, watched: Watched, value: float | None, at: float, other: float | None
) -> Watched:
    """Take in a reading; None is one that the sensor could not give, and proves nothing.

    ``other`` is what the second sensor shows, None when there is none or it cannot tell.
    """
    if value is None or not isfinite(value):
        return waited(guard, watched, at)
    doubt = _doubt_about(guard, watched, value, at, other)
    pace = _pace(watched)
    if pace is None or doubt is not None or at - pace[1] >= MINUTE:
        pace = value, at
    newer = replace(watched, value=value, at=at, pace=pace)
    if doubt is not None:
        return replace(newer, doubt=doubt, good=0)
    if watched.doubt is None:
        return newer
    good = watched.good + 1
    if good >= guard.good_readings:
        return replace(newer, doubt=None, good=0)
    return replace(newer, good=good)


def compared(guard: Guard, watched: Watched, other: float | None) -> Watched:
    """Take in what the second sensor shows, while the first one says nothing new."""
    if watched.value is None or watched.doubt is not None:
        return watched
    if not _disagree(guard, watched.value, other):
        return watched
    return replace(watched, doubt=Doubt.DISAGREES, good=0)


def waited(guard: Guard, watched: Watched, now: float) -> Watched:
    """Let time pass: silence for too long is a doubt of its own."""
    due = stale_at(guard, watched)
    if due is None or now < due:
        return watched
    return replace(watched, doubt=watched.doubt or Doubt.STALE, good=0)


def stale_at(guard: Guard, watched: Watched) -> float | None:
    """Return when the sensor's silence becomes a doubt, None when that is not checked."""
    if guard.stale_after is None:
        return None
    return (watched.since if watched.at is None else watched.at) + guard.stale_after


def _doubt_about(
    guard: Guard, watched: Watched, value: float, at: float, other: float | None
) -> Doubt | None:
    """Return what is wrong with a reading."""
    if guard.minimum is not None and value < guard.minimum:
        return Doubt.OUT_OF_RANGE
    if guard.maximum is not None and value > guard.maximum:
        return Doubt.OUT_OF_RANGE
    pace = _pace(watched)
    if guard.fastest is not None and pace is not None:
        minutes = max((at - pace[1]) / MINUTE, 1.0)
        if abs(value - pace[0]) > guard.fastest * minutes:
            return Doubt.TOO_FAST
    return Doubt.DISAGREES if _disagree(guard, value, other) else None


def _pace(watched: Watched) -> tuple[float, float] | None:
    """Return what the speed is measured from: a number, and when it was read."""
    if watched.pace is not None or watched.value is None or watched.at is None:
        return watched.pace
    return watched.value, watched.at


def _disagree(guard: Guard, value: float, other: float | None) -> bool:
    """Return whether the two sensors are too far apart."""
    if guard.disagreement is None or other is None:
        return False
    return abs(value - other) > guard.disagreement
