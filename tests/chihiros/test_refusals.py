"""Strict refusal: every argument of every builder, just inside and just outside its range."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from custom_components.aquarist.chihiros import commands
from custom_components.aquarist.chihiros.commands import (
    Co2State,
    CurveFamily,
    DoseWindow,
    OutOfRange,
    TimerEntry,
)

type Build = Callable[[Any], object]

START, END = time(8), time(10)
AWARE_TIME = time(8, tzinfo=UTC)
NOT_WHOLE = (True, 1.0, float("nan"), float("inf"), "1", None)


def window(**changes: Any) -> object:
    """Add a good window with some arguments changed."""
    arguments: dict[str, Any] = {
        "start": START,
        "end": END,
        "levels": [50],
        "ramp_minutes": 10,
        "weekday_mask": 127,
    }
    return commands.add_schedule(**(arguments | changes))


def deletion(**changes: Any) -> object:
    """Delete a good window with some arguments changed."""
    arguments: dict[str, Any] = {
        "start": START,
        "end": END,
        "ramp_minutes": 10,
        "weekday_mask": 127,
    }
    return commands.delete_schedule(**(arguments | changes))


def timer(**changes: Any) -> object:
    """Send a timer of one entry with some values changed."""
    values: dict[str, Any] = {"at": START, "microlitres": 1_000}
    return commands.doser_schedule_timer(0, [TimerEntry(**(values | changes))])


def dose_window(**changes: Any) -> object:
    """Send one dose window with some values changed."""
    values: dict[str, Any] = {"start": START, "duration_minutes": 60, "count": 3}
    return commands.doser_schedule_windows(0, [DoseWindow(**(values | changes))])


# Builder of one argument, the name of the argument, its least and its greatest value.
RANGES: list[tuple[Build, str, int, int]] = [
    (commands.mode, "sub", 0, 255),
    (lambda x: commands.set_channel(x, 1), "channel", 0, 7),
    (lambda x: commands.set_channel(0, x), "level", 0, 100),
    (lambda x: commands.auto_point(x, 0, 0, CurveFamily.SEA), "channel", 0, 7),
    (lambda x: commands.auto_point(0, x, 0, CurveFamily.SEA), "minute", 0, 2880),
    (lambda x: commands.auto_point(0, 0, x, CurveFamily.BLE), "level", 0, 100),
    (commands.fan_speed, "percent", 0, 100),
    (lambda x: commands.fan_thresholds(x, 15), "start_celsius", 17, 60),
    (lambda x: commands.fan_thresholds(60, x), "stop_celsius", 15, 58),
    (lambda x: window(levels=[0, x]), "levels[1]", 0, 100),
    (lambda x: window(ramp_minutes=x), "ramp_minutes", 0, 150),
    (lambda x: window(ramp_minutes=x, keep_zero_ramp=True), "ramp_minutes", 0, 150),
    (lambda x: window(weekday_mask=x), "weekday_mask", 1, 127),
    (lambda x: deletion(ramp_minutes=x), "ramp_minutes", 0, 150),
    (lambda x: deletion(weekday_mask=x), "weekday_mask", 1, 127),
    (commands.volume_bytes, "microlitres", 0, 6_553_500),
    (lambda x: commands.dose_now(x, 1_000), "head", 0, 7),
    (lambda x: commands.dose_now(0, x), "microlitres", 200, 999_900),
    (lambda x: commands.make_up_dose(x, 1_000), "head", 0, 7),
    (lambda x: commands.make_up_dose(0, x), "microlitres", 200, 999_900),
    (lambda x: commands.set_daily(x, 127, 1_000, first=True), "head", 0, 7),
    (lambda x: commands.set_daily(0, x, 1_000, first=True), "weekday_mask", 1, 127),
    (
        lambda x: commands.set_daily(0, 127, x, first=True),
        "microlitres",
        0,
        6_553_400,
    ),
    (lambda x: commands.set_active(x, catch_up=True, active=True), "head", 0, 7),
    (lambda x: commands.doser_schedule_single(x, START), "head", 0, 7),
    (
        lambda x: commands.doser_schedule_single(0, START, x),
        "microlitres",
        0,
        6_553_500,
    ),
    (commands.doser_schedule_auto24, "head", 0, 7),
    (lambda x: timer(microlitres=x), "entries[0].microlitres", 0, 6_553_500),
    (lambda x: dose_window(duration_minutes=x), "windows[0].duration_minutes", 1, 1440),
    (lambda x: dose_window(count=x), "windows[0].count", 1, 255),
    (commands.reset_channel, "head", 0, 7),
    (commands.reset_lifetime, "head", 0, 7),
    (lambda x: commands.calibrate(x, seconds=1), "head", 0, 7),
    (lambda x: commands.calibrate(0, seconds=x, microlitres=1), "seconds", 0, 254),
    (
        lambda x: commands.calibrate(0, seconds=1, microlitres=x),
        "microlitres",
        0,
        255_999,
    ),
    (lambda x: commands.channel_color(x, 1), "head", 0, 7),
    (lambda x: commands.channel_color(0, x), "color", 0, 255),
    (lambda x: commands.temporary_run({0: True}, x), "seconds", 0, 15_359),
    (lambda x: commands.stirrer_pre_run(x, 1, 1), "channel", 0, 3),
    (lambda x: commands.stirrer_pre_run(0, x, 1), "seconds", 0, 999),
    (lambda x: commands.stirrer_pre_run(0, 1, x), "speed", 0, 40),
    (lambda x: commands.heater_set(x, 200, auto=False), "hundredths", 0, 10_000),
    (commands.heater_protect, "hundredths", 0, 10_000),
    (commands.heater_calibrate, "hundredths", 0, 10_000),
    (lambda x: commands.cooling_fan_thresholds(x, 100), "start_celsius", 0, 100),
    (lambda x: commands.cooling_fan_thresholds(20, x), "full_celsius", 20, 100),
    (commands.cooling_fan_speed, "level", 0, 20),
    (commands.doctor_mate_setting, "value", 0, 255),
    (commands.doctor_duration, "duration", 0, 65_535),
    (commands.doctor_switch, "switch", 1, 3),
    (commands.Weekday.from_iso, "weekday", 1, 7),
]
# An argument for which None has a meaning of its own.
NONE_MEANS = {
    ("seconds", 254),
    ("microlitres", 255_999),
    ("microlitres", 6_553_400),
    ("seconds", 15_359),
}


@pytest.mark.parametrize(("build", "field", "minimum", "maximum"), RANGES)
def test_whole_numbers(build: Build, field: str, minimum: int, maximum: int) -> None:
    """The bounds are taken; one beyond them and anything but a whole number is refused."""
    build(minimum)
    build(maximum)
    refused = [minimum - 1, maximum + 1, *NOT_WHOLE]
    if (field, maximum) in NONE_MEANS:
        refused.remove(None)
    for value in refused:
        with pytest.raises(OutOfRange) as refusal:
            build(value)
        assert refusal.value.field == field


FLAGS: list[tuple[Build, str]] = [
    (lambda x: commands.temperature_protection(on=x), "on"),
    (lambda x: commands.indicator_led(on=x), "on"),
    (lambda x: window(keep_zero_ramp=x), "keep_zero_ramp"),
    (lambda x: deletion(keep_zero_ramp=x), "keep_zero_ramp"),
    (lambda x: commands.set_daily(0, 1, 1_000, first=x), "first"),
    (lambda x: commands.set_active(0, catch_up=x, active=True), "catch_up"),
    (lambda x: commands.set_active(0, catch_up=True, active=x), "active"),
    (lambda x: commands.dose_delay(on=x), "on"),
    (lambda x: commands.temporary_run({3: x}), "states[3]"),
    (lambda x: commands.heater_set(2_500, 200, auto=x), "auto"),
    (lambda x: commands.heater_backlight(on=x), "on"),
]


@pytest.mark.parametrize(("build", "field"), FLAGS)
def test_flags(build: Build, field: str) -> None:
    """A flag is a bool and nothing that merely looks like one."""
    build(True)
    build(False)
    for value in (1, 0, None, "true"):
        with pytest.raises(OutOfRange) as refusal:
            build(value)
        assert refusal.value.field == field


CLOCKS: list[tuple[Build, str]] = [
    (lambda x: window(start=x), "start"),
    (lambda x: window(end=x), "end"),
    (lambda x: deletion(start=x), "start"),
    (lambda x: commands.doser_schedule_single(0, x), "at"),
    (lambda x: commands.doser_schedule_auto24(0, x), "at"),
    (lambda x: timer(at=x), "entries[0].at"),
    (lambda x: dose_window(start=x), "windows[0].start"),
    (lambda x: commands.co2_slot(x, Co2State.ON), "at"),
]


@pytest.mark.parametrize(("build", "field"), CLOCKS)
def test_wall_clocks(build: Build, field: str) -> None:
    """A time of day is a naive one."""
    build(time(23, 59))
    for value in (AWARE_TIME, "08:00", None, 8):
        with pytest.raises(OutOfRange) as refusal:
            build(value)
        assert refusal.value.field == field


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: commands.fan_speed(1), "percent"),
        (lambda: commands.fan_speed(24), "percent"),
        (lambda: commands.fan_thresholds(34, 33), "start_celsius"),
        (lambda: window(levels=[]), "len(levels)"),
        (lambda: window(levels=[1] * 9), "len(levels)"),
        (lambda: commands.doser_schedule_timer(0, []), "len(entries)"),
        (lambda: commands.doser_schedule_timer(8, []), "head"),
        (lambda: commands.doser_schedule_windows(0, []), "len(windows)"),
        (lambda: commands.calibrate(0), "seconds"),
        (lambda: commands.temporary_run({}), "len(states)"),
        (lambda: commands.temporary_run({8: True}), "head"),
        (lambda: commands.heater_set(2_500, 205, auto=False), "watts"),
        (lambda: commands.heater_set(2_500, 2_560, auto=False), "watts"),
        (lambda: commands.cooling_fan_query(7), "stage"),
        (lambda: commands.cooling_fan_query(9), "stage"),
        (lambda: commands.cooling_fan_thresholds(25, 24), "full_celsius"),
        (lambda: commands.set_time(datetime(2026, 1, 1, tzinfo=UTC)), "local"),
        (
            lambda: commands.set_time(datetime.fromisoformat("1999-12-31T00:00:00")),
            "local",
        ),
        (
            lambda: commands.set_time(datetime.fromisoformat("2256-01-01T00:00:00")),
            "local",
        ),
        (lambda: commands.set_time(date(2026, 1, 1)), "local"),  # type: ignore[arg-type]
        (
            lambda: commands.set_time_short(
                datetime.fromisoformat("2026-01-01T00:00:00")
            ),
            "day",
        ),
        (lambda: commands.set_time_short("2026-01-01"), "day"),  # type: ignore[arg-type]
        (lambda: commands.set_time_short(date(1999, 1, 1)), "day"),
        (lambda: commands.co2_slot(START, "open"), "state"),  # type: ignore[arg-type]
    ],
)
def test_other_rules(build: Callable[[], object], field: str) -> None:
    """Rules beyond a plain range are refused by name, too."""
    with pytest.raises(OutOfRange) as refusal:
        build()
    assert refusal.value.field == field


def test_unknown_curve_family() -> None:
    """A curve family that does not exist is refused."""
    with pytest.raises(ValueError, match="lake"):
        commands.auto_point(0, 0, 0, "lake")  # type: ignore[arg-type]


def test_text() -> None:
    """The message has field, bounds, rule and value."""
    with pytest.raises(OutOfRange) as plain:
        commands.dose_delay(on=3)  # type: ignore[arg-type]
    with pytest.raises(OutOfRange) as stepped:
        commands.heater_set(2_500, 205, auto=False)
    assert str(plain.value) == "on must be False to True, not 3"
    assert str(stepped.value) == (
        "watts must be 0 to 2550 (a whole number in steps of 10), not 205"
    )
    assert (stepped.value.minimum, stepped.value.maximum) == (0, 2550)
    assert stepped.value.value == 205
