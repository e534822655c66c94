"""Weekday masks in the words of commands (R-C47)."""

from collections.abc import Iterable
from typing import Final

from .command_frame import Weekday, weekday_mask

EVERY_DAY: Final = "everyday"
DAY_NAMES: Final = {
    "monday": Weekday.MONDAY,
    "tuesday": Weekday.TUESDAY,
    "wednesday": Weekday.WEDNESDAY,
    "thursday": Weekday.THURSDAY,
    "friday": Weekday.FRIDAY,
    "saturday": Weekday.SATURDAY,
    "sunday": Weekday.SUNDAY,
}
_MASKS: Final = {**DAY_NAMES, EVERY_DAY: Weekday.EVERY_DAY}


def mask_of(names: Iterable[str]) -> Weekday:
    """Return the mask of valid names of days."""
    return weekday_mask(_MASKS[name] for name in names)


def names_of(mask: Weekday) -> list[str]:
    """Return the names of the days of a mask, `everyday` for all of them."""
    if mask == Weekday.EVERY_DAY:
        return [EVERY_DAY]
    return [name for name, day in DAY_NAMES.items() if mask & day]
