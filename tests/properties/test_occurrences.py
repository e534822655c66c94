"""Occurrences of cron plans, in all time zones, against slow and plain models."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from hypothesis import assume, given, reject, strategies as st
import pytest

from custom_components.aquarist.schedules import (
    CronPlan,
    ErrorCode,
    Moment,
    ScheduleError,
    as_json,
    between,
    parse_definition,
)
from custom_components.aquarist.schedules.wall_clock import offset_change

ZONES = sorted(available_timezones())
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

# A change of half an hour, standard time in summer, a day that was skipped, a change at
# midnight, one of two hours, one a day around the New Year.
ODD_ZONES = [
    ("Australia/Lord_Howe", 2026),
    ("Europe/Dublin", 2026),
    ("Pacific/Apia", 2011),
    ("Pacific/Fakaofo", 2011),
    ("Pacific/Kwajalein", 1993),
    ("Pacific/Kiritimati", 1994),
    ("America/Asuncion", 2023),
    ("America/St_Johns", 2010),
    ("Antarctica/Troll", 2026),
    ("Africa/Casablanca", 2026),
    ("Asia/Pyongyang", 2018),
    ("America/Caracas", 2016),
]


@cache
def changes(zone: str, year: int) -> Sequence[datetime]:
    """List the instants of a year at which a zone's offset changes."""
    tz = ZoneInfo(zone)
    days = [datetime(year, 1, 1, tzinfo=UTC) + n * DAY for n in range(367)]
    offsets = [day.astimezone(tz).utcoffset() for day in days]
    found: list[datetime] = []
    for number in range(366):
        if offsets[number] != offsets[number + 1]:
            change = offset_change(days[number], days[number + 1], tz)
            assert change is not None
            found.append(change)
    return found


@st.composite
def zones_and_instants(draw: st.DrawFn) -> tuple[ZoneInfo, datetime]:
    """Draw a zone and an instant, near a change of its offset if the year has one."""
    # Before 1973 one zone's offset was not a whole number of minutes.
    odd = st.sampled_from(ODD_ZONES)
    zone, year = draw(odd | st.tuples(st.sampled_from(ZONES), st.integers(1973, 2037)))
    near = changes(zone, year) or [datetime(year, 6, 1, 12, tzinfo=UTC)]
    minutes = draw(st.integers(-26 * 60, 6 * 60))
    return ZoneInfo(zone), draw(st.sampled_from(near)) + minutes * MINUTE


def column(lowest: int, highest: int) -> st.SearchStrategy[str]:
    """Draw a column without names, as both cron readers understand it."""
    values = st.integers(lowest, highest)
    steps = st.integers(1, highest)
    ends = st.tuples(values, values).map(sorted)
    ranges = ends.map(lambda bounds: f"{bounds[0]}-{bounds[1]}")
    # cronsim takes a stepped range from a value to itself for a start without an end.
    wide = ends.filter(lambda bounds: bounds[0] < bounds[1])
    stepped = wide.map(lambda bounds: f"{bounds[0]}-{bounds[1]}")
    items = st.one_of(
        values.map(str),
        ranges,
        st.builds("{}/{}".format, stepped, steps),
        st.builds("{}/{}".format, values, steps),
    )
    return st.one_of(
        st.just("*"),
        steps.map("*/{}".format),
        st.lists(items, min_size=1, max_size=3).map(",".join),
    )


NAMED_WEEKDAYS = st.sampled_from(
    ["MON", "MON-FRI", "TUE,SUN", "MON#1", "SUN#5", "5#2,SAT", "0", "7", "3-7"]
)
DATES = st.tuples(
    column(1, 31) | st.sampled_from(["L", "15,L", "29", "31"]),
    column(1, 12) | st.sampled_from(["JAN", "FEB", "MAR-OCT", "2,DEC"]),
    column(0, 7) | NAMED_WEEKDAYS,
)
EXPRESSIONS = st.builds(
    lambda times, dates: " ".join((*times, *dates)),
    st.one_of(
        st.tuples(column(0, 59), column(0, 23)),
        st.tuples(column(0, 59), column(0, 59), column(0, 23)),
    ),
    DATES,
)

# Times around the usual hours of change, on most days.
QUARTERS = st.sampled_from(["0", "30", "0,30", "15,45", "1,59", "0-59/7", "0-59"])
NIGHTS = st.sampled_from(["0", "1", "2", "3", "0-3", "1,2", "2,3", "23", "0-23", "12"])
FEW_DATES = st.sampled_from(["* * *", "*/2 * *", "* * MON-SAT", "L * *", "31 * *"])
FIXED = st.builds("{} {} {}".format, QUARTERS, NIGHTS, FEW_DATES)
WILDCARDS = st.one_of(
    st.builds(
        "*/{} {} {}".format, st.integers(1, 45), NIGHTS | st.just("*"), FEW_DATES
    ),
    st.builds("{} */{} {}".format, QUARTERS, st.integers(1, 5), FEW_DATES),
    st.builds("* {} {}".format, NIGHTS, FEW_DATES),
)


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    """Give what the clock on the wall shows."""
    return at.astimezone(zone).replace(tzinfo=None)


def nominal_times(expression: str, first: datetime, last: datetime) -> list[datetime]:
    """List the matching wall-clock times between two naive times, both included."""
    times = CronSim(expression, first - timedelta(seconds=1))
    return list(takewhile(lambda local: local <= last, times))


def read(expression: str, zone: ZoneInfo) -> CronPlan | ScheduleError:
    """Give the plan of an expression, or its refusal."""
    try:
        return CronPlan(expression, zone)
    except ScheduleError as error:
        return error


def wall_clock_model(
    expression: str, zone: ZoneInfo, after: datetime, until: datetime
) -> list[Moment]:
    """Watch the clock on the wall: a time is due when the clock first reaches or passes it."""
    at = after - 2 * DAY
    furthest = wall(at, zone)
    waiting = nominal_times(expression, furthest + MINUTE, wall(until, zone) + 2 * DAY)
    found: list[Moment] = []
    while at < until:
        at += MINUTE
        furthest = max(furthest, wall(at, zone))
        count = bisect_right(waiting, furthest)
        due, waiting = waiting[:count], waiting[count:]
        if due and at > after:
            found.append(Moment(at=at, nominal=due[0].isoformat()))
    return found


def real_clock_model(
    expression: str, zone: ZoneInfo, after: datetime, until: datetime
) -> list[Moment]:
    """Look at the clock on the wall every minute: it matches or it does not."""
    first, last = wall(after, zone) - 2 * DAY, wall(until, zone) + 2 * DAY
    matching = set(nominal_times(expression, first, last))
    minutes = (after + n * MINUTE for n in range(1, (until - after) // MINUTE + 1))
    return [Moment(at=at) for at in minutes if wall(at, zone) in matching]


@given(
    expression=EXPRESSIONS,
    start=st.datetimes(datetime(1971, 1, 1), datetime(2090, 1, 1)),
)
def test_expressions_mean_what_cronsim_reads(expression: str, start: datetime) -> None:
    """Without daylight saving the next moments are those of the other reader."""
    assume(len(expression) <= 100)
    start = start.replace(microsecond=0)
    try:
        expected = list(islice(CronSim(expression, start), 4))
    except CronSimError:
        # It refuses an impossible day of month even where a weekday would do.
        reject()
    plan = read(expression, ZoneInfo("UTC"))
    if isinstance(plan, ScheduleError):
        assert plan.code is ErrorCode.NEVER_MATCHES
        assert expected == []
        return
    after, until = start.replace(tzinfo=UTC), datetime(2400, 1, 1, tzinfo=UTC)
    found = between(plan, after, until, len(expected))
    assert [moment.at.replace(tzinfo=None) for moment in found] == expected != []


@given(expression=FIXED, where=zones_and_instants())
def test_fixed_times_keep_to_the_wall_clock(
    expression: str, where: tuple[ZoneInfo, datetime]
) -> None:
    """Gaps run once at their end, overlaps in the first pass, in every zone (RES-14)."""
    zone, after = where
    until = after + 3 * DAY
    found = between(CronPlan(expression, zone), after, until, 10_000)
    assert found == wall_clock_model(expression, zone, after, until)


@given(expression=WILDCARDS, where=zones_and_instants())
def test_wildcards_follow_the_real_clock(
    expression: str, where: tuple[ZoneInfo, datetime]
) -> None:
    """Both passes of an overlap run, missing minutes do not, in every zone (RES-14)."""
    zone, after = where
    until = after + 2 * DAY
    found = between(CronPlan(expression, zone), after, until, 10_000)
    assert found == real_clock_model(expression, zone, after, until)


@given(expression=FIXED, where=zones_and_instants())
def test_fixed_times_agree_with_cronsim(
    expression: str, where: tuple[ZoneInfo, datetime]
) -> None:
    """The library that Home Assistant ships moves fixed times in the same way."""
    zone, near = where
    after = near.astimezone(zone).replace(fold=0).astimezone(UTC)
    times = islice(CronSim(expression, after.astimezone(zone)), 6)
    # Begun in a second pass, it starts with what is left of the first.
    expected = [at for time in times if (at := time.astimezone(UTC)) > after]
    plan = CronPlan(expression, zone)
    found = between(plan, after, expected[-1], 7)
    assert [moment.at for moment in found] == expected


@given(expression=FIXED | WILDCARDS, where=zones_and_instants())
def test_a_moment_does_not_depend_on_where_the_search_began(
    expression: str, where: tuple[ZoneInfo, datetime]
) -> None:
    """Moments rise, are unique by name, and each is found again from just before it (RES-51)."""
    zone, after = where
    plan = CronPlan(expression, zone)
    found = between(plan, after, after + 400 * DAY, 40)
    instants = [moment.at for moment in found]
    names = [moment.nominal for moment in found if moment.nominal is not None]
    assert instants == sorted(set(instants))
    assert names == sorted(set(names))
    for moment in found:
        assert plan.after(moment.at - datetime.resolution) == moment


@given(
    expression=FIXED | WILDCARDS,
    where=zones_and_instants(),
    cut=st.integers(0, 4 * 24 * 60),
)
def test_two_spans_that_meet_lose_and_repeat_nothing(
    expression: str, where: tuple[ZoneInfo, datetime], cut: int
) -> None:
    """Where a search stops, the next one goes on."""
    zone, after = where
    plan = CronPlan(expression, zone)
    middle, until = after + cut * MINUTE, after + 4 * DAY
    whole = between(plan, after, until, 10_000)
    halves = between(plan, after, middle, 10_000) + between(plan, middle, until, 10_000)
    assert halves == whole


@pytest.mark.parametrize("year", [1994, 2011, 2026])
def test_a_daily_time_inside_every_change_of_every_zone_runs_once(year: int) -> None:
    """One moment for the day of each gap and each overlap there is in a year."""
    seen = 0
    for zone_name in ZONES:
        zone = ZoneInfo(zone_name)
        for change in changes(zone_name, year):
            before, after = wall(change - MINUTE, zone), wall(change, zone)
            if after > before:
                local = (before + (after - before) / 2).replace(second=0, microsecond=0)
                expected = change
            else:
                local, expected = after, change - (before + MINUTE - after)
            plan = CronPlan(
                f"{local.minute} {local.hour} {local.day} {local.month} *", zone
            )
            found = between(plan, change - 3 * DAY, change + 3 * DAY, 9)
            assert found == [Moment(at=expected, nominal=local.isoformat())]
            seen += 1
    assert seen > 100


@given(text=st.text(alphabet="0123456789*/-,#?L @MONJANWHR\n.", max_size=24))
def test_any_text_is_read_or_refused(text: str) -> None:
    """What is read has a next moment."""
    plan = read(text, ZoneInfo("Europe/Berlin"))
    if isinstance(plan, ScheduleError):
        assert plan.field == "cron_expression"
    else:
        assert plan.after(datetime(2026, 1, 1, tzinfo=UTC)) is not None


GOOD: dict[str, Any] = {
    "name": "Dawn",
    "device_ids": [1, 2],
    "schedule_type": "cron",
    "cron_expression": "0 6 * * *",
    "start_time": "2026-01-01T00:00:00Z",
    "end_time": None,
    "timezone": "Europe/Berlin",
    "action_type": "ramp",
    "action_params": {"end_level": 80, "duration": 1800},
    "is_enabled": True,
    "on_miss": "converge",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
WORDS = st.sampled_from(
    ["one_off", "cron", "dose", "on", "set_level", "skip", "2026-05-01T00:00:00+02:00"]
)


@given(
    changed=st.dictionaries(st.sampled_from([*GOOD, "interval_seconds"]), JSON | WORDS),
    dropped=st.sets(st.sampled_from(sorted(GOOD)), max_size=3),
    params=st.dictionaries(
        st.sampled_from(["level", "duration", "head_index", "volume_ml", "curve"]),
        JSON | st.integers(0, 100),
    )
    | st.none(),
)
def test_any_definition_is_refused_or_round_trips(
    changed: dict[str, Any], dropped: set[str], params: dict[str, Any] | None
) -> None:
    """The only error is one that names a field."""
    data = {key: value for key, value in GOOD.items() if key not in dropped} | changed
    if params is not None:
        data["action_params"] = params
    try:
        definition = parse_definition(data, default_zone="UTC")
    except ScheduleError as error:
        named = error.field.partition(".")[0]
    else:
        named = "name"
        assert parse_definition(as_json(definition), default_zone="UTC") == definition
    assert named in {*GOOD, "interval_seconds"}
