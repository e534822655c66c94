"""What a programme in a pump's memory must keep to besides the budgets of a day (law 5).

No gate sees its doses later: the largest dose, the time between two doses of the head and
the time between additives are checked when it is written. Pure.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

from ..chihiros.command_frame import Weekday
from ..limits.refusal import Refusal
from .programme import DAY_MINUTES, Programme
from .spacing import Spacing, partners
from .volume import millilitres

_WEEK_DAYS = 7
_WEEK = _WEEK_DAYS * DAY_MINUTES


def dose_refusal(
    programme: Programme,
    maximum_volume: int | None,
    minimum_interval: float | None,
) -> Refusal | None:
    """Refuse a programme with a dose that is too large, or with doses too close together.

    The volume is µL, the interval seconds; None is no limit.
    """
    largest = max((volume for _, volume in programme.doses()), default=0)
    if maximum_volume is not None and largest > maximum_volume:
        return Refusal(
            limit="maximum_volume",
            asked=millilitres(largest),
            allowed=millilitres(maximum_volume),
        )
    moments = _week(programme)
    following = [*moments[1:], *(moment + _WEEK for moment in moments[:1])]
    closest = min(
        (after - before for before, after in zip(moments, following, strict=True)),
        default=_WEEK,
    )
    if minimum_interval is not None and closest * 60 < minimum_interval:
        return Refusal(
            limit="programme_interval",
            details={"minutes": f"{minimum_interval / 60:g}"},
        )
    return None


def spacing_refusal(
    programme: Programme,
    additive: str | None,
    others: Iterable[tuple[str | None, Programme]],
    spacings: Sequence[Spacing],
) -> Refusal | None:
    """Refuse a programme whose doses come too close to those of another in the aquarium.

    `others` are the additives and programmes of the other heads.
    """
    if additive is None:
        return None
    apart = partners(additive, spacings)
    moments = _week(programme)
    for other, theirs in others:
        name = other or ""
        needed = apart.get(name)
        if needed is not None and _closest(moments, _week(theirs)) < needed:
            return Refusal(
                limit="programme_spacing",
                details={
                    "additive": additive,
                    "other": name,
                    "minutes": f"{needed.total_seconds() / 60:g}",
                },
            )
    return None


def _week(programme: Programme) -> list[int]:
    """Return the minutes of the week at which a programme doses, in order."""
    return sorted(
        (day * DAY_MINUTES + minute) % _WEEK
        for day in range(_WEEK_DAYS)
        if programme.weekdays & Weekday.from_iso(day + 1)
        for minute, volume in programme.doses()
        if volume
    )


def _closest(ours: Sequence[int], theirs: Sequence[int]) -> timedelta:
    """Return how close a dose of the one comes to one of the other, round the week."""
    marked = sorted(
        (moment + turn * _WEEK, whose)
        for turn in range(2)
        for whose, moments in enumerate((ours, theirs))
        for moment in moments
    )
    found = (
        after - before
        for (before, first), (after, second) in pairwise(marked)
        if first != second
    )
    return timedelta(minutes=min(found, default=_WEEK))
