"""Between wall-clock times and instants (RES-14)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.aquarist.schedules.wall_clock import (
    instant,
    offset_change,
    wall_time,
)

BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    """Read a UTC instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "local", "at"),
    [
        pytest.param("UTC", "2026-03-29T02:30", "2026-03-29T02:30", id="no change"),
        pytest.param(
            "Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59", id="before"
        ),
        pytest.param(
            "Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00", id="gap begins"
        ),
        pytest.param(
            "Europe/Berlin", "2026-03-29T02:59:59", "2026-03-29T01:00", id="gap ends"
        ),
        pytest.param(
            "Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00", id="after the gap"
        ),
        pytest.param(
            "Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30", id="first pass"
        ),
        pytest.param(
            "Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00", id="after overlap"
        ),
        pytest.param(
            "Europe/Dublin", "2026-03-29T01:30", "2026-03-29T01:00", id="negative DST"
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "2026-10-04T02:15",
            "2026-10-03T15:30",
            id="half an hour is missing",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "2026-04-05T01:45",
            "2026-04-04T14:45",
            id="half an hour comes twice",
        ),
        pytest.param(
            "Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00", id="no such day"
        ),
        pytest.param(
            "Asia/Kolkata", "2026-03-29T06:00", "2026-03-29T00:30", id="half-hour zone"
        ),
    ],
)
def test_a_wall_clock_time_stands_for_one_instant(
    zone: str, local: str, at: str
) -> None:
    """A gap gives the first instant after it, an overlap the first pass."""
    assert instant(datetime.fromisoformat(local), ZoneInfo(zone)) == utc(at)


def test_a_fraction_of_a_second_in_a_gap_ends_at_the_gap() -> None:
    """The end of a gap is a whole second, whatever the time was."""
    local = datetime.fromisoformat("2026-03-29T02:30:00.25")
    assert instant(local, BERLIN) == utc("2026-03-29T01:00")


def test_wall_time_is_naive_and_forgets_the_pass() -> None:
    """Both passes of an overlap show the same time."""
    first = wall_time(utc("2026-10-25T00:30"), BERLIN)
    second = wall_time(utc("2026-10-25T01:30"), BERLIN)
    assert first == second == datetime.fromisoformat("2026-10-25T02:30")
    assert second.fold == 0
    assert second.tzinfo is None


def test_an_offset_change_is_found_to_the_second() -> None:
    """The change belongs to the span that ends with it."""
    change = utc("2026-03-29T01:00")
    second = timedelta(seconds=1)
    half_a_second = second / 2
    day = timedelta(days=1)
    assert offset_change(change - day, change + day, BERLIN) == change
    assert offset_change(change - half_a_second, change, BERLIN) == change
    assert offset_change(change - second, change + half_a_second, BERLIN) == change


def test_a_span_without_a_change_has_none() -> None:
    """The instant of the change itself already has the new offset."""
    change = utc("2026-03-29T01:00")
    day = timedelta(days=1)
    assert offset_change(change, change + day, BERLIN) is None
    assert offset_change(change - day, change - timedelta(seconds=1), BERLIN) is None
