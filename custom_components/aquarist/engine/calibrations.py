"""How each head was measured last, and how true it has been since (design 1.5).

A pump with a mind of its own stores its calibration itself: the engine keeps the record and
its age. A doser made of a switch doses by the flow that was measured.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import cast, override

from ..devices.device import Device, DeviceKind, DoserDevice, SwitchedDoser
from ..dosing.calibration import (
    FURTHEST_OFF,
    LAST_DOSES,
    Delivery,
    Seen,
    delivery,
    measured_flow,
)
from ..dosing.ledger import Dose
from ..dosing.volume import millilitres
from ..frozen import frozen
from ..store import calibrations as calibration_rows
from ..store.calibrations import Calibration
from .changes import DeviceChanged
from .containers import check_head
from .errors import EngineError
from .gate import Gate, HeadKey
from .ground import Ground
from .state import DeviceState


@frozen
class CalibrationAge:
    """When a head was measured, how long ago, and whether it is time to do so again."""

    at: datetime
    age: timedelta
    due: bool


class Calibrations(Mapping[HeadKey, Calibration]):
    """The newest calibration of each head, by device number and head.

    ``seen`` is what keepers have seen in containers, by the same.
    """

    def __init__(self, ground: Ground, gate: Gate) -> None:
        """Let the gate know which heads were measured, and hear of its doses."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._calibrations: dict[HeadKey, Calibration] = {}
        self._given: dict[HeadKey, deque[Dose]] = {}
        self.seen: Mapping[HeadKey, Seen] = {}
        gate.calibrated = self
        gate.on_count(self._count)

    @override
    def __getitem__(self, key: HeadKey) -> Calibration:
        """Return the newest calibration of a head."""
        return self._calibrations[key]

    @override
    def __iter__(self) -> Iterator[HeadKey]:
        """Iterate over the heads that were measured."""
        return iter(self._calibrations)

    @override
    def __len__(self) -> int:
        """Return how many heads were measured."""
        return len(self._calibrations)

    def load(self, rows: Iterable[Calibration], doses: Iterable[Dose]) -> None:
        """Take in what is on disk: calibrations, and the last doses of each head."""
        for row in rows:
            self._calibrations[row.device, row.head] = row
        for dose in doses:
            if dose.is_settled:
                self._keep(dose)

    def age(self, device: DeviceState, head: int) -> CalibrationAge | None:
        """Return how old a head's calibration is; None where it was never measured."""
        known = self._calibrations.get((device.row.number, head))
        if known is None:
            return None
        age = self._clock.now() - known.at
        days = device.limits.head(head).calibration_days
        due = bool(days) and age >= timedelta(days=days)
        return CalibrationAge(at=known.at, age=age, due=due)

    def delivery(self, device: DeviceState, head: int) -> Delivery:
        """Return what a head gave of what it was asked for, since it was measured last."""
        key = (device.row.number, head)
        known, seen = self._calibrations.get(key), self.seen.get(key)
        if seen is not None and known is not None and seen.at <= known.at:
            seen = None
        doses = (
            dose
            for dose in self._given.get(key, ())
            if known is None or dose.at > known.at
        )
        return delivery(doses, seen)

    async def measured(
        self,
        device: DeviceState,
        head: int,
        *,
        asked: int,
        measured: int,
        user: str | None,
    ) -> Calibration:
        """Commit that a head gave so many microlitres when it was asked for others.

        The flow of a switch follows at once. Raises EngineError naming what cannot be, and
        StoreError.
        """
        check_head(device, head)
        port = cast(DoserDevice, device.device)
        try:
            flow = measured_flow(asked, measured, port.heads[head].flow)
        except ValueError as error:
            raise EngineError(
                "out_of_range",
                field="measured_ml",
                minimum=millilitres(asked) / FURTHEST_OFF,
                maximum=millilitres(asked) * FURTHEST_OFF,
            ) from error
        calibration = Calibration(
            device=device.row.number,
            head=head,
            at=self._clock.now(),
            asked=asked,
            measured=measured,
            flow=flow if port.kind is DeviceKind.DOSER else None,
        )

        def unit(connection: Connection) -> None:
            calibration_rows.add(connection, calibration, user)

        def committed(_: None) -> None:
            self._calibrations[calibration.device, head] = calibration
            self.apply(calibration.device, port)
            self._announcer.announce(DeviceChanged(device=calibration.device))

        await self._journal.commit(unit, committed)
        return calibration

    def apply(self, number: int, port: Device) -> None:
        """Have a doser made of a switch dose by the flow that was measured last.

        Unless the keeper has entered another one since.
        """
        known = self._calibrations.get((number, 0))
        if port.kind is not DeviceKind.DOSER or known is None or not known.flow:
            return
        doser = cast(SwitchedDoser, port)
        entered_at = doser.heads[0].flow_entered_at
        if entered_at is None or entered_at < known.at:
            doser.set_flow(known.flow)

    def _count(self, before: Dose | None, after: Dose | None) -> None:
        """Keep a dose whose end became known."""
        ended = after is not None and after.is_settled
        if after is not None and ended and (before is None or not before.is_settled):
            self._keep(after)

    def _keep(self, dose: Dose) -> None:
        """Keep one of the last doses of a head."""
        key = (dose.device, dose.head)
        self._given.setdefault(key, deque(maxlen=LAST_DOSES)).append(dose)
