"""What a wait waits for: a bound, or a value, of one field."""

from collections.abc import Mapping
from typing import Any

from ..frozen import frozen

type Value = bool | float | str


@frozen
class Condition:
    """A field's value must lie above and below the bounds, or be equal to the value.

    Bounds are not part of what they bound; None stands for one that is not given.
    """

    above: float | None = None
    below: float | None = None
    equals: Value | None = None

    def holds(self, value: object) -> bool:
        """Return whether a value meets the condition; one that is not known never does."""
        if self.equals is not None:
            # True is 1 to Python, but not to a keeper.
            alike = isinstance(value, bool) == isinstance(self.equals, bool)
            return alike and value == self.equals
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.above is None or value > self.above) and (
            self.below is None or value < self.below
        )

    def as_json(self) -> Mapping[str, Any]:
        """Return what is given, as JSON values."""
        given = {"above": self.above, "below": self.below, "equals": self.equals}
        return {name: value for name, value in given.items() if value is not None}
