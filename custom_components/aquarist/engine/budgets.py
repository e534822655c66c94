"""The refusals of budgets and sizes, in the words of the gate (law 5)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ..dosing.budget import beside_programmes, budget_refusal
from ..dosing.ledger import Dose
from ..dosing.programme import Programme
from ..dosing.programme_limits import dose_refusal, spacing_refusal
from ..dosing.volume import millilitres
from ..limits.refusal import Refusal
from .state import AquariumLimits, HeadLimits

BUDGET = "budget_24h"
BUDGET_ADDITIVE = "budget_additive_24h"
BUDGET_AQUARIUM = "budget_aquarium_24h"


def within(
    doses: Iterable[Dose],
    daily: Mapping[tuple[int, int], int],
    volume: int,
    limit: int | None,
    now: datetime,
    *,
    word: str = BUDGET,
) -> Refusal | None:
    """Refuse what does not fit into a limit of 24 hours beside what programmes give."""
    if limit is None or not daily:
        return budget_refusal(doses, volume, limit, now, word=word)
    others, taken = beside_programmes(doses, daily, now)
    refusal = budget_refusal(others, volume, limit - taken, now, word=word)
    if refusal is None:
        return None
    shown = {"programme": f"{millilitres(taken):g}"}
    return with_details(replace(refusal, allowed=millilitres(limit)), shown)


def programme_refusal(
    programme: Programme,
    others: Sequence[tuple[str | None, Programme]],
    limits: HeadLimits,
    aquarium: AquariumLimits,
) -> Refusal | None:
    """Refuse a programme that does not keep to the limits of its head and aquarium.

    `others` are the programmes of the aquarium's other heads, with what they give.
    """
    alike = sum(one.volume for what, one in others if what == limits.additive)
    budgets = (
        (BUDGET, limits.budget, 0),
        (BUDGET_ADDITIVE, of_additive(aquarium, limits.additive), alike),
        (BUDGET_AQUARIUM, aquarium.budget, sum(one.volume for _, one in others)),
    )
    for word, limit, taken in budgets:
        if limit is not None and taken + programme.volume > limit:
            return Refusal(
                limit=word,
                asked=millilitres(programme.volume),
                allowed=millilitres(limit),
                left=millilitres(max(limit - taken, 0)),
                details=named(word, limits.additive),
            )
    return dose_refusal(
        programme, limits.maximum_volume, limits.minimum_interval
    ) or spacing_refusal(programme, limits.additive, others, aquarium.spacing)


def of_additive(limits: AquariumLimits, additive: str | None) -> int | None:
    """Return the budget of an additive in an aquarium."""
    return None if additive is None else limits.additive_budget.get(additive)


def named(word: str, additive: str | None) -> Mapping[str, str]:
    """Return which additive a limit is about."""
    if word != BUDGET_ADDITIVE or additive is None:
        return {}
    return {"additive": additive}


def too_large(limit: int | None, volume: int) -> Refusal | None:
    """Refuse a dose that is too large by itself."""
    if limit is None or volume <= limit:
        return None
    return Refusal(
        limit="maximum_volume", asked=millilitres(volume), allowed=millilitres(limit)
    )


def with_details(refusal: Refusal, details: Mapping[str, str | int]) -> Refusal:
    """Return a refusal with further facts."""
    return replace(refusal, details={**refusal.details, **details})
