"""Host frames of the schedule group `A5` as plain English; None where a frame makes no sense."""

from collections.abc import Callable
from itertools import batched
from typing import Final

from .units_text import clock_text, days_text, volume_text

_DOCTOR_TEXTS: Final = {1: "on", 2: "off", 3: "query"}
_QUERY_TEXTS: Final = {
    1: "begin a Doctor session",
    4: "ask for the lifetime totals",
    5: "ask for today's totals",
    6: "ask the cooling fan, stage 6",
    8: "ask the cooling fan, stage 8",
}
_DOSE_KINDS: Final = {0: "dose now", 2: "make-up dose"}


def _switched(value: int) -> str:
    """Write a flag."""
    return "on" if value else "off"


def _doctor_setting(parameters: bytes) -> str | None:
    """Describe A5/01."""
    match list(parameters):
        case [high, low]:
            return f"Doctor setting {high << 8 | low}"
    return None


def _doctor_switch(parameters: bytes) -> str | None:
    """Describe A5/02."""
    match list(parameters):
        case [state] if state in _DOCTOR_TEXTS:
            return f"Doctor {_DOCTOR_TEXTS[state]}"
    return None


def _query(parameters: bytes) -> str | None:
    """Describe A5/04."""
    return _QUERY_TEXTS.get(parameters[0]) if len(parameters) == 1 else None


def _reset_head(parameters: bytes) -> str | None:
    """Describe A5/05; the two ranges overlap above four heads, so both readings are given."""
    match list(parameters):
        case [code, 255, 255] if 21 <= code <= 32:
            readings = []
            if code <= 28:
                readings.append(f"zero the lifetime counter of head {code - 21}")
            if code >= 25:
                readings.append(f"clear the programme of head {code - 25}")
            return " or ".join(readings)
    return None


def _temporary_run(parameters: bytes) -> str | None:
    """Describe A5/14."""
    if len(parameters) != 10:
        return None
    minutes, seconds, *states = parameters
    unlimited = minutes == seconds == 255
    duration = "without limit" if unlimited else f"for {minutes * 60 + seconds} s"
    words = {1: "run", 0: "stop"}
    heads = [
        f"{words[state]} {head}" for head, state in enumerate(states) if state in words
    ]
    return f"temporary run {duration}: {', '.join(heads) or 'nothing'}"


def _dose_times(parameters: bytes) -> str | None:
    """Describe A5/15."""
    match list(parameters):
        case [head, 0, hour, minute, high, low]:
            return f"head {head}: dose daily at {clock_text(hour, minute)}{_carried(high, low)}"
        case [head, 1, _, _, high, low]:
            return f"head {head}: a 24th of the volume every hour{_carried(high, low)}"
        case [head, 3, *entries] if entries and len(entries) % 4 == 0:
            listed = [
                f"{clock_text(hour, minute)} {volume_text(high, low)}"
                for hour, minute, high, low in batched(entries, 4, strict=True)
            ]
            return f"head {head}: timer {', '.join(listed)}"
    return None


def _carried(high: int, low: int) -> str:
    """Write the volume that a schedule carries, unless it is left to A5/1B."""
    return f", {volume_text(high, low)}" if high or low else ""


def _calibrate(parameters: bytes) -> str | None:
    """Describe A5/16."""
    match list(parameters):
        case [head, seconds, whole, hundredths]:
            run = [] if seconds == 255 else [f"run {seconds} s"]
            measured = (
                []
                if hundredths == 255
                else [f"measured {whole + hundredths / 100:.2f} mL"]
            )
            return f"calibrate head {head}: {', '.join(run + measured) or 'nothing'}"
    return None


def _dose_windows(parameters: bytes) -> str | None:
    """Describe A5/17."""
    match list(parameters):
        case [head, *windows] if windows and len(windows) % 5 == 0:
            listed = [
                f"{clock_text(*span[:2])}–{clock_text(*span[2:4])} in {span[4]} doses"
                for span in batched(windows, 5, strict=True)
            ]
            return f"head {head}: windows {', '.join(listed)}"
    return None


def _window(parameters: bytes) -> str | None:
    """Describe A5/19."""
    if len(parameters) != 14:
        return None
    span = f"{clock_text(*parameters[:2])}–{clock_text(*parameters[2:4])}"
    key = f"{span}, ramp {parameters[4]} min, {days_text(parameters[5])}"
    levels = [str(level) for level in parameters[6:] if level != 255]
    if not levels:
        return f"delete window {key}"
    return f"add window {key}, levels {'/'.join(levels)} %"


def _volume_command(parameters: bytes) -> str | None:
    """Describe A5/1B: a dose or a daily volume."""
    match list(parameters):
        case [head, 0, kind, high, low] if kind in _DOSE_KINDS:
            return f"{_DOSE_KINDS[kind]}: head {head}, {volume_text(high, low)}"
        case [head, mask, 1, later, high, low]:
            volume = "no volume" if high == low == 255 else volume_text(high, low)
            first = "" if later else ", first programming"
            return f"head {head}: {volume} a day, {days_text(mask)}{first}"
    return None


def _dose_delay(parameters: bytes) -> str | None:
    """Describe A5/1F."""
    return (
        f"stagger the heads: {_switched(parameters[0])}"
        if len(parameters) == 1
        else None
    )


def _active(parameters: bytes) -> str | None:
    """Describe A5/20."""
    match list(parameters):
        case [head, catch_up, active]:
            return f"head {head}: programme {_switched(active)}, catch-up {_switched(catch_up)}"
    return None


def _cooling_thresholds(parameters: bytes) -> str | None:
    """Describe A5/21."""
    match list(parameters):
        case [start, full, 255]:
            return f"cooling fan from {start} °C, full speed at {full} °C"
    return None


def _pre_run(parameters: bytes) -> str | None:
    """Describe A5/2A."""
    match list(parameters):
        case [channel, high, low, speed]:
            return f"stirrer {channel}: {high << 8 | low} s before the dose at speed {speed}"
    return None


def _fan_thresholds(parameters: bytes) -> str | None:
    """Describe A5/2D."""
    match list(parameters):
        case [start, stop]:
            return f"fan starts at {start} °C, stops at {stop} °C"
    return None


def _backlight(parameters: bytes) -> str | None:
    """Describe A5/38."""
    texts = {bytes([100] * 4 + [127]): "on", bytes([200] * 4 + [127]): "off"}
    return f"backlight {texts[parameters]}" if parameters in texts else None


def _color(parameters: bytes) -> str | None:
    """Describe A5/3B."""
    match list(parameters):
        case [head, color]:
            return f"head {head}: colour {color}"
    return None


SCHEDULE_READERS: Final[dict[int, Callable[[bytes], str | None]]] = {
    0x01: _doctor_setting,
    0x02: _doctor_switch,
    0x04: _query,
    0x05: _reset_head,
    0x14: _temporary_run,
    0x15: _dose_times,
    0x16: _calibrate,
    0x17: _dose_windows,
    0x19: _window,
    0x1B: _volume_command,
    0x1F: _dose_delay,
    0x20: _active,
    0x21: _cooling_thresholds,
    0x2A: _pre_run,
    0x2D: _fan_thresholds,
    0x38: _backlight,
    0x3B: _color,
}
