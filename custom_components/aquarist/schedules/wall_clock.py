"""Between wall-clock times and instants, with the daylight saving policy of RES-14."""

from datetime import UTC, datetime, timedelta, tzinfo

SECOND = timedelta(seconds=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(local: datetime, zone: tzinfo) -> datetime:
    """Give the UTC instant that a naive wall-clock time stands for.

    A time that the clock jumps over is the first instant after the gap; a time that it
    shows twice is the first pass. The result never falls when `local` rises.
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after_gap = offset_change(second, first, zone) if first > second else None
    return after_gap or first


def wall_time(at: datetime, zone: tzinfo) -> datetime:
    """Give the naive wall-clock time of an instant."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def offset_change(after: datetime, until: datetime, zone: tzinfo) -> datetime | None:
    """Find the first instant in (after, until] at which the zone's offset has changed.

    None when it has not. Exact as long as the span holds at most one change: no zone
    ever had two of them within six days. Offsets change on whole seconds.
    """
    before = after.astimezone(zone).utcoffset()
    if until.astimezone(zone).utcoffset() == before:
        return None
    low = (after - _EPOCH) // SECOND
    high = -((_EPOCH - until) // SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if (_EPOCH + middle * SECOND).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return _EPOCH + high * SECOND
