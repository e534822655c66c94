"""What a light does by itself: curves and profiles, written and read back (R-C59)."""

from typing import Any

import pytest

from custom_components.aquarist.chihiros.custom_curve import (
    CustomCurve,
    custom_curve_from,
)
from custom_components.aquarist.chihiros.light_profile import (
    LightProfile,
    ProfileMode,
    profile_from,
)
from custom_components.aquarist.chihiros.lights import CurveFamily
from custom_components.aquarist.commands.arguments import ArgumentError, checked
from custom_components.aquarist.commands.schemas import LIGHT_PROFILE

PROGRAM = {
    "sunrise": "08:00",
    "sunset": "12:00",
    "channels": [10, 20],
    "ramp_up_minutes": 0,
    "weekdays": ["everyday"],
}


def curve(*channels: list[tuple[str, int]]) -> CustomCurve:
    """Return a curve by the points of its channels."""
    return custom_curve_from(
        {
            "channels": [
                [{"time": at, "level": level} for at, level in channel]
                for channel in channels
            ]
        }
    )


PROFILES = [
    {"mode": "manual", "levels": [40, 12.5]},
    {
        "mode": "custom",
        "channels": [
            [{"time": "08:00", "level": 0}, {"time": "23:59", "level": 100}],
            [{"time": "00:00", "level": 1}],
        ],
    },
    {"mode": "auto", "programs": []},
    {"mode": "auto", "programs": [PROGRAM, {**PROGRAM, "label": "Noon"}]},
]


@pytest.mark.parametrize("data", PROFILES)
def test_a_profile_is_read_back_as_it_was(data: dict[str, Any]) -> None:
    """Each mode has what belongs to it."""
    profile = profile_from(checked(LIGHT_PROFILE, data, within="profile"), 2)
    assert profile.mode is ProfileMode(data["mode"])
    assert profile.as_json() == data
    assert profile_from(profile.as_json(), 2) == profile


def test_one_brightness_is_for_all_channels() -> None:
    """As in `add_auto_setting`."""
    given = {"sunrise": "08:00", "sunset": "12:00", "brightness": 30}
    data = {"mode": "auto", "programs": [given]}
    profile = profile_from(checked(LIGHT_PROFILE, data, within="profile"), 3)
    assert profile.programs[0].levels == (30, 30, 30)


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ({}, "mode", "missing_argument"),
        ({"mode": "sun"}, "mode", "value_out_of_bounds"),
        ({"mode": "manual"}, "levels", "missing_argument"),
        (
            {"mode": "manual", "levels": [1], "programs": []},
            "programs",
            "unknown_argument",
        ),
        (
            {"mode": "auto", "programs": [PROGRAM] * 8},
            "programs",
            "schedule_too_many",
        ),
        ({"mode": "custom", "channels": [[]]}, "channels.0", "schedule_empty"),
    ],
)
def test_wrong_profiles(data: Any, field: str, code: str) -> None:
    """The error names the field (law 10)."""
    with pytest.raises(ArgumentError) as error:
        checked(LIGHT_PROFILE, data, within="profile")
    assert (error.value.field, error.value.code) == (field, code)


@pytest.mark.parametrize(
    ("family", "collision"),
    [
        (CurveFamily.SEA, None),
        (CurveFamily.BLE, (1, 2)),
        (CurveFamily.NEWBLE, (1, 2)),
    ],
)
def test_points_that_a_light_cannot_tell_apart(
    family: CurveFamily, collision: tuple[int, int] | None
) -> None:
    """The older families know half hours only (protocol 3.4)."""
    given = curve(
        [("08:00", 1), ("08:30", 2)], [("08:00", 1), ("08:20", 2), ("08:40", 3)]
    )
    found = given.first_collision(family)
    assert (found and found[:2]) == collision


def test_the_numbers_of_channels_are_those_on_the_wire() -> None:
    """Each point goes to its own channel; a mismatch is a mistake of ours."""
    frames = curve([("08:00", 1)], [("09:00", 2)]).frames([3, 0], CurveFamily.SEA)
    assert [frame.parameters[0] for frame in frames[2:]] == [3, 0]
    with pytest.raises(ValueError, match="zip"):
        curve([("08:00", 1)]).frames([0, 1], CurveFamily.SEA)


def test_a_profile_is_made_from_what_is_known() -> None:
    """In few words."""
    assert LightProfile.manual(1, 2).as_json() == {"mode": "manual", "levels": [1, 2]}
    assert LightProfile.custom(curve([("08:00", 1)])).as_json()["mode"] == "custom"
    assert LightProfile.auto().as_json() == {"mode": "auto", "programs": []}
