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
        self._at: list[tuple[datetime, int, Callable[[], None]]] = []
        self._later: list[tuple[float, int, Callable[[], None]]] = []
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
        heapq.heappush(self._at, (instant, number, action))
        return lambda: self._cancelled.add(number)

    @override
    def call_later(self, seconds: float, action: Callable[[], None]) -> Cancel:
        """Call the action when the clock was moved on by so many seconds."""
        number = next(self._numbers)
        heapq.heappush(self._later, (self._elapsed + seconds, number, action))
        return lambda: self._cancelled.add(number)

    def advance(self, seconds: float) -> None:
        """Let time pass evenly, firing what comes due on the way."""
        target = self._elapsed + seconds
        while (due := self._next(target - self._elapsed)) is not None:
            ahead, action = due
            self._move(ahead)
            action()
        self._move(target - self._elapsed)

    def _next(self, within: float) -> tuple[float, Callable[[], None]] | None:
        """Take out what is due next within so many seconds."""
        while self._at and self._at[0][1] in self._cancelled:
            self._cancelled.discard(heapq.heappop(self._at)[1])
        while self._later and self._later[0][1] in self._cancelled:
            self._cancelled.discard(heapq.heappop(self._later)[1])
        wall = (self._at[0][0] - self._now).total_seconds() if self._at else None
        even = self._later[0][0] - self._elapsed if self._later else None
        if wall is not None and wall <= within and (even is None or wall <= even):
            return max(wall, 0.0), heapq.heappop(self._at)[2]
        if even is not None and even <= within:
            return max(even, 0.0), heapq.heappop(self._later)[2]
        return None

    def _move(self, seconds: float) -> None:
        """Move both times on."""
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock, as a person or NTP does; elapsed time does not move."""
        self._now += timedelta(seconds=seconds)
