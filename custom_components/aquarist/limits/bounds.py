"""Lowest and highest value of a level."""

from math import isfinite

from ..frozen import frozen


@frozen
class Bounds:
    """The range of a level while it is on, both ends included; None leaves an end open.

    Raises ValueError, naming the field, when the minimum lies above the maximum.
    """

    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        """Refuse a range without any value in it."""
        if self.minimum is None or self.maximum is None:
            return
        if self.minimum > self.maximum:
            raise ValueError("minimum: it lies above the maximum")


def bounded(value: float, bounds: Bounds) -> float:
    """Bring a level into its bounds. Zero is off, not a level: it always stays zero.

    Raises ValueError for a value that is not finite.
    """
    if not isfinite(value):
        raise ValueError("value: a level is a finite number")
    if value == 0:
        return value
    if bounds.minimum is not None:
        value = max(value, bounds.minimum)
    if bounds.maximum is not None:
        value = min(value, bounds.maximum)
    return value
