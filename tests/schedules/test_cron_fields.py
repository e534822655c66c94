"""The search for wall-clock times that match."""

from datetime import datetime
from time import perf_counter

import pytest

from custom_components.aquarist.schedules.cron_expression import parse


@pytest.mark.parametrize(
    ("expression", "start", "found"),
    [
        ("30 6 * * *", "2026-05-01T06:30:00", "2026-05-01T06:30:00"),
        ("30 6 * * *", "2026-05-01T06:30:01", "2026-05-02T06:30:00"),
        ("30 6 * * *", "2026-05-01T05:59:00", "2026-05-01T06:30:00"),
        ("30 6 * * *", "2026-05-01T06:29:59", "2026-05-01T06:30:00"),
        ("0,30 6,7 * * *", "2026-05-01T06:45:00", "2026-05-01T07:00:00"),
        ("15 10 6 * * *", "2026-05-01T06:10:16", "2026-05-02T06:10:15"),
        ("15,45 10 6 * * *", "2026-05-01T06:10:16", "2026-05-01T06:10:45"),
        ("0 0 31 * *", "2026-01-31T00:00:01", "2026-03-31T00:00:00"),
        ("0 0 1 1 *", "2026-12-31T23:59:59", "2027-01-01T00:00:00"),
        ("0 0 29 2 *", "2096-03-01T00:00:00", "2104-02-29T00:00:00"),
        ("0 0 * 2 MON#5", "2072-03-01T00:00:00", "2112-02-29T00:00:00"),
    ],
)
def test_following_gives_the_first_time_at_or_after(
    expression: str, start: str, found: str
) -> None:
    """The time itself counts."""
    following = parse(expression).following(datetime.fromisoformat(start))
    assert following == datetime.fromisoformat(found)


def test_nothing_follows_at_the_end_of_the_calendar() -> None:
    """The last leap years have no fifth Sunday in February."""
    fields = parse("0 0 * 2 SUN#5")
    assert fields.following(datetime.fromisoformat("9992-03-01")) is None


def test_a_sparse_time_is_found_at_once() -> None:
    """Forty years ahead costs no search through the minutes."""
    fields = parse("* * * 2 MON#5")
    begun = perf_counter()
    for _ in range(100):
        fields.following(datetime.fromisoformat("2072-03-01"))
    assert perf_counter() - begun < 1
