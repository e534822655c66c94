"""A head's programme: which doses of a day it makes of the frames it is sent."""

import pytest

from custom_components.aquarist.simulator.programme import Programme, ProgrammeMode


def programme(mask: int = 127, tenths: int = 0xFFFF) -> Programme:
    """Return an enabled programme with weekdays and, if given, a daily volume."""
    made = Programme()
    made.enable(catch_up=False, active=True)
    made.set_daily(mask, tenths)
    return made


def timer(*entries: tuple[int, int, int]) -> bytes:
    """Return the fields of a timer list from (hour, minute, tenths)."""
    return b"".join(
        bytes([hour, minute, *tenths.to_bytes(2)]) for hour, minute, tenths in entries
    )


def test_once_a_day_the_whole_volume() -> None:
    """At its time."""
    made = programme(tenths=51)
    assert made.set_times(0, bytes([7, 58, 0, 0]))
    assert made.doses() == [(7 * 60 + 58, 5100)]


def test_a_volume_in_the_time_frame_counts_too() -> None:
    """One peer sends it there."""
    made = programme()
    assert made.set_times(0, bytes([7, 58, 0, 51]))
    assert made.doses() == [(7 * 60 + 58, 5100)]


def test_every_hour_a_twenty_fourth() -> None:
    """37.0 mL a day are 1.54 mL an hour, and exactly 37.0 in all."""
    made = programme(tenths=370)
    assert made.set_times(1, bytes([0, 5, 0, 0]))
    doses = made.doses()
    assert [minute for minute, _ in doses] == [hour * 60 + 5 for hour in range(24)]
    assert {volume for _, volume in doses} == {1541, 1542}
    assert sum(volume for _, volume in doses) == 37_000


def test_a_timer_has_a_volume_for_each_entry() -> None:
    """The target is their sum when no daily volume was sent, else that."""
    made = programme()
    assert made.set_times(3, timer((8, 0, 50), (20, 0, 25)))
    assert made.doses() == [(480, 5000), (1200, 2500)]
    assert made.target == 7500
    made.set_daily(127, 240)
    assert made.target == 24_000


def test_windows_spread_the_daily_volume() -> None:
    """Evenly over all their doses; a window may end after midnight, and be empty."""
    made = programme(tenths=40)
    assert made.set_windows(bytes([8, 0, 10, 0, 3, 23, 0, 26, 0, 1, 12, 0, 13, 0, 0]))
    assert made.doses() == [(480, 1000), (520, 1000), (560, 1000), (1380, 1000)]


def test_a_long_list_goes_on_in_the_next_frame() -> None:
    """Until a new programme is opened by `A5/20` or `A5/1B`."""
    made = programme()
    made.set_times(3, timer((8, 0, 50)))
    made.set_times(3, timer((9, 0, 50)))
    assert [minute for minute, _ in made.doses()] == [480, 540]
    made.set_daily(127, 0xFFFF)
    made.set_times(3, timer((10, 0, 50)))
    assert [minute for minute, _ in made.doses()] == [600]
    made.enable(catch_up=True, active=True)
    made.set_times(3, timer((11, 0, 50)))
    assert [minute for minute, _ in made.doses()] == [660]


def test_another_kind_of_programme_takes_the_place_of_the_old() -> None:
    """Also without opening a new one; once a day there is only one time."""
    made = programme(tenths=30)
    made.set_times(3, timer((8, 0, 50)))
    made.set_windows(bytes([8, 0, 10, 0, 3]))
    assert len(made.doses()) == 3
    made.set_times(0, bytes([7, 0, 0, 0]))
    made.set_times(0, bytes([9, 0, 0, 0]))
    assert made.doses() == [(540, 3000)]


def test_a_head_that_is_off_gives_nothing_and_keeps_its_programme() -> None:
    """It shows as disabled, without times, but with its target."""
    made = programme(tenths=51)
    made.set_times(0, bytes([7, 58, 0, 0]))
    made.enable(catch_up=True, active=False)
    assert made.doses() == []
    assert made.shown_mode is ProgrammeMode.DISABLED
    assert made.record(88) == bytes([4, 0, 0, 0, 0, 0, 0, 0, 88])
    assert (made.target, made.catch_up) == (5100, True)
    made.enable(catch_up=False, active=True)
    assert made.doses() == [(7 * 60 + 58, 5100)]


def test_up_to_three_times_are_shown_of_a_timer_and_one_of_windows() -> None:
    """In the nine bytes of the snapshot."""
    made = programme(tenths=100)
    made.set_times(3, timer((8, 0, 1), (9, 1, 1), (10, 2, 1), (11, 3, 1)))
    assert made.record(300) == bytes([3, 8, 0, 9, 1, 10, 2, 1, 44])
    made.set_windows(bytes([6, 45, 7, 15, 2, 8, 0, 9, 0, 1]))
    assert made.record(0) == bytes([2, 6, 45, 0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("mode", "fields"),
    [
        (0, b""),
        (0, bytes([7, 58, 0])),
        (0, bytes([24, 0, 0, 0])),
        (0, bytes([7, 60, 0, 0])),
        (0, bytes([7, 0, 0, 0, 8, 0, 0, 0])),
        (1, bytes([7, 0, 0, 0, 8, 0, 0, 0])),
        (2, bytes([7, 0, 0, 0])),
        (3, bytes([7, 0, 0, 9, 25, 0, 0, 9])),
    ],
)
def test_what_is_no_list_of_times_changes_nothing(mode: int, fields: bytes) -> None:
    """Wrong length, no clock time, no such mode."""
    made = programme(tenths=51)
    made.set_times(0, bytes([7, 58, 0, 0]))
    assert not made.set_times(mode, fields)
    assert made.doses() == [(7 * 60 + 58, 5100)]


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        bytes([8, 0, 10, 0]),
        bytes([24, 0, 25, 0, 1]),
        bytes([8, 60, 10, 0, 1]),
        bytes([8, 0, 10, 60, 1]),
        bytes([8, 0, 7, 59, 1]),
    ],
)
def test_what_are_no_windows_changes_nothing(fields: bytes) -> None:
    """Wrong length, no clock time, an end before the start."""
    made = programme()
    assert not made.set_windows(fields)
    assert made.doses() == []
