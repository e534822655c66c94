"""Doses that nobody asked for: what a counter shows beyond what the ledger explains."""

from datetime import datetime, timedelta

from ..commands.command import new_id
from ..dosing.ledger import PROGRAMME, PUMP, Dose, DoseState
from ..dosing.settlement import parted
from .gate import HeadKey
from .ground import Ground

# A pump's clock may be off by this when it runs its programmes.
CLOCK_MARGIN = timedelta(minutes=2)
# Beyond that, what a programme gave and what it did not are not told apart.
_FARTHEST_BACK = timedelta(days=8)


class FoundDoses:
    """Makes the doses that pumps gave by themselves."""

    def __init__(self, ground: Ground) -> None:
        """Look into the devices, and into what they keep."""
        self._clock = ground.clock
        self._devices = ground.devices
        self._memory = ground.memory

    def parted(
        self, key: HeadKey, volume: int, ran: int, since: datetime, now: datetime
    ) -> list[Dose]:
        """Return what was found since a reading: of the head's programme, and otherwise.

        ``ran`` are the microlitres that a run which is over should have given.
        """
        zone = self._clock.local_now().tzinfo
        begin = max(since, now - _FARTHEST_BACK) - CLOCK_MARGIN
        programmed = self._memory.volume_between(
            *key, begin.astimezone(zone), (now + CLOCK_MARGIN).astimezone(zone)
        )
        share, other = parted(volume, ran, programmed)
        return [
            self.dose(key, part, now, source)
            for source, part in ((PROGRAMME, share), (PUMP, other))
            if part
        ]

    def dose(self, key: HeadKey, volume: int, at: datetime, source: str = PUMP) -> Dose:
        """Return a dose that the pump gave by itself; when exactly nobody knows."""
        number, head = key
        state = self._devices.get(number)
        return Dose(
            key=f"{number}/{PUMP}-{new_id()}",
            device=number,
            head=head,
            volume=volume,
            state=DoseState.GIVEN,
            at=at,
            given=volume,
            additive=state.limits.head(head).additive if state else None,
            aquarium=state.row.aquarium if state else None,
            source=source,
        )
