"""The one clock: wall time, elapsed time, and waking at an instant (law 6).

Nothing else in Aquarist asks what time it is. Wall time decides when plans are due;
elapsed time, which no clock change can move, decides how long something has lasted.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
import time
from typing import Protocol, override
from uuid import uuid4

from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..frozen import frozen

type Cancel = Callable[[], None]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What the engine needs to know about time."""

    @property
    def boot(self) -> str:
        """Name the run of the machine in which elapsed readings can be compared."""

    def now(self) -> datetime:
        """Return the wall time, aware UTC."""

    def elapsed(self) -> float:
        """Return seconds that pass evenly, whatever the wall clock does."""

    def local_now(self) -> datetime:
        """Return the wall clock of the house, aware: what devices are set to."""

    def call_at(self, instant: datetime, action: Callable[[], None]) -> Cancel:
        """Call the action once, when the wall clock reaches the instant."""

    def call_later(self, seconds: float, action: Callable[[], None]) -> Cancel:
        """Call the action once, when that much elapsed time has passed."""


@frozen
class Anchor:
    """A moment in both times, so that a duration survives a restart (law 6)."""

    wall: datetime
    elapsed: float
    boot: str

    def seconds_since(self, clock: Clock) -> float:
        """Return how long ago the moment was.

        Within one run of the machine by elapsed time; after a restart of the machine by
        wall time, never below zero.
        """
        if self.boot == clock.boot:
            return max(clock.elapsed() - self.elapsed, 0.0)
        return max((clock.now() - self.wall).total_seconds(), 0.0)


def anchor(clock: Clock) -> Anchor:
    """Return the present moment in both times."""
    return Anchor(wall=clock.now(), elapsed=clock.elapsed(), boot=clock.boot)


def read_boot_id() -> str:
    """Return the identity of this run of the machine; blocking, a random one where unknown."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return uuid4().hex


class HomeAssistantClock(Clock):
    """The clock of a Home Assistant process."""

    def __init__(self, hass: HomeAssistant, boot: str) -> None:
        """Read time through Home Assistant, wake through its event helpers."""
        self._hass = hass
        self._boot = boot

    @property
    @override
    def boot(self) -> str:
        """Name the run of the machine in which elapsed readings can be compared."""
        return self._boot

    @override
    def now(self) -> datetime:
        """Return the wall time, aware UTC."""
        return dt_util.utcnow()

    @override
    def elapsed(self) -> float:
        """Return seconds that pass evenly, whatever the wall clock does."""
        return time.monotonic()

    @override
    def call_at(self, instant: datetime, action: Callable[[], None]) -> Cancel:
        """Call the action once, when the wall clock reaches the instant."""

        @callback
        def fire(_: datetime) -> None:
            action()

        job = HassJob(fire, "aquarist agenda", cancel_on_shutdown=True)
        return async_track_point_in_utc_time(self._hass, job, instant)

    @override
    def call_later(self, seconds: float, action: Callable[[], None]) -> Cancel:
        """Call the action once, when that much elapsed time has passed."""

        @callback
        def fire(_: datetime) -> None:
            action()

        job = HassJob(fire, "aquarist sweep", cancel_on_shutdown=True)
        return async_call_later(self._hass, seconds, job)

    @override
    def local_now(self) -> datetime:
        """Return the wall clock of the house, aware."""
        return dt_util.now()


def later(clock: Clock, seconds: float) -> datetime:
    """Return the instant that lies this many seconds ahead."""
    return clock.now() + timedelta(seconds=seconds)
