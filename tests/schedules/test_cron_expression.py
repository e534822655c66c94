"""The cron dialect (RES-41)."""

from datetime import datetime, timedelta

import pytest

from custom_components.aquarist.schedules.cron_expression import LONGEST, parse
from custom_components.aquarist.schedules.errors import ErrorCode, ScheduleError


def matches(expression: str, count: int) -> list[str]:
    """List the first wall-clock times of 2026 that match."""
    fields = parse(expression)
    local = fields.following(datetime.fromisoformat("2026-01-01"))
    found: list[str] = []
    while local is not None and len(found) < count:
        found.append(local.isoformat(" "))
        local = fields.following(local + timedelta(seconds=1))
    return found


def days(expression: str, count: int) -> list[str]:
    """List the month and day of the first matching times of 2026, all at midnight."""
    return [found[5:10] for found in matches(f"0 0 {expression}", count)]


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("0 6 * * *", ["2026-01-01 06:00:00", "2026-01-02 06:00:00"]),
        ("*/20 5 * * *", ["2026-01-01 05:00:00", "2026-01-01 05:20:00"]),
        ("10/25 0 * * *", ["2026-01-01 00:10:00", "2026-01-01 00:35:00"]),
        ("59/15 * * * *", ["2026-01-01 00:59:00", "2026-01-01 01:59:00"]),
        ("05,08 07 * * *", ["2026-01-01 07:05:00", "2026-01-01 07:08:00"]),
        ("0 9-9 * * *", ["2026-01-01 09:00:00", "2026-01-02 09:00:00"]),
        ("0 8-18/5 * * *", ["2026-01-01 08:00:00", "2026-01-01 13:00:00"]),
        ("0 22-1 * * *", ["2026-01-01 00:00:00", "2026-01-01 01:00:00"]),
        ("0 22-4/3 * * *", [f"2026-01-01 {hour}:00:00" for hour in ("01", "04", "22")]),
        ("30 0 6 * * *", ["2026-01-01 06:00:30", "2026-01-02 06:00:30"]),
        ("*/30 * * * * *", ["2026-01-01 00:00:00", "2026-01-01 00:00:30"]),
        ("@hourly", ["2026-01-01 00:00:00", "2026-01-01 01:00:00"]),
        ("@daily", ["2026-01-01 00:00:00", "2026-01-02 00:00:00"]),
        (" @Midnight ", ["2026-01-01 00:00:00", "2026-01-02 00:00:00"]),
        ("@weekly", ["2026-01-04 00:00:00", "2026-01-11 00:00:00"]),
        ("@monthly", ["2026-01-01 00:00:00", "2026-02-01 00:00:00"]),
        ("@yearly", ["2026-01-01 00:00:00", "2027-01-01 00:00:00"]),
        ("@annually", ["2026-01-01 00:00:00", "2027-01-01 00:00:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("0\t0   1 JAN,mar *", ["2026-01-01 00:00:00", "2026-03-01 00:00:00"]),
        ("0 0 1 DEC/3 *", ["2026-12-01 00:00:00", "2027-12-01 00:00:00"]),
        ("0 0 1 NOV-DEC *", ["2026-11-01 00:00:00", "2026-12-01 00:00:00"]),
    ],
)
def test_times_of_an_expression(expression: str, times: list[str]) -> None:
    """Columns, steps, ranges, names and aliases mean what cron's users expect."""
    assert matches(expression, len(times)) == times


@pytest.mark.parametrize(
    ("expression", "dates"),
    [
        pytest.param("* * 0", ["01-04", "01-11"], id="0 is Sunday"),
        pytest.param("* * 7", ["01-04", "01-11"], id="7 is Sunday"),
        pytest.param("* * SUN", ["01-04", "01-11"], id="name"),
        pytest.param("* * 5-7", ["01-02", "01-03", "01-04", "01-09"], id="range to 7"),
        pytest.param("* * FRI-SUN", ["01-02", "01-03", "01-04", "01-09"], id="wraps"),
        pytest.param("* * FRI-MON/2", ["01-02", "01-04", "01-09"], id="wraps, step"),
        pytest.param("* * 7-0", ["01-04", "01-11"], id="both are Sunday"),
        pytest.param("* * SAT-SUN#1", ["01-03", "01-04", "02-01"], id="wraps, nth"),
        pytest.param("* * SUN-SUN", ["01-04", "01-11"], id="range to itself"),
        pytest.param("* * 6/2", ["01-03", "01-10"], id="start with a step"),
        pytest.param("* * 1-7/2", ["01-02", "01-04", "01-05", "01-07"], id="step"),
        pytest.param("* * MON#1", ["01-05", "02-02", "03-02"], id="first Monday"),
        pytest.param("* * 7#5", ["03-29", "05-31"], id="fifth Sunday"),
        pytest.param("* * MON#1,THU", ["01-01", "01-05", "01-08"], id="nth and all"),
        pytest.param("* * MON-TUE#2", ["01-12", "01-13", "02-09"], id="range of nth"),
        pytest.param("? * L5", ["01-30", "02-27", "03-27"], id="last Friday"),
        pytest.param("L * *", ["01-31", "02-28", "03-31"], id="last day"),
        pytest.param("1,L * ?", ["01-01", "01-31", "02-01"], id="list with last"),
        pytest.param("31 * *", ["01-31", "03-31", "05-31"], id="short months skipped"),
        pytest.param("13 * FRI", ["01-02", "01-09", "01-13"], id="both: OR"),
        pytest.param("*/2 * FRI", ["01-09", "01-23", "02-13"], id="a star: AND"),
        pytest.param("1-7 * */7", ["01-04", "02-01"], id="a stepped star: AND"),
    ],
)
def test_days_of_an_expression(expression: str, dates: list[str]) -> None:
    """Day of month and day of week are joined by OR when neither begins with a star."""
    assert days(expression, len(dates)) == dates


@pytest.mark.parametrize(
    ("expression", "follows"),
    [
        ("0 6 * * *", False),
        ("0,30 6-18 * * *", False),
        ("*/5 0 6 * * *", False),
        ("@daily", False),
        ("*/5 6 * * *", True),
        ("0 */2 * * *", True),
        ("1,*/30 6 * * *", True),
        ("0 0 * * * *", True),
        ("@hourly", True),
    ],
)
def test_a_wildcard_in_hour_or_minute_follows_the_real_clock(
    expression: str, follows: bool
) -> None:
    """Seconds, days and months do not decide it (RES-14)."""
    assert parse(expression).follows_real_clock is follows


@pytest.mark.parametrize(
    ("expression", "column"),
    [
        ("60 * * * *", "minute"),
        ("-1 * * * *", "minute"),
        ("*/0 * * * *", "minute"),
        ("1/ * * * *", "minute"),
        ("1,,2 * * * *", "minute"),
        ("abc * * * *", "minute"),
        ("R * * * *", "minute"),
        ("H(0-9) * * * *", "minute"),
        ("٣ * * * *", "minute"),
        ("? * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* 6.5 * * *", "hour"),
        ("* 0-24 * * *", "hour"),
        ("* 0-24/7 * * *", "hour"),
        ("* * 0 * *", "day_of_month"),
        ("* * 32 * *", "day_of_month"),
        ("* * 15W * *", "day_of_month"),
        ("* * LW * *", "day_of_month"),
        ("* * 5#2 * *", "day_of_month"),
        ("* * MON * *", "day_of_month"),
        ("* * * 0 *", "month"),
        ("* * * 13 *", "month"),
        ("* * * 6-0 *", "month"),
        ("* * * MON *", "month"),
        ("* * * * 8", "day_of_week"),
        ("* * * * L", "day_of_week"),
        ("* * * * JAN", "day_of_week"),
        ("* * * * 1#6", "day_of_week"),
        ("* * * * 1#0", "day_of_week"),
        ("60 * * * * *", "second"),
        ("L * * * * *", "second"),
    ],
)
def test_a_malformed_column_is_named(expression: str, column: str) -> None:
    """The error says which column cannot be read."""
    with pytest.raises(ScheduleError) as refused:
        parse(expression)
    assert refused.value.field == "cron_expression"
    assert refused.value.code is ErrorCode.MALFORMED_CRON
    assert refused.value.placeholders == {"expression": expression, "column": column}


@pytest.mark.parametrize(
    ("expression", "count"),
    [("", 0), ("  ", 0), ("0 6 * *", 4), ("0 0 6 * * * 2026", 7)],
)
def test_an_expression_has_five_or_six_columns(expression: str, count: int) -> None:
    """No year, no fewer."""
    with pytest.raises(ScheduleError) as refused:
        parse(expression)
    assert refused.value.code is ErrorCode.CRON_COLUMNS
    assert refused.value.placeholders == {"expression": expression, "count": str(count)}


@pytest.mark.parametrize("expression", ["@reboot", "@every 5m", "@", "@daily 5"])
def test_other_aliases_are_refused(expression: str) -> None:
    """What is not tied to the clock has no next run."""
    with pytest.raises(ScheduleError) as refused:
        parse(expression)
    assert refused.value.code is ErrorCode.CRON_ALIAS
    assert refused.value.placeholders["expression"] == expression
    assert "@daily" in refused.value.placeholders["known"]


@pytest.mark.parametrize(
    "expression",
    ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 30-31 FEB ?", "*/5 * 31 4 *"],
)
def test_an_expression_that_never_matches_is_refused(expression: str) -> None:
    """A day that no year has."""
    with pytest.raises(ScheduleError) as refused:
        parse(expression)
    assert refused.value.code is ErrorCode.NEVER_MATCHES
    assert refused.value.placeholders == {"expression": expression}


def test_the_day_of_week_saves_an_impossible_day_of_month() -> None:
    """30 February or a Monday is a Monday."""
    assert days("30 2 MON", 2) == ["02-02", "02-09"]


def test_an_expression_is_at_most_100_characters_long() -> None:
    """One more is refused (R-B103)."""
    longest = "0 0 * * 1".ljust(LONGEST)
    assert parse(longest).hours == (0,)
    with pytest.raises(ScheduleError) as refused:
        parse(longest + " ")
    assert refused.value.code is ErrorCode.TOO_LONG
    assert refused.value.placeholders == {"maximum": "100"}
