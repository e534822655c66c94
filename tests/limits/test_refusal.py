"""A refusal says which limit, and what would be allowed."""

from custom_components.aquarist.limits import Refusal


def test_a_refusal_needs_no_more_than_its_limit() -> None:
    """Where there are no numbers to tell, there are none."""
    refusal = Refusal(limit="not_allowed")
    assert refusal.limit == "not_allowed"
    assert (refusal.asked, refusal.allowed, refusal.left) == (None, None, None)
    assert refusal.frees_at is None
    assert refusal.details == {}
