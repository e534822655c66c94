"""Host frames of the common group `5A` as plain English; None where a frame makes no sense."""

from collections.abc import Callable
from typing import Final

from .command_frame import ModeSwitch
from .units_text import clock_text, temperature_text

_MODE_TEXTS: Final = {
    ModeSwitch.CURVE_AUTO: "run the custom curve",
    ModeSwitch.DEMO_STOP: "stop the demo",
    ModeSwitch.ERASE_SCHEDULES: "erase all schedules",
    ModeSwitch.DEMO_START: "start the demo",
    ModeSwitch.EVALUATE: "reset and evaluate",
    ModeSwitch.MANUAL: "manual mode",
    ModeSwitch.FAN_AUTO: "fan automatic",
    ModeSwitch.AUTO: "automatic mode, run the stored schedules",
    ModeSwitch.COOLING_AUTO: "cooling fan mode 34",
    ModeSwitch.COOLING_SILENT: "cooling fan mode 35",
    ModeSwitch.FINISH_EDIT: "finish the schedule edit",
    ModeSwitch.CELSIUS: "show °C",
    ModeSwitch.FAHRENHEIT: "show °F",
    ModeSwitch.HEATING_ON: "automatic heating on",
    ModeSwitch.HEATING_OFF: "automatic heating off",
    ModeSwitch.PROTECTION_OFF: "temperature protection off",
    ModeSwitch.PROTECTION_ON: "temperature protection on (or indicator off)",
    ModeSwitch.LED_ON: "indicator on",
    ModeSwitch.RESET_WORK_TIME: "reset the work time",
}
_CO2_TEXTS: Final = {100: "on", 0: "off", 111: "empty"}


def _query_status(parameters: bytes) -> str | None:
    """Describe 5A/04."""
    return "ask for the status" if parameters == b"\x01" else None


def _mode(parameters: bytes) -> str | None:
    """Describe 5A/05."""
    if not parameters or parameters[0] not in _MODE_TEXTS:
        return None
    return _MODE_TEXTS[ModeSwitch(parameters[0])]


def _auto_point(parameters: bytes) -> str | None:
    """Describe 5A/06 in either encoding."""
    match list(parameters):
        case [channel, hour, minute, level]:
            return f"curve point of channel {channel}: {clock_text(hour, minute)} {level} %"
        case [channel, slot, level]:
            return f"curve point of channel {channel}: {clock_text(*divmod(slot * 30, 60))} {level} %"
    return None


def _level(parameters: bytes) -> str | None:
    """Describe 5A/07 of lights and of the cooling fan."""
    match list(parameters):
        case [255, speed]:
            return f"cooling fan speed {speed} of 20"
        case [channel, level]:
            return f"set channel {channel} to {level} %"
    return None


def _set_time(parameters: bytes) -> str | None:
    """Describe 5A/09, with or without the time of day."""
    match list(parameters):
        case [year, month, weekday, hour, minute, second]:
            clock = f"{clock_text(hour, minute)}:{second:02d}"
            return f"set the clock to {2000 + year}-{month:02d}, weekday {weekday}, {clock}"
        case [year, month, weekday]:
            return f"set the date to {2000 + year}-{month:02d}, weekday {weekday}"
    return None


def _fan_speed(parameters: bytes) -> str | None:
    """Describe 5A/0F."""
    return f"fan speed {parameters[0]} %" if len(parameters) == 1 else None


def _co2_slot(parameters: bytes) -> str | None:
    """Describe 5A/16."""
    match list(parameters):
        case [hour, minute, state] if state in _CO2_TEXTS:
            return f"CO2 slot {clock_text(hour, minute)} {_CO2_TEXTS[state]}"
    return None


def _heater_set(parameters: bytes) -> str | None:
    """Describe 5A/2B."""
    match list(parameters):
        case [auto, whole, hundredths, power]:
            kind = "automatic" if auto else "manual"
            return (
                f"heater {kind}, {temperature_text(whole, hundredths)}, {power * 10} W"
            )
    return None


def _heater_limit(parameters: bytes) -> str | None:
    """Describe 5A/2F."""
    match list(parameters):
        case [whole, hundredths]:
            return f"over-temperature limit {temperature_text(whole, hundredths)}"
    return None


def _heater_calibration(parameters: bytes) -> str | None:
    """Describe 5A/30."""
    match list(parameters):
        case [whole, hundredths]:
            return f"calibrate the heater to {temperature_text(whole, hundredths)}"
    return None


COMMON_READERS: Final[dict[int, Callable[[bytes], str | None]]] = {
    0x04: _query_status,
    0x05: _mode,
    0x06: _auto_point,
    0x07: _level,
    0x09: _set_time,
    0x0F: _fan_speed,
    0x16: _co2_slot,
    0x2B: _heater_set,
    0x2F: _heater_limit,
    0x30: _heater_calibration,
}
