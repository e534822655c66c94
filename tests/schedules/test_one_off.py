"""Plans of type one_off."""

from datetime import UTC, datetime

from custom_components.aquarist.schedules import Moment, OneOffPlan

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_it_has_one_moment() -> None:
    """Before the instant it is ahead; at the instant and later there is none (R-B10)."""
    plan = OneOffPlan(at=AT)
    assert plan.after(AT - datetime.resolution) == Moment(at=AT, nominal=None)
    assert plan.after(AT) is None
    assert plan.after(AT + datetime.resolution) is None
