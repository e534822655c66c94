"""The gate before a programme in a pump's memory, whose doses no gate sees later (law 5)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import datetime, timedelta

from ..dosing.budget import WINDOW, beside_programmes, counted
from ..dosing.first_day import Event, latest, moments_of, room_from
from ..dosing.ledger import PROGRAMME, Dose
from ..dosing.programme import Programme, ProgrammeMode
from ..dosing.volume import millilitres
from ..frozen import frozen
from ..limits.refusal import Refusal
from .budgets import of_additive, programme_refusal
from .gate import Gate, HeadKey
from .heads_allowed import held_for_good, in_use, not_allowed
from .memory_content import MemoryContent
from .state import DeviceState

FIRST_DAY = "programme_first_day"
FIRST_DAY_ADDITIVE = "programme_first_day_additive"
FIRST_DAY_AQUARIUM = "programme_first_day_aquarium"
_AHEAD = timedelta(hours=48)


@frozen
class _Budget:
    """A budget of 24 hours: what counts dose by dose, and what other heads' programmes take.

    ``named`` is what its refusal says of it.
    """

    word: str
    limit: int
    doses: tuple[Dose, ...]
    beside: Mapping[HeadKey, int] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)


class ProgrammeGate:
    """Says what forbids a programme, by the limits and doses that the gate knows."""

    def __init__(self, gate: Gate, memory: MemoryContent) -> None:
        """Look where the gate looks."""
        self._gate = gate
        self._memory = memory

    def refusal(
        self, device: DeviceState, head: int, programme: Programme, now: datetime
    ) -> Refusal | None:
        """Return what forbids to write a programme now.

        It replaces the head's present one; with those of other heads it must keep within
        the budgets of a day, its doses within what holds for each dose, and its first day
        within what the doses before it leave.
        """
        return (
            not_allowed(device, head, now)
            or self._over_limit(device, head, programme)
            or self._without_room(device, head, programme, now)
        )

    def conflict(
        self, device: DeviceState, head: int, programme: Programme, now: datetime
    ) -> Refusal | None:
        """Return what would forbid a programme today that a pump keeps already.

        What holds the head only for a while, such as a mode, does not.
        """
        return held_for_good(device, head, now) or self._over_limit(
            device, head, programme
        )

    def _over_limit(
        self, device: DeviceState, head: int, programme: Programme
    ) -> Refusal | None:
        """Return which limit a programme does not keep to."""
        gate, limits = self._gate, device.limits.head(head)
        if refusal := in_use(device, head) or gate.not_measured(device, head):
            return refusal
        others = [
            (gate.additive(key), other)
            for key, other in gate.programmed(device.row.aquarium)
            if key != (device.row.number, head)
        ]
        return programme_refusal(programme, others, limits, gate.limits_of(device))

    def _without_room(
        self, device: DeviceState, head: int, programme: Programme, now: datetime
    ) -> Refusal | None:
        """Return the budget in which its first day has no room beside what was given.

        What is there already gets no second first day by being written again.
        """
        own = (device.row.number, head)
        if programme == self._memory.programme(*own):
            return None
        local = now.astimezone(self._gate.zone())
        ahead = moments_of(programme, local, local + _AHEAD)
        for budget in self._budgets(device, head):
            taken = sum(budget.beside.values())
            singly, _ = beside_programmes(budget.doses, budget.beside, now)
            given = self._events(own, singly, now)
            room = budget.limit - taken
            frees_at = room_from(given, ahead, programme.volume, room, now)
            if frees_at > now:
                past = sum(volume for at, volume in given if at <= now)
                return Refusal(
                    limit=budget.word,
                    asked=millilitres(programme.volume),
                    allowed=millilitres(budget.limit),
                    left=millilitres(max(room - past, 0)),
                    frees_at=frees_at,
                    details={
                        "field": _field(programme),
                        "head": head + 1,
                        "given": f"{millilitres(taken + past):g}",
                        **budget.named,
                    },
                )
        return None

    def _budgets(self, device: DeviceState, head: int) -> Iterator[_Budget]:
        """Yield the budgets that a programme of a head must keep to."""
        gate, limits = self._gate, device.limits.head(head)
        aquarium, additive = gate.limits_of(device), limits.additive
        own = (device.row.number, head)
        if limits.budget is not None:
            yield _Budget(word=FIRST_DAY, limit=limits.budget, doses=gate.doses(*own))
        doses = tuple(gate.in_aquarium(device.row.aquarium))
        others = {
            key: other.volume
            for key, other in gate.programmed(device.row.aquarium)
            if key != own
        }
        limit = of_additive(aquarium, additive)
        if limit is not None and additive is not None:
            yield _Budget(
                word=FIRST_DAY_ADDITIVE,
                limit=limit,
                doses=tuple(dose for dose in doses if dose.additive == additive),
                beside={
                    key: volume
                    for key, volume in others.items()
                    if gate.additive(key) == additive
                },
                named={"additive": additive},
            )
        if aquarium.budget is not None:
            yield _Budget(
                word=FIRST_DAY_AQUARIUM,
                limit=aquarium.budget,
                doses=doses,
                beside=others,
            )

    def _events(
        self, own: HeadKey, doses: Iterable[Dose], now: datetime
    ) -> list[Event]:
        """Return what counts beside a programme that a head is to keep.

        What its present programme gave it gave when it was due, whenever that was found;
        until it is replaced it goes on.
        """
        present = self._memory.programme(*own)
        by_programme: list[Dose] = []
        events: list[Event] = []
        for dose in doses:
            if (
                present is not None
                and dose.source == PROGRAMME
                and (dose.device, dose.head) == own
            ):
                by_programme.append(dose)
            elif dose.counted and abs(now - dose.at) < WINDOW:
                events.append((min(dose.at, now), dose.counted))
        if present is None:
            return events
        local = now.astimezone(self._gate.zone())
        before = moments_of(present, local - WINDOW, local)
        coming = moments_of(present, local, local + WINDOW)
        return [*events, *latest(before, counted(by_programme, now)), *coming]


def _field(programme: Programme) -> str:
    """Return the argument that says how much a programme gives."""
    timers = programme.mode is ProgrammeMode.TIMER
    return "timers" if timers else "volume_tenths_ml"
