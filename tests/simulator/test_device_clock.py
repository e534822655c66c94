"""The clock inside a device: weekday and time of day."""

import pytest

from custom_components.aquarist.simulator.device_clock import (
    DAY,
    HOUR,
    MINUTE,
    DeviceClock,
    minute_of_day,
    runs_on,
    weekday,
)


def test_it_starts_on_monday_midnight_and_runs() -> None:
    """Nobody has set it."""
    clock = DeviceClock(100.0)
    assert (clock.read(100.0), clock.is_set) == (0.0, False)
    assert clock.read(160.0) == 60.0


def test_a_time_frame_sets_it() -> None:
    """Year and month are taken and mean nothing to it."""
    clock = DeviceClock(0.0)
    assert clock.set(0.0, (26, 7, 3, 14, 30, 15))
    assert clock.is_set
    assert weekday(clock.read(0.0)) == 3
    assert minute_of_day(clock.read(0.0)) == 14 * 60 + 30.25


@pytest.mark.parametrize(
    "fields",
    [
        (26, 0, 3, 14, 30, 15),
        (26, 13, 3, 14, 30, 15),
        (26, 7, 0, 14, 30, 15),
        (26, 7, 8, 14, 30, 15),
        (26, 7, 3, 24, 30, 15),
        (26, 7, 3, 14, 60, 15),
        (26, 7, 3, 14, 30, 60),
    ],
)
def test_what_is_no_time_changes_nothing(fields: tuple[int, ...]) -> None:
    """Month, weekday, hour, minute and second are checked."""
    clock = DeviceClock(0.0)
    assert not clock.set(0.0, fields)
    assert (clock.read(0.0), clock.is_set) == (0.0, False)


def test_setting_it_over_midnight_changes_the_day_by_one() -> None:
    """Also where the week ends: readings stay comparable."""
    clock = DeviceClock(0.0)
    clock.set(0.0, (26, 7, 7, 23, 59, 0))
    sunday = clock.read(0.0) // DAY
    clock.set(0.0, (26, 7, 1, 0, 1, 0))
    assert clock.read(0.0) // DAY == sunday + 1
    assert weekday(clock.read(0.0)) == 1
    clock.set(0.0, (26, 7, 7, 23, 58, 0))
    assert clock.read(0.0) // DAY == sunday


def test_a_drifting_clock_runs_at_its_own_rate() -> None:
    """One that is one per cent fast gains 36 seconds an hour."""
    clock = DeviceClock(0.0, rate=1.01)
    assert clock.read(HOUR) == pytest.approx(HOUR + 36)
    assert clock.elapsed_at(clock.read(1234.0)) == pytest.approx(1234.0)


def test_it_can_be_wrong_and_be_lost() -> None:
    """A shift moves it, losing it starts it over."""
    clock = DeviceClock(0.0)
    clock.set(0.0, (26, 7, 2, 12, 0, 0))
    clock.shift(0.0, -90)
    assert minute_of_day(clock.read(0.0)) == 10 * 60 + 30
    clock.lose(50.0)
    assert (clock.read(50.0 + MINUTE), clock.is_set) == (MINUTE, False)


@pytest.mark.parametrize(
    ("mask", "days"),
    [
        (64, {1}),
        (124, {1, 2, 3, 4, 5}),
        (3, {6, 7}),
        (127, {1, 2, 3, 4, 5, 6, 7}),
        (0, set()),
    ],
)
def test_the_weekday_mask_counts_from_monday_down(mask: int, days: set[int]) -> None:
    """Monday is 64, Sunday 1 (protocol section 3.3)."""
    assert {day for day in range(1, 8) if runs_on(mask, day)} == days
