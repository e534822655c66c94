"""Which dosing switches may be on, on disk until each was seen to be off (laws 2 and 3).

Nothing counts what flows through a switch: what it gave while nobody looked is known only
from when it was switched on.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from sqlite3 import Connection
from typing import Any, Final, cast

from ..devices.device import DeviceKind, SwitchedDoser
from ..frozen import frozen
from ..store import settings
from .ground import Ground
from .records import Write
from .state import DeviceState

SWITCHED_ON: Final = "switched_on"


@frozen
class _Begun:
    """What a switch was switched on for at an instant: microlitres, ``counted`` as a dose."""

    at: datetime
    volume: int
    counted: bool


class SwitchRuns:
    """Remembers the last dose or run of every dosing switch that was not seen to end."""

    def __init__(self, ground: Ground) -> None:
        """Know of none yet."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._begun: dict[int, _Begun] = {}
        self.on_end: Callable[[DeviceState], None] = _nothing

    def load(self, stored: Mapping[str, Any]) -> None:
        """Take in what is on disk."""
        for number, (at, volume, counted) in stored.items():
            self._begun[int(number)] = _Begun(
                at=datetime.fromisoformat(at), volume=volume, counted=counted
            )

    def begins(
        self, device: DeviceState, volume: int, at: datetime, *, counted: bool
    ) -> Write:
        """Return what goes to disk before a pump is switched on; nothing for one with counters.

        ``counted`` tells whether the ledger has the volume already: a dose begins only when
        the switch is seen to be off, a run perhaps while an older end is not known yet.
        """
        if device.device is None or device.device.kind is not DeviceKind.DOSER:
            return lambda connection: None
        begun = _Begun(at=at, volume=volume, counted=counted)
        if counted:
            self._begun[device.row.number] = begun
        else:
            self._begun.setdefault(device.row.number, begun)
        return self._kept()

    def not_begun(self, device: DeviceState, at: datetime) -> None:
        """Forget what should have begun at an instant, unless the switch may be on."""
        begun = self._begun.get(device.row.number)
        if begun is not None and begun.at == at and not device.may_run:
            self.ended(device)

    def ended(self, device: DeviceState) -> None:
        """Forget a switch that was seen to be off, and whose time on was told."""
        if self._begun.pop(device.row.number, None) is not None:
            self._journal.record(self._kept())
        self.on_end(device)

    def recall(self, device: DeviceState) -> None:
        """Tell a switch for what it was switched on last: it may still be on."""
        begun = self._begun.get(device.row.number)
        if device.device is None or device.device.kind is not DeviceKind.DOSER:
            return
        if begun is None:
            # Nothing is left to be told: what may still be noted of a run is out of date.
            self.on_end(device)
            return
        ago = (self._clock.now() - begun.at).total_seconds()
        cast(SwitchedDoser, device.device).cut_off(
            begun.volume, begun.at, max(ago, 0.0), counted=begun.counted
        )

    def _kept(self) -> Write:
        """Return what writes down which switches may be on."""
        known = {
            str(number): (one.at.isoformat(), one.volume, one.counted)
            for number, one in self._begun.items()
        }

        def unit(connection: Connection) -> None:
            settings.put(connection, SWITCHED_ON, known)

        return unit


def _nothing(device: DeviceState) -> None:
    """Tell nobody: the timed runs say whom, once they are wired."""
