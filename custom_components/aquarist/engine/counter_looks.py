"""When the counters of a pump are read: after doses whose end nobody saw, and now and then."""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import cast

from ..dosing.ledger import RUN, Dose
from .gate import Gate
from .ground import Ground
from .state import DeviceState

DELIVERY_MARGIN = 15.0
# Elapsed seconds between two looks at a pump that doses by itself.
EVERY_LOOK = 6 * 3600.0
READING = "request_status"
"""The action that reads the counters."""
_AGAIN = timedelta(minutes=10)
_MOST_HEADS = 8


class CounterLooks:
    """Has the counters of each pump read when they may tell something."""

    def __init__(
        self, ground: Ground, gate: Gate, counts: Callable[[int, int], bool]
    ) -> None:
        """Look after the gate's open doses.

        ``counts`` tells whether a head's lifetime was ever read; ``read`` asks a device.
        """
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._devices = ground.devices
        self._memory = ground.memory
        self._gate = gate
        self._counts = counts
        self._looked: dict[int, datetime] = {}
        self.read: Callable[[DeviceState], None] = _nothing
        ground.agenda.on("settle", self._settle_due)
        ground.agenda.on("counters", self._counters_due)
        ground.agenda.on("programmes", self._programmes_due)

    def settle_later(self, device: DeviceState) -> None:
        """Have the counters read once the pump must have ended what nobody saw the end of.

        Those of a pump that doses by itself are read now and then in any case.
        """
        self._agenda.put_elapsed("programmes", device.row.number, EVERY_LOOK)
        self._settle_when_ended(device.row.number)

    def within_reach(self, device: DeviceState) -> None:
        """Have read what could not be read at its time: the pump came, or is connected.

        Whoever reads the counters already, or reads them before a dose, is enough: what is
        connected for a look that fails is not connected again for the next one at once.
        """
        number = device.row.number
        reading = any(
            one.device == number and one.action == READING for one in self._records.open
        )
        if not (reading or device.busy_heads or self.saw_all(number)):
            self._settle_when_ended(number)

    def soon(self, number: int) -> None:
        """Have the counters of a pump read that gave something by itself."""
        self._agenda.put("counters", number, self._clock.now())

    def looked(self, number: int) -> None:
        """Keep that the lifetime counters of a pump were read just now."""
        self._looked[number] = self._clock.now()

    def saw_all(self, number: int) -> bool:
        """Return whether the counters were read after all doses had ended."""
        looked = self._looked.get(number)
        return all(
            looked is not None and looked >= self.end_of(dose)
            for dose in self._readable(number)
        )

    def end_of(self, dose: Dose) -> datetime:
        """Return by when the pump must have ended a dose (RES-60)."""
        return self._gate.ends(dose, DELIVERY_MARGIN)

    def _settle_when_ended(self, number: int) -> None:
        """Have the counters read as soon as the pump must have ended its open doses."""
        ends = [self.end_of(dose) for dose in self._readable(number)]
        if ends:
            self._agenda.put("settle", number, max(*ends, self._clock.now()))

    def _settle_due(self, key: Hashable, now: datetime) -> None:
        """Read the counters, until they were read once after all doses had ended."""
        device = self._devices.get(cast(int, key))
        if device is None or device.device is None:
            return
        if not self.saw_all(device.row.number):
            self.read(device)
            self._agenda.put("settle", key, now + _AGAIN)

    def _counters_due(self, key: Hashable, now: datetime) -> None:
        """Read the counters of a pump that gave something by itself."""
        device = self._devices.get(cast(int, key))
        if device is not None and device.device is not None:
            self.read(device)

    def _programmes_due(self, key: Hashable, now: datetime) -> None:
        """Look what a pump has given by its programmes."""
        if self._memory.programmes(cast(int, key)):
            self._counters_due(key, now)
        self._agenda.put_elapsed("programmes", key, EVERY_LOOK)

    def _readable(self, number: int) -> list[Dose]:
        """Return the open doses and runs of a device about which its counters may tell."""
        return [
            dose
            for head in range(_MOST_HEADS)
            for dose in self._gate.open_doses(number, head)
            if dose.lifetime_before is not None
            or (dose.source == RUN and self._counts(number, head))
        ]


def _nothing(device: DeviceState) -> None:
    """Read nothing: the engine says how, once it is wired."""
