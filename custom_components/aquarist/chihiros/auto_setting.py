"""What a light does by itself: the windows of its memory, as people write them. Pure.

Protocol section 3.3, R-C46 and R-C47. Times are the light's own clock: local wall time.
"""

from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any, Final

from ..frozen import frozen
from .command_frame import CommandFrame, Weekday
from .lights import add_schedule
from .weekday_names import mask_of, names_of

MOST_SETTINGS: Final = 24
_DAY_MINUTES: Final = 24 * 60
_WEEK_MINUTES: Final = 7 * _DAY_MINUTES


@frozen
class AutoSetting:
    """From sunrise to sunset at levels 0 to 100 by channel, ramps inside of that span."""

    sunrise: time
    sunset: time
    levels: tuple[int, ...]
    ramp_minutes: int = 0
    weekdays: Weekday = Weekday.EVERY_DAY
    label: str | None = None

    @property
    def key(self) -> tuple[time, time, int, Weekday]:
        """Return what the light knows the setting by; 0 minutes of ramp are stored as 1."""
        return self.sunrise, self.sunset, max(1, self.ramp_minutes), self.weekdays

    @property
    def span(self) -> str:
        """Return the times as people write them."""
        return f"{self.sunrise:%H:%M} – {self.sunset:%H:%M}"

    @property
    def frame(self) -> CommandFrame:
        """Return the frame that writes the setting, or replaces the one with the same key."""
        return add_schedule(
            self.sunrise,
            self.sunset,
            self.levels,
            ramp_minutes=self.ramp_minutes,
            weekday_mask=self.weekdays,
        )

    def overlaps(self, other: AutoSetting) -> bool:
        """Return whether both hold at some instant of a week; touching is no overlap."""
        return any(
            (start - begins) % _WEEK_MINUTES < length
            or (begins - start) % _WEEK_MINUTES < span
            for start, span in self._spans()
            for begins, length in other._spans()
        )

    def could_show(self, at: tuple[int, int], level: int) -> bool:
        """Return whether a snapshot's point may belong to this setting (protocol 3.5).

        Which channel's level is shown is not known, only that it is 0 or one of them.
        """
        start = _minute(self.sunrise)
        end = start + self._length
        ramp = max(1, self.ramp_minutes)
        corners = {start, start + ramp, end - ramp, end}
        shown = at[0] * 60 + at[1]
        in_time = any((corner - shown) % _DAY_MINUTES == 0 for corner in corners)
        return in_time and level in {0, *self.levels}

    def as_json(self) -> dict[str, Any]:
        """Write the setting as arguments of `add_auto_setting`."""
        written: dict[str, Any] = {
            "sunrise": self.sunrise.isoformat("minutes"),
            "sunset": self.sunset.isoformat("minutes"),
            "channels": list(self.levels),
            "ramp_up_minutes": self.ramp_minutes,
            "weekdays": names_of(self.weekdays),
        }
        return written if self.label is None else written | {"label": self.label}

    @property
    def _length(self) -> int:
        """Return the minutes from sunrise to sunset, over midnight when need be."""
        return (_minute(self.sunset) - _minute(self.sunrise)) % _DAY_MINUTES

    def _spans(self) -> list[tuple[int, int]]:
        """Return start and length in minutes, counted from Monday, of each day it runs on."""
        start = _minute(self.sunrise)
        return [
            ((day - 1) * _DAY_MINUTES + start, self._length)
            for day in range(1, 8)
            if self.weekdays & Weekday.from_iso(day)
        ]


def auto_setting_from(args: Mapping[str, Any], channels: int) -> AutoSetting:
    """Return the setting of valid arguments of `add_auto_setting` (R-C46).

    `brightness` is meant for all channels.
    """
    levels = args.get("channels")
    return AutoSetting(
        sunrise=time.fromisoformat(args["sunrise"]),
        sunset=time.fromisoformat(args["sunset"]),
        levels=(args["brightness"],) * channels if levels is None else tuple(levels),
        ramp_minutes=args["ramp_up_minutes"],
        weekdays=mask_of(args["weekdays"]),
        label=args.get("label"),
    )


def first_overlap(
    settings: Iterable[AutoSetting], new: AutoSetting
) -> AutoSetting | None:
    """Return a setting that a new one overlaps; one with the same key is replaced by it."""
    return next(
        (one for one in settings if one.key != new.key and one.overlaps(new)), None
    )


def with_setting(
    settings: Iterable[AutoSetting], new: AutoSetting
) -> tuple[AutoSetting, ...]:
    """Return the settings with a new one at the end; one with the same key is replaced."""
    return (*(one for one in settings if one.key != new.key), new)


def _minute(at: time) -> int:
    """Return the minute of the day."""
    return at.hour * 60 + at.minute
