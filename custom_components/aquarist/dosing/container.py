"""Containers: what is left, for how long it lasts, and whether that is little (design 2)."""

from datetime import datetime, timedelta

from ..frozen import frozen
from ..limits.refusal import Refusal
from .volume import millilitres

DAY = timedelta(days=1)


@frozen
class ContainerStatus:
    """A head's container now: µL, days (None when nothing is planned), and whether it is low."""

    capacity: int
    remaining: int
    days_left: float | None
    low: bool


@frozen
class Consumption:
    """What will be taken: doses ahead in their order up to `until`, and µL a day besides.

    After `until` the doses are taken to go on as they did before it.
    """

    doses: tuple[tuple[datetime, int], ...]
    until: datetime
    daily: float = 0.0


def days_left(remaining: int, consumption: Consumption, now: datetime) -> float | None:
    """Return for how many days a volume lasts; None when nothing is taken from it.

    That is until the first dose that it does not hold.
    """
    if remaining <= 0 and (consumption.doses or consumption.daily):
        return 0.0
    left = float(remaining)
    before = now
    for at, volume in consumption.doses:
        steady = consumption.daily * ((at - before) / DAY)
        if steady > left:
            return (before - now) / DAY + left / consumption.daily
        left -= steady
        if volume > left:
            return (at - now) / DAY
        left -= volume
        before = at
    span = (consumption.until - now) / DAY
    planned = sum(volume for _, volume in consumption.doses) / span if span > 0 else 0.0
    rate = planned + consumption.daily
    return (before - now) / DAY + left / rate if rate else None


def status(
    capacity: int,
    remaining: int,
    consumption: Consumption,
    low_days: int | None,
    now: datetime,
) -> ContainerStatus:
    """Return how a container stands; an empty one is low, and one that lasts for few days."""
    days = days_left(remaining, consumption, now)
    soon = low_days is not None and days is not None and days <= low_days
    return ContainerStatus(
        capacity=capacity,
        remaining=remaining,
        days_left=days,
        low=soon or remaining <= 0,
    )


def fit_refusal(remaining: int, volume: int) -> Refusal | None:
    """Refuse a dose that the container does not hold any more."""
    if volume <= remaining:
        return None
    return Refusal(
        limit="container_empty",
        asked=millilitres(volume),
        left=millilitres(max(remaining, 0)),
    )
