"""What became of open doses, told by the rise of a counter, if it tells (RES-52).

Doses of one head whose ends nobody saw are explained together. An explanation counts only
when it is the only one.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice, product

from .account import TOLERANCE
from .ledger import Dose, DoseState, advance
from .programme import Programme

# Beyond this many doses nobody tries all combinations; they are for the keeper.
MOST_TOGETHER = 10


def explanation(
    rise: int, volumes: Sequence[int], *, tolerance: int = TOLERANCE
) -> tuple[int, ...] | None:
    """Say how much of each volume was given; None when the rise does not tell.

    Ask only when the pump has had the time to deliver. Nothing is nothing of any, the sum
    is all of each; something of a single volume is a part of it. Otherwise each was given
    or was not, and exactly one choice must come within the `tolerance`. What the counter
    shows beyond the choice counts as given too. All in µL.
    """
    total = sum(volumes)
    if not volumes or not 0 <= rise <= total + tolerance:
        return None
    if rise == 0:
        return (0,) * len(volumes)
    if rise >= total - tolerance:
        return _with_rest(tuple(volumes), rise)
    if len(volumes) == 1:
        return (rise,)
    if len(volumes) > MOST_TOGETHER:
        return None
    found = [
        choice
        for choice in product(*((0, volume) for volume in volumes))
        if any(choice) and abs(rise - sum(choice)) <= tolerance
    ]
    return _with_rest(found[0], rise) if len(found) == 1 else None


def volumes_between(
    programme: Programme, since: datetime, until: datetime
) -> list[int]:
    """Return the µL of the doses that a programme gives after an instant and until another.

    Both are local wall time without a zone. More than can be explained are not counted.
    """
    doses = programme.doses_between(since, until)
    return [volume for _, volume in islice(doses, MOST_TOGETHER + 1)]


def parted(rest: int, ran: int, programmed: int) -> tuple[int, int]:
    """Split what a pump gave by itself into what its programme gave, and what it did not.

    `ran` is what a run of the head should have given meanwhile, `programmed` what the
    programme. What is too little to be seen goes with the other part. All in µL.
    """
    share = min(max(rest - ran, 0), programmed)
    if share <= TOLERANCE:
        return 0, rest
    if rest - share <= TOLERANCE:
        return rest, 0
    return share, rest - share


def settle(dose: Dose, given: int) -> Dose:
    """Bring an open dose to the end that fits what was given of it, in µL."""
    if given <= 0:
        return advance(dose, DoseState.NOT_GIVEN)
    if given < dose.volume:
        return advance(dose, DoseState.PARTLY, given=given)
    return advance(dose, DoseState.GIVEN, given=given)


def _with_rest(choice: tuple[int, ...], rise: int) -> tuple[int, ...]:
    """Add what the counter shows beyond a choice to the largest of what was given."""
    largest = choice.index(max(choice))
    rest = max(rise - sum(choice), 0)
    return (*choice[:largest], choice[largest] + rest, *choice[largest + 1 :])
