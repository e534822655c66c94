"""Times, days, volumes and temperatures of the wire as text."""

from typing import Final

from .command_frame import Weekday

_DAY_NAMES: Final = {
    Weekday.MONDAY: "Mon",
    Weekday.TUESDAY: "Tue",
    Weekday.WEDNESDAY: "Wed",
    Weekday.THURSDAY: "Thu",
    Weekday.FRIDAY: "Fri",
    Weekday.SATURDAY: "Sat",
    Weekday.SUNDAY: "Sun",
}


def clock_text(hour: int, minute: int) -> str:
    """Write a time of day as on the wire."""
    return f"{hour:02d}:{minute:02d}"


def volume_text(high: int, low: int) -> str:
    """Write a volume in millilitres."""
    return f"{(high << 8 | low) / 10:.1f} mL"


def days_text(mask: int) -> str:
    """Write a weekday mask."""
    if mask == Weekday.EVERY_DAY:
        return "every day"
    return " ".join(name for day, name in _DAY_NAMES.items() if mask & day) or "never"


def temperature_text(whole: int, hundredths: int) -> str:
    """Write a temperature."""
    return f"{whole + hundredths / 100:.2f} °C"
