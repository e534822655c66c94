"""Instants as the store keeps them: whole microseconds since 1970-01-01 UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400


def to_store(at: datetime) -> int:
    """Return the instant in microseconds since the epoch.

    Raises ValueError when the time is naive.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone")
    since = at - EPOCH
    return (since.days * _DAY + since.seconds) * 1_000_000 + since.microseconds


def from_store(microseconds: int) -> datetime:
    """Return the aware UTC datetime of a stored instant."""
    return EPOCH + timedelta(microseconds=microseconds)


def to_store_or_none(at: datetime | None) -> int | None:
    """Return the instant in microseconds since the epoch; None stays None."""
    return None if at is None else to_store(at)


def from_store_or_none(microseconds: int | None) -> datetime | None:
    """Return the aware UTC datetime of a stored instant; None stays None."""
    return None if microseconds is None else from_store(microseconds)
