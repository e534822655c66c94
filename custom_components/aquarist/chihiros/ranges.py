"""Strict refusal: the one error for arguments that the protocol cannot carry.

Knows nothing of frames; every builder checks its arguments through these functions.
"""

from datetime import time
from typing import override


class OutOfRange(ValueError):
    """An argument outside of what the protocol can carry.

    `field` names the argument, `value` is what was given, `minimum` and `maximum` are the
    inclusive bounds. A value of the wrong type (a bool or a float for a whole number, NaN,
    an aware time for a wall clock) is refused in the same way.
    """

    def __init__(
        self,
        field: str,
        value: object,
        minimum: object,
        maximum: object,
        remark: str = "",
    ) -> None:
        """Keep the field, the refused value and the bounds; `remark` adds a further rule."""
        super().__init__(field, value, minimum, maximum, remark)
        self.field = field
        self.value = value
        self.minimum = minimum
        self.maximum = maximum
        self.remark = remark

    @override
    def __str__(self) -> str:
        """Say which field was refused, what it may be and what was given."""
        rule = f" ({self.remark})" if self.remark else ""
        return f"{self.field} must be {self.minimum} to {self.maximum}{rule}, not {self.value!r}"


def check_whole(
    field: str, value: object, minimum: int, maximum: int, step: int = 1
) -> int:
    """Return the whole number, or raise OutOfRange when it is none or outside of the bounds."""
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or not minimum <= value <= maximum
        or (value - minimum) % step
    ):
        remark = "a whole number" if step == 1 else f"a whole number in steps of {step}"
        raise OutOfRange(field, value, minimum, maximum, remark)
    return int(value)


def check_flag(field: str, value: object) -> bool:
    """Return the truth value, or raise OutOfRange when it is not a bool."""
    if not isinstance(value, bool):
        raise OutOfRange(field, value, minimum=False, maximum=True)
    return value


def check_wall_clock(field: str, value: object) -> time:
    """Return the naive time of day, or raise OutOfRange when it is none or carries a zone."""
    if not isinstance(value, time) or value.tzinfo is not None:
        raise OutOfRange(
            field, value, time.min, time.max, "a wall clock time without zone"
        )
    return value
