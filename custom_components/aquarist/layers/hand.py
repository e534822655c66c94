"""How long a change by hand wins over the plan: chosen per device (issue 4, RES-54). Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from ..frozen import frozen
from .claims import Claim, Layer
from .resolve import override_end

LONGEST_HOLD = timedelta(hours=24)
"""The committed latest end of an override that would not end by itself (law 4)."""


class HandRule(StrEnum):
    """What becomes of a change by hand while a plan holds the field."""

    UNTIL_NEXT_EVENT = "until_next_event"
    MINUTES = "minutes"
    UNTIL_RELEASED = "until_released"
    ENFORCE = "enforce"


@frozen
class HandPolicy:
    """A device's rule for changes by hand; `seconds` belongs to MINUTES alone.

    Raises ValueError, naming the field, when seconds are missing, not above zero, or of
    no use.
    """

    rule: HandRule = HandRule.UNTIL_NEXT_EVENT
    seconds: float | None = None

    def __post_init__(self) -> None:
        """Refuse a policy that does not say how long."""
        if self.rule is HandRule.MINUTES:
            if self.seconds is None or not self.seconds > 0:
                raise ValueError("seconds: how long a change by hand wins")
        elif self.seconds is not None:
            raise ValueError("seconds: only the rule minutes has them")


@frozen
class Lasting:
    """How an override ends: at an instant of the plan, or after `seconds` of elapsed time.

    Both None: when it is released. `next_event` tells that the next scheduled event on the
    field ends it, too.
    """

    ends_at: datetime | None = None
    seconds: float | None = None
    next_event: bool = False


def by_hand(
    policy: HandPolicy, claims: Iterable[Claim], now: datetime, *, holds_off: bool
) -> Lasting | None:
    """Give how long a change by hand wins; None where it does not (ENFORCE).

    Inside a window it ends with the window at the latest, whatever the rule (law 4).
    """
    if policy.rule is HandRule.ENFORCE:
        return None
    known = tuple(claims)
    lasting = lasts(policy.rule, known, now, policy.seconds, holds_off=holds_off)
    window = override_end(known, now, above=Layer.SCHEDULE)
    if window is None or _ends_before(lasting, window, now):
        return lasting
    # Nor earlier: what a schedule changes beneath the window is no event that shows.
    return Lasting(ends_at=window)


def lasts(
    rule: HandRule,
    claims: Iterable[Claim],
    now: datetime,
    seconds: float | None,
    *,
    holds_off: bool,
) -> Lasting:
    """Give how long an override lasts that was asked for by one of the rules.

    Until the next event: to the end of the plan beneath, without one for a day at most.
    Until released: without an end, unless it holds equipment off: then a day (law 4).
    """
    longest = LONGEST_HOLD.total_seconds()
    if rule is HandRule.MINUTES:
        return Lasting(seconds=seconds)
    if rule is HandRule.UNTIL_RELEASED:
        return Lasting(seconds=longest if holds_off else None)
    end = override_end(claims, now)
    return Lasting(
        ends_at=end, seconds=longest if end is None else None, next_event=True
    )


def _ends_before(lasting: Lasting, instant: datetime, now: datetime) -> bool:
    """Tell whether an override ends before an instant anyway."""
    if lasting.seconds is None:
        return False
    return now + timedelta(seconds=lasting.seconds) < instant
