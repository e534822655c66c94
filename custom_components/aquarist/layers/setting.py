"""The value of a field: one or several named parts."""

from collections.abc import Mapping
from typing import TypeGuard

type Scalar = bool | int | float | str
type Setting = Mapping[str, Scalar]


def merged(below: Setting, above: Setting) -> Setting:
    """Lay one setting over another: the parts of `above` win, the rest shows through."""
    return {**below, **above}


def same(left: Setting, right: Setting, *, tolerance: float = 0.5) -> bool:
    """Tell whether two settings agree on the parts that both name.

    Numbers agree when they differ by at most `tolerance`, in the unit of the field;
    everything else agrees when it is equal. A bool is not a number: `True` and 1 differ.
    Settings without a common part agree.
    """
    for part, value in left.items():
        if part in right and not _agree(value, right[part], tolerance):
            return False
    return True


def is_number(value: Scalar) -> TypeGuard[int | float]:
    """Tell whether a value is a quantity that can move, which a bool is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _agree(left: Scalar, right: Scalar, tolerance: float) -> bool:
    """Compare two values of one part."""
    if is_number(left) and is_number(right):
        return abs(left - right) <= tolerance
    return type(left) is type(right) and left == right
