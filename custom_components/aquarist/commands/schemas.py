"""The schemas of the arguments of actions (R-C42 to R-C47, RES-46, 63 and 71)."""

from itertools import pairwise
from typing import Any, Final

import probatio as vol

from ..chihiros.custom_curve import MOST_POINTS
from ..chihiros.light_profile import MOST_PROGRAMS, ProfileMode
from ..curves.course import Shape
from ..schedules.validation import takes
from .arguments import (
    EVERY_DAY,
    clock,
    flag,
    minute_of,
    none_of,
    not_together,
    number,
    out_of_bounds,
    refused,
    several,
    text,
    volume,
    weekdays,
    whole,
    word,
)

MOST_HEADS: Final = 8
MOST_CHANNELS: Final = 4
MOST_SLOTS: Final = 8
MOST_DOSES: Final = 24
LONGEST_RAMP: Final = 24 * 60 * 60
LONGEST_HOLD: Final = 31 * LONGEST_RAMP
LONGEST_RELEASE: Final = 3600
LONGEST_LABEL: Final = 100
# What two bytes of tenths of a millilitre hold.
MOST_TENTHS: Final = 65_535
SMALLEST_DOSE: Final = 0.1
LARGEST_DOSE: Final = 999.9
SMALLEST_MEASURED: Final = 0.01
LARGEST_MEASURED: Final = 255.99
LONGEST_RUN: Final = 254
PROGRAMME_MODES: Final = ("single", "every_hour", "custom_periods", "timer")


LEVEL = number(0, 100)
PERCENT = whole(0, 100)
HEAD = {vol.Required("head_index"): whole(0, MOST_HEADS - 1)}
_VOLUME = {vol.Required("volume_tenths_ml"): whole(0, MOST_TENTHS)}
_TIME_OF_DAY = {
    vol.Required("hour"): whole(0, 23),
    vol.Required("minute"): whole(0, 59),
}
_DAYS = {vol.Optional("weekdays", default=lambda: [EVERY_DAY]): weekdays}
NOTHING = vol.Schema({})

_PERIODS = several(
    vol.Schema(
        {
            vol.Required("start"): clock,
            vol.Required("end"): clock,
            vol.Required("doses"): whole(1, MOST_DOSES),
        }
    ),
    1,
    MOST_DOSES,
)
_TIMERS = several(vol.Schema({vol.Required("time"): clock} | _VOLUME), 1, MOST_DOSES)


def _programme(mode: str, fields: dict[Any, Any]) -> vol.Schema:
    """Return the schema of a programme of one mode."""
    days = _DAYS | {vol.Optional("catch_up", default=False): flag}
    return vol.Schema({vol.Required("mode"): mode, **HEAD, **fields, **days})


@takes()
def _few_doses(programme: Any) -> Any:
    """Accept a programme whose periods have no more doses in all than a day may have."""
    doses = sum(period["doses"] for period in programme.get("periods", ()))
    if doses > MOST_DOSES:
        raise refused(out_of_bounds(doses, minimum=1, maximum=MOST_DOSES), "periods")
    return programme


@takes(oneOf=[{"required": ["brightness"]}, {"required": ["channels"]}])
def _consistent(setting: Any) -> Any:
    """Accept an auto setting whose arguments fit one another (R-C46)."""
    if "brightness" in setting and "channels" in setting:
        raise refused(not_together("brightness"), "channels")
    if "brightness" not in setting and "channels" not in setting:
        raise none_of("brightness", "channels")
    span = minute_of(setting["sunset"]) - minute_of(setting["sunrise"])
    if span < 0:
        allowed = f"{setting['sunrise']} … 23:59"
        raise refused(out_of_bounds(setting["sunset"], values=allowed), "sunset")
    if (ramp := setting["ramp_up_minutes"]) > span:
        raise refused(out_of_bounds(ramp, minimum=0, maximum=span), "ramp_up_minutes")
    return setting


@takes(oneOf=[{"required": ["seconds"]}, {"required": ["measured_ml"]}])
def _run_or_result(args: Any) -> Any:
    """Accept a calibration that either runs the pump or tells what it gave."""
    if "seconds" in args and "measured_ml" in args:
        raise refused(not_together("seconds"), "measured_ml")
    if "seconds" not in args and "measured_ml" not in args:
        raise none_of("seconds", "measured_ml")
    return args


@takes()
def _ascending(points: Any) -> Any:
    """Accept points each of which is later than the one before it."""
    for index, (before, point) in enumerate(pairwise(points), start=1):
        if minute_of(point["time"]) <= minute_of(before["time"]):
            error = out_of_bounds(point["time"], values=f"> {before['time']}")
            raise refused(error, str(index), "time")
    return points


_POINTS = several(
    vol.Schema({vol.Required("time"): clock, vol.Required("level"): PERCENT}),
    1,
    MOST_POINTS,
)
_CURVES = several(vol.Schema(vol.All(_POINTS, _ascending)), 1, MOST_CHANNELS)

DOSER_SCHEDULE = vol.Schema(
    vol.All(
        vol.Schema(
            {vol.Required("mode"): word(PROGRAMME_MODES)}, extra=vol.ALLOW_EXTRA
        ),
        vol.TaggedUnion(
            "mode",
            {
                "single": _programme("single", _VOLUME | _TIME_OF_DAY),
                "every_hour": _programme("every_hour", _VOLUME),
                "custom_periods": _programme(
                    "custom_periods", _VOLUME | {vol.Required("periods"): _PERIODS}
                ),
                "timer": _programme("timer", {vol.Required("timers"): _TIMERS}),
            },
        ),
        _few_doses,
    )
)
AUTO_SETTING = vol.Schema(
    vol.All(
        vol.Schema(
            {
                vol.Required("sunrise"): clock,
                vol.Required("sunset"): clock,
                vol.Optional("brightness"): PERCENT,
                vol.Optional("channels"): several(PERCENT, 1, MOST_CHANNELS),
                vol.Optional("ramp_up_minutes", default=0): whole(0, 24 * 60),
                vol.Optional("label"): text(LONGEST_LABEL),
            }
            | _DAYS
        ),
        _consistent,
    )
)
_PROFILES: Final[dict[ProfileMode, dict[Any, Any]]] = {
    ProfileMode.MANUAL: {vol.Required("levels"): several(LEVEL, 1, MOST_CHANNELS)},
    ProfileMode.CUSTOM: {vol.Required("channels"): _CURVES},
    ProfileMode.AUTO: {
        vol.Required("programs"): several(AUTO_SETTING, 0, MOST_PROGRAMS)
    },
}
CUSTOM_CURVE = vol.Schema({vol.Required("channels"): _CURVES})
LIGHT_PROFILE = vol.Schema(
    vol.All(
        vol.Schema({vol.Required("mode"): word(ProfileMode)}, extra=vol.ALLOW_EXTRA),
        vol.TaggedUnion(
            "mode",
            {
                mode.value: vol.Schema({vol.Required("mode"): mode.value, **fields})
                for mode, fields in _PROFILES.items()
            },
        ),
    )
)
CALIBRATION = vol.Schema(
    vol.All(
        vol.Schema(
            HEAD
            | {
                vol.Optional("seconds"): whole(1, LONGEST_RUN),
                vol.Optional("measured_ml"): number(
                    SMALLEST_MEASURED, LARGEST_MEASURED
                ),
            }
        ),
        _run_or_result,
    )
)
SCHEDULE = vol.Schema(
    HEAD
    | _VOLUME
    | _TIME_OF_DAY
    | _DAYS
    | {
        vol.Optional("confirm", default=False): flag,
        vol.Optional("wait_seconds", default=2.0): number(0.5, 10),
    }
)
BRIGHTNESS = vol.Schema(
    {
        vol.Required("brightness"): PERCENT,
        vol.Optional("color"): whole(0, MOST_SLOTS - 1),
    }
)
RAMP = vol.Schema(
    {
        vol.Optional("start_level"): vol.Maybe(LEVEL),
        vol.Required("end_level"): LEVEL,
        vol.Required("duration"): number(1, LONGEST_RAMP),
        vol.Optional("curve", default=Shape.LINEAR.value): word(Shape),
    }
)
DOSE = vol.Schema(
    HEAD | {vol.Required("volume_ml"): volume(SMALLEST_DOSE, LARGEST_DOSE)}
)
TO_LEVEL = vol.Schema({vol.Required("level"): LEVEL})
CHANNELS = vol.Schema({vol.Required("levels"): several(LEVEL, 1, MOST_CHANNELS)})
RELEASE = vol.Schema({vol.Optional("seconds"): whole(1, LONGEST_RELEASE)})
RUN = vol.Schema(HEAD | {vol.Required("seconds"): whole(1, LONGEST_RUN)})
ONE_HEAD = vol.Schema(HEAD)
