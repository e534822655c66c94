"""How much may be dosed within 24 hours: by a head, of an additive, into an aquarium (law 5)."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import accumulate

from ..limits.refusal import Refusal
from .ledger import PROGRAMME, Dose
from .volume import millilitres

WINDOW = timedelta(hours=24)


def counted(doses: Iterable[Dose], now: datetime) -> int:
    """Give the µL that count at an instant: the doses of the last 24 hours.

    A dose exactly 24 hours old no longer counts. One that seems to lie in the future was
    given before the clock was set back; it counts too.
    """
    return sum(dose.counted for dose in _recent(doses, now))


def budget_refusal(
    doses: Iterable[Dose],
    volume: int,
    limit: int | None,
    now: datetime,
    *,
    word: str = "budget_24h",
) -> Refusal | None:
    """Refuse a dose that would exceed the limit of 24 hours; None when it may be given.

    `volume` and `limit` are µL, the volumes of the refusal mL. `frees_at` is the instant at
    which enough has rolled out of the 24 hours; None when the dose alone exceeds the limit.
    `word` names the limit: a head's, an additive's or an aquarium's.
    """
    if limit is None:
        return None
    recent = _recent(doses, now)
    used = sum(dose.counted for dose in recent)
    if used + volume <= limit:
        return None
    return Refusal(
        limit=word,
        asked=millilitres(volume),
        allowed=millilitres(limit),
        left=millilitres(max(0, limit - used)),
        frees_at=_frees_at(recent, used + volume - limit) if volume <= limit else None,
    )


def beside_programmes(
    doses: Iterable[Dose], daily: Mapping[tuple[int, int], int], now: datetime
) -> tuple[list[Dose], int]:
    """Return the doses that count one by one, and the µL that programmes take together.

    `daily` is by device and head what a pump gives by itself within the next 24 hours. What
    its programme gave in the last ones was as good as that: the larger of both counts.
    """
    by_themselves: dict[tuple[int, int], list[Dose]] = {head: [] for head in daily}
    others: list[Dose] = []
    for dose in doses:
        head = (dose.device, dose.head)
        own = by_themselves.get(head) if dose.source == PROGRAMME else None
        (others if own is None else own).append(dose)
    taken = sum(
        max(volume, counted(by_themselves[head], now)) for head, volume in daily.items()
    )
    return others, taken


def _recent(doses: Iterable[Dose], now: datetime) -> list[Dose]:
    """Give the doses that count at an instant."""
    return [dose for dose in doses if abs(now - dose.at) < WINDOW]


def _frees_at(recent: Iterable[Dose], excess: int) -> datetime:
    """Give the instant at which at least `excess` µL have rolled out."""
    ordered = sorted(recent, key=lambda dose: dose.at)
    rolled_out = accumulate(dose.counted for dose in ordered)
    return next(
        dose.at + WINDOW
        for dose, volume in zip(ordered, rolled_out, strict=True)
        if volume >= excess
    )
