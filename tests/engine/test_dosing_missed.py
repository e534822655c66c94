"""Doses missed while nobody was there: skipped, or the keeper is asked (RES-67)."""

import asyncio
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.due import Waiting
from custom_components.aquarist.engine.errors import EngineError, SafetyRefusedError
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.store.errors import StoreError
from custom_components.aquarist.store.occurrences import Verdict
from tests.engine.memory_doser import MemoryDoser
from tests.engine.plans import announced, create, daily, words
from tests.engine.rig import Rig, at
from tests.engine.troubled_store import read_only

IRON = {"head_index": 0, "volume_ml": 2}


async def slept(
    rig: Rig, doser: MemoryDoser, hours: float, **limits: Any
) -> DeviceState:
    """Let the engine be away for some hours."""
    await rig.engine.close()
    rig.clock.advance(hours * 3600)
    await rig.boot(start=False)
    state = await rig.attach(doser, **limits)
    rig.engine.start()
    await rig.settle()
    return state


async def asked(rig: Rig, **more: Any) -> tuple[MemoryDoser, DeviceState, Waiting]:
    """Have a schedule ask about the dose of 13:00."""
    doser = MemoryDoser()
    await rig.attach(doser)
    await create(rig, daily("13:00", "dose", IRON, on_miss="ask", **more))
    state = await slept(rig, doser, 2)
    (waiting,) = rig.engine.missed.waiting
    return doser, state, waiting


async def test_a_missed_dose_is_skipped_unless_its_schedule_asks(rig: Rig) -> None:
    """Nothing is given late by itself."""
    doser = MemoryDoser()
    await rig.attach(doser)
    await create(rig, daily("13:00", "dose", IRON))
    await slept(rig, doser, 2)
    assert await words(rig) == [(Verdict.MISSED, "not_running")]
    assert rig.engine.missed.waiting == ()
    assert doser.sent == []


async def test_a_schedule_that_asks_waits_for_the_keeper(rig: Rig) -> None:
    """All moments of one outage are one question, which survives a restart."""
    doser = MemoryDoser()
    await rig.attach(doser)
    planned = await create(rig, daily("13:00", "dose", IRON, on_miss="ask"))
    await slept(rig, doser, 50)
    assert await words(rig) == [(Verdict.MISSED, "waiting_for_keeper")]
    assert doser.sent == []
    (waiting,) = rig.engine.missed.waiting
    assert (waiting.schedule, waiting.count) == (planned.row.id, 3)
    assert waiting.at == at("13:00")
    await rig.reboot(doser)
    assert rig.engine.missed.waiting == (waiting,)


async def test_a_dose_that_is_only_a_little_late_is_given(rig: Rig) -> None:
    """Within the minute nobody is asked."""
    doser = MemoryDoser()
    await rig.attach(doser)
    await create(rig, daily("13:00", "dose", IRON, on_miss="ask"))
    await slept(rig, doser, 1 + 30 / 3600)
    assert rig.engine.missed.waiting == ()
    assert doser.sent == [(0, 2000)]


async def test_the_keeper_may_have_one_dose_given(rig: Rig) -> None:
    """However many were missed; the row tells the decision, the command the occurrence."""
    doser, _, waiting = await asked(rig)
    rig.changes.clear()
    (command,) = await rig.engine.missed.decide(
        waiting.occurrence, give=True, user="keeper"
    )
    ended = await rig.done(command)
    assert ended.phase is Phase.COMPLETED
    assert (ended.occurrence, ended.schedule, ended.user) == (
        waiting.occurrence,
        waiting.schedule,
        "keeper",
    )
    assert doser.sent == [(0, 2000)]
    assert await words(rig) == [(Verdict.MISSED, "given_by_keeper")]
    assert announced(rig) == [("missed", "given_by_keeper")]
    assert rig.engine.missed.waiting == ()


async def test_or_leave_it_out(rig: Rig) -> None:
    """And is not asked again."""
    doser, _, waiting = await asked(rig)
    assert (
        await rig.engine.missed.decide(waiting.occurrence, give=False, user=None) == []
    )
    assert await words(rig) == [(Verdict.MISSED, "left_out_by_keeper")]
    await rig.reboot(doser)
    assert rig.engine.missed.waiting == ()
    assert doser.sent == []


async def test_two_answers_at_once_give_one_dose(rig: Rig) -> None:
    """The second one hears that it was decided."""
    doser, _, waiting = await asked(rig)
    answers = await asyncio.gather(
        *(
            rig.engine.missed.decide(waiting.occurrence, give=True, user=None)
            for _ in range(2)
        ),
        return_exceptions=True,
    )
    assert [type(one) for one in answers] == [list, EngineError]
    with pytest.raises(EngineError) as refused:
        await rig.engine.missed.decide(waiting.occurrence, give=False, user=None)
    assert (refused.value.code, refused.value.field) == (
        "occurrence_not_waiting",
        "occurrence_id",
    )
    await rig.settle()
    assert doser.sent == [(0, 2000)]


async def test_a_dose_that_a_limit_forbids_leaves_the_question_open(rig: Rig) -> None:
    """The keeper may answer later."""
    doser, state, waiting = await asked(rig)
    await rig.engine.equipment.detach(1)
    state = await rig.attach(doser, heads={0: HeadLimits(budget=1000)})
    with pytest.raises(SafetyRefusedError):
        await rig.engine.missed.decide(waiting.occurrence, give=True, user=None)
    assert rig.engine.missed.waiting == (waiting,)
    assert state.available
    assert doser.sent == []


async def test_a_deleted_schedule_asks_no_more(rig: Rig) -> None:
    """What is deleted never acts (law 7); the question may still be put away."""
    _, _, waiting = await asked(rig)
    await rig.engine.delete_schedule(waiting.schedule, user=None)
    assert rig.engine.missed.waiting == ()
    with pytest.raises(EngineError) as refused:
        await rig.engine.missed.decide(waiting.occurrence, give=True, user=None)
    assert refused.value.code == "schedule_not_found"
    await rig.engine.missed.decide(waiting.occurrence, give=False, user=None)
    assert await words(rig) == [(Verdict.MISSED, "left_out_by_keeper")]


async def test_a_pump_that_is_gone_gives_nothing(rig: Rig) -> None:
    """The keeper hears which."""
    _, _, waiting = await asked(rig)
    await rig.engine.equipment.retire(1)
    with pytest.raises(EngineError) as refused:
        await rig.engine.missed.decide(waiting.occurrence, give=True, user=None)
    assert refused.value.code == "device_not_found"


async def test_a_store_that_refuses_decides_nothing(rig: Rig) -> None:
    """Law 2."""
    doser, _, waiting = await asked(rig)
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        with pytest.raises(StoreError):
            await rig.engine.missed.decide(waiting.occurrence, give=True, user=None)
    assert rig.engine.missed.waiting == (waiting,)
    assert doser.sent == []


async def test_a_single_dose_that_was_missed_can_still_be_given(rig: Rig) -> None:
    """Its schedule is over, and says so; the keeper's word counts."""
    doser = MemoryDoser()
    await rig.attach(doser)
    single = {
        "name": "once",
        "device_ids": [1],
        "schedule_type": "one_off",
        "start_time": at("13:00").isoformat(),
        "timezone": "UTC",
        "action_type": "dose",
        "action_params": IRON,
        "on_miss": "ask",
    }
    await create(rig, single)
    await slept(rig, doser, 2)
    (waiting,) = rig.engine.missed.waiting
    (command,) = await rig.engine.missed.decide(
        waiting.occurrence, give=True, user=None
    )
    assert (await rig.done(command)).phase is Phase.COMPLETED
