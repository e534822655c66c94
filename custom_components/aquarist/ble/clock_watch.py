"""When a device's own clock must be set again (protocol sections 3.1, 3.5 and 4.3)."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from ..chihiros.notifications import Snapshot

TOLERANCE_MINUTES = 2
# A snapshot may have been asked for just before the clock was set; one took 1.1 s to come.
SETTLE_SECONDS = 3.0
LOOK_EVERY = 60.0


class ClockWatch:
    """Compares what a device shows with local time, and notices when local time changes its offset."""

    def __init__(
        self, local_time: Callable[[], datetime], due: Callable[[], None]
    ) -> None:
        """``local_time`` gives the aware local wall-clock time; ``due`` is called when the clock must be set."""
        self._local_time = local_time
        self._due = due
        self._offset: timedelta | None = None
        self._set_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def wall_clock(self) -> datetime:
        """Return the naive local time that a device's clock should show now."""
        return self._local_time().replace(tzinfo=None)

    def was_set(self) -> None:
        """Take note that the device's clock has been set; from now on look for changes of the offset."""
        loop = asyncio.get_running_loop()
        self._offset = self._local_time().utcoffset()
        self._set_at = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(LOOK_EVERY, self._look)

    def shown(self, snapshot: Snapshot) -> None:
        """Judge the clock that a device shows; one that makes no sense is as wrong as one that is off."""
        if asyncio.get_running_loop().time() - self._set_at < SETTLE_SECONDS:
            return
        drift = snapshot.drift_minutes(self.wall_clock())
        if drift is None or abs(drift) > TOLERANCE_MINUTES:
            self._due()

    def close(self) -> None:
        """Look no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Ask for the clock to be set when daylight saving time has begun or ended since it was."""
        self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)
        if self._local_time().utcoffset() != self._offset:
            self._due()
