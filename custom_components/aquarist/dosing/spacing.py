"""Time between doses: incompatible additives wait, a head that just dosed refuses (law 5)."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from ..frozen import frozen
from ..limits.refusal import Refusal
from .ledger import Dose, DoseState

# A dose that lies further in the future than this is from a clock that was wrong.
CLOCK_SET_BACK = timedelta(hours=24)
_UNDER_WAY = frozenset({DoseState.INTENDED, DoseState.SENT})


@frozen
class Spacing:
    """Two additives that must not come within `seconds` of each other, whichever is first.

    Both may be the same additive: then it is the time between its doses at any head.
    """

    first: str
    second: str
    seconds: float


@frozen
class NotBefore:
    """The answer to a dose that is right, only too early: when to ask again, aware UTC."""

    at: datetime


def not_before(
    doses: Iterable[Dose],
    additive: str,
    spacings: Iterable[Spacing],
    now: datetime,
    ends: Callable[[Dose], datetime],
) -> NotBefore | None:
    """Return until when a dose of an additive must wait; None when it need not.

    `doses` are those of the aquarium, `ends` tells when the pump ends one. One that is
    under way counts as just now; so does one whose end is not sure until it must have ended.
    """
    apart = partners(additive, spacings)
    wait = [
        min(ends(dose), now) + seconds
        if dose.state not in _UNDER_WAY
        else now + seconds
        for dose in doses
        if (seconds := apart.get(dose.additive or "")) is not None
        and dose.counted
        and dose.at - now < CLOCK_SET_BACK
    ]
    latest = max(wait, default=now)
    return NotBefore(at=latest) if latest > now else None


def interval_refusal(
    doses: Iterable[Dose], seconds: float | None, now: datetime
) -> Refusal | None:
    """Refuse a dose that comes too soon after the last one of its head."""
    if seconds is None:
        return None
    interval = timedelta(seconds=seconds)
    close = [
        dose.at for dose in doses if dose.counted and abs(now - dose.at) < interval
    ]
    if not close:
        return None
    return Refusal(
        limit="minimum_interval",
        frees_at=max(close) + interval,
        details={"minutes": f"{seconds / 60:g}"},
    )


def partners(additive: str, spacings: Iterable[Spacing]) -> dict[str, timedelta]:
    """Return the additives that one must keep apart from, and the longest time for each."""
    apart: dict[str, timedelta] = {}
    for spacing in spacings:
        pair = (spacing.first, spacing.second)
        if additive not in pair:
            continue
        other = spacing.second if spacing.first == additive else spacing.first
        time = timedelta(seconds=spacing.seconds)
        apart[other] = max(time, apart.get(other, time))
    return apart
