"""The custom curve that a light keeps: points `5A/06` for each channel (protocol 3.4).

How a light gets from one point to the next is not known; here it goes there steadily, and
before the first point and after the last it stays at that.
"""

from collections.abc import Sequence
from itertools import pairwise

from .device_clock import minute_of_day

LATEST_HOUR = 48


class LightCurve:
    """The points by channel and minute of the day."""

    def __init__(self) -> None:
        """Start empty."""
        self._points: dict[int, dict[int, int]] = {}

    def __bool__(self) -> bool:
        """Return whether there is any point."""
        return bool(self._points)

    def write(self, channel: int, hour: int, minute: int, level: int) -> bool:
        """Add or replace a point; False for what is none."""
        if hour > LATEST_HOUR or minute > 59 or level > 100:
            return False
        self._points.setdefault(channel, {})[hour * 60 + minute] = level
        return True

    def clear(self) -> None:
        """Delete all points."""
        self._points.clear()

    def levels(self, reading: float, channels: int) -> tuple[float, ...]:
        """Return the level of each channel at a clock reading; 0 without points."""
        minute = minute_of_day(reading)
        return tuple(
            _level(sorted(self._points.get(channel, {}).items()), minute)
            for channel in range(channels)
        )

    def as_json(self) -> dict[str, list[list[int]]]:
        """Return the points for a state description: minute of the day and level."""
        return {
            str(channel): [[*point] for point in sorted(points.items())]
            for channel, points in sorted(self._points.items())
        }


def _level(points: Sequence[tuple[int, int]], minute: float) -> float:
    """Return the level between points in the order of their times."""
    if not points:
        return 0.0
    for (start, first), (end, last) in pairwise(points):
        if start <= minute < end:
            return first + (last - first) * (minute - start) / (end - start)
    return float(points[0][1] if minute < points[0][0] else points[-1][1])
