"""The schedule memory of a light: windows `A5/19` and the day's curve they make.

Protocol sections 3.3 and 3.5.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..frozen import frozen
from .device_clock import minute_of_day, runs_on, weekday

LEVELS = 8
UNUSED = 255
LEVEL_END = 100


class WindowKey(NamedTuple):
    """What a window is replaced and deleted by: minutes of the day, ramp minutes, weekday mask."""

    start: int
    end: int
    ramp: int
    mask: int


@frozen
class LightWindow:
    """A stored window; `ramp` is as sent, while its key says 1 where 0 was sent."""

    key: WindowKey
    ramp: int
    levels: bytes

    def level(self, channel: int, minute: float) -> float:
        """Return a channel's level at a minute inside the window, ramps included."""
        full = self.levels[channel]
        if full == UNUSED:
            return 0.0
        if not self.ramp:
            return float(full)
        rising = (minute - self.key.start) / self.ramp
        falling = (self.key.end - minute) / self.ramp
        return full * min(1.0, rising, falling)

    def points(self) -> Sequence[tuple[int, int]]:
        """Return the corner points of the first channel as (minute of day, level)."""
        start, end, _, _ = self.key
        level = self.levels[0] if self.levels[0] != UNUSED else 0
        if not self.ramp:
            return (start, level), (end, 0)
        top = min(start + self.ramp, end)
        bend = max(end - self.ramp, start)
        return (start, 0), (top, level), (bend, level), (end, 0)


class LightMemory:
    """The windows a light keeps, in the order in which they were written.

    A window over midnight is kept but never in force: nobody has shown a device that runs one.
    Where windows overlap, which is undefined, the one written last counts.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._windows: dict[WindowKey, LightWindow] = {}

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self._windows)

    def write(self, parameters: bytes) -> bool:
        """Add, replace or delete a window; False when the parameters are no window.

        Deleting needs all eight levels 255; without such a key in memory it changes nothing.
        """
        if len(parameters) != 6 + LEVELS:
            return False
        start_hour, start_minute, end_hour, end_minute, ramp, mask = parameters[:6]
        levels = parameters[6:]
        times_are_right = (
            max(start_hour, end_hour) < 24 and max(start_minute, end_minute) < 60
        )
        levels_are_right = all(
            level <= LEVEL_END or level == UNUSED for level in levels
        )
        if not (times_are_right and levels_are_right and mask < 128):
            return False
        # The device stores a ramp of 0 as 1, so a host that sent 0 has to delete with 1.
        key = WindowKey(
            start_hour * 60 + start_minute,
            end_hour * 60 + end_minute,
            max(ramp, 1),
            mask,
        )
        if set(levels) == {UNUSED}:
            self._windows.pop(key._replace(ramp=ramp), None)
            return True
        self._windows.pop(key, None)
        self._windows[key] = LightWindow(key=key, ramp=ramp, levels=levels)
        return True

    def clear(self) -> None:
        """Delete all windows."""
        self._windows.clear()

    def levels(self, reading: float, channels: int) -> tuple[float, ...]:
        """Return the level of each channel at a clock reading; 0 outside of all windows."""
        minute = minute_of_day(reading)
        levels = (0.0,) * channels
        for window in self._of_day(weekday(reading)):
            if window.key.start <= minute < window.key.end:
                levels = tuple(
                    window.level(channel, minute) for channel in range(channels)
                )
        return levels

    def points(self, reading: float) -> list[tuple[int, int]]:
        """Return the corner points of the day's windows in the order they were written.

        A point that two touching windows share is there once.
        """
        points = (
            point
            for window in self._of_day(weekday(reading))
            for point in window.points()
        )
        return list(dict.fromkeys(points))

    def as_json(self) -> list[dict[str, object]]:
        """Return the windows for a state description; times are minutes of the day."""
        return [
            {**window.key._asdict(), "levels": list(window.levels)}
            for window in self._windows.values()
        ]

    def _of_day(self, iso_weekday: int) -> list[LightWindow]:
        """Return the windows of a weekday."""
        return [
            window
            for window in self._windows.values()
            if runs_on(window.key.mask, iso_weekday)
        ]
