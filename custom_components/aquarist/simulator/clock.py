"""The clocks of the simulated devices: elapsed seconds and actions that fall due.

A model never asks the machine for the time and never sleeps.
"""

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

type Cancel = Callable[[], None]


class SimulatorClock(Protocol):
    """What a device model needs to know about time."""

    def elapsed(self) -> float:
        """Return seconds on a clock that never goes back."""

    def call_at(self, when: float, action: Callable[[], None]) -> Cancel:
        """Call `action` once `elapsed()` has reached `when`; the returned function calls it off."""


class ManualClock:
    """A clock that stands still until it is told to advance."""

    def __init__(self) -> None:
        """Start at zero with nothing due."""
        self._now = 0.0
        self._order = count()
        self._due: list[tuple[float, int]] = []
        self._actions: dict[int, Callable[[], None]] = {}

    def elapsed(self) -> float:
        """Return the seconds advanced so far."""
        return self._now

    def call_at(self, when: float, action: Callable[[], None]) -> Cancel:
        """Keep `action` for `when`; one that lies in the past fires with the next advance."""
        ticket = next(self._order)
        self._actions[ticket] = action
        heappush(self._due, (when, ticket))

        def cancel() -> None:
            self._actions.pop(ticket, None)

        return cancel

    def advance(self, seconds: float) -> None:
        """Go forward and fire what falls due on the way, earliest first, each at its own time.

        Actions due at the same time fire in the order they were given, those given meanwhile too.
        Raises ValueError for negative seconds.
        """
        if seconds < 0:
            raise ValueError("seconds: a clock never goes back")
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            when, ticket = heappop(self._due)
            action = self._actions.pop(ticket, None)
            if action is not None:
                self._now = max(self._now, when)
                action()
        self._now = end


class LoopClock:
    """The clock of an asyncio event loop."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        """Take the loop whose time counts."""
        self._loop = loop
        self._waiting: set[TimerHandle] = set()

    def elapsed(self) -> float:
        """Return the loop's monotonic seconds."""
        return self._loop.time()

    def call_at(self, when: float, action: Callable[[], None]) -> Cancel:
        """Let the loop call `action` at its own time `when`."""

        def fire() -> None:
            """Call the action, which waits no longer."""
            self._waiting.discard(handle)
            action()

        def cancel() -> None:
            """Wait for nothing."""
            self._waiting.discard(handle)
            handle.cancel()

        handle = self._loop.call_at(when, fire)
        self._waiting.add(handle)
        return cancel

    def close(self) -> None:
        """Call nothing any more: the simulated devices end with their demo or test."""
        for handle in self._waiting:
            handle.cancel()
        self._waiting.clear()
