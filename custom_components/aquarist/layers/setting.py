"""The value of a field: one or several named parts."""

from collections.abc import Mapping
from typing import Final, TypeGuard

_NUMBERS: Final = (int, float)

type Scalar = bool | int | float | str
type Setting = Mapping[str, Scalar]

BESIDE: Final = "beside"
"""The part that holds what goes along with the others: it belongs to them alone (R-T60)."""


def merged(below: Setting, above: Setting) -> Setting:
    """Lay one setting over another: the parts of `above` win, the rest shows through.

    What goes along with `below` does not: it belongs to what is covered.
    """
    if not above:
        return below
    return {**plain(below), **above}


def plain(setting: Setting) -> Setting:
    """Return a setting without what goes along with it."""
    if BESIDE not in setting:
        return setting
    return {part: value for part, value in setting.items() if part != BESIDE}


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
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def _agree(left: Scalar, right: Scalar, tolerance: float) -> bool:
    """Compare two values of one part."""
    if is_number(left) and is_number(right):
        return abs(left - right) <= tolerance
    return type(left) is type(right) and left == right
