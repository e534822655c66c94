"""Whether the first day of a programme has room beside what was given before (law 5). Pure.

From its second day on a programme is alone with itself; until then the doses of the last 24
hours still count when its own are due.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate

from .budget import WINDOW
from .programme import Programme
from .spacing import PROGRAMME_MARGIN

type Event = tuple[datetime, int]
"""An instant, and how many microlitres come then."""


class _Sums:
    """Volumes summed up over time."""

    def __init__(self, events: Iterable[Event]) -> None:
        """Put them in the order of time."""
        ordered = sorted(events)
        self.instants = [at for at, _ in ordered]
        self._sums = [0, *accumulate(volume for _, volume in ordered)]

    def between(self, after: datetime, until: datetime) -> int:
        """Return what came after an instant, until another."""
        first = bisect_right(self.instants, after)
        last = bisect_right(self.instants, until)
        return self._sums[max(first, last)] - self._sums[first]


def room_from(
    given: Iterable[Event],
    ahead: Sequence[Event],
    volume: int,
    limit: int,
    now: datetime,
) -> datetime:
    """Return from when a programme may be written so that no 24 hours hold more than a limit.

    `given` is what counts beside the programme, with what comes meanwhile, `ahead` what the
    programme gives in the next 48 hours, at most `volume` in 24 of them, which is no more
    than `limit`. The answer is `now` when it has room. Instants are aware UTC, volumes µL.
    """
    taken, coming = _Sums(given), _Sums(ahead)

    def fits(when: datetime) -> bool:
        """Return whether it has room when it is written at an instant."""
        return all(
            taken.between(due - WINDOW, when) + min(coming.between(when, due), volume)
            <= limit
            for due in coming.instants
            if when < due < when + WINDOW
        )

    moments = sorted(
        [at + WINDOW for at in taken.instants]
        + [due + PROGRAMME_MARGIN for due in coming.instants]
    )
    later = (when for when in moments if when > now)
    return next(when for when in (now, *later) if fits(when))


def latest(moments: Iterable[Event], volume: int) -> list[Event]:
    """Return the latest moments of a programme that make up a volume which it gave."""
    found: list[Event] = []
    for at, share in sorted(moments, reverse=True):
        if volume <= 0:
            break
        found.append((at, min(share, volume)))
        volume -= share
    return found


def moments_of(programme: Programme, since: datetime, until: datetime) -> list[Event]:
    """Return when a programme doses between two aware wall times, aware UTC."""
    doses = programme.doses_between(
        since.replace(tzinfo=None), until.replace(tzinfo=None)
    )
    return [
        (due.replace(tzinfo=since.tzinfo).astimezone(UTC), volume)
        for due, volume in doses
    ]
