"""Plans of type cron: time zones, daylight saving, start and end."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.aquarist.schedules import CronPlan, Moment, between


def utc(text: str) -> datetime:
    """Read a UTC instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def moments(
    expression: str, zone: str, after: str, until: str
) -> list[tuple[str, str | None]]:
    """List the moments of a span, instants as UTC text."""
    plan = CronPlan(expression, ZoneInfo(zone))
    return [
        (moment.at.strftime("%d %H:%M"), moment.nominal and moment.nominal[5:16])
        for moment in between(plan, utc(after), utc(until), 50)
    ]


@pytest.mark.parametrize(
    ("expression", "zone", "after", "at"),
    [
        ("0 6 * * *", "UTC", "2026-01-15T06:00", "2026-01-16T06:00"),
        ("0 6 * * *", "US/Pacific", "2026-01-15T13:00", "2026-01-15T14:00"),
        ("0 6 * * *", "US/Pacific", "2026-07-15T12:00", "2026-07-15T13:00"),
        ("30 7 * * MON-FRI", "Asia/Kolkata", "2026-01-16T02:00", "2026-01-19T02:00"),
        ("0 0 1 1 *", "Pacific/Kiritimati", "2026-06-01T00:00", "2026-12-31T10:00"),
        ("*/15 9-17 * * *", "Europe/Berlin", "2026-01-15T16:46", "2026-01-16T08:00"),
    ],
)
def test_next_run_in_several_zones(
    expression: str, zone: str, after: str, at: str
) -> None:
    """Expressions are read in the schedule's own zone (R-B12, R-B92, R-B93)."""
    found = CronPlan(expression, ZoneInfo(zone)).after(utc(after))
    assert found is not None
    assert found.at == utc(at)


def test_a_time_the_clock_jumps_over_runs_once_after_the_gap() -> None:
    """Both nominal times collapse onto 03:00; the first names the occurrence."""
    assert moments(
        "0,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-30T12:00"
    ) == [
        ("29 01:00", "03-29T02:00"),
        ("30 00:00", "03-30T02:00"),
        ("30 00:30", "03-30T02:30"),
    ]


@pytest.mark.parametrize("before", ["00:59:58.5", "00:59:59", "00:59:59.999999"])
def test_a_search_from_just_before_the_gap_finds_its_times(before: str) -> None:
    """The last second before the gap still sees the times that are missing."""
    plan = CronPlan("30 2 * * *", ZoneInfo("Europe/Berlin"))
    assert plan.after(utc(f"2026-03-29T{before}")) == Moment(
        at=utc("2026-03-29T01:00"), nominal="2026-03-29T02:30:00"
    )


def test_a_time_right_after_the_gap_is_the_same_moment() -> None:
    """02:30 and 03:00 of that day are one instant."""
    assert moments(
        "0,30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T12:00"
    ) == [("29 01:00", "03-29T02:00"), ("29 01:30", "03-29T03:30")]


def test_a_time_shown_twice_runs_in_the_first_pass() -> None:
    """Nothing runs in the second pass, not even asked from within it."""
    assert moments(
        "15,45 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T12:00"
    ) == [("25 00:15", "10-25T02:15"), ("25 00:45", "10-25T02:45")]
    assert (
        moments(
            "15,45 2 * * *", "Europe/Berlin", "2026-10-25T01:05", "2026-10-25T12:00"
        )
        == []
    )


def test_a_wildcard_runs_in_both_passes() -> None:
    """The real clock has no gap and no overlap."""
    assert moments(
        "*/30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T12:00"
    ) == [
        ("25 00:00", None),
        ("25 00:30", None),
        ("25 01:00", None),
        ("25 01:30", None),
    ]


def test_a_wildcard_does_not_run_in_missing_minutes() -> None:
    """On the day of the gap the hour from 2 to 3 is not there."""
    assert (
        moments("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T12:00")
        == []
    )


def test_a_sparse_wildcard_still_runs_in_the_second_pass() -> None:
    """After the last match of the first pass the next date is a year away."""
    assert moments(
        "*/30 2 25 10 *", "Europe/Berlin", "2026-10-25T00:30", "2027-10-25T00:00"
    ) == [("25 01:00", None), ("25 01:30", None), ("25 00:00", None)]


def test_a_wildcard_keeps_its_distance_through_a_change_of_half_an_hour() -> None:
    """Lord Howe moves by 30 minutes: 01:30 to 02:00 comes twice."""
    assert moments(
        "*/15 * * * *", "Australia/Lord_Howe", "2026-04-04T14:44", "2026-04-04T15:46"
    ) == [
        (time, None)
        for time in ("04 14:45", "04 15:00", "04 15:15", "04 15:30", "04 15:45")
    ]


def test_a_day_that_a_zone_skipped_runs_once_after_it() -> None:
    """Samoa had no 30 December 2011: its times fall on the next midnight."""
    assert moments(
        "0 0,12 * * *", "Pacific/Apia", "2011-12-29T12:00", "2011-12-31T00:00"
    ) == [
        ("29 22:00", "12-29T12:00"),
        ("30 10:00", "12-30T00:00"),
        ("30 22:00", "12-31T12:00"),
    ]


def test_seconds_do_not_make_a_plan_follow_the_real_clock() -> None:
    """Ten of them in a gap are one moment."""
    plan = CronPlan("*/6 30 2 * * *", ZoneInfo("Europe/Berlin"))
    found = between(plan, utc("2026-03-29T00:00"), utc("2026-03-29T12:00"), 20)
    assert found == [Moment(at=utc("2026-03-29T01:00"), nominal="2026-03-29T02:30:00")]


def test_start_and_end_are_included() -> None:
    """The first run is not lost, the last one neither (R-B96, R-B97, RES-36)."""
    start, end = utc("2026-01-10T06:00"), utc("2026-01-12T06:00")
    plan = CronPlan("0 6 * * *", ZoneInfo("UTC"), start, end)
    found = between(plan, utc("2026-01-01T00:00"), utc("2026-02-01T00:00"), 10)
    assert [moment.at.day for moment in found] == [10, 11, 12]


def test_start_and_end_between_two_runs_cut_them_off() -> None:
    """A start a little too late loses that run."""
    start = utc("2026-01-10T06:00:00.5")
    plan = CronPlan("0 6 * * *", ZoneInfo("UTC"), start, utc("2026-01-12T05:59:59"))
    found = between(plan, utc("2026-01-01T00:00"), utc("2026-02-01T00:00"), 10)
    assert [moment.at.day for moment in found] == [11]


def test_after_is_strict_and_knows_fractions_of_a_second() -> None:
    """A moment is not after itself, but after the instant just before."""
    plan = CronPlan("0 6 * * *", ZoneInfo("UTC"))
    at = utc("2026-01-10T06:00")
    found = plan.after(at - datetime.resolution)
    assert found is not None
    assert found.at == at
    later = plan.after(at)
    assert later is not None
    assert later.at == at + timedelta(days=1)


def test_an_instant_in_another_zone_is_the_same_instant() -> None:
    """What is asked with an offset is answered in UTC."""
    plan = CronPlan("*/10 * * * *", ZoneInfo("Europe/Berlin"))
    found = plan.after(datetime.fromisoformat("2026-01-10T06:05:00+05:30"))
    assert found == Moment(at=utc("2026-01-10T00:40"))
    assert found.at.tzinfo is UTC


@pytest.mark.parametrize("expression", ["0 0 * 2 SUN#5", "* * * 2 SUN#5"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Midway"])
def test_a_plan_ends_with_the_calendar(expression: str, zone: str) -> None:
    """The last and the first instants that can be written raise nothing."""
    plan = CronPlan(expression, ZoneInfo(zone))
    assert plan.after(datetime.max.replace(tzinfo=UTC)) is None
    assert plan.after(utc("9989-03-02T00:00")) is None
    first = plan.after(datetime.min.replace(tzinfo=UTC))
    assert first is not None
    assert first.at.year == 1976


@pytest.mark.parametrize(
    ("start", "end"), [(datetime.min, datetime.max), (datetime.max, None)]
)
def test_start_and_end_may_be_the_ends_of_the_calendar(
    start: datetime, end: datetime | None
) -> None:
    """A start that never comes is a plan without moments."""
    plan = CronPlan(
        "0 6 * * *",
        ZoneInfo("Asia/Tokyo"),
        start.replace(tzinfo=UTC),
        end and end.replace(tzinfo=UTC),
    )
    found = plan.after(utc("2026-01-10T00:00"))
    assert (found is None) is (start == datetime.max)
