"""Time between doses: incompatible additives wait, a head that just dosed refuses (law 5)."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from ..frozen import frozen
from ..limits.refusal import Refusal
from .ledger import Dose, DoseState
from .programme import Programme

# A dose that lies further in the future than this is from a clock that was wrong.
CLOCK_SET_BACK = timedelta(hours=24)
# A pump gives a dose of its programme within the minute that it is due.
PROGRAMME_MARGIN = timedelta(minutes=1)
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


def apart_from_programmes(
    additive: str,
    programmes: Iterable[tuple[str | None, Programme]],
    spacings: Iterable[Spacing],
    local_now: datetime,
) -> NotBefore | None:
    """Return until when a dose must wait for those that pumps give by themselves.

    `programmes` are those of the aquarium with what they give, `local_now` is the aware wall
    time by which pumps go. What is due soon counts as what was due a short while ago.
    """
    apart = partners(additive, spacings)
    waits = [
        due + reach
        for other, programme in programmes
        if (needed := apart.get(other or "")) is not None
        and (reach := needed + PROGRAMME_MARGIN)
        and (due := _due_near(programme, reach, local_now)) is not None
    ]
    return NotBefore(at=max(waits)) if waits else None


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
    return _too_soon(max(close) + interval, seconds)


def interval_beside(
    programme: Programme | None, seconds: float | None, local_now: datetime
) -> Refusal | None:
    """Refuse a dose that comes too close to one that its head gives by a programme."""
    if programme is None or seconds is None:
        return None
    reach = timedelta(seconds=seconds) + PROGRAMME_MARGIN
    due = _due_near(programme, reach, local_now)
    return None if due is None else _too_soon(due + reach, seconds)


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


def _too_soon(frees_at: datetime, seconds: float) -> Refusal:
    """Return the refusal of a dose that is too close to another one of its head."""
    return Refusal(
        limit="minimum_interval",
        frees_at=frees_at,
        details={"minutes": f"{seconds / 60:g}"},
    )


def _due_near(
    programme: Programme, reach: timedelta, local_now: datetime
) -> datetime | None:
    """Return the last dose of a programme, aware UTC, that is near now, before or after."""
    found: datetime | None = None
    due = programme.next_dose(_wall(local_now, -reach))
    while due is not None and due[0] < _wall(local_now, reach):
        found = due[0]
        due = programme.next_dose(found)
    if found is None:
        return None
    return found.replace(tzinfo=local_now.tzinfo).astimezone(UTC)


def _wall(local_now: datetime, after: timedelta) -> datetime:
    """Return what the clocks of the house show at another instant, without a zone."""
    there = local_now.astimezone(UTC) + after
    return there.astimezone(local_now.tzinfo).replace(tzinfo=None)
