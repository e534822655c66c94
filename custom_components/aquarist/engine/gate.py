"""The gate before a dose: go, refuse and why, or not before an instant (law 5).

Levels are shaped where they are written (`levels`); a dose cannot be shaped, so it is
refused. What passes is reserved at once, before anything is awaited: two doses can never
pass together on the same budget.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ..dosing.budget import WINDOW, budget_refusal, counted
from ..dosing.ledger import Dose, DoseState
from ..limits.refusal import Refusal
from .state import DeviceState


class Gate:
    """The doses of the last 24 hours and those under way, by device and head."""

    def __init__(self) -> None:
        """Start with an empty ledger; recovery fills it."""
        self._doses: dict[tuple[int, int], dict[str, Dose]] = {}

    def load(self, doses: Iterable[Dose]) -> None:
        """Take in what is on disk."""
        for dose in doses:
            self.note(dose)

    def note(self, dose: Dose) -> None:
        """Take in what is now known about a dose."""
        self._doses.setdefault((dose.device, dose.head), {})[dose.key] = dose

    def forget(self, dose: Dose) -> None:
        """Let go of a reservation: the dose was never sent."""
        self._doses.get((dose.device, dose.head), {}).pop(dose.key, None)

    def doses(self, device: int, head: int) -> tuple[Dose, ...]:
        """Return the doses of a head that are remembered."""
        return tuple(self._doses.get((device, head), {}).values())

    def open_doses(self, device: int, head: int) -> tuple[Dose, ...]:
        """Return the doses of a head whose end nobody knows."""
        return tuple(
            dose
            for dose in self.doses(device, head)
            if dose.state in (DoseState.INTENDED, DoseState.SENT, DoseState.UNKNOWN)
        )

    @property
    def unknown(self) -> tuple[Dose, ...]:
        """Return the doses of which nobody knows whether they were given."""
        return tuple(
            dose
            for doses in self._doses.values()
            for dose in doses.values()
            if dose.state is DoseState.UNKNOWN
        )

    def given(self, device: int, head: int, now: datetime) -> int:
        """Return the microlitres that count against the head's 24 hours."""
        return counted(self.doses(device, head), now)

    def reserve(self, device: DeviceState, dose: Dose, now: datetime) -> Refusal | None:
        """Reserve a dose, or return what stands in the way; nothing is awaited."""
        refusal = self.refusal(device, dose.head, dose.volume, now)
        if refusal is None:
            self._drop_old(dose.device, dose.head, now)
            self.note(dose)
        return refusal

    def refusal(
        self, device: DeviceState, head: int, volume: int, now: datetime
    ) -> Refusal | None:
        """Return what stands in the way of a dose now."""
        allowed = device.fields.get(f"dosing_allowed_{head}")
        if allowed is not None:
            resolution = allowed.resolve(now)
            if resolution is not None and resolution.setting.get(allowed.name) is False:
                owner = resolution.owner
                return Refusal(
                    limit="not_allowed",
                    details={"head": head + 1, "by": owner.id if owner else "keeper"},
                )
        if head in device.limits.disabled_heads:
            return Refusal(limit="head_disabled", details={"head": head + 1})
        return budget_refusal(
            self.doses(device.row.number, head),
            volume,
            device.limits.budget_of(head),
            now,
        )

    def _drop_old(self, device: int, head: int, now: datetime) -> None:
        """Forget settled doses that count for nothing any more."""
        doses = self._doses.get((device, head), {})
        old = now - WINDOW - timedelta(hours=1)
        for key, dose in tuple(doses.items()):
            settled = dose.state not in (
                DoseState.INTENDED,
                DoseState.SENT,
                DoseState.UNKNOWN,
            )
            if settled and dose.at < old:
                del doses[key]
