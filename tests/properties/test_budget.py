"""Law 5: the budgets of head, additive and aquarium together, against a naive model."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given, settings, strategies as st

from custom_components.aquarist.dosing.ledger import Dose, DoseState, advance
from custom_components.aquarist.engine.budgets import (
    BUDGET,
    BUDGET_ADDITIVE,
    BUDGET_AQUARIUM,
)
from custom_components.aquarist.engine.gate import Gate
from custom_components.aquarist.engine.memory_content import MemoryContent
from custom_components.aquarist.engine.state import (
    AquariumLimits,
    DeviceLimits,
    DeviceState,
    HeadLimits,
)
from custom_components.aquarist.limits.refusal import Refusal
from custom_components.aquarist.store.devices import DeviceRow
from tests.fakes.manual_clock import START

TANK = "tank"
DAY = timedelta(hours=24)
HEAD_BUDGET, IRON_BUDGET, TANK_BUDGET = 5000, 7000, 9000
ADDITIVES = {0: "iron", 1: "phosphate"}
LIMITS = AquariumLimits(budget=TANK_BUDGET, additive_budget={"iron": IRON_BUDGET})
ENDS = (
    DoseState.GIVEN,
    DoseState.PARTLY,
    DoseState.NOT_GIVEN,
    DoseState.UNKNOWN,
    None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A dose that somebody wants: after a pause, of a pump and head, and how it will end."""

    pause: timedelta
    pump: int
    head: int
    volume: int
    end: DoseState | None


@dataclass(slots=True)
class Model:
    """What has come out, or may have: when, of which pump and head, and how much."""

    rows: list[tuple[datetime, int, int, int]] = field(default_factory=list)

    def of_head(self, pump: int, head: int, now: datetime) -> int:
        """Return what one head gave within a day."""
        return sum(
            volume
            for at, number, index, volume in self.rows
            if (number, index) == (pump, head) and now - at < DAY
        )

    def of_additive(self, head: int, now: datetime) -> int:
        """Return what all heads with the same additive gave within a day."""
        return sum(self.of_head(pump, head, now) for pump in (1, 2))

    def of_all(self, now: datetime) -> int:
        """Return what all heads gave within a day."""
        return sum(self.of_additive(head, now) for head in ADDITIVES)

    def word_against(self, wish: Wish, now: datetime) -> str | None:
        """Return the first limit that has no room for a dose."""
        volume = wish.volume
        if self.of_head(wish.pump, wish.head, now) + volume > HEAD_BUDGET:
            return BUDGET
        alike = self.of_additive(wish.head, now) + volume
        if ADDITIVES[wish.head] == "iron" and alike > IRON_BUDGET:
            return BUDGET_ADDITIVE
        return BUDGET_AQUARIUM if self.of_all(now) + volume > TANK_BUDGET else None


wishes = st.lists(
    st.builds(
        Wish,
        pause=st.sampled_from([0, 1, 3600, 6 * 3600, 23 * 3600, 24 * 3600]).map(
            lambda seconds: timedelta(seconds=seconds)
        ),
        pump=st.sampled_from([1, 2]),
        head=st.sampled_from(sorted(ADDITIVES)),
        volume=st.integers(2, 60).map(lambda tenths: tenths * 100),
        end=st.sampled_from(ENDS),
    ),
    max_size=30,
)


def gate_with_two_pumps() -> tuple[Gate, dict[int, DeviceState]]:
    """Return a gate in front of two pumps of one aquarium."""
    heads = {
        head: HeadLimits(additive=additive, budget=HEAD_BUDGET)
        for head, additive in ADDITIVES.items()
    }
    pumps = {}
    for number in (1, 2):
        row = DeviceRow(
            number=number, uuid=str(number), kind="doser", name="Pump", aquarium=TANK
        )
        pumps[number] = DeviceState(row, _unused, _unused)
        pumps[number].limits = DeviceLimits(heads=heads)
    gate = Gate(pumps, MemoryContent())
    gate.aquarium_limits[TANK] = LIMITS
    return gate, pumps


@given(wishes)
@settings(max_examples=200)
def test_the_gate_refuses_exactly_what_has_no_room(asked: list[Wish]) -> None:
    """It names the first limit without room; no day ever holds more than any of them."""
    gate, pumps = gate_with_two_pumps()
    model, now = Model(), START
    for number, wish in enumerate(asked):
        now += wish.pause
        dose = dose_of(wish, number, now)
        expected = model.word_against(wish, now)
        answer = gate.reserve(pumps[wish.pump], dose, now)
        assert (answer.limit if isinstance(answer, Refusal) else answer) == expected
        if answer is None:
            counted = ended(gate, dose, wish.end)
            model.rows.append((now, wish.pump, wish.head, counted))
        assert model.of_all(now) <= TANK_BUDGET
        assert model.of_additive(0, now) <= IRON_BUDGET
        for pump in (1, 2):
            assert model.of_head(pump, wish.head, now) <= HEAD_BUDGET
            assert gate.given(pump, wish.head, now) == model.of_head(
                pump, wish.head, now
            )


@given(wishes)
@settings(max_examples=100)
def test_a_refusal_tells_when_it_frees(asked: list[Wish]) -> None:
    """Then the same dose passes that budget, and not a microsecond before."""
    gate, pumps = gate_with_two_pumps()
    now = START
    for number, wish in enumerate(asked):
        now += wish.pause
        dose = dose_of(wish, number, now)
        answer = gate.reserve(pumps[wish.pump], dose, now)
        if answer is None:
            ended(gate, dose, wish.end)
            continue
        assert isinstance(answer, Refusal)
        if answer.frees_at is None:
            assert answer.allowed is not None
            assert wish.volume > answer.allowed * 1000
            continue
        refused = (pumps[wish.pump], wish.head, wish.volume)
        just_before = answer.frees_at - timedelta(microseconds=1)
        early = gate.refusal(*refused, just_before)
        assert early is not None
        assert early.limit == answer.limit
        free = gate.refusal(*refused, answer.frees_at)
        assert free is None or free.limit != answer.limit


def dose_of(wish: Wish, number: int, now: datetime) -> Dose:
    """Return the dose that a wish is reserved as."""
    return Dose(
        key=f"{wish.pump}/{number}",
        device=wish.pump,
        head=wish.head,
        volume=wish.volume,
        state=DoseState.INTENDED,
        at=now,
        additive=ADDITIVES[wish.head],
        aquarium=TANK,
    )


def ended(gate: Gate, dose: Dose, state: DoseState | None) -> int:
    """Let a reserved dose come to an end, or to none; return what counts of it."""
    if state is None:
        return dose.volume
    given_volume = dose.volume // 2 if state is DoseState.PARTLY else None
    gate.note(advance(dose, state, given=given_volume))
    return {
        DoseState.NOT_GIVEN: 0,
        DoseState.PARTLY: dose.volume // 2,
    }.get(state, dose.volume)


async def _unused(*_: object) -> None:
    """Stand in for the queue's work: nothing is ever put into it."""
    raise AssertionError("nothing is carried out")
