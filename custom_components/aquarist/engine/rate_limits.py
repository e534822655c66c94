"""How many commands one user may have accepted for one device (R-C55, RES-75).

It counts by elapsed time, so that no change of a clock frees or blocks anybody. Neither
counted nor refused are an off, which is the safe side; what no request of a user's asks
for, such as plans, modes and the steps of runs; and a level that is set through an entity: a
slider that is drawn sends many, and the newest takes the place of those that wait, so that
they never flood the device.
"""

from collections import deque
from collections.abc import Callable
import math

from ..commands.command import Command, Source
from .errors import EngineError
from .settings import Settings

type Who = tuple[int, str | None]

LIMITED = frozenset({Source.ENTITY, Source.SERVICE, Source.WEBSOCKET, Source.REST})
"""Where requests of users and of their programs come from."""


class RateLimits:
    """The commands accepted in the last while, by device and user."""

    def __init__(self) -> None:
        """Start with none."""
        self._accepted: dict[Who, deque[float]] = {}

    def count(
        self, command: Command, elapsed: float, settings: Settings
    ) -> Callable[[], None]:
        """Count a command against what its user may send, where that is limited.

        Returns what gives the place back if it is not accepted after all. Raises as `take`.
        """
        slider = command.source is Source.ENTITY and command.field is not None
        asked = command.source in LIMITED and command.run is None
        if not asked or slider or command.is_off:
            return _nothing
        return self.take(
            command.device,
            command.user,
            elapsed,
            settings.rate_limit,
            settings.rate_window_seconds,
        )

    def take(
        self, device: int, user: str | None, elapsed: float, limit: int, window: float
    ) -> Callable[[], None]:
        """Count a command that is about to be accepted.

        Returns what gives the place back if it is not accepted after all. Raises
        EngineError `rate_limited` with the seconds after which there is a place again.
        """
        accepted = self._accepted.setdefault((device, user), deque())
        while accepted and accepted[0] <= elapsed - window:
            accepted.popleft()
        if len(accepted) >= limit:
            # Only as many as are allowed have to be left: the limit may be lower by now.
            frees_at = accepted[len(accepted) - limit] + window
            raise EngineError(
                "rate_limited",
                retry_after=max(math.ceil(frees_at - elapsed), 1),
                limit=limit,
                window=f"{window:g}",
            )
        accepted.append(elapsed)

        def give_back() -> None:
            if elapsed in accepted:
                accepted.remove(elapsed)

        return give_back


def _nothing() -> None:
    """Give nothing back: nothing was taken."""
