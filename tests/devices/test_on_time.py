"""How long a switch has been on."""

import pytest

from custom_components.aquarist.devices.on_time import LONGEST, OnTime


def test_what_was_seen_all_the_time_counts() -> None:
    """From on to off, whatever the switch is said to do by itself."""
    on = OnTime(since=100.0, seen_since=100.0)
    assert on.seconds(130.0, None) == 30.0
    assert on.seconds(130.0, 10.0) == 30.0


@pytest.mark.parametrize(
    ("automatic_off", "seconds"), [(None, 100.0), (60.0, 60.0), (5.0, 10.0)]
)
def test_what_nobody_saw_counts_too(
    automatic_off: float | None, seconds: float
) -> None:
    """As far as the automatic off lets it be on, and never less than was seen."""
    on = OnTime(since=100.0, seen_since=100.0)
    on.lost(110.0)
    on.lost(150.0)
    assert on.seconds(200.0, automatic_off) == seconds


def test_what_is_seen_again_was_on_all_the_while() -> None:
    """Nothing shows that it was off meanwhile."""
    on = OnTime(since=100.0, seen_since=100.0)
    on.lost(110.0)
    on.seen()
    assert on.seconds(200.0, 60.0) == 100.0


def test_what_went_on_before_it_was_seen() -> None:
    """It was on since it was asked for at the earliest, and since it was seen for sure."""
    on = OnTime(since=100.0, seen_since=180.0)
    assert on.seconds(200.0, None) == 100.0
    assert on.seconds(200.0, 60.0) == 60.0
    assert on.seconds(200.0, 5.0) == 20.0


def test_no_time_is_negative_or_longer_than_a_day() -> None:
    """No budget looks back any further."""
    on = OnTime(since=100.0, seen_since=100.0, seen_until=100.0)
    assert on.seconds(100.0, None) == 0.0
    assert on.seconds(90.0, None) == 0.0
    assert on.seconds(1_000_000.0, None) == LONGEST
