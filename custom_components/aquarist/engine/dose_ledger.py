"""What became of every dose: recorded, counted, and settled by the pump's counters (law 3)."""

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import cast

from ..devices.device import DoserDevice
from ..dosing.ledger import Dose, DoseState, advance, settle
from ..store import counters, doses as dose_rows
from ..store.counters import Counter
from .changes import DeviceChanged, DoseChanged
from .gate import Gate
from .ground import Ground
from .state import DeviceState

DELIVERY_MARGIN = 15.0
_SETTLE_AGAIN = timedelta(minutes=10)
_MOST_HEADS = 8


class DoseLedger:
    """The doses of all heads, and their counters as last read."""

    def __init__(self, ground: Ground, gate: Gate) -> None:
        """Keep what the gate counts by; `read_counters` asks a device for its counters."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._gate = gate
        self._devices = ground.devices
        self._looked: dict[int, datetime] = {}
        self.counters: dict[tuple[int, int], Counter] = {}
        self.read_counters: Callable[[DeviceState], None] = _nothing
        ground.agenda.on("settle", self._settle_due)

    def moved(self, dose: Dose, state: DoseState) -> Dose:
        """Move a dose on and record it."""
        moved = advance(dose, state)
        self._record(moved)
        return moved

    def settled(
        self, dose: Dose, state: DoseState, *, given: int | None = None
    ) -> None:
        """Record what became of a dose."""
        newest = {one.key: one for one in self._gate.doses(dose.device, dose.head)}
        self._record(advance(newest.get(dose.key, dose), state, given=given))

    def _record(self, dose: Dose) -> None:
        """Write a dose; the gate knows at once, the world when it is on disk."""
        self._gate.note(dose)
        at = self._clock.now()

        def unit(connection: Connection) -> None:
            dose_rows.update(connection, dose, at)

        def committed(_: None) -> None:
            self._announcer.announce(DoseChanged(dose=dose))

        self._journal.record(unit, committed)

    def counters_read(
        self,
        device: DeviceState,
        lifetime: Mapping[int, int],
        today: Mapping[int, int],
    ) -> None:
        """Keep what the pump counted, and settle what it explains (RES-52)."""
        number, now = device.row.number, self._clock.now()
        for head in lifetime.keys() | today.keys():
            self.keep_counter(number, head, lifetime.get(head), today.get(head), now)
        if lifetime:
            self._looked[number] = now
        for head, total in lifetime.items():
            still_open = self._gate.open_doses(number, head)
            ended = [one for one in still_open if self._end_of(device, one) <= now]
            for dose in ended:
                own = total - self._given_after(dose)
                settled = settle(dose, own, len(still_open) > 1)
                if settled is not None:
                    self._record(settled)
        self._announcer.announce(DeviceChanged(device=number))

    def settle_later(self, device: DeviceState) -> None:
        """Have the counters read once the pump must have ended what nobody saw the end of."""
        ends = [self._end_of(device, dose) for dose in self._readable(device)]
        if ends:
            due = max(*ends, self._clock.now())
            self._agenda.put("settle", device.row.number, due)

    def _settle_due(self, key: Hashable, now: datetime) -> None:
        """Read the counters, until they were read once after all doses had ended."""
        device = self._devices.get(cast(int, key))
        if device is None or device.device is None:
            return
        looked = self._looked.get(device.row.number)
        if any(
            looked is None or looked < self._end_of(device, dose)
            for dose in self._readable(device)
        ):
            self.read_counters(device)
            self._agenda.put("settle", key, now + _SETTLE_AGAIN)

    def _readable(self, device: DeviceState) -> list[Dose]:
        """Return the open doses of a device about which its counters may tell."""
        return [
            dose
            for head in range(_MOST_HEADS)
            for dose in self._gate.open_doses(device.row.number, head)
            if dose.lifetime_before is not None
        ]

    def _given_after(self, dose: Dose) -> int:
        """Return what later doses of the same head have added to its counter since."""
        return sum(
            later.counted
            for later in self._gate.doses(dose.device, dose.head)
            if later.is_settled and later.at > dose.at
        )

    def _end_of(self, device: DeviceState, dose: Dose) -> datetime:
        """Return by when the pump must have ended a dose (RES-60)."""
        port = cast(DoserDevice | None, device.device)
        flow = port.heads[dose.head].flow if port is not None else 1
        return dose.at + timedelta(seconds=dose.volume / flow + DELIVERY_MARGIN)

    def keep_counter(
        self,
        number: int,
        head: int,
        total: int | None,
        today: int | None,
        at: datetime,
    ) -> None:
        """Remember a head's counters, as far as they were read, and record them."""
        known = self.counters.get((number, head))
        if total is None:
            if known is None:
                return
            total = known.lifetime
        if today is None and known is not None:
            today = known.today
        counter = self.counters[number, head] = Counter(
            device=number, head=head, lifetime=total, today=today, at=at
        )
        self._journal.record(
            lambda connection: counters.upsert(
                connection, number, head, counter.lifetime, counter.today, at
            )
        )


def _nothing(device: DeviceState) -> None:
    """Read nothing: the engine says how, once it is wired."""
