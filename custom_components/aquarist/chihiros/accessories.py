"""Commands of stirrer, heater, cooling fan, CO2 controller and Doctor (protocol section 5).

Temperatures of the heater are whole hundredths of a degree Celsius.
"""

from datetime import time
from enum import IntEnum, StrEnum
from typing import Final

from .command_frame import CommandFrame, ModeSwitch
from .frames import Group
from .ranges import OutOfRange, check_flag, check_wall_clock, check_whole

STIRRER_CHANNELS: Final = 4
MAX_STIRRER_SPEED: Final = 40
MAX_PRE_RUN_SECONDS: Final = 999
MAX_HEATER_TEMPERATURE: Final = 10_000
MAX_HEATER_WATTS: Final = 2550


class Co2State(StrEnum):
    """What a slot of the CO2 controller does."""

    ON = "on"
    OFF = "off"
    EMPTY = "empty"


class DoctorSwitch(IntEnum):
    """Parameter of the old Doctor's `A5/02`."""

    ON = 1
    OFF = 2
    QUERY = 3


_CO2_BYTES: Final = {Co2State.ON: 100, Co2State.OFF: 0, Co2State.EMPTY: 111}


def stirrer_pre_run(channel: int, seconds: int, speed: int) -> CommandFrame:
    """Set a stirrer's lead time 0 to 999 s and speed 0 to 40 (the scale is disputed)."""
    check_whole("channel", channel, 0, STIRRER_CHANNELS - 1)
    check_whole("seconds", seconds, 0, MAX_PRE_RUN_SECONDS)
    check_whole("speed", speed, 0, MAX_STIRRER_SPEED)
    return _schedule(0x2A, [channel, *divmod(seconds, 256), speed])


def heater_set(hundredths: int, watts: int, *, auto: bool) -> CommandFrame:
    """Set temperature and power (steps of 10 W); in manual send ModeSwitch.MANUAL before."""
    auto = check_flag("auto", auto)
    check_whole("watts", watts, 0, MAX_HEATER_WATTS, 10)
    return _common(0x2B, [auto, *_temperature(hundredths), watts // 10])


def heater_protect(hundredths: int) -> CommandFrame:
    """Set the over-temperature limit."""
    return _common(0x2F, _temperature(hundredths))


def heater_calibrate(hundredths: int) -> CommandFrame:
    """Calibrate the heater's sensor to a measured temperature."""
    return _common(0x30, _temperature(hundredths))


def heater_backlight(*, on: bool) -> CommandFrame:
    """Switch the backlight of the heater's display."""
    brightness = 100 if check_flag("on", on) else 200
    return _schedule(0x38, [*[brightness] * 4, 127])


def cooling_fan_query(stage: int) -> CommandFrame:
    """Ask the cooling fan, stage 6 or 8."""
    return _schedule(0x04, [check_whole("stage", stage, 6, 8, 2)])


def cooling_fan_thresholds(start_celsius: int, full_celsius: int) -> CommandFrame:
    """Set where the cooling fan starts and where it runs at full speed, 0 to 100 °C."""
    check_whole("start_celsius", start_celsius, 0, 100)
    check_whole("full_celsius", full_celsius, start_celsius, 100)
    return _schedule(0x21, [start_celsius, full_celsius, 255])


def cooling_fan_speed(level: int) -> CommandFrame:
    """Set the cooling fan to 0 to 20; any value, 0 too, disables its thermostat."""
    return _common(0x07, [255, check_whole("level", level, 0, 20)])


def cooling_fan_automatic() -> tuple[CommandFrame, ...]:
    """Return the frames that let the cooling fan follow its thresholds, 200 ms apart."""
    return (_switch(ModeSwitch.COOLING_SILENT), _switch(ModeSwitch.COOLING_AUTO))


def cooling_fan_silent() -> tuple[CommandFrame, ...]:
    """Return the frames of the silent mode of the cooling fan, 200 ms apart."""
    return (_switch(ModeSwitch.COOLING_AUTO), _switch(ModeSwitch.COOLING_SILENT)) * 3


def co2_clear() -> CommandFrame:
    """Clear all slots of the CO2 controller, before new ones are written."""
    return _switch(ModeSwitch.EVALUATE)


def co2_slot(at: time, state: Co2State) -> CommandFrame:
    """Write one slot of the CO2 controller."""
    at = check_wall_clock("at", at)
    if state not in _CO2_BYTES:
        raise OutOfRange(
            "state", state, Co2State.ON, Co2State.EMPTY, "on, off or empty"
        )
    return _common(0x16, [at.hour, at.minute, _CO2_BYTES[state]])


def doctor_query() -> CommandFrame:
    """Begin a session with a Doctor."""
    return _schedule(0x04, [1])


def doctor_mate_setting(value: int) -> CommandFrame:
    """Write a Doctor Mate setting 0 to 255: first EC (ppm / 0.4), then litres times 2."""
    return _schedule(0x01, [0, check_whole("value", value, 0, 255)])


def doctor_duration(duration: int) -> CommandFrame:
    """Set the duration of the old Doctor, 0 to 65535."""
    return _schedule(0x01, [*divmod(check_whole("duration", duration, 0, 65535), 256)])


def doctor_switch(switch: DoctorSwitch) -> CommandFrame:
    """Switch or query the old Doctor."""
    return _schedule(
        0x02, [check_whole("switch", switch, DoctorSwitch.ON, DoctorSwitch.QUERY)]
    )


def _temperature(hundredths: int) -> list[int]:
    """Return whole degrees and hundredths of 0 to 100 °C."""
    return [
        *divmod(check_whole("hundredths", hundredths, 0, MAX_HEATER_TEMPERATURE), 100)
    ]


def _switch(sub: ModeSwitch) -> CommandFrame:
    """Make a verbatim mode switch."""
    return _common(0x05, [sub, 255, 255])


def _common(mode: int, parameters: list[int]) -> CommandFrame:
    """Make a verbatim frame of the common group."""
    return CommandFrame(group=Group.COMMON, mode=mode, parameters=bytes(parameters))


def _schedule(mode: int, parameters: list[int]) -> CommandFrame:
    """Make a verbatim frame of the schedule group."""
    return CommandFrame(group=Group.SCHEDULE, mode=mode, parameters=bytes(parameters))
