"""A device clock on the event loop that can be stopped at the end of a test."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import override

from custom_components.aquarist.simulator.clock import Cancel, LoopClock


class TrackedClock(LoopClock):
    """Remembers what devices have planned: Home Assistant's tests leave no timer behind."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        """Take the loop whose time counts."""
        super().__init__(loop)
        self._planned: list[Cancel] = []

    @override
    def call_at(self, when: float, action: Callable[[], None]) -> Cancel:
        """Let the loop call the action."""
        cancel = super().call_at(when, action)
        self._planned.append(cancel)
        return cancel

    def stop(self) -> None:
        """Call off everything."""
        for cancel in self._planned:
            cancel()
