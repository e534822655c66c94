"""Holds that are renewed because their mode lasts longer: nothing changes that would be news.

The claim that goes on is another command than the one before it. What it comes to is told
from where that one was; the mode's own event tells that it lasts longer.
"""

from collections.abc import Iterable

from ..commands.command import Command, ErrorCode
from ..commands.phases import HOLDING, Phase
from ..engine.mode_holds import ACTION


class Renewals:
    """Knows which holds took the place of which."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._replaced: set[str] = set()
        self._reached: dict[str, bool] = {}

    def is_silent(self, command: Command, asked: Iterable[Command]) -> bool:
        """Return whether the status of a command only repeats that of the one before it.

        ``asked`` are the commands that have not ended, as they were before this status.
        """
        if command.action != ACTION:
            return False
        if command.final:
            self._reached.pop(command.key, None)
            replaced = command.key in self._replaced
            self._replaced.discard(command.key)
            return replaced and command.error_code == ErrorCode.SUPERSEDED
        if command.key not in self._reached:
            before = _before(command, asked)
            if before is None:
                return False
            self._replaced.add(before.key)
            self._reached[command.key] = before.phase in HOLDING
        return command.phase is Phase.PLANNED or self._reached[command.key]


def _before(command: Command, asked: Iterable[Command]) -> Command | None:
    """Return the hold of the same run that a new one takes the place of."""
    what = (command.run, command.step, command.device, command.field)
    olders = [
        one
        for one in asked
        if one.action == ACTION
        and one.order < command.order
        and (one.run, one.step, one.device, one.field) == what
    ]
    return max(olders, key=lambda one: one.order, default=None)
