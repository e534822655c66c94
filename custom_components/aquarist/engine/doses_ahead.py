"""The doses that schedules will give with a head, read once and for a while (design 2).

A schedule that doses very often has many moments: they are walked only when the plan of
the head is another one, or what was read begins to run out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..schedules.plan import Plan, between
from .gate import HeadKey

# How far ahead the plan is read, at most for so many doses of a schedule.
AHEAD = timedelta(days=28)
MOST_AHEAD = 2000
# The share of what was read that has to be ahead still.
_ENOUGH = 0.5
_LONGEST = timedelta(hours=1)

type _Part = tuple[Plan, int]
type Plans = Callable[[int, int], Iterable[_Part]]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read of the plan of a head: good until an instant."""

    parts: tuple[_Part, ...]
    doses: tuple[tuple[datetime, int], ...]
    until: datetime
    at: datetime

    def good(self, parts: tuple[_Part, ...], now: datetime) -> bool:
        """Return whether it still tells."""
        age = now - self.at
        span = (self.until - self.at) * _ENOUGH
        return parts == self.parts and timedelta(0) <= age <= min(span, _LONGEST)


class DosesAhead:
    """What the schedules will take from each head."""

    def __init__(self, plans: Plans) -> None:
        """Ask ``plans`` for those that dose with a head, with the microlitres of a dose."""
        self._plans = plans
        self._read: dict[HeadKey, _Reading] = {}

    def of_head(
        self, device: int, head: int, now: datetime
    ) -> tuple[tuple[tuple[datetime, int], ...], datetime]:
        """Return the doses of a head after now as (instant, microlitres), and until when."""
        parts = tuple(self._plans(device, head))
        known = self._read.get((device, head))
        if known is None or not known.good(parts, now):
            known = self._read[device, head] = _reading(parts, now)
        return tuple(dose for dose in known.doses if dose[0] > now), known.until


def _reading(parts: tuple[_Part, ...], now: datetime) -> _Reading:
    """Walk the moments of plans; one that has too many says how far all are read."""
    until = now + AHEAD
    doses: list[tuple[datetime, int]] = []
    for plan, volume in parts:
        moments = between(plan, now, until, MOST_AHEAD)
        if len(moments) == MOST_AHEAD:
            until = min(until, moments[-1].at)
        doses += [(moment.at, volume) for moment in moments]
    ahead = tuple(sorted(one for one in doses if one[0] <= until))
    return _Reading(parts=parts, doses=ahead, until=until, at=now)
