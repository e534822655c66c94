"""Cuts off what a doser delivers once a safety rule forbids it (law 5).

The gate lets nothing begin that a rule forbids. What had begun by then is stopped as far as
it can be, what was given is booked, and the rest is never given.
"""

from collections.abc import Awaitable, Callable, Coroutine, Hashable
from datetime import datetime
import logging
from typing import Any, Protocol, cast

from ..devices.device import DeviceKind, DoserDevice
from ..dosing.ledger import Dose, DoseState
from ..limits.refusal import Refusal
from .changes import SafetyChanged
from .counter_looks import DELIVERY_MARGIN
from .emergency import DeviceStopped
from .gate import Gate
from .ground import Ground
from .intake import DOSERS
from .state import DeviceState

_LOGGER = logging.getLogger(__name__)

AGAIN_AFTER = 5.0
"""Elapsed seconds after which a pump is told again that did not confirm its stop."""


class EndDose(Protocol):
    """Ends what a device delivers."""

    def __call__(
        self, device: DeviceState, because: Refusal | None = None
    ) -> Awaitable[DeviceStopped]:
        """Return what that came to."""


class CutOffs:
    """Looks at the dosers when a rule changes its mind, a dose was sent, and now and then."""

    def __init__(
        self,
        ground: Ground,
        gate: Gate,
        *,
        end_dose: EndDose,
        background: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Hear of the rules; the gate knows which of them forbids a dose."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._devices = ground.devices
        self._gate = gate
        self._end_dose = end_dose
        self._background = background
        self._ending: set[int] = set()
        # The doses of each device that a confirmed stop has ended.
        self._ended: dict[int, frozenset[str]] = {}
        ground.agenda.on("cut_off", self._due)
        ground.agenda.on_sweep(self._look_at_all)
        ground.announcer.listen(self._rule_changed, SafetyChanged)

    def look(self, device: DeviceState) -> None:
        """Stop a device that may be delivering what a rule forbids."""
        number = device.row.number
        if number in self._ending or device.row.kind not in DOSERS:
            return
        refusal = self._gate.interlock(device)
        if refusal is not None and self._may_deliver(device):
            self._ending.add(number)
            self._background(self._cut_off(device, refusal))

    def _rule_changed(self, change: SafetyChanged) -> None:
        """Look at every doser: what a rule protects may be more than one."""
        self._look_at_all()

    def _look_at_all(self) -> None:
        """Look at every doser; somebody may have put its switch on, too."""
        for device in tuple(self._devices.values()):
            self.look(device)

    def _due(self, key: Hashable, now: datetime) -> None:
        """Look again at a device that did not confirm its stop (law 7)."""
        if (device := self._devices.get(cast(int, key))) is not None:
            self.look(device)

    async def _cut_off(self, device: DeviceState, refusal: Refusal) -> None:
        """Stop a device, and look again when that was not confirmed."""
        number = device.row.number
        known = frozenset(dose.key for dose in self._open(device))
        try:
            report = await self._end_dose(device, refusal)
        finally:
            self._ending.discard(number)
        if report.confirmed:
            self._ended[number] = known
        else:
            _LOGGER.info(
                "What %s delivers could not be stopped: %s",
                device.row.name,
                report.detail,
            )
            self._agenda.put_elapsed("cut_off", number, AGAIN_AFTER)

    def _may_deliver(self, device: DeviceState) -> bool:
        """Return whether something is on its way into the aquarium, followed or not.

        A dose that is just being sent is looked at once it is.
        """
        if device.device is None:
            return False
        ended = self._ended.get(device.row.number, frozenset())
        doses = [dose for dose in self._open(device) if dose.key not in ended]
        if any(dose.state is DoseState.INTENDED for dose in doses):
            return False
        if device.row.kind == DeviceKind.DOSER:
            return device.may_run
        now = self._clock.now()
        unseen = (self._gate.ends(dose, DELIVERY_MARGIN) > now for dose in doses)
        return bool(device.busy_heads) or any(unseen)

    def _open(self, device: DeviceState) -> list[Dose]:
        """Return the doses and runs of a device whose end nobody knows."""
        port = cast(DoserDevice | None, device.device)
        return [
            dose
            for head in (port.heads if port is not None else ())
            for dose in self._gate.open_doses(device.row.number, head.index)
        ]
