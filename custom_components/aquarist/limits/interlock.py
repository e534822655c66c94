"""Interlocks: what may only be on while something else is proven (law 5).

"Skimmer off while the return pump is off" is a requirement without a reach: it holds while
it is seen. "Dose only if flow was proven within 5 minutes" has a reach of 300 seconds: it
still holds for that long after it was seen last. Times are readings of the elapsed clock.
"""

from ..frozen import frozen
from ..layers.setting import Scalar, is_number


@frozen
class Requirement:
    """What must be seen: a number above or below a limit, or one of some exact values.

    ``reach`` is for how many seconds after it was seen last it still counts. Raises
    ValueError, naming the field, for a requirement that asks nothing or too much, and for a
    negative reach.
    """

    above: float | None = None
    below: float | None = None
    values: frozenset[Scalar] = frozenset()
    reach: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what can never tell anything."""
        bounded = self.above is not None or self.below is not None
        if bounded == bool(self.values):
            raise ValueError("values: either bounds or exact values are needed")
        if (
            self.above is not None
            and self.below is not None
            and self.above >= self.below
        ):
            raise ValueError("above: no number lies above it and below the other limit")
        if self.reach < 0:
            raise ValueError("reach: it is not below zero")

    def met_by(self, value: Scalar | None) -> bool:
        """Return whether a value is what must be seen; an unknown one never is."""
        if value is None:
            return False
        if self.values:
            return any(type(value) is type(one) and value == one for one in self.values)
        if not is_number(value):
            return False
        return (self.above is None or value > self.above) and (
            self.below is None or value < self.below
        )


@frozen
class Proof:
    """Whether a requirement is seen to be met now, and when it was so last."""

    met: bool = False
    last_met: float | None = None


def noted(
    requirement: Requirement, proof: Proof, value: Scalar | None, at: float
) -> Proof:
    """Take in a value that was seen, None for an unknown one.

    What was met until now counts as seen until now.
    """
    met = requirement.met_by(value)
    return Proof(met=met, last_met=at if met or proof.met else proof.last_met)


def satisfied(requirement: Requirement, proof: Proof, now: float) -> bool:
    """Return whether what depends on the requirement may be on."""
    if proof.met:
        return True
    return proof.last_met is not None and now - proof.last_met < requirement.reach


def lapses_at(requirement: Requirement, proof: Proof) -> float | None:
    """Return when a requirement that is not seen any more stops to count, None otherwise."""
    if proof.met or proof.last_met is None or not requirement.reach:
        return None
    return proof.last_met + requirement.reach
