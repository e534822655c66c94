"""How the write actions stand: how many wait, hold, and failed in the last day (R-T58)."""

from collections.abc import Container, Iterable
from datetime import datetime, timedelta
from typing import Final

from ..commands.command import Command
from ..commands.phases import FINAL, Phase
from ..store.commands import WRITE_ACTION
from .ground import Ground

LOOKING_BACK: Final = timedelta(hours=24)
"""For how long a failed write action counts."""
FAILED: Final = FINAL - {Phase.COMPLETED}
PLANNED: Final = frozenset({Phase.PLANNED, Phase.APPLYING})
ACTIVE: Final = frozenset({Phase.IN_FORCE, Phase.RESTORING})


class WriteActions:
    """Looks at the write actions of all devices; it changes nothing."""

    def __init__(self, ground: Ground) -> None:
        """Look at the records; failures of before are taken up when the store has been read."""
        self._clock = ground.clock
        self._records = ground.records
        self._failed: list[Command] = []
        ground.records.on_settled(self._settled)

    def load(self, failed: Iterable[Command]) -> None:
        """Take up the failures that the store knows, in order."""
        self._failed = list(failed)

    def planned(self, devices: Container[int]) -> int:
        """Return how many wait for their start at some devices, or are being applied."""
        return self._count(PLANNED, devices)

    def active(self, devices: Container[int]) -> int:
        """Return how many hold their value at some devices."""
        return self._count(ACTIVE, devices)

    def failures(self, devices: Container[int]) -> list[Command]:
        """Return those of some devices that failed in the last day, the last one last."""
        since = self._clock.now() - LOOKING_BACK
        return [
            command
            for command in self._failed
            if command.device in devices and _ended_at(command) > since
        ]

    def _count(self, phases: frozenset[Phase], devices: Container[int]) -> int:
        """Return how many are in one of the phases."""
        return sum(
            command.action == WRITE_ACTION
            and command.phase in phases
            and command.device in devices
            for command in self._records.unsettled
        )

    def _settled(self, command: Command) -> None:
        """Take note of a write action that failed."""
        if command.action == WRITE_ACTION and command.phase in FAILED:
            since = self._clock.now() - LOOKING_BACK
            kept = [one for one in self._failed if _ended_at(one) > since]
            self._failed = [*kept, command]


def _ended_at(command: Command) -> datetime:
    """Return when a command ended."""
    return command.completed_at or command.created_at
