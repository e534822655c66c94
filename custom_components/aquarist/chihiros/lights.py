"""Commands of lights (protocol section 3), the fan inside of a Vivid III included.

What carries a number a keeper has chosen is verbatim, as in the vendor's app: in the legacy
profile a level of 90 would go out as 89 (protocol section 2.3).
"""

from collections.abc import Sequence
from datetime import time
from enum import StrEnum
from typing import Final

from .command_frame import MAX_CHANNEL, CommandFrame, ModeSwitch, check_mask, mode
from .frames import Group, Profile
from .ranges import OutOfRange, check_flag, check_wall_clock, check_whole

LEVEL_SLOTS: Final = 8
UNUSED: Final = 255
MAX_LEVEL: Final = 100
MAX_RAMP_MINUTES: Final = 150
MAX_CURVE_MINUTE: Final = 2880


class CurveFamily(StrEnum):
    """How a light takes the points of a custom curve (protocol section 3.4)."""

    SEA = "sea"
    BLE = "ble"
    NEWBLE = "newble"


def set_channel(channel: int, level: int) -> CommandFrame:
    """Set one channel 0 to 7 to a level 0 to 100 per cent, now."""
    return CommandFrame(
        group=Group.COMMON,
        mode=0x07,
        parameters=bytes([_check_channel(channel), _check_level("level", level)]),
    )


def manual_on() -> CommandFrame:
    """Switch to manual, so that levels set by hand stay."""
    return mode(ModeSwitch.MANUAL)


def auto_on() -> CommandFrame:
    """Run the schedules stored in the light."""
    return mode(ModeSwitch.AUTO)


def auto_on_short() -> CommandFrame:
    """Run the stored schedules, in the two-parameter variant one source reports."""
    return CommandFrame(
        group=Group.COMMON,
        mode=0x05,
        parameters=bytes([ModeSwitch.AUTO, UNUSED]),
        profile=Profile.LEGACY,
    )


def reset_schedules() -> CommandFrame:
    """Erase all schedules stored in the light."""
    return mode(ModeSwitch.ERASE_SCHEDULES)


def add_schedule(
    start: time,
    end: time,
    levels: Sequence[int],
    *,
    ramp_minutes: int,
    weekday_mask: int,
    keep_zero_ramp: bool = False,
) -> CommandFrame:
    """Add a window: up to eight channel levels, ramps of 0 to 150 minutes inside of it.

    A ramp of 0 is sent as 1, which is what the light stores, unless `keep_zero_ramp`. An end
    before the start is encoded as given; whether a light runs over midnight is unproven.
    """
    check_whole("len(levels)", len(levels), 1, LEVEL_SLOTS)
    checked = [
        _check_level(f"levels[{index}]", level) for index, level in enumerate(levels)
    ]
    check_flag("keep_zero_ramp", keep_zero_ramp)
    ramp = ramp_minutes if keep_zero_ramp else _stored_ramp(ramp_minutes)
    return _window(start, end, ramp, weekday_mask, bytes(checked))


def delete_schedule(
    start: time,
    end: time,
    *,
    ramp_minutes: int,
    weekday_mask: int,
    keep_zero_ramp: bool = False,
) -> CommandFrame:
    """Delete the window that was added with the same times, ramp and mask."""
    check_flag("keep_zero_ramp", keep_zero_ramp)
    ramp = ramp_minutes if keep_zero_ramp else _stored_ramp(ramp_minutes)
    return _window(start, end, ramp, weekday_mask, b"")


def auto_point(
    channel: int, minute: int, level: int, family: CurveFamily
) -> CommandFrame:
    """Send one point of a channel's custom curve: minute 0 to 2880, level 0 to 100."""
    _check_channel(channel)
    check_whole("minute", minute, 0, MAX_CURVE_MINUTE)
    _check_level("level", level)
    if CurveFamily(family) is CurveFamily.SEA:
        position = bytes(divmod(minute, 60))
    else:
        slot, remainder = divmod(minute, 30)
        position = bytes([slot + (remainder > 14)])
    return CommandFrame(
        group=Group.COMMON, mode=0x06, parameters=bytes([channel, *position, level])
    )


def fan_speed(percent: int) -> CommandFrame:
    """Set the Vivid III fan: 0 is off, otherwise 25 to 100 per cent."""
    if check_whole("percent", percent, 0, 100) not in (0, *range(25, 101)):
        raise OutOfRange("percent", percent, 25, 100, "or 0 for off")
    return CommandFrame(group=Group.COMMON, mode=0x0F, parameters=bytes([percent]))


def fan_auto() -> CommandFrame:
    """Let the Vivid III fan follow its thresholds."""
    return mode(ModeSwitch.FAN_AUTO)


def fan_thresholds(start_celsius: int, stop_celsius: int) -> CommandFrame:
    """Set where the Vivid III fan starts and stops: 15 to 60 °C, at least 2 °C apart."""
    check_whole("stop_celsius", stop_celsius, 15, 58)
    check_whole("start_celsius", start_celsius, stop_celsius + 2, 60)
    return CommandFrame(
        group=Group.SCHEDULE, mode=0x2D, parameters=bytes([start_celsius, stop_celsius])
    )


def temperature_protection(*, on: bool) -> CommandFrame:
    """Switch the temperature protection of a Vivid III."""
    on = check_flag("on", on)
    return mode(ModeSwitch.PROTECTION_ON if on else ModeSwitch.PROTECTION_OFF)


def indicator_led(*, on: bool) -> CommandFrame:
    """Switch the Bluetooth indicator of a Vivid III; off is disputed, see ModeSwitch."""
    return mode(ModeSwitch.LED_ON if check_flag("on", on) else ModeSwitch.LED_OFF)


def _check_channel(channel: int) -> int:
    """Return a channel number 0 to 7, or raise OutOfRange."""
    return check_whole("channel", channel, 0, MAX_CHANNEL)


def _check_level(field: str, level: int) -> int:
    """Return a level 0 to 100, or raise OutOfRange."""
    return check_whole(field, level, 0, MAX_LEVEL)


def _stored_ramp(ramp_minutes: int) -> int:
    """Return the ramp as the light stores it: never 0."""
    return max(1, check_whole("ramp_minutes", ramp_minutes, 0, MAX_RAMP_MINUTES))


def _window(
    start: time, end: time, ramp: int, weekday_mask: int, levels: bytes
) -> CommandFrame:
    """Make the 14 parameters of a window, unused level slots filled with 255."""
    check_wall_clock("start", start)
    check_wall_clock("end", end)
    check_whole("ramp_minutes", ramp, 0, MAX_RAMP_MINUTES)
    key = [
        start.hour,
        start.minute,
        end.hour,
        end.minute,
        ramp,
        check_mask(weekday_mask),
    ]
    return CommandFrame(
        group=Group.SCHEDULE,
        mode=0x19,
        parameters=bytes(key) + levels.ljust(LEVEL_SLOTS, bytes([UNUSED])),
    )
