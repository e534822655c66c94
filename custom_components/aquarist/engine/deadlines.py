"""When something that lasts is over: by elapsed time, and over a restart (law 6)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from ..frozen import frozen
from .clock import Anchor, Clock, anchor


@frozen
class Deadline:
    """So many seconds after a moment."""

    since: Anchor
    seconds: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Self:
        """Return the deadline that lies so many seconds ahead."""
        return cls(since=anchor(clock), seconds=seconds)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `as_json` has written."""
        since = Anchor(
            wall=datetime.fromisoformat(data["wall"]),
            elapsed=data["elapsed"],
            boot=data["boot"],
        )
        return cls(since=since, seconds=data["seconds"])

    def left(self, clock: Clock) -> float:
        """Return the seconds that are left, below zero when it has passed."""
        return self.seconds - self.since.seconds_since(clock)

    def as_json(self) -> dict[str, Any]:
        """Write it as JSON values."""
        return {
            "wall": self.since.wall.isoformat(),
            "elapsed": self.since.elapsed,
            "boot": self.since.boot,
            "seconds": self.seconds,
        }
