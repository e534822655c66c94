"""The gate: what may be dosed now, what has been, and what may have been (law 5)."""

from datetime import timedelta
from typing import Any

import pytest

from custom_components.aquarist.commands.command import ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.dosing.ledger import Dose, DoseState, advance
from custom_components.aquarist.engine.errors import SafetyRefusedError
from custom_components.aquarist.engine.gate import Gate
from custom_components.aquarist.engine.memory_content import MemoryContent
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Rig
from tests.fakes.manual_clock import START


def dose(key: str, volume: int, *, hours: float = 0, head: int = 0) -> Dose:
    """Return an intended dose of so many hours ago."""
    return Dose(
        key=key,
        device=1,
        head=head,
        volume=volume,
        state=DoseState.INTENDED,
        at=START - timedelta(hours=hours),
    )


async def attached(rig: Rig, **limits: Any) -> tuple[MemoryDoser, DeviceState]:
    """Attach a doser in memory as device 1."""
    doser = MemoryDoser()
    return doser, await rig.attach(doser, **limits)


async def ask(rig: Rig, state: DeviceState, volume: float, head: int = 0) -> Any:
    """Ask for a dose and wait for its end."""
    args = {"head_index": head, "volume_ml": volume}
    return await rig.done(await rig.engine.send(state, "dose", args, SERVICE))


async def test_what_nobody_knows_counts_in_full(rig: Rig) -> None:
    """Intended, sent and unknown doses, until it is known better."""
    _, state = await attached(rig, heads={0: HeadLimits(budget=5000)})
    gate = Gate(rig.engine.devices, MemoryContent())
    reserved = dose("a", 4000)
    assert gate.reserve(state, reserved, START) is None
    refusal = gate.refusal(state, 0, 2000, START)
    assert refusal is not None
    assert (refusal.limit, refusal.left) == ("budget_24h", 1.0)
    unknown = advance(reserved, DoseState.UNKNOWN)
    gate.note(unknown)
    assert gate.unknown == (unknown,)
    assert gate.refusal(state, 0, 2000, START) is not None
    gate.note(advance(unknown, DoseState.PARTLY, given=1000))
    assert gate.given(1, 0, START) == 1000
    assert gate.refusal(state, 0, 4000, START) is None


async def test_what_was_never_sent_counts_for_nothing(rig: Rig) -> None:
    """The reservation goes."""
    _, state = await attached(rig, heads={0: HeadLimits(budget=5000)})
    gate = Gate(rig.engine.devices, MemoryContent())
    gate.reserve(state, dose("a", 4000), START)
    gate.forget(dose("a", 4000))
    gate.forget(dose("never there", 1))
    assert gate.given(1, 0, START) == 0


async def test_heads_have_budgets_of_their_own(rig: Rig) -> None:
    """And the default where none was set: 100 mL."""
    _, state = await attached(rig, heads={0: HeadLimits(budget=5000)})
    gate = Gate(rig.engine.devices, MemoryContent())
    gate.load([dose("a", 5000), dose("b", 60_000, head=1)])
    assert gate.refusal(state, 0, 100, START) is not None
    assert gate.refusal(state, 1, 40_000, START) is None
    assert gate.refusal(state, 1, 40_100, START) is not None


async def test_no_limit_is_no_limit(rig: Rig) -> None:
    """A keeper may say so."""
    _, state = await attached(rig, heads={0: HeadLimits(budget=None)})
    gate = Gate(rig.engine.devices, MemoryContent())
    gate.load([dose("a", 10_000_000)])
    assert gate.refusal(state, 0, 50_000, START) is None


async def test_settled_doses_of_yesterday_are_forgotten_open_ones_are_not(
    rig: Rig,
) -> None:
    """Nobody knows yet whether those were given."""
    _, state = await attached(rig)
    gate = Gate(rig.engine.devices, MemoryContent())
    gate.load(
        [
            advance(dose("old", 1000, hours=30), DoseState.GIVEN),
            advance(dose("lost", 1000, hours=30), DoseState.UNKNOWN),
            advance(dose("young", 1000, hours=20), DoseState.GIVEN),
        ]
    )
    gate.reserve(state, dose("new", 100), START)
    assert {one.key for one in gate.doses(1, 0)} == {"lost", "young", "new"}
    assert [one.key for one in gate.open_doses(1, 0)] == ["lost", "new"]
    assert gate.given(1, 0, START) == 1100


async def test_a_head_that_is_switched_off_gives_nothing(rig: Rig) -> None:
    """The keeper's switch is read at the moment of execution."""
    doser, state = await attached(rig)
    await rig.done(
        await rig.engine.acceptance.set_field(state, "dosing_allowed_0", False, SERVICE)
    )
    with pytest.raises(SafetyRefusedError) as refused:
        await ask(rig, state, 1)
    assert refused.value.refusal.limit == "not_allowed"
    assert refused.value.placeholders["by"] == "keeper"
    assert (await ask(rig, state, 1, head=1)).phase is Phase.COMPLETED
    await rig.done(
        await rig.engine.acceptance.set_field(state, "dosing_allowed_0", True, SERVICE)
    )
    assert (await ask(rig, state, 1)).phase is Phase.COMPLETED
    assert doser.sent == [(1, 1000), (0, 1000)]


async def test_the_switch_survives_a_restart(rig: Rig) -> None:
    """It is what the field rests on."""
    doser, state = await attached(rig)
    await rig.done(
        await rig.engine.acceptance.set_field(state, "dosing_allowed_0", False, SERVICE)
    )
    (state,) = await rig.reboot(doser)
    with pytest.raises(SafetyRefusedError):
        await ask(rig, state, 1)


async def test_a_disabled_head_is_refused(rig: Rig) -> None:
    """As its entry says."""
    _, state = await attached(rig, heads={1: HeadLimits(enabled=False)})
    with pytest.raises(SafetyRefusedError) as refused:
        await ask(rig, state, 1, head=1)
    assert refused.value.code == "refused_head_disabled"
    assert refused.value.placeholders["head"] == "2"


async def test_the_binding_answer_comes_at_the_moment_of_execution(rig: Rig) -> None:
    """What was allowed when it was asked may not be any more (law 5)."""
    doser, state = await attached(rig, heads={0: HeadLimits(budget=5000)})
    doser.slow = True
    first = await rig.engine.send(
        state, "dose", {"head_index": 0, "volume_ml": 2}, SERVICE
    )
    second = await rig.engine.send(
        state, "dose", {"head_index": 0, "volume_ml": 3}, SERVICE
    )
    third = await rig.engine.send(
        state, "dose", {"head_index": 1, "volume_ml": 1}, SERVICE
    )
    doser.slow = False
    await rig.done(
        await rig.engine.acceptance.set_field(state, "dosing_allowed_0", False, SERVICE)
    )
    doser.under_way[0].give(2000)
    assert (await rig.done(first)).phase is Phase.COMPLETED
    refused = await rig.done(second)
    assert refused.error_code == ErrorCode.SAFETY_REFUSED
    assert refused.error == "refused_not_allowed"
    assert (await rig.done(third)).phase is Phase.COMPLETED
    assert doser.sent == [(0, 2000), (1, 1000)]


async def test_doses_that_wait_for_the_pump_keep_their_order(rig: Rig) -> None:
    """The pump is woken when a head is free, not asked now and then."""
    doser, state = await attached(rig)
    doser.slow = True
    commands = [
        await rig.engine.send(
            state, "dose", {"head_index": head, "volume_ml": volume}, SERVICE
        )
        for head, volume in ((0, 1), (1, 2), (0, 3))
    ]
    await rig.settle()
    assert doser.sent == [(0, 1000)]
    for number, command in enumerate(commands):
        doser.under_way[number].give(doser.sent[number][1])
        assert (await rig.done(command)).phase is Phase.COMPLETED
        await rig.settle()
    assert doser.sent == [(0, 1000), (1, 2000), (0, 3000)]


async def test_a_dose_that_waits_too_long_never_runs(rig: Rig) -> None:
    """It expires while the pump is busy; nothing runs late."""
    doser, state = await attached(rig)
    doser.slow = True
    await rig.engine.send(state, "dose", {"head_index": 0, "volume_ml": 50}, SERVICE)
    late = await rig.engine.send(
        state, "dose", {"head_index": 1, "volume_ml": 1}, SERVICE
    )
    await rig.advance(301)
    assert (await rig.done(late)).phase is Phase.MISSED
    doser.under_way[0].give(50_000)
    await rig.settle()
    assert doser.sent == [(0, 50_000)]
