"""Sees to it that a dosing switch is never on for longer than it may, whoever switched it on."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from ..frozen import frozen
from .backing_entity import BackingEntity
from .fields import LEVEL
from .level import FULL
from .on_time import OnTime
from .switch_off import SwitchOff

_ON = {LEVEL: FULL}
_ALWAYS = float("inf")
# A call that was given up may still arrive.
LATE = 60.0


@frozen
class CutOff:
    """A dose or run of so many ``seconds`` that was begun, and whose end nobody saw.

    ``counted`` tells whether these seconds are accounted for already.
    ``since`` is a reading of the elapsed clock, ``at`` the same moment in aware UTC.
    """

    since: float
    seconds: float
    at: datetime
    counted: bool


class SwitchWatch:
    """Looks at the switch while no dose is under way, and tells ``ran`` for how long it was on.

    On by hand it may be for its longest time (elapsed, law 6). What is on when it is first
    seen, at a start or after it was away, is nobody's hand: it goes off at once.
    """

    def __init__(
        self,
        entity: BackingEntity,
        off: SwitchOff,
        *,
        maximum_on: float,
        automatic_off: float | None,
        ran: Callable[[float, datetime], None],
    ) -> None:
        """Look for the first time when `look` is called."""
        self._entity = entity
        self._off = off
        self._maximum_on = maximum_on
        self._automatic_off = automatic_off
        self._ran = ran
        self._on: OnTime | None = None
        self._at: datetime | None = None
        self._found = False
        self._limit: asyncio.TimerHandle | None = None
        self._distrusts_until = _ALWAYS
        self._cut: CutOff | None = None

    def look(self) -> None:
        """Take note of what the switch shows now."""
        now = asyncio.get_running_loop().time()
        if self._entity.reading is None:
            self._distrusts_until = _ALWAYS
            if self._on is not None:
                self._on.lost(now)
        elif self._entity.shows(_ON):
            self._is_on(now)
        else:
            self._is_off(now)

    def distrust(self) -> None:
        """Take what comes on in the next minute for a call of ours that arrives late."""
        self._distrusts_until = max(
            self._distrusts_until, asyncio.get_running_loop().time() + LATE
        )

    @property
    def follows(self) -> bool:
        """Return whether a time on is not told yet."""
        return self._on is not None or self._cut is not None

    def cut_off(
        self, seconds: float, at: datetime, seconds_ago: float, *, counted: bool
    ) -> None:
        """Know of a dose or run of so many seconds whose end nobody saw."""
        now = asyncio.get_running_loop().time()
        self._cut = CutOff(
            since=now - seconds_ago, seconds=seconds, at=at, counted=counted
        )

    def close(self) -> None:
        """Look no more."""
        if self._limit is not None:
            self._limit.cancel()

    def _is_on(self, now: float) -> None:
        """Let it be on for a while, or for no moment."""
        state = self._entity.state
        if self._on is None:
            self._on = OnTime(since=now, seen_since=now)
            self._at = state.last_changed if state is not None else None
            self._found = self._distrusts_until == _ALWAYS
            self._limit = asyncio.get_running_loop().call_later(
                self._maximum_on, self._off.start
            )
        self._on.seen()
        if self._cut is not None:
            self._on.since = min(self._on.since, self._cut.since)
        if now < self._distrusts_until:
            self._off.start()

    def _is_off(self, now: float) -> None:
        """Tell for how long it was on, what was dosed meanwhile left out."""
        self.close()
        on, cut, at = self._on, self._cut, self._at
        self._on = self._cut = self._at = None
        if self._distrusts_until == _ALWAYS:
            self._distrusts_until = 0.0
        state = self._entity.state
        longest = self._automatic_off
        if on is None and cut is not None:
            # It may have been on for as long as its automatic off let it, or as was asked.
            on = OnTime(since=cut.since, seen_since=now, seen_until=now)
            longest = cut.seconds if longest is None else longest
        elif on is not None and self._found and at is not None and state is not None:
            # Home Assistant has seen it for longer than we have.
            wall = (state.last_changed - at).total_seconds()
            on.seen_since = min(on.seen_since, now - wall)
        if on is None or state is None:
            return
        counted = cut.seconds if cut is not None and cut.counted else 0.0
        seconds = on.seconds(now, longest) - counted
        if seconds > 0:
            self._ran(seconds, (cut.at if cut else at) or state.last_changed)
