"""What is due when: one timer, and a sweep that catches jumps of the clock (law 6).

The timer follows the wall clock; the sweep comes round by elapsed time, so that a clock
which is set back holds nothing up.

Only the kind and the key of a thing are kept. What it is and whether it may still act is
looked up by its handler when it is due (law 7).
"""

from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
import heapq
from itertools import count
import logging

from .clock import Cancel, Clock

_LOGGER = logging.getLogger(__name__)

SWEEP = timedelta(seconds=30)
# Instants are whole microseconds: what is due within one is due now.
RESOLUTION = 1e-6
_NEVER = datetime.max.replace(tzinfo=UTC)

type Handler = Callable[[Hashable, datetime], None]
type _Entry = tuple[float, int, str, Hashable]


class Agenda:
    """The due instants of everything that waits for one."""

    def __init__(self, clock: Clock, *, sweep: timedelta = SWEEP) -> None:
        """Start empty; nothing fires before `start`."""
        self._clock = clock
        self._sweep = sweep
        self._handlers: dict[str, Handler] = {}
        self._every_sweep: list[Callable[[], None]] = []
        self._wall: list[_Entry] = []
        self._elapsed: list[_Entry] = []
        self._valid: dict[tuple[str, Hashable], int] = {}
        self._numbers = count(1)
        self._cancel: Cancel = _nothing
        self._cancel_sweep: Cancel = _nothing
        self._armed_for: datetime | None = None
        self._running = False
        self.last_check: datetime | None = None

    def on(self, kind: str, handler: Handler) -> None:
        """Give the function that is called with the key when something of this kind is due."""
        self._handlers[kind] = handler

    def on_sweep(self, action: Callable[[], None]) -> None:
        """Call the action at each sweep."""
        self._every_sweep.append(action)

    def set_sweep(self, sweep: timedelta) -> None:
        """Let the sweep come round as often as this from now on."""
        if sweep == self._sweep:
            return
        self._sweep = sweep
        if self._running:
            self._cancel_sweep()
            self._sweep_later()

    def put(self, kind: str, key: Hashable, at: datetime) -> None:
        """Note when something is due by the wall clock; replaces what was noted for it."""
        self._note(self._wall, at.timestamp(), kind, key)
        if self._armed_for is not None and at < self._armed_for:
            self._arm()

    def put_elapsed(self, kind: str, key: Hashable, seconds: float) -> None:
        """Note that something is due when so many seconds have passed, by elapsed time."""
        self._note(self._elapsed, self._clock.elapsed() + seconds, kind, key)
        if (
            self._armed_for is not None
            and self._clock.now() + timedelta(seconds=seconds) < self._armed_for
        ):
            self._arm()

    def remove(self, kind: str, key: Hashable) -> None:
        """Forget what was noted."""
        self._valid.pop((kind, key), None)

    def next_due(self) -> datetime | None:
        """Return the earliest instant noted, None when nothing waits."""
        dues = []
        if entry := self._first(self._wall):
            dues.append(datetime.fromtimestamp(entry[0], tz=self._clock.now().tzinfo))
        if entry := self._first(self._elapsed):
            ahead = entry[0] - self._clock.elapsed()
            dues.append(self._clock.now() + timedelta(seconds=ahead))
        return min(dues, default=None)

    def start(self) -> None:
        """Begin to fire."""
        self._running = True
        self._sweep_later()
        self._check()

    def stop(self) -> None:
        """Fire nothing any more; what is noted stays noted."""
        self._running = False
        self._cancel_sweep()
        self._disarm()

    def _note(self, heap: list[_Entry], at: float, kind: str, key: Hashable) -> None:
        """Push an entry and make it the only valid one of its thing."""
        number = next(self._numbers)
        self._valid[kind, key] = number
        heapq.heappush(heap, (at, number, kind, key))

    def _first(self, heap: list[_Entry]) -> _Entry | None:
        """Return the earliest entry that has not been replaced or removed."""
        while heap and self._valid.get((heap[0][2], heap[0][3])) != heap[0][1]:
            heapq.heappop(heap)
        return heap[0] if heap else None

    def _due(self, heap: list[_Entry], reading: float) -> list[_Entry]:
        """Take out all entries that are due at a reading of their clock."""
        due = []
        while (entry := self._first(heap)) and entry[0] <= reading + RESOLUTION:
            heapq.heappop(heap)
            del self._valid[entry[2], entry[3]]
            due.append(entry)
        return due

    def _check(self) -> None:
        """Hand what is due to its handlers, in the order of their instants."""
        self._disarm()
        now = self._clock.now()
        self.last_check = now
        due = self._due(self._wall, now.timestamp())
        due += self._due(self._elapsed, self._clock.elapsed())
        for _, _, kind, key in due:
            _guarded(self._handlers[kind], key, now)
        self._arm()

    def _sweep_later(self) -> None:
        """Have the sweep come round once more."""
        seconds = self._sweep.total_seconds()
        self._cancel_sweep = self._clock.call_later(seconds, self._swept)

    def _swept(self) -> None:
        """Look at everything, whatever the timer waits for."""
        self._sweep_later()
        for action in self._every_sweep:
            _guarded(action)
        self._check()

    def _arm(self) -> None:
        """Wait for the next due instant."""
        if not self._running:
            return
        self._disarm()
        due = self.next_due()
        self._armed_for = due or _NEVER
        if due is not None:
            self._cancel = self._clock.call_at(due, self._check)

    def _disarm(self) -> None:
        """Wait for nothing."""
        self._cancel()
        self._cancel = _nothing
        self._armed_for = None


def _guarded[**P](action: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call an action; an error that nobody foresaw ends that one alone."""
    try:
        action(*args, **kwargs)
    except Exception:
        _LOGGER.exception("What was due met an unexpected error")


def _nothing() -> None:
    """Stand in for the cancelling of a timer that is not there."""
