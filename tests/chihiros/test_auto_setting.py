"""The windows in a light's memory: keys, overlaps, frames, and what a light shows of them."""

from datetime import time
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.aquarist.chihiros.auto_setting import (
    AutoSetting,
    auto_setting_from,
    first_overlap,
    with_setting,
)
from custom_components.aquarist.chihiros.command_frame import Weekday
from custom_components.aquarist.chihiros.frames import FIRST_MESSAGE_ID
from custom_components.aquarist.chihiros.weekday_names import mask_of, names_of
from custom_components.aquarist.commands.actions import ACTIONS

MONDAY = Weekday.MONDAY


def setting(**args: Any) -> AutoSetting:
    """Return the setting of arguments that a keeper could send."""
    given = {"sunrise": "08:00", "sunset": "12:00", "brightness": 50, **args}
    return auto_setting_from(ACTIONS["add_auto_setting"].checked(given), 3)


def window(start: str, end: str, days: Weekday = Weekday.EVERY_DAY) -> AutoSetting:
    """Return a window on some days, over midnight too."""
    return AutoSetting(
        sunrise=time.fromisoformat(start),
        sunset=time.fromisoformat(end),
        levels=(50,),
        weekdays=days,
    )


def test_brightness_is_for_all_channels() -> None:
    """Levels are given one by one, or one for all."""
    assert setting().levels == (50, 50, 50)
    one = auto_setting_from(
        ACTIONS["add_auto_setting"].checked(
            {"sunrise": "08:00", "sunset": "12:00", "channels": [1, 2, 3]}
        ),
        3,
    )
    assert one.levels == (1, 2, 3)


def test_frame() -> None:
    """Times, ramp, weekdays and a level each, unused slots 255; 90 stays 90."""
    kept = setting(brightness=90, ramp_up_minutes=60, weekdays=["monday", "tuesday"])
    assert kept.frame.parameters == bytes([8, 0, 12, 0, 60, 96, 90, 90, 90, *[255] * 5])
    assert kept.frame.encode(FIRST_MESSAGE_ID)[6:-1] == kept.frame.parameters


@pytest.mark.parametrize("label", [None, "Noon"])
def test_json_is_read_back(label: str | None) -> None:
    """What is written is what can be sent."""
    kept = setting(ramp_up_minutes=30, **({} if label is None else {"label": label}))
    assert kept.label == label
    again = ACTIONS["add_auto_setting"].checked(kept.as_json())
    assert auto_setting_from(again, 3) == kept


@pytest.mark.parametrize(
    ("one", "other", "overlapping"),
    [
        (window("08:00", "10:00"), window("09:00", "11:00"), True),
        (window("08:00", "12:00"), window("09:00", "10:00"), True),
        (window("08:00", "09:00"), window("09:00", "10:00"), False),
        (window("08:00", "10:00", MONDAY), window("08:00", "10:00"), True),
        (
            window("08:00", "10:00", MONDAY),
            window("08:00", "10:00", Weekday.TUESDAY),
            False,
        ),
        (
            window("23:00", "02:00", MONDAY),
            window("01:00", "03:00", Weekday.TUESDAY),
            True,
        ),
        (
            window("23:00", "02:00", Weekday.SUNDAY),
            window("01:00", "03:00", MONDAY),
            True,
        ),
        (
            window("23:00", "01:00", MONDAY),
            window("01:00", "03:00", Weekday.TUESDAY),
            False,
        ),
        (window("09:00", "09:00"), window("09:00", "09:00"), False),
        (window("09:00", "09:00"), window("08:00", "10:00"), True),
    ],
)
def test_overlap(one: AutoSetting, other: AutoSetting, overlapping: bool) -> None:
    """At the same time on the same day, over midnight too; touching is none."""
    assert one.overlaps(other) is overlapping
    assert other.overlaps(one) is overlapping


_TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
_WINDOWS = st.builds(
    AutoSetting,
    sunrise=_TIMES,
    sunset=_TIMES,
    levels=st.just((1,)),
    weekdays=st.integers(1, 127).map(Weekday),
)


@given(one=_WINDOWS, other=_WINDOWS)
def test_overlap_is_what_minutes_say(one: AutoSetting, other: AutoSetting) -> None:
    """Two windows overlap when they share a minute of the week."""
    minutes = _minutes(one) & _minutes(other)
    points = not _minutes(one) or not _minutes(other)
    assert points or one.overlaps(other) is bool(minutes)


def _minutes(kept: AutoSetting) -> set[int]:
    """Return the minutes of the week in which a window holds."""
    start = kept.sunrise.hour * 60 + kept.sunrise.minute
    end = kept.sunset.hour * 60 + kept.sunset.minute
    return {
        ((day - 1) * 1440 + start + step) % 10_080
        for day in range(1, 8)
        if kept.weekdays & Weekday.from_iso(day)
        for step in range((end - start) % 1440)
    }


def test_the_same_key_replaces() -> None:
    """The light knows a window by times, ramp and days; a ramp of 0 is stored as 1."""
    old, new = setting(), setting(brightness=70, ramp_up_minutes=1)
    assert old.key == new.key
    assert first_overlap([old], new) is None
    assert with_setting([old], new) == (new,)
    other = setting(sunset="13:00")
    assert first_overlap([old], other) is old
    assert with_setting([old], other) == (old, other)
    assert old.span == "08:00 – 12:00"


@pytest.mark.parametrize(
    ("at", "level", "possible"),
    [
        ((8, 0), 0, True),
        ((9, 0), 50, True),
        ((11, 0), 50, True),
        ((12, 0), 0, True),
        ((9, 0), 60, False),
        ((10, 0), 50, False),
    ],
)
def test_points_a_light_may_show(
    at: tuple[int, int], level: int, possible: bool
) -> None:
    """The corners of the course, dark or at one of the levels (protocol 3.5)."""
    assert setting(ramp_up_minutes=60).could_show(at, level) is possible


@given(mask=st.integers(1, 127).map(Weekday))
def test_names_of_days(mask: Weekday) -> None:
    """Every mask has names, and they give it back."""
    assert mask_of(names_of(mask)) == mask


def test_all_days_have_a_word() -> None:
    """`everyday` stands for seven names."""
    assert names_of(Weekday.EVERY_DAY) == ["everyday"]
    assert mask_of(["everyday"]) == Weekday.EVERY_DAY
