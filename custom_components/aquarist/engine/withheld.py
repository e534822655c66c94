"""What keeps a window from being set: safety holds its field at another value (RES-57).

It is not refused for good while its time lasts: as soon as safety lets go it is set. What
never showed because of that, until its time was over, was refused.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from ..commands.command import Command
from ..commands.phases import Kind, Phase
from ..layers.claims import Layer
from ..layers.setting import Setting, is_number, same
from ..limits.refusal import Refusal
from .claims import seconds_left
from .clock import Clock
from .errors import describe
from .on_time import ACTION as MAXIMUM_ON_TIME
from .records import Records
from .shown import id_of
from .state import FieldState

WITHHELD_BY: Final = "withheld_by"
"""The detail of a window that waits for safety: the limit, as in its error when it fails."""
SHOWS: Final = "shows"
HELD_BY: Final = "held_by"
_REFUSABLE = frozenset({Layer.WINDOW, Layer.ENFORCED})
_EXACT = 0.01


class Withheld:
    """Says which limit of the highest rank stands above a field."""

    def __init__(self, records: Records, clock: Clock) -> None:
        """Look at the commands by which safety holds fields."""
        self._records = records
        self._clock = clock

    def why(self, state: FieldState, command: Command) -> dict[str, Any] | None:
        """Return what keeps a window from being set now; None where nothing does.

        Only for windows, write actions and those of geo schedules, that are not set yet:
        what safety covers later has been set. A value that shows is not withheld.
        """
        if (
            command.kind is not Kind.WINDOW
            or command.layer not in _REFUSABLE
            or command.phase is not Phase.APPLYING
        ):
            return None
        wanted = command.value or {}
        told = self.held(state, wanted)
        if told is None or same(wanted, told[SHOWS], tolerance=_EXACT):
            return None
        return told

    def held(self, state: FieldState, wanted: Setting) -> dict[str, Any] | None:
        """Return which limit holds a field: its word, by how much it differs, when it frees.

        None where safety does not hold it.
        """
        resolution = state.resolve(self._clock.now()) if state.claims else None
        owner = resolution.owner if resolution is not None else None
        if (
            resolution is None
            or owner is None
            or owner.layer is not Layer.SAFETY
            or (holder := self._records.current(owner.id)) is None
        ):
            return None
        shows = {part: resolution.setting.get(part) for part in wanted}
        refusal = Refusal(
            limit=holder.action,
            asked=_number(wanted),
            allowed=_number(shows),
            frees_at=self._frees_at(holder),
            details=holder.result or {},
        )
        return describe(refusal) | {SHOWS: shows, HELD_BY: id_of(owner)}

    def _frees_at(self, holder: Command) -> datetime | None:
        """Return when a limit lets go by itself; None where nobody knows.

        The others hold for as long as their reason lasts.
        """
        if holder.action != MAXIMUM_ON_TIME:
            return None
        left = seconds_left(holder, self._clock)
        return None if left is None else self._clock.now() + timedelta(seconds=left)


def word_of(told: Mapping[str, Any]) -> str:
    """Return the reason of a refusal, by its limit."""
    return f"refused_{told['limit']}"


def _number(setting: Mapping[str, Any]) -> float | None:
    """Return the number that a setting is about; None where it has none, or several."""
    numbers = [float(value) for value in setting.values() if is_number(value)]
    return numbers[0] if len(numbers) == 1 else None
