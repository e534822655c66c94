"""The gate before a dose: go, refuse and why, or not before an instant (law 5).

Levels are shaped where they are written (`levels`); a dose cannot be shaped, so it is
refused. What passes is reserved at once, before anything is awaited: two doses can never
pass together on the same budget, at one head or at two devices of an aquarium.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import cast

from ..devices.device import DoserDevice
from ..dosing.budget import WINDOW, beside_programmes, counted
from ..dosing.container import fit_refusal
from ..dosing.ledger import BY_ITSELF, Dose, DoseState
from ..dosing.programme import Programme
from ..dosing.spacing import (
    NotBefore,
    apart_from_programmes,
    interval_beside,
    interval_refusal,
    not_before,
)
from ..limits.refusal import Refusal
from .budgets import (
    BUDGET_ADDITIVE,
    BUDGET_AQUARIUM,
    named,
    of_additive,
    too_large,
    with_details,
    within,
)
from .heads_allowed import not_allowed
from .memory_content import MemoryContent
from .state import AquariumLimits, DeviceState

type HeadKey = tuple[int, int]
type Counting = Callable[[Dose | None, Dose | None], None]

_REMEMBERED = WINDOW + timedelta(hours=1)
_NO_LIMITS = AquariumLimits()


class Gate:
    """The doses of the last 24 hours and those under way, by device and head.

    ``calibrated`` holds the heads that were measured, ``left`` tells the microlitres in a
    head's container, ``interlock`` which safety rule keeps a doser from dosing,
    ``undecided`` for how many seconds no rule can tell yet,
    ``measuring`` whether a head runs into a measuring glass, ``zone`` the wall clock of pumps;
    ``aquarium_limits`` is by entry id.
    """

    def __init__(
        self, devices: Mapping[int, DeviceState], memory: MemoryContent
    ) -> None:
        """Start with an empty ledger; recovery fills it."""
        self._devices = devices
        self._memory = memory
        self._doses: dict[HeadKey, dict[str, Dose]] = {}
        self._counting: list[Counting] = []
        self.aquarium_limits: dict[str, AquariumLimits] = {}
        self.calibrated: Container[HeadKey] = ()
        self.left: Callable[[int, int], int | None] = _unknown
        self.interlock: Callable[[DeviceState], Refusal | None] = _nothing_against
        self.undecided: Callable[[DeviceState], float] = lambda device: 0.0
        self.measuring: Callable[[int, int], bool] = lambda device, head: False
        self.zone: Callable[[], tzinfo | None] = lambda: UTC

    def load(self, doses: Iterable[Dose]) -> None:
        """Take in what is on disk; nobody is told."""
        for dose in doses:
            self._of_head(dose)[dose.key] = dose

    def on_count(self, counting: Counting) -> None:
        """Call with what was known of a dose and what is known now; None is nothing."""
        self._counting.append(counting)

    def note(self, dose: Dose) -> None:
        """Take in what is now known about a dose."""
        of_head = self._of_head(dose)
        before, of_head[dose.key] = of_head.get(dose.key), dose
        if before is None:
            _drop_old(of_head, dose.at)
        self._tell(before, dose)

    def forget(self, dose: Dose) -> None:
        """Let go of a reservation: the dose was never sent."""
        before = self._of_head(dose).pop(dose.key, None)
        if before is not None:
            self._tell(before, None)

    def doses(self, device: int, head: int) -> tuple[Dose, ...]:
        """Return the doses of a head that are remembered, in the order they became known."""
        return tuple(self._doses.get((device, head), {}).values())

    def open_doses(self, device: int, head: int) -> tuple[Dose, ...]:
        """Return the doses of a head whose end nobody knows."""
        return tuple(dose for dose in self.doses(device, head) if not dose.is_settled)

    @property
    def unknown(self) -> tuple[Dose, ...]:
        """Return the doses of which nobody knows whether they were given."""
        return tuple(dose for dose in self._all() if dose.state is DoseState.UNKNOWN)

    def given(self, device: int, head: int, now: datetime) -> int:
        """Return the microlitres that count against the head's 24 hours."""
        return counted(self.doses(device, head), now)

    def taken(self, device: DeviceState, head: int, now: datetime) -> int:
        """Return the microlitres of the head's 24 hours that nobody else may give.

        What was given, and what its programme gives within the next 24 hours.
        """
        key = (device.row.number, head)
        others, programme = beside_programmes(
            self.doses(*key), self._daily([key], now), now
        )
        return counted(others, now) + programme

    def reserve(
        self, device: DeviceState, dose: Dose, now: datetime
    ) -> Refusal | NotBefore | None:
        """Reserve a dose, or return what stands in the way; nothing is awaited."""
        answer = self.answer(device, dose, now)
        if answer is None:
            self.note(dose)
        return answer

    def answer(
        self, device: DeviceState, dose: Dose, now: datetime
    ) -> Refusal | NotBefore | None:
        """Return what stands in the way of a dose now, reserved or not; None is go."""
        if refusal := self._refusal(device, dose.head, dose.volume, now, dose.key):
            return refusal
        if wait := self._undecided(device, now):
            return wait
        return self._spacing(device, dose.head, now, dose.key)

    def forbidden(
        self, device: DeviceState, head: int, now: datetime
    ) -> Refusal | None:
        """Return what forbids a head to pump at all, asked again right before it does.

        Its keeper does not use it, a layer holds it (law 4), or a safety rule says so.
        """
        return not_allowed(device, head, now) or self.interlock(device)

    def refusal(
        self, device: DeviceState, head: int, volume: int, now: datetime
    ) -> Refusal | None:
        """Return what forbids a dose now; one that is only too early is not forbidden."""
        return self._refusal(device, head, volume, now, None)

    def run_answer(
        self, device: DeviceState, run: Dose, now: datetime
    ) -> Refusal | NotBefore | None:
        """Return what stands in the way of a run that calibrates or primes, reserved or not.

        It is no dose: the limits of a single dose do not bind it, the budgets do.
        """
        return (
            self.forbidden(device, run.head, now)
            or self._over_budget(device, run.head, run.volume, now, run.key)
            or self._does_not_fit(device, run.head, run.volume, run.key)
            or self._undecided(device, now)
        )

    def ends(self, dose: Dose, margin: float = 0.0) -> datetime:
        """Return when the pump ends a dose; a margin in seconds makes it sure."""
        if dose.source in BY_ITSELF:
            return dose.at
        state = self._devices.get(dose.device)
        port = cast(DoserDevice | None, state.device if state else None)
        heads = port.heads if port is not None else ()
        # A pump that was set up anew may have fewer heads than it had.
        seconds = dose.volume / heads[dose.head].flow if dose.head < len(heads) else 0.0
        return dose.at + timedelta(seconds=seconds + margin)

    def _refusal(
        self,
        device: DeviceState,
        head: int,
        volume: int,
        now: datetime,
        apart_from: str | None,
    ) -> Refusal | None:
        """Return what forbids a dose; its own reservation does not."""
        limits = device.limits.head(head)
        return (
            self.forbidden(device, head, now)
            or self.not_measured(device, head)
            or self._being_measured(device, head)
            or too_large(limits.maximum_volume, volume)
            or self._over_budget(device, head, volume, now, apart_from)
            or interval_refusal(
                self._others(device.row.number, head, apart_from),
                limits.minimum_interval,
                now,
            )
            or interval_beside(
                self._memory.programme(device.row.number, head),
                limits.minimum_interval,
                now.astimezone(self.zone()),
            )
            or self._does_not_fit(device, head, volume, apart_from)
        )

    def _undecided(self, device: DeviceState, now: datetime) -> NotBefore | None:
        """Return until when nobody can tell whether a safety rule forbids to dose."""
        seconds = self.undecided(device)
        return NotBefore(at=now + timedelta(seconds=seconds)) if seconds else None

    def _over_budget(
        self,
        device: DeviceState,
        head: int,
        volume: int,
        now: datetime,
        apart_from: str | None,
    ) -> Refusal | None:
        """Return the budget of 24 hours that a volume would exceed."""
        limits = device.limits.head(head)
        own = (device.row.number, head)
        refusal = within(
            self._others(*own, apart_from),
            self._daily([own], now),
            volume,
            limits.budget,
            now,
        )
        aquarium = self.limits_of(device)
        additive_budget = of_additive(aquarium, limits.additive)
        if refusal is not None or (additive_budget is None and aquarium.budget is None):
            return refusal
        doses = list(self.in_aquarium(device.row.aquarium, apart_from))
        heads = [key for key, _ in self.programmed(device.row.aquarium)]
        alike = [key for key in heads if self.additive(key) == limits.additive]
        refusal = within(
            [dose for dose in doses if dose.additive == limits.additive],
            self._daily(alike, now),
            volume,
            additive_budget,
            now,
            word=BUDGET_ADDITIVE,
        )
        if refusal is not None:
            return with_details(refusal, named(BUDGET_ADDITIVE, limits.additive))
        return within(
            doses,
            self._daily(heads, now),
            volume,
            aquarium.budget,
            now,
            word=BUDGET_AQUARIUM,
        )

    def _daily(self, heads: Iterable[HeadKey], now: datetime) -> dict[HeadKey, int]:
        """Return what heads give by their programmes on a day that begins within 24 hours."""
        local = now.astimezone(self.zone())
        daily = {}
        for key in heads:
            due = self._memory.next_dose(*key, local)
            if due is not None and due[0] - now < WINDOW:
                daily[key] = self._memory.daily_volume(*key)
        return daily

    def additive(self, key: HeadKey) -> str | None:
        """Return what a head gives."""
        return self._devices[key[0]].limits.head(key[1]).additive

    def _spacing(
        self, device: DeviceState, head: int, now: datetime, apart_from: str
    ) -> NotBefore | None:
        """Return until when an additive must wait for others of its aquarium."""
        spacing = self.limits_of(device).spacing
        additive = device.limits.head(head).additive
        if not spacing or additive is None:
            return None
        aquarium = device.row.aquarium
        doses = self.in_aquarium(aquarium, apart_from)
        programmes = (
            (self.additive(key), programme)
            for key, programme in self.programmed(aquarium)
        )
        local = now.astimezone(self.zone())
        return not_before(
            doses, additive, spacing, now, self.ends
        ) or apart_from_programmes(additive, programmes, spacing, local)

    def not_measured(self, device: DeviceState, head: int) -> Refusal | None:
        """Refuse a head that must be calibrated first."""
        wanted = device.limits.head(head).only_calibrated
        if not wanted or (device.row.number, head) in self.calibrated:
            return None
        return Refusal(limit="not_calibrated", details={"head": head + 1})

    def _being_measured(self, device: DeviceState, head: int) -> Refusal | None:
        """Refuse a dose that would not reach the aquarium, and spoil what is measured."""
        if not self.measuring(device.row.number, head):
            return None
        return Refusal(limit="calibrating", details={"head": head + 1})

    def _does_not_fit(
        self,
        device: DeviceState,
        head: int,
        volume: int,
        apart_from: str | None = None,
    ) -> Refusal | None:
        """Refuse what the head's container does not hold, where the keeper wants that."""
        left = self.left(device.row.number, head)
        if left is None or not device.limits.head(head).only_if_fits:
            return None
        own = self._doses.get((device.row.number, head), {}).get(apart_from or "")
        refusal = fit_refusal(left + (own.counted if own else 0), volume)
        return None if refusal is None else with_details(refusal, {"head": head + 1})

    def limits_of(self, device: DeviceState) -> AquariumLimits:
        """Return the limits of the aquarium that a device belongs to."""
        return self.aquarium_limits.get(device.row.aquarium or "", _NO_LIMITS)

    def _of_head(self, dose: Dose) -> dict[str, Dose]:
        """Return the doses of a dose's head by key."""
        return self._doses.setdefault((dose.device, dose.head), {})

    def _all(self) -> Iterator[Dose]:
        """Yield every dose that is remembered."""
        for doses in self._doses.values():
            yield from doses.values()

    def _others(self, device: int, head: int, key: str | None) -> list[Dose]:
        """Return the doses of a head apart from one."""
        return [dose for dose in self.doses(device, head) if dose.key != key]

    def in_aquarium(
        self, aquarium: str | None, key: str | None = None
    ) -> Iterator[Dose]:
        """Yield the doses that went into an aquarium apart from one."""
        return (
            dose
            for dose in self._all()
            if dose.aquarium == aquarium and dose.key != key
        )

    def programmed(self, aquarium: str | None) -> Iterator[tuple[HeadKey, Programme]]:
        """Yield what the pumps of an aquarium do by themselves, by head."""
        for number, device in self._devices.items():
            if device.row.aquarium == aquarium:
                for head, programme in self._memory.programmes(number).items():
                    yield (number, head), programme

    def _tell(self, before: Dose | None, after: Dose | None) -> None:
        """Tell who counts what doses take."""
        for counting in self._counting:
            counting(before, after)


def _drop_old(doses: dict[str, Dose], now: datetime) -> None:
    """Forget settled doses that count for nothing any more, but for the last one given."""
    last = max(
        (dose for dose in doses.values() if dose.counted),
        key=lambda dose: dose.at,
        default=None,
    )
    for key, dose in tuple(doses.items()):
        if dose.is_settled and dose.at < now - _REMEMBERED and dose is not last:
            del doses[key]


def _unknown(device: int, head: int) -> None:
    """Know of no container."""


def _nothing_against(device: DeviceState) -> None:
    """Know of no rule that keeps a doser from dosing."""
