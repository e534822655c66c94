"""Rate limits: so many within a while, by elapsed time (R-C55, RES-75)."""

import pytest

from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.rate_limits import RateLimits


def retry_after(limits: RateLimits, elapsed: float, limit: int = 2) -> str | None:
    """Take a place; return the seconds to wait where there is none."""
    try:
        limits.take(1, "keeper", elapsed, limit, 10.0)
    except EngineError as error:
        return error.placeholders["retry_after"]
    return None


def test_there_is_room_again_when_the_oldest_is_long_enough_ago() -> None:
    """The seconds are whole ones, rounded up: after them it works."""
    limits = RateLimits()
    waits = [retry_after(limits, at) for at in (0.0, 4.0, 5.5, 9.9, 10.0, 10.1)]
    assert waits == [None, None, "5", "1", None, "4"]


def test_devices_and_users_have_places_of_their_own() -> None:
    """Nobody is somebody, too: automations have no user."""
    limits = RateLimits()
    for device, user in ((1, "a"), (1, "b"), (1, None), (2, "a")):
        limits.take(device, user, 0.0, 1, 10.0)
        with pytest.raises(EngineError) as refused:
            limits.take(device, user, 0.0, 1, 10.0)
        assert refused.value.code == "rate_limited"


def test_a_place_that_is_given_back_is_free() -> None:
    """Once, and whenever that is."""
    limits = RateLimits()
    give_back = limits.take(1, None, 0.0, 1, 10.0)
    give_back()
    give_back()
    late = limits.take(1, None, 1.0, 1, 10.0)
    limits.take(2, None, 20.0, 1, 10.0)
    late()
    limits.take(1, None, 20.0, 1, 10.0)


def test_a_lower_limit_counts_what_was_accepted_before() -> None:
    """There is room when fewer than that are left of the while."""
    limits = RateLimits()
    for at in (0.0, 1.0, 2.0):
        assert retry_after(limits, at, limit=3) is None
    assert retry_after(limits, 3.0, limit=1) == "9"
    assert retry_after(limits, 12.0, limit=1) is None
