"""Whether a device shows what was written into it, as far as it shows anything.

A pump shows mode, first times and whole millilitres of four heads; a light up to eight
points with one level each (protocol 3.5 and 4.3). What is not shown is not judged.
"""

from datetime import time

from ..chihiros.command_frame import Weekday
from ..devices.device import HeadMemory, LightPoint
from ..dosing.programme import Programme
from .memory_content import AUTO, AutoSettings, Drift, head_slot


def head_drift(head: int, written: Programme | None, shown: HeadMemory) -> Drift | None:
    """Return how a head's memory differs from what was written into it.

    A programme that Aquarist did not write counts when it gives something: the vendor's
    app wrote it, and the pump doses by it.
    """
    if written is None:
        same = shown.mode is None or not (
            shown.target_ml or any(map(_minutes, shown.times))
        )
    else:
        same = written.shown(shown.mode, shown.times, shown.target_ml)
    if same:
        return None
    return Drift(
        slot=head_slot(head),
        written=None if written is None else written.as_json(),
        shown={
            "mode": None if shown.mode is None else shown.mode.value,
            "times": [at.isoformat("minutes") for at in shown.times],
            "target_ml": shown.target_ml,
        },
    )


def _minutes(at: time) -> int:
    """Return the minutes since midnight; an entry that was never written shows none."""
    return at.hour * 60 + at.minute


def light_drift(
    written: AutoSettings, points: tuple[LightPoint, ...], *, follows: bool
) -> Drift | None:
    """Return how a light's memory differs from what was written into it.

    Nothing written is no drift: a lamp that Aquarist drives does not follow its memory.
    One that shows nothing has lost it only if it follows a window every day.
    """
    daily = any(one.weekdays == Weekday.EVERY_DAY for one in written.settings)
    lost = not points and daily and follows
    strange = any(
        not any(
            setting.could_show((point.hour, point.minute), point.level)
            for setting in written.settings
        )
        for point in points
    )
    if not written.settings or not (lost or strange):
        return None
    return Drift(
        slot=AUTO,
        written=written.as_json(),
        shown={
            "points": [
                {"at": f"{point.hour:02d}:{point.minute:02d}", "level": point.level}
                for point in points
            ]
        },
    )
