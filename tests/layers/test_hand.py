"""How long a change by hand wins over the plan (RES-54, law 4)."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.aquarist.curves.course import Constant, Ramp
from custom_components.aquarist.layers import (
    LONGEST_HOLD,
    Claim,
    HandPolicy,
    HandRule,
    Lasting,
    Layer,
    by_hand,
    lasts,
)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = LONGEST_HOLD.total_seconds()


def at(seconds: float) -> datetime:
    """Return an instant so many seconds from now."""
    return NOW + timedelta(seconds=seconds)


def held(layer: Layer, ends: float | None) -> Claim:
    """Return a claim in force."""
    return Claim(
        id=layer.name,
        layer=layer,
        course=Constant(setting={"level": 0.0}),
        started_at=at(-10),
        order=1,
        ends_at=None if ends is None else at(ends),
    )


def ramp(ends: float) -> Claim:
    """Return a ramp under way."""
    return Claim(
        id="ramp",
        layer=Layer.SCHEDULE,
        course=Ramp(
            start={"level": 0.0},
            end={"level": 80.0},
            begins=at(-10),
            duration=timedelta(seconds=ends + 10),
        ),
        started_at=at(-10),
        order=2,
    )


def test_a_window_ends_every_rule_of_the_hand() -> None:
    """Law 4: an override by hand inside a window ends with it at the latest."""
    claims = [held(Layer.WINDOW, 600), ramp(3600)]
    for policy in (
        HandPolicy(),
        HandPolicy(rule=HandRule.UNTIL_RELEASED),
        HandPolicy(rule=HandRule.MINUTES, seconds=700),
    ):
        ending = by_hand(policy, claims, NOW, holds_off=False)
        assert ending == Lasting(ends_at=at(600))


def test_minutes_that_end_inside_the_window_are_elapsed_time() -> None:
    """Law 6."""
    policy = HandPolicy(rule=HandRule.MINUTES, seconds=300)
    claims = [held(Layer.WINDOW, 600)]
    assert by_hand(policy, claims, NOW, holds_off=True) == Lasting(seconds=300)


def test_until_the_next_event_is_the_end_of_the_plan() -> None:
    """Over a ramp, its finish; the next scheduled event may come before."""
    ending = by_hand(HandPolicy(), [ramp(900)], NOW, holds_off=False)
    assert ending == Lasting(ends_at=at(900), next_event=True)


def test_until_the_next_event_has_a_day_where_the_plan_has_no_end() -> None:
    """A claim carries a latest end."""
    claims = [held(Layer.SCHEDULE, None)]
    ending = by_hand(HandPolicy(), claims, NOW, holds_off=False)
    assert ending == Lasting(seconds=DAY, next_event=True)


def test_until_released_has_an_end_where_it_holds_equipment_off() -> None:
    """Only the emergency stop is latched."""
    policy = HandPolicy(rule=HandRule.UNTIL_RELEASED)
    off = by_hand(policy, [ramp(900)], NOW, holds_off=True)
    assert off == Lasting(seconds=DAY)
    assert by_hand(policy, [ramp(900)], NOW, holds_off=False) == Lasting()


def test_enforced_the_hand_does_not_win() -> None:
    """It is undone."""
    policy = HandPolicy(rule=HandRule.ENFORCE)
    assert by_hand(policy, [held(Layer.WINDOW, 60)], NOW, holds_off=False) is None


def test_what_is_asked_for_by_service_outlasts_a_window() -> None:
    """R-B111: off for 30 minutes is off for 30 minutes."""
    claims = [held(Layer.WINDOW, 60)]
    asked = lasts(HandRule.MINUTES, claims, NOW, 1800, holds_off=True)
    assert asked == Lasting(seconds=1800)


@pytest.mark.parametrize("seconds", [None, 0, -1])
def test_minutes_need_a_time(seconds: float | None) -> None:
    """Above zero."""
    with pytest.raises(ValueError, match="seconds"):
        HandPolicy(rule=HandRule.MINUTES, seconds=seconds)


def test_no_other_rule_has_a_time() -> None:
    """It would say nothing."""
    with pytest.raises(ValueError, match="seconds"):
        HandPolicy(rule=HandRule.ENFORCE, seconds=60)
