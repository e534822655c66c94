"""What somebody sets a number entity to."""

from math import isfinite

from .devices.fields import wrong_type
from .errors import translated
from .schedules.errors import Expected


def finite(value: float) -> float:
    """Return the value. Raises a translated error for one that is none.

    Home Assistant takes "nan" for a number, and finds it neither below nor above a bound.
    """
    if not isfinite(value):
        raise translated(wrong_type("value", value, Expected.NUMBER))
    return value
