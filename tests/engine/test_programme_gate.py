"""The first day of a programme has room beside what was given before (law 5)."""

from datetime import time, timedelta
from typing import Any

import pytest

from custom_components.aquarist.dosing.ledger import PROGRAMME, Dose, DoseState
from custom_components.aquarist.dosing.programme import (
    Programme,
    ProgrammeMode,
    TimedDose,
)
from custom_components.aquarist.engine.errors import SafetyRefusedError
from custom_components.aquarist.engine.state import (
    AquariumLimits,
    DeviceState,
    HeadLimits,
)
from custom_components.aquarist.limits.refusal import Refusal
from tests.engine.memory_bench import SCHEDULE, Benches
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Rig
from tests.fakes.manual_clock import START

IRON = HeadLimits(additive="iron", budget=5000)


async def pump(rig: Rig, name: str = "Doser", **heads: HeadLimits) -> DeviceState:
    """Attach a pump of the tank with the limits of its first head."""
    limits = {0: heads.get("head", IRON)}
    return await rig.attach(MemoryDoser(name), aquarium="tank", heads=limits)


async def give(rig: Rig, state: DeviceState, volume: float) -> None:
    """Dose with the first head."""
    args = {"head_index": 0, "volume_ml": volume}
    await rig.done(await rig.engine.send(state, "dose", args, SERVICE))


def at(hour: int, minute: int = 0, volume: int = 4000) -> Programme:
    """Return a programme that doses once a day. It is noon."""
    return Programme(mode=ProgrammeMode.SINGLE, volume=volume, at=time(hour, minute))


def asked(rig: Rig, state: DeviceState, programme: Programme) -> Refusal | None:
    """Ask the gate about a programme of the first head."""
    return rig.engine.programme_gate.refusal(state, 0, programme, rig.clock.now())


def keep(rig: Rig, number: int, programme: Programme) -> None:
    """Have a pump keep a programme for its first head."""
    rig.engine.device_memory.content.keep(number, "head_0", programme)


def noted(rig: Rig, number: int, volume: int, hours: float) -> None:
    """Have it found that a programme gave something so many hours ago."""
    dose = Dose(
        key=f"{number}/pump-{hours}",
        device=number,
        head=0,
        volume=volume,
        state=DoseState.GIVEN,
        at=START - timedelta(hours=hours),
        given=volume,
        additive="iron",
        aquarium="tank",
        source=PROGRAMME,
    )
    rig.engine.gate.note(dose)


async def test_what_was_given_today_leaves_no_room(rig: Rig) -> None:
    """2 mL were given at noon: 4 mL at eight this evening would be 6 of 5 mL."""
    state = await pump(rig)
    await give(rig, state, 2)
    assert asked(rig, state, at(20)) == Refusal(
        limit="programme_first_day",
        asked=4,
        allowed=5,
        left=3,
        frees_at=START + timedelta(hours=8, minutes=1),
        details={"field": "volume_tenths_ml", "head": 1, "given": "2"},
    )
    await rig.advance(8 * 3600 + 60)
    assert asked(rig, state, at(20)) is None


async def test_what_will_have_passed_by_then_does_not_count(rig: Rig) -> None:
    """A dose of noon counts until noon, and no longer."""
    state = await pump(rig)
    await give(rig, state, 2)
    assert asked(rig, state, at(11, 59)) is not None
    assert asked(rig, state, at(12)) is None
    assert asked(rig, state, at(20, volume=3000)) is None
    await rig.advance(24 * 3600)
    assert asked(rig, state, at(20)) is None


async def test_each_of_its_doses_has_its_own_moment(rig: Rig) -> None:
    """One at one o'clock fits, the other at eight does not; later both do."""
    state = await pump(rig)
    await give(rig, state, 2)
    timers = (
        TimedDose(at=time(13), volume=2000),
        TimedDose(at=time(20), volume=2000),
    )
    programme = Programme(mode=ProgrammeMode.TIMER, volume=4000, timers=timers)
    refusal = asked(rig, state, programme)
    assert refusal is not None
    assert refusal.details["field"] == "timers"
    assert refusal.frees_at == START + timedelta(hours=1, minutes=1)


async def test_budgets_of_the_aquarium_count_too(rig: Rig) -> None:
    """With what other heads gave, and what their programmes take."""
    one = await pump(rig, "One", head=HeadLimits(additive="iron", budget=None))
    two = await pump(rig, "Two", head=HeadLimits(additive="iron"))
    keep(rig, two.row.number, at(9, volume=1000))
    noted(rig, two.row.number, 1000, 3)
    limits = AquariumLimits(additive_budget={"iron": 6000})
    rig.engine.set_aquarium_limits("tank", limits)
    await give(rig, two, 2)
    refusal = asked(rig, one, at(20))
    assert refusal is not None
    assert (refusal.limit, refusal.left) == ("programme_first_day_additive", 3)
    assert (refusal.details["given"], refusal.details["additive"]) == ("3", "iron")
    rig.engine.set_aquarium_limits("tank", AquariumLimits(budget=6500))
    refusal = asked(rig, one, at(20))
    assert refusal is not None
    assert (refusal.limit, refusal.left) == ("programme_first_day_aquarium", 3.5)
    rig.engine.set_aquarium_limits("tank", AquariumLimits(budget=7000))
    assert asked(rig, one, at(20)) is None


async def test_what_the_programme_before_it_gave_counts_when_it_was_due(
    rig: Rig,
) -> None:
    """4 mL at nine, found at eleven: not again this evening, but at nine tomorrow."""
    state = await pump(rig)
    keep(rig, 1, at(9))
    noted(rig, 1, 4000, 1)
    refusal = asked(rig, state, at(20))
    assert refusal is not None
    assert refusal.frees_at == START + timedelta(hours=8, minutes=1)
    assert asked(rig, state, at(9, volume=4500)) is None
    assert asked(rig, state, at(8, 59)) is not None


async def test_a_programme_that_gave_nothing_yet_is_in_nobodys_way(rig: Rig) -> None:
    """It was written a minute ago, and the hour was wrong."""
    state = await pump(rig)
    keep(rig, 1, at(9))
    assert asked(rig, state, at(20)) is None


async def test_what_is_there_already_may_be_written_again(rig: Rig) -> None:
    """After the pump was without power, whatever was given meanwhile."""
    state = await pump(rig)
    await give(rig, state, 5)
    keep(rig, 1, at(20))
    assert asked(rig, state, at(20)) is None
    assert asked(rig, state, at(19)) is not None


async def test_it_is_refused_before_the_pump_hears_of_it(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """At once, with the field, and in words; nothing is written."""
    bench = memory_bench_of()
    limits: dict[str, Any] = {"heads": {0: HeadLimits(budget=6000)}}
    state = await rig.attach(bench.doser(), **limits)
    await give(rig, state, 2)
    with pytest.raises(SafetyRefusedError) as error:
        await rig.engine.send(state, "set_schedule", SCHEDULE, SERVICE)
    assert error.value.code == "refused_programme_first_day"
    assert error.value.field == "volume_tenths_ml"
    assert bench.programme()["doses"] == []
