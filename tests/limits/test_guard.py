"""When a sensor cannot be trusted, and when it can be again (law 5)."""

from math import inf, nan

import pytest

from custom_components.aquarist.limits.guard import (
    Doubt,
    Guard,
    Watched,
    compared,
    read,
    stale_at,
    waited,
)

GUARD = Guard(
    minimum=18,
    maximum=30,
    stale_after=600,
    fastest=1.0,
    disagreement=2.0,
    good_readings=3,
)
TRUSTED = Watched(since=0, value=25, at=0)


@pytest.mark.parametrize(
    ("value", "other", "doubt"),
    [
        (17.9, None, Doubt.OUT_OF_RANGE),
        (30.1, None, Doubt.OUT_OF_RANGE),
        (26.1, None, Doubt.TOO_FAST),
        (23.9, None, Doubt.TOO_FAST),
        (25.5, 27.6, Doubt.DISAGREES),
        (25.5, 27.5, None),
        (26.0, None, None),
    ],
)
def test_each_reason_to_doubt(
    value: float, other: float | None, doubt: Doubt | None
) -> None:
    """One degree a minute is allowed, two degrees apart are, the bounds themselves too."""
    assert read(GUARD, TRUSTED, value, 60, other).doubt is doubt


def test_silence_becomes_a_doubt() -> None:
    """After the time that the keeper set, also when the sensor never spoke."""
    assert stale_at(GUARD, TRUSTED) == 600
    assert waited(GUARD, TRUSTED, 599.9).doubt is None
    assert waited(GUARD, TRUSTED, 600).doubt is Doubt.STALE
    silent = Watched(since=100)
    assert waited(GUARD, silent, 699).doubt is None
    assert waited(GUARD, silent, 700).doubt is Doubt.STALE


@pytest.mark.parametrize("nothing", [None, nan, inf])
def test_a_reading_that_is_no_number_proves_nothing(nothing: float | None) -> None:
    """It neither renews the sensor nor brings it into doubt before its time."""
    assert read(GUARD, TRUSTED, nothing, 300, None) == TRUSTED
    assert read(GUARD, TRUSTED, nothing, 600, None).doubt is Doubt.STALE


def test_good_readings_in_a_row_end_a_doubt() -> None:
    """Three of them; a bad one between begins anew."""
    watched = read(GUARD, TRUSTED, 31, 3600, None)
    for at, value, doubt in (
        (7200, 29, Doubt.OUT_OF_RANGE),
        (7260, 29, Doubt.OUT_OF_RANGE),
        (7320, 17, Doubt.OUT_OF_RANGE),
        (14400, 25, Doubt.OUT_OF_RANGE),
        (14460, 25, Doubt.OUT_OF_RANGE),
        (14520, 25, None),
    ):
        watched = read(GUARD, watched, value, at, None)
        assert watched.doubt is doubt
    assert watched.good == 0


def test_silence_during_a_doubt_keeps_its_first_reason() -> None:
    """What went wrong first is what the keeper is told; good readings must begin anew."""
    watched = read(GUARD, TRUSTED, 31, 3600, None)
    watched = read(GUARD, watched, 30, 3660, None)
    assert watched.good == 1
    watched = waited(GUARD, watched, 5000)
    assert (watched.doubt, watched.good) == (Doubt.OUT_OF_RANGE, 0)


def test_checks_can_be_left_out() -> None:
    """A guard without checks trusts every number, for ever."""
    free = Guard()
    assert stale_at(free, TRUSTED) is None
    assert waited(free, TRUSTED, 1e9) == TRUSTED
    assert read(free, TRUSTED, -400, 1, 400).doubt is None


@pytest.mark.parametrize("at", [0, 1, 59])
def test_a_small_step_between_two_readings_is_no_speed(at: float) -> None:
    """A probe that shows tenths and reports twice in a second is no fault."""
    assert read(GUARD, TRUSTED, 25.9, at, None).doubt is None
    assert read(GUARD, TRUSTED, 26.1, at, None).doubt is Doubt.TOO_FAST


def test_many_small_steps_are_a_speed_too() -> None:
    """Half a degree every ten seconds is found within a minute."""
    watched = TRUSTED
    for at, value, doubt in (
        (10, 25.5, None),
        (20, 26.0, None),
        (30, 26.5, Doubt.TOO_FAST),
    ):
        watched = read(GUARD, watched, value, at, None)
        assert watched.doubt is doubt


def test_what_came_before_a_doubt_is_not_compared_with() -> None:
    """A probe that was put back into the water reads well again, wherever that is."""
    watched = read(GUARD, TRUSTED, 28, 10, None)
    for at in (20, 30, 40):
        watched = read(GUARD, watched, 28, at, None)
    assert watched.doubt is None


def test_a_slow_change_is_no_doubt_however_long_it_goes_on() -> None:
    """Nine tenths a minute."""
    watched = TRUSTED
    for step in range(1, 6):
        watched = read(GUARD, watched, 25 + 0.45 * step, 30 * step, None)
    assert watched.doubt is None


def test_the_second_sensor_may_be_the_one_that_runs_away() -> None:
    """Its reading is compared with the last one of the first."""
    assert compared(GUARD, TRUSTED, 27).doubt is None
    assert compared(GUARD, TRUSTED, 27.1).doubt is Doubt.DISAGREES
    doubted = read(GUARD, TRUSTED, 31, 3600, None)
    assert compared(GUARD, doubted, 20).doubt is Doubt.OUT_OF_RANGE
    assert compared(GUARD, Watched(since=0), 20).doubt is None
    assert compared(Guard(), TRUSTED, 20).doubt is None
    assert compared(GUARD, TRUSTED, None) == TRUSTED


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"minimum": 5, "maximum": 5}, "minimum"),
        ({"stale_after": 0}, "stale_after"),
        ({"fastest": -1}, "fastest"),
        ({"disagreement": 0}, "disagreement"),
        ({"good_readings": 0}, "good_readings"),
    ],
)
def test_a_guard_that_nothing_passes_is_refused(
    wrong: dict[str, float], name: str
) -> None:
    """The error names the field."""
    with pytest.raises(ValueError, match=f"^{name}:"):
        Guard(**wrong)  # type: ignore[arg-type]
