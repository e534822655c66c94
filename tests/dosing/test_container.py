"""Containers last as long as plan and programmes let them (design 2)."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.aquarist.dosing.container import (
    Consumption,
    ContainerStatus,
    days_left,
    fit_refusal,
    status,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def daily(volume: int, days: int = 28, *, steady: float = 0.0) -> Consumption:
    """Plan a dose every day at noon, from tomorrow on."""
    return Consumption(
        doses=tuple((NOON + day * DAY, volume) for day in range(1, days + 1)),
        until=NOON + 28 * DAY,
        daily=steady,
    )


def test_nothing_planned_lasts_for_ever() -> None:
    """There is no number of days."""
    assert days_left(1000, daily(0, 0), NOON) is None
    assert days_left(0, daily(0, 0), NOON) is None


def test_it_lasts_until_the_first_dose_that_it_does_not_hold() -> None:
    """Two doses of three fit."""
    assert days_left(5000, daily(2000), NOON) == 3
    assert days_left(6000, daily(2000), NOON) == 4


def test_an_empty_one_lasts_no_more() -> None:
    """Although the next dose is a day away."""
    assert days_left(0, daily(2000), NOON) == 0
    assert days_left(0, daily(0, 0, steady=10.0), NOON) == 0


def test_beyond_the_plan_it_goes_on_alike() -> None:
    """Four weeks of two a day, and as much again."""
    assert days_left(112_000, daily(2000), NOON) == pytest.approx(56)


def test_a_programme_in_the_pump_takes_its_share_all_day() -> None:
    """Alone, or beside the plan, and it may empty the container between two doses."""
    assert days_left(5000, daily(0, 0, steady=1000.0), NOON) == 5
    assert days_left(4500, daily(1000, steady=1000.0), NOON) == pytest.approx(2.5)
    assert days_left(3500, daily(1000, steady=1000.0), NOON) == pytest.approx(2)


def test_a_plan_that_could_not_be_read_any_further_still_counts() -> None:
    """A single instant has no rate; the programme has."""
    now_only = Consumption(doses=((NOON, 500),), until=NOON, daily=100.0)
    assert days_left(1500, now_only, NOON) == 10


@pytest.mark.parametrize(
    ("remaining", "low_days", "low"),
    [
        (6000, 3, False),
        (5000, 3, True),
        (5000, None, False),
        (0, None, True),
    ],
)
def test_few_days_are_little(remaining: int, low_days: int | None, low: bool) -> None:
    """As many as the keeper says; nothing is little in any case."""
    found = status(10_000, remaining, daily(2000), low_days, NOON)
    assert found == ContainerStatus(
        capacity=10_000,
        remaining=remaining,
        days_left=days_left(remaining, daily(2000), NOON),
        low=low,
    )


def test_a_full_one_without_a_plan_is_not_little() -> None:
    """Nobody takes anything from it."""
    assert not status(10_000, 10, daily(0, 0), 30, NOON).low


def test_a_dose_must_fit() -> None:
    """To the last drop."""
    assert fit_refusal(1000, 1000) is None
    refusal = fit_refusal(1000, 1100)
    assert refusal is not None
    assert (refusal.limit, refusal.asked, refusal.left) == ("container_empty", 1.1, 1)
