"""The clock inside a device: a weekday and a time of day, no date and no zone.

The time frame `5A/09` sets it (protocol section 3.1), a power cut loses it. Readings are seconds
since the Monday midnight of an arbitrary week, so that days can be counted across a week's end.
"""

from collections.abc import Sequence

MINUTE = 60
HOUR = 3600
DAY = 86_400
WEEK = 7 * DAY


class DeviceClock:
    """Local wall-clock time as the device believes it."""

    def __init__(self, elapsed: float, *, rate: float = 1.0) -> None:
        """Start on Monday at 00:00, not set; `rate` is device seconds a true second."""
        self._anchor = elapsed
        self._reading = 0.0
        self._rate = rate
        self.is_set = False

    def read(self, elapsed: float) -> float:
        """Return the reading at an elapsed second."""
        return self._reading + (elapsed - self._anchor) * self._rate

    def elapsed_at(self, reading: float) -> float:
        """Return the elapsed second at which the clock will show a reading."""
        return self._anchor + (reading - self._reading) / self._rate

    def set(self, elapsed: float, parameters: Sequence[int]) -> bool:
        """Take [year, month, ISO weekday, hour, minute, second]; False when it is no such time.

        Of all weeks the one is taken in which the reading changes least: a clock that is set over
        midnight changes its day by one.
        """
        _, month, iso_weekday, hour, minute, second = parameters
        day_is_right = 1 <= month <= 12 and 1 <= iso_weekday <= 7
        if not (day_is_right and hour < 24 and minute < 60 and second < 60):
            return False
        now = self.read(elapsed)
        wanted = (iso_weekday - 1) * DAY + hour * HOUR + minute * MINUTE + second
        self._reading = wanted + WEEK * round((now - wanted) / WEEK)
        self._anchor = elapsed
        self.is_set = True
        return True

    def shift(self, elapsed: float, minutes: float) -> None:
        """Move the clock by minutes, as a wrong setting or a long drift does."""
        self._reading = self.read(elapsed) + minutes * MINUTE
        self._anchor = elapsed

    def lose(self, elapsed: float) -> None:
        """Start over on Monday at 00:00, not set."""
        self._reading = 0.0
        self._anchor = elapsed
        self.is_set = False


def weekday(reading: float) -> int:
    """Return the ISO weekday, 1 (Monday) to 7."""
    return int(reading // DAY) % 7 + 1


def minute_of_day(reading: float) -> float:
    """Return minutes since midnight, with their fraction."""
    return reading % DAY / MINUTE


def runs_on(mask: int, iso_weekday: int) -> bool:
    """Say whether a weekday mask (Monday 64 … Sunday 1, protocol section 3.3) has the weekday."""
    return bool(mask & (1 << (7 - iso_weekday)))
