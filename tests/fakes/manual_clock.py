"""A clock that stands still until a test moves it: wall and elapsed time apart."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import heapq
from itertools import count
from typing import override

from custom_components.aquarist.engine.clock import Cancel, Clock

START = datetime(2026, 3, 10, 12, tzinfo=UTC)


class ManualEngineClock(Clock):
    """Fires what is due only while a test moves it; counts how often it was asked."""

    def __init__(self, now: datetime = START, *, boot: str = "boot-1") -> None:
        """Stand still at an instant."""
        self._now = now
        self._elapsed = 1000.0
        self._boot = boot
        self._numbers = count()
        self._timers: list[tuple[datetime, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()

    @property
    @override
    def boot(self) -> str:
        """Name the run of the machine."""
        return self._boot

    @override
    def now(self) -> datetime:
        """Return the wall time."""
        return self._now

    @override
    def elapsed(self) -> float:
        """Return the elapsed time."""
        return self._elapsed

    @override
    def local_now(self) -> datetime:
        """Return the wall time: the house lies at Greenwich."""
        return self._now

    @override
    def call_at(self, instant: datetime, action: Callable[[], None]) -> Cancel:
        """Call the action when the clock is moved past the instant."""
        number = next(self._numbers)
        heapq.heappush(self._timers, (instant, number, action))
        return lambda: self._cancelled.add(number)

    def advance(self, seconds: float) -> None:
        """Let time pass evenly, firing what comes due on the way."""
        target = self._now + timedelta(seconds=seconds)
        while self._timers and self._timers[0][0] <= target:
            instant, number, action = heapq.heappop(self._timers)
            if number in self._cancelled:
                self._cancelled.discard(number)
                continue
            step = max((instant - self._now).total_seconds(), 0.0)
            self._now = max(instant, self._now)
            self._elapsed += step
            action()
        self._elapsed += (target - self._now).total_seconds()
        self._now = target

    def jump(self, seconds: float) -> None:
        """Set the wall clock, as a person or NTP does; elapsed time does not move."""
        self._now += timedelta(seconds=seconds)
