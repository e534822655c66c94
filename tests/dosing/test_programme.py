"""The four programmes of a pump head: what they give, when, and what a pump shows of them."""

from datetime import datetime, time, timedelta
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.aquarist.chihiros.command_frame import Weekday
from custom_components.aquarist.commands.actions import ACTIONS
from custom_components.aquarist.dosing.programme import (
    Period,
    Programme,
    ProgrammeMode,
    TimedDose,
    programme_from,
)

WEDNESDAY = datetime(2026, 3, 11)


def programme(**args: Any) -> Programme:
    """Return the programme of arguments that a keeper could send."""
    valid = ACTIONS["set_doser_schedule"].checked({"head_index": 0, **args})
    return programme_from(valid)


SINGLE = programme(mode="single", volume_tenths_ml=58, hour=8, minute=30)
HOURLY = programme(mode="every_hour", volume_tenths_ml=370)
PERIODS = programme(
    mode="custom_periods",
    volume_tenths_ml=40,
    periods=[
        {"start": "23:00", "end": "02:00", "doses": 2},
        {"start": "08:00", "end": "10:00", "doses": 2},
    ],
)
TIMER = programme(
    mode="timer",
    timers=[
        {"time": "20:00", "volume_tenths_ml": 25},
        {"time": "08:00", "volume_tenths_ml": 50},
        {"time": "12:00", "volume_tenths_ml": 0},
        {"time": "22:00", "volume_tenths_ml": 10},
    ],
)
ALL = (SINGLE, HOURLY, PERIODS, TIMER)


def test_values_are_read() -> None:
    """Microlitres, and lists in the order of their times."""
    assert Programme(mode=ProgrammeMode.SINGLE, volume=5800, at=time(8, 30)) == SINGLE
    assert PERIODS.periods == (
        Period(start=time(8), minutes=120, doses=2),
        Period(start=time(23), minutes=180, doses=2),
    )
    assert TIMER.timers[0] == TimedDose(at=time(8), volume=5000)
    assert TIMER.volume == 8500


def test_a_period_may_last_a_whole_day() -> None:
    """An end that is its start is a day later."""
    whole = programme(
        mode="custom_periods",
        volume_tenths_ml=10,
        periods=[{"start": "08:00", "end": "08:00", "doses": 1}],
    )
    assert whole.periods[0].minutes == 1440


@pytest.mark.parametrize(
    ("kept", "doses"),
    [
        (SINGLE, [(510, 5800)]),
        (PERIODS, [(480, 1000), (540, 1000), (1380, 1000), (1470, 1000)]),
        (TIMER, [(480, 5000), (720, 0), (1200, 2500), (1320, 1000)]),
    ],
)
def test_doses_of_a_day(kept: Programme, doses: list[tuple[int, int]]) -> None:
    """Minute and microlitres; a period past midnight goes on beyond the day."""
    assert kept.doses() == doses


def test_every_hour_gives_a_twenty_fourth() -> None:
    """Whole microlitres that add up to the day."""
    doses = HOURLY.doses()
    assert [minute for minute, _ in doses] == [hour * 60 for hour in range(24)]
    assert sum(volume for _, volume in doses) == 37_000
    assert {volume for _, volume in doses} == {1541, 1542}


def test_a_week_counts_its_days() -> None:
    """Two of seven days give two volumes."""
    weekend = programme(
        mode="every_hour", volume_tenths_ml=10, weekdays=["Saturday", "sunday"]
    )
    assert weekend.weekdays == Weekday.SATURDAY | Weekday.SUNDAY
    assert weekend.weekly_volume == 2000


@pytest.mark.parametrize(
    ("kept", "after", "due", "volume"),
    [
        (SINGLE, WEDNESDAY.replace(hour=8), WEDNESDAY.replace(hour=8, minute=30), 5800),
        (
            SINGLE,
            WEDNESDAY.replace(hour=8, minute=30),
            WEDNESDAY.replace(day=12, hour=8, minute=30),
            5800,
        ),
        (PERIODS, WEDNESDAY, WEDNESDAY.replace(minute=30), 1000),
        (TIMER, WEDNESDAY.replace(hour=9), WEDNESDAY.replace(hour=20), 2500),
    ],
)
def test_next_dose(
    kept: Programme, after: datetime, due: datetime, volume: int
) -> None:
    """After an instant, yesterday's night included; a dose of nothing is none."""
    assert kept.next_dose(after) == (due, volume)


def test_next_dose_waits_for_its_weekday() -> None:
    """A programme of this weekday alone comes again in a week."""
    kept = programme(
        mode="single", volume_tenths_ml=10, hour=8, minute=0, weekdays=["wednesday"]
    )
    due = kept.next_dose(WEDNESDAY.replace(hour=8))
    assert due == (WEDNESDAY.replace(day=18, hour=8), 1000)


def test_a_programme_of_nothing_never_doses() -> None:
    """There is no next dose."""
    empty = programme(mode="every_hour", volume_tenths_ml=0)
    assert empty.next_dose(WEDNESDAY) is None


def test_doses_of_one_minute_are_all_given() -> None:
    """More doses than minutes in a period, and two timers of one time."""
    crowded = programme(
        mode="custom_periods",
        volume_tenths_ml=240,
        periods=[{"start": "08:00", "end": "08:10", "doses": 24}],
    )
    twice = programme(
        mode="timer",
        timers=[{"time": "08:00", "volume_tenths_ml": tenths} for tenths in (25, 10)],
    )
    day = timedelta(days=1)
    for kept in (crowded, twice):
        given = kept.doses_between(WEDNESDAY, WEDNESDAY + day)
        assert sum(volume for _, volume in given) == kept.volume


def test_a_night_that_lasts_into_a_period_of_the_morning_hides_none_of_it() -> None:
    """Doses come in the order of time, whichever day's they are."""
    kept = programme(
        mode="custom_periods",
        volume_tenths_ml=40,
        periods=[
            {"start": "22:00", "end": "05:00", "doses": 2},
            {"start": "00:30", "end": "01:30", "doses": 2},
        ],
    )
    assert kept.next_dose(WEDNESDAY) == (WEDNESDAY.replace(minute=30), 1000)
    given = [due for due, _ in kept.doses_between(WEDNESDAY, WEDNESDAY.replace(hour=9))]
    assert given == [
        WEDNESDAY.replace(minute=30),
        WEDNESDAY.replace(hour=1),
        WEDNESDAY.replace(hour=1, minute=30),
    ]


@pytest.mark.parametrize("kept", ALL)
def test_json_is_read_back(kept: Programme) -> None:
    """What is written is what can be sent."""
    assert programme(**kept.as_json()) == kept


@pytest.mark.parametrize(
    ("kept", "mode", "times", "target"),
    [
        (SINGLE, "single", [time(8, 30)], 5),
        (HOURLY, "every_hour", [time(0)], 37),
        (PERIODS, "custom_periods", [time(8)], 4),
        (TIMER, "timer", [time(8), time(12), time(20)], 0),
    ],
)
def test_what_a_pump_shows_of_it(
    kept: Programme, mode: str, times: list[time], target: int
) -> None:
    """Mode, first times and whole millilitres; of a timer no target is documented."""
    shown = ProgrammeMode(mode)
    assert kept.shown(shown, tuple(times), target)
    assert kept.shown(shown, tuple(times))
    assert not kept.shown(None, (), target)
    assert not kept.shown(shown, (time(3),), target)
    assert kept.shown(shown, tuple(times), 99) is (kept is TIMER)


def test_a_target_beyond_one_byte_is_not_judged() -> None:
    """What a pump shows above 255 mL nobody knows (protocol 4.1)."""
    large = programme(mode="every_hour", volume_tenths_ml=2560)
    assert large.shown(ProgrammeMode.EVERY_HOUR, (time(0),), 0)


@given(
    kept=st.sampled_from(ALL),
    after=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
)
def test_the_next_dose_is_the_first_one(kept: Programme, after: datetime) -> None:
    """Nothing lies between an instant and the next dose."""
    found = kept.next_dose(after)
    assert found is not None
    due, volume = found
    assert due > after
    assert volume in {one for _, one in kept.doses()}
    between = kept.next_dose(after + (due - after) / 2)
    assert between == found
