"""The first day of a programme keeps to a limit beside what was given before (law 5)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.aquarist.dosing.budget import WINDOW
from custom_components.aquarist.dosing.first_day import (
    Event,
    latest,
    moments_of,
    room_from,
)
from custom_components.aquarist.dosing.programme import Programme, ProgrammeMode
from custom_components.aquarist.dosing.spacing import PROGRAMME_MARGIN

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMIT = 10


def daily(hours: float, volume: int) -> list[Event]:
    """Return what a programme gives in 48 hours that doses first in so many hours."""
    first = NOON + hours * HOUR
    return [(first, volume), (first + WINDOW, volume)]


@pytest.mark.parametrize(
    ("given_before", "hours", "frees"),
    [
        pytest.param([], 6, timedelta(0), id="nothing was given"),
        pytest.param([(-1, 4)], 6, timedelta(0), id="it fits beside"),
        pytest.param([(-1, 5)], 6, 6 * HOUR + PROGRAMME_MARGIN, id="it does not"),
        pytest.param([(-20, 5)], 6, timedelta(0), id="it is a day old by then"),
        pytest.param([(-18, 5)], 6, timedelta(0), id="it is a day old just then"),
        pytest.param([(2, 5)], 1, timedelta(0), id="it is due only afterwards"),
    ],
)
def test_it_has_room_from_an_instant_on(
    given_before: list[tuple[int, int]], hours: int, frees: timedelta
) -> None:
    """When the doses before have rolled out, or when its own dose of today is over."""
    events = [(NOON + at * HOUR, volume) for at, volume in given_before]
    assert room_from(events, daily(hours, 6), 6, LIMIT, NOON) == NOON + frees


def test_a_part_of_its_first_day_may_fit() -> None:
    """Every hour 1 beside 10 that were given: 22 of them are too many, 20 are not."""
    ahead = [(NOON + hour * HOUR, 1) for hour in range(1, 49)]
    frees = NOON + 2 * HOUR + PROGRAMME_MARGIN
    assert room_from([(NOON - HOUR, 10)], ahead, 24, 30, NOON) == frees


def test_a_day_of_23_hours_makes_a_programme_no_larger() -> None:
    """Its volume of a day is what was allowed."""
    ahead = [(NOON + HOUR / 2, 6), (NOON + 23 * HOUR, 6)]
    assert room_from([(NOON - HOUR, 4)], ahead, 6, LIMIT, NOON) == NOON


events = st.lists(
    st.tuples(
        st.integers(-30, 20).map(lambda hours: NOON + hours * HOUR), st.integers(1, 6)
    ),
    max_size=6,
)


@given(
    given_before=events,
    hours=st.integers(1, 23),
    volume=st.integers(1, LIMIT),
    later=st.integers(0, 2 * 48),
)
def test_no_24_hours_hold_more_than_the_limit(
    given_before: list[Event], hours: int, volume: int, later: int
) -> None:
    """Written when it has room it never exceeds it; written earlier it would."""
    ahead = daily(hours, volume)
    room = room_from(given_before, ahead, volume, LIMIT, NOON)

    def fits(when: datetime) -> bool:
        before = [event for event in given_before if event[0] <= when]
        own = [event for event in ahead if when < event[0] < when + WINDOW]
        return all(
            sum(one for at, one in [*before, *own] if due - WINDOW < at <= due) <= LIMIT
            for due, _ in own
        )

    assert fits(room)
    asked = NOON + later * HOUR / 2
    # Just when it is due nobody knows on which side of that the pump is.
    assert asked >= room - PROGRAMME_MARGIN or not fits(asked)


def test_the_latest_moments_make_up_what_was_given() -> None:
    """The last one may have given only a part."""
    moments = [(NOON - hours * HOUR, 4) for hours in (3, 1, 2)]
    assert latest(moments, 6) == [(NOON - HOUR, 4), (NOON - 2 * HOUR, 2)]
    assert latest(moments, 99) == sorted(moments, reverse=True)
    assert latest(moments, 0) == []


def test_a_programme_goes_by_the_clocks_of_the_house() -> None:
    """Nine o'clock, before and after summer time begins."""
    zone = ZoneInfo("Europe/Berlin")
    programme = Programme(mode=ProgrammeMode.SINGLE, volume=4, at=time(9))
    since = datetime(2026, 3, 28, 0, tzinfo=zone)
    assert moments_of(programme, since, since + 2 * WINDOW) == [
        (datetime(2026, 3, 28, 8, tzinfo=UTC), 4),
        (datetime(2026, 3, 29, 7, tzinfo=UTC), 4),
    ]
