"""A day's course that a light runs by itself, point by point for each channel. Pure.

Protocol section 3.4. Times are the light's own clock: local wall time.
"""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any, Final

from ..frozen import frozen
from .command_frame import CommandFrame, ModeSwitch, mode
from .lights import CurveFamily, auto_point, reset_schedules

MOST_POINTS: Final = 24


@frozen
class CurvePoint:
    """From this time on towards the next point: a level of 0 to 100."""

    at: time
    level: int


@frozen
class CustomCurve:
    """The points of each channel, in the order of their times."""

    channels: tuple[tuple[CurvePoint, ...], ...]

    def frames(
        self, numbers: Sequence[int], family: CurveFamily
    ) -> tuple[CommandFrame, ...]:
        """Return what erases a light's memory, writes the curve and has the light run it.

        ``numbers`` are the channels on the wire.
        """
        points = [
            auto_point(number, _minute(point.at), point.level, family)
            for number, channel in zip(numbers, self.channels, strict=True)
            for point in channel
        ]
        return reset_schedules(), mode(ModeSwitch.CURVE_AUTO), *points

    def first_collision(
        self, family: CurveFamily
    ) -> tuple[int, int, CurvePoint] | None:
        """Return channel, place and point of the first that a light cannot tell from the last.

        Lights of the older families know half hours only.
        """
        for index, channel in enumerate(self.channels):
            frames = [auto_point(0, _minute(one.at), 0, family) for one in channel]
            for place in range(1, len(frames)):
                if frames[place] == frames[place - 1]:
                    return index, place, channel[place]
        return None

    def as_json(self) -> dict[str, Any]:
        """Write the curve as arguments of `set_custom_curve`."""
        return {
            "channels": [
                [
                    {"time": point.at.isoformat("minutes"), "level": point.level}
                    for point in channel
                ]
                for channel in self.channels
            ]
        }


def custom_curve_from(args: Mapping[str, Any]) -> CustomCurve:
    """Return the curve of valid arguments of `set_custom_curve`."""
    return CustomCurve(
        channels=tuple(
            tuple(
                CurvePoint(at=time.fromisoformat(point["time"]), level=point["level"])
                for point in channel
            )
            for channel in args["channels"]
        )
    )


def _minute(at: time) -> int:
    """Return the minute of the day."""
    return at.hour * 60 + at.minute
