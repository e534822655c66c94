"""How long a switch has been on, as far as that was seen. Pure."""

from dataclasses import dataclass

LONGEST = 24 * 3600.0


@dataclass(slots=True, kw_only=True)
class OnTime:
    """One time on; all instants are readings of the elapsed clock in seconds.

    ``since`` is when it went on at the earliest, ``seen_since`` when it was first seen on.
    ``seen_until`` is when it went out of sight, None while it is seen to be on.
    """

    since: float
    seen_since: float
    seen_until: float | None = None

    def lost(self, now: float) -> None:
        """Take note that nobody sees any more whether it is on."""
        if self.seen_until is None:
            self.seen_until = now

    def seen(self) -> None:
        """Take note that it is seen to be on, so it was all the while."""
        self.seen_until = None

    def seconds(self, now: float, automatic_off: float | None) -> float:
        """Return how long it was on when it is off now.

        What nobody saw counts, as far as the switch's own automatic off lets it be on;
        more than a day does not count: no budget looks back any further.
        """
        seen = (now if self.seen_until is None else self.seen_until) - self.seen_since
        longest = now - self.since
        if automatic_off is not None:
            longest = min(longest, automatic_off)
        return min(max(seen, longest, 0.0), LONGEST)
