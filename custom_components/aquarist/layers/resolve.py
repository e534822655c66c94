"""Who owns a field at an instant, and what the field should be (law 4, RES-27, 29)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from ..frozen import frozen
from .claims import Claim, Layer
from .setting import Setting, merged


@frozen
class Resolution:
    """What a field should be and who says so; `owner` is None where the field rests."""

    setting: Setting
    owner: Claim | None


def owners(claims: Iterable[Claim], now: datetime) -> Sequence[Claim]:
    """Give the claims in force at an instant, the top one first."""
    return sorted(
        (claim for claim in claims if claim.in_force(now)),
        key=lambda claim: claim.precedence,
        reverse=True,
    )


def resolve(resting: Setting, claims: Iterable[Claim], now: datetime) -> Resolution:
    """Resolve a field at an instant.

    The top claim wins; a part that it does not name comes from the next claim below that
    names it, at last from `resting`. Only present values count: nothing captured when a
    claim began is replayed when it ends (RES-27, 28, 29).
    """
    in_force = owners(claims, now)
    setting = resting
    for claim in reversed(in_force):
        setting = merged(setting, claim.course.at(now))
    return Resolution(setting=setting, owner=in_force[0] if in_force else None)


def next_change(claims: Iterable[Claim], now: datetime) -> datetime | None:
    """Give the next instant at which the resolved value can alter; None when there is none.

    These are starts of claims to come, and ends and course changes of the claims in force,
    without those of a claim whose parts are all covered from above: uncovering it is an
    end or a change of the claim above.
    """
    known = tuple(claims)
    moments = [claim.started_at for claim in known if claim.is_to_come(now)]
    covered: set[str] = set()
    for claim in owners(known, now):
        parts = claim.course.at(now).keys()
        if parts <= covered:
            continue
        covered |= parts
        moments += [
            moment
            for moment in (claim.ends_at, claim.course.next_change(now))
            if moment is not None
        ]
    return min(moments, default=None)


def override_end(
    claims: Iterable[Claim],
    now: datetime,
    *,
    above: Layer = Layer.RESTING,
) -> datetime | None:
    """Give the instant at which an override by hand, made now, ends at the latest.

    That is the latest end of the claims in force below OVERRIDE (law 4, RES-54): an
    override inside a window ends with the window, one over a ramp with the ramp. Only the
    layers above `above` count. None when none of them ends.
    """
    ends = (
        claim.ends_at or claim.course.finishes
        for claim in owners(claims, now)
        if above < claim.layer < Layer.OVERRIDE
    )
    return max((end for end in ends if end is not None), default=None)
