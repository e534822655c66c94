"""How fast a level may move (R-B109)."""

from math import ceil, inf

from ..frozen import frozen

# A move is written in steps of one percent point, and at most once a second.
_STEP = 1.0
_SHORTEST_WAIT = 1.0
# Share of a percent point that arithmetic with floats may miss the target by.
_ROUNDING = 1e-9


@frozen
class Slew:
    """The greatest speed of a level, in percent points a second.

    Raises ValueError, naming the field, when the speed is not above zero and finite.
    """

    per_second: float

    def __post_init__(self) -> None:
        """Refuse a speed at which the target is never, or always, reached."""
        if not 0 < self.per_second < inf:
            raise ValueError("per_second: a speed must be above zero and finite")


def reached_in(seconds: float, level: float, target: float, slew: Slew) -> float:
    """Return the level to which steps that begin now have come when `seconds` are over.

    It is `target` when the time is enough; a step at the very end comes too late.
    """
    if abs(target - level) <= slew.per_second * seconds - _ROUNDING:
        return target
    wait = _longest_wait(slew)
    reach = slew.per_second * wait * max(ceil(seconds / wait) - 1, 0)
    return level + reach if target > level else level - reach


def slewed(
    last: float | None, target: float, elapsed: float, slew: Slew | None
) -> tuple[float, float | None]:
    """Give the level to write now and the seconds until the next step is due.

    `last` is the level `elapsed` seconds ago. The wait is None when the target is reached.
    Both ways are limited; whoever must be at the safe side at once does not ask here. An
    unknown `last` goes straight to the target, as does a level without a limit. Time in which
    nothing was written is not saved up: one call moves by one step at most, however long
    `elapsed` is, so that a level that has stood for hours does not jump. A negative `elapsed`
    moves nothing.
    """
    if last is None or slew is None:
        return target, None
    longest_wait = _longest_wait(slew)
    reach = slew.per_second * min(max(elapsed, 0.0), longest_wait)
    if abs(target - last) <= reach + _ROUNDING:
        return target, None
    value = last + reach if target > last else last - reach
    remaining = abs(target - value) / slew.per_second
    return value, min(remaining, longest_wait)


def _longest_wait(slew: Slew) -> float:
    """Return the seconds from one full step to the next."""
    return max(_STEP / slew.per_second, _SHORTEST_WAIT)
