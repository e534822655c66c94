"""Instants as the store keeps them."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, strategies as st
import pytest

from custom_components.aquarist.store.instants import (
    from_store,
    from_store_or_none,
    to_store,
    to_store_or_none,
)


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_comes_back_as_it_was(at: datetime) -> None:
    """Not a microsecond is lost, before 1970 as after it."""
    assert from_store(to_store(at)) == at
    assert from_store(to_store(at)).tzinfo is UTC


def test_the_unit_is_the_microsecond() -> None:
    """The number is what other tools expect of microseconds since the epoch."""
    assert to_store(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005


def test_another_offset_is_the_same_instant() -> None:
    """Only the instant counts, not the zone it was written in."""
    east = timezone(timedelta(hours=2))
    assert to_store(datetime(2026, 6, 1, 14, tzinfo=east)) == to_store(
        datetime(2026, 6, 1, 12, tzinfo=UTC)
    )


def test_a_naive_time_is_refused() -> None:
    """A time without a zone is not an instant (R-B114)."""
    with pytest.raises(ValueError, match="no time zone"):
        to_store(datetime(2026, 6, 1))


def test_nothing_stays_nothing() -> None:
    """None is kept as None."""
    at = datetime(2026, 6, 1, tzinfo=UTC)
    assert to_store_or_none(None) is None
    assert from_store_or_none(None) is None
    assert from_store_or_none(to_store_or_none(at)) == at
