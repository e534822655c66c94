"""Runs that prime or calibrate: through the gate, once, and what they gave is found (law 5)."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from typing import Any, override

import pytest

from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.dosing.ledger import PROGRAMME, PUMP, RUN
from custom_components.aquarist.dosing.programme import Programme, ProgrammeMode
from custom_components.aquarist.engine.errors import SafetyRefusedError
from custom_components.aquarist.engine.safety import SOURCE_WAIT, Interlock
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.limits.interlock import Requirement
from tests.engine.memory_doser import MemoryDose, MemoryDoser
from tests.engine.rig import SERVICE, Rig
from tests.engine.troubled_store import read_only


class RunningDoser(MemoryDoser):
    """A doser whose heads can be run for a time: 1 mL a second."""

    ACTIONS = {
        "request_status": (),
        "prime_head": ("head_index", "seconds"),
        "calibrate_head": ("head_index", "seconds", "measured_ml"),
    }

    def __init__(self) -> None:
        """Have run never."""
        super().__init__()
        self.ran: list[tuple[str, Mapping[str, object]]] = []
        self.on = False
        self.faults: list[DeviceError] = []

    @property
    @override
    def may_run(self) -> bool:
        """Return whether it is on, where it is made of a switch."""
        return self.on

    @override
    def check_action(self, action: str, args: Mapping[str, object]) -> None:
        """Take any argument."""

    @override
    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Run, or tell the counters."""
        if action == "request_status":
            return await super().perform(action, args)
        if self.faults:
            raise self.faults.pop(0)
        self.ran.append((action, dict(args)))
        if isinstance(seconds := args.get("seconds"), int | float):
            self.lifetime[int(str(args["head_index"]))] += round(seconds * 1000)
        return None


async def attach(rig: Rig, **limits: Any) -> tuple[RunningDoser, DeviceState]:
    """Attach a doser."""
    doser = RunningDoser()
    return doser, await rig.attach(doser, heads={0: HeadLimits(**limits)})


async def run(
    rig: Rig, state: DeviceState, action: str = "prime_head", **args: Any
) -> Command:
    """Ask for a run of the first head, and let happen what can."""
    asked = {"head_index": 0, **(args or {"seconds": 5})}
    command = await rig.engine.send(state, action, asked, SERVICE)
    await rig.settle()
    return command


async def test_what_a_run_gave_is_found_and_counted(rig: Rig) -> None:
    """When it must be over the counters are read."""
    doser, state = await attach(rig)
    doser.tell()
    assert (await rig.done(await run(rig, state))).phase is Phase.COMPLETED
    assert doser.ran == [("prime_head", {"head_index": 0, "seconds": 5})]
    await rig.advance(21)
    assert doser.asked == 1
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000


async def test_a_run_counts_beside_the_programme_of_its_head(rig: Rig) -> None:
    """What was primed is not the programme's share, which is still to come."""
    doser, state = await attach(rig, budget=9000)
    programme = Programme(mode=ProgrammeMode.SINGLE, volume=4000, at=time(13))
    rig.engine.device_memory.content.keep(1, "head_0", programme)
    doser.tell()
    await rig.done(await run(rig, state, seconds=3))
    await rig.advance(20)
    gate = rig.engine.gate
    assert [one.source for one in gate.doses(1, 0)] == [PUMP]
    assert gate.taken(state, 0, rig.clock.now()) == 7000
    with pytest.raises(SafetyRefusedError, match="refused_budget_24h"):
        await rig.engine.send(
            state, "dose", {"head_index": 0, "volume_ml": 2.1}, SERVICE
        )
    await rig.advance(3600)
    doser.lifetime[0] += 4000
    doser.tell()
    await rig.settle()
    assert [one.source for one in gate.doses(1, 0)] == [PUMP, PROGRAMME]
    assert gate.taken(state, 0, rig.clock.now()) == 7000


async def test_a_run_keeps_within_the_budget(rig: Rig) -> None:
    """The refusal is that of a dose."""
    doser, state = await attach(rig, budget=4000)
    ended = await rig.done(await run(rig, state, "calibrate_head", seconds=5))
    assert (ended.error_code, ended.error) == (
        ErrorCode.SAFETY_REFUSED,
        "refused_budget_24h",
    )
    assert (ended.error_details or {})["asked"] == "5"
    assert doser.ran == []


@pytest.mark.parametrize("action", ["prime_head", "calibrate_head"])
@pytest.mark.parametrize("flows", [True, False])
async def test_after_a_start_a_run_waits_for_what_a_rule_looks_at(
    rig: Rig, action: str, flows: bool
) -> None:
    """As a dose does: its source may come late; then the rule decides."""
    doser, state = await attach(rig)
    rule = Interlock(
        id="flow",
        name="Flow",
        device=doser.uuid,
        source="sensor.flow",
        requirement=Requirement(above=100),
    )
    rig.engine.safety.set_rules("tank", [rule])
    doser.tell()
    command = await run(rig, state, action)
    other = await run(rig, state, action, head_index=1, seconds=1)
    assert doser.ran == []
    if flows:
        rig.engine.safety.seen("sensor.flow", 300)
    await rig.advance(SOURCE_WAIT)
    await rig.advance(30)
    ended = await rig.done(command)
    assert (ended.error, len(doser.ran)) == (
        (None, 2) if flows else ("refused_interlock", 0)
    )
    assert (await rig.done(other)).phase is ended.phase


async def test_telling_what_was_measured_runs_nothing(rig: Rig) -> None:
    """No budget stands in its way."""
    doser, state = await attach(rig, budget=0)
    ended = await rig.done(await run(rig, state, "calibrate_head", measured_ml=4.85))
    assert ended.phase is Phase.COMPLETED
    assert doser.ran == [("calibrate_head", {"head_index": 0, "measured_ml": 4.85})]
    await rig.advance(60)
    assert doser.asked == 0


async def test_a_run_waits_for_the_dose_that_is_given(rig: Rig) -> None:
    """The pump is not free."""
    doser, state = await attach(rig)
    doser.slow = True
    args = {"head_index": 0, "volume_ml": 2}
    dose = await rig.engine.send(state, "dose", args, SERVICE)
    await rig.settle()
    waiting = await run(rig, state)
    assert doser.ran == []
    doser.under_way[0].give(2000)
    await rig.done(dose)
    assert (await rig.done(waiting)).phase is Phase.COMPLETED
    assert len(doser.ran) == 1


async def test_a_run_that_may_have_begun_is_looked_after(rig: Rig) -> None:
    """It failed, and the counters tell what came out."""
    doser, state = await attach(rig)
    doser.tell()
    doser.faults = [DeviceError("link_lost", transient=False)]
    ended = await rig.done(await run(rig, state))
    assert ended.phase is Phase.FAILED
    doser.lifetime[0] += 3000
    await rig.advance(21)
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 3000


@pytest.mark.parametrize("args", [{"seconds": 5}, {"measured_ml": 4.85}])
async def test_a_run_that_was_not_written_down_does_not_begin(
    rig: Rig, args: dict[str, float]
) -> None:
    """Law 2."""
    doser, state = await attach(rig)
    state.queue.hold()
    command = await run(rig, state, "calibrate_head", **args)
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        state.queue.release()
        await rig.settle()
    await rig.engine.journal.retry()
    ended = await rig.done(command)
    assert (ended.error_code, ended.error) == (
        ErrorCode.INTERNAL_ERROR,
        "store_read_only",
    )
    assert doser.ran == []


async def test_a_switch_has_no_counter_to_look_at(rig: Rig) -> None:
    """It tells by itself what it gave."""
    doser, state = await attach(rig)
    state.row = replace(state.row, kind=DeviceKind.DOSER)
    assert (await rig.done(await run(rig, state))).phase is Phase.COMPLETED
    await rig.advance(60)
    assert doser.asked == 0


async def test_a_run_that_was_stopped_has_its_end_already(rig: Rig) -> None:
    """Nothing is recorded twice."""
    doser, state = await attach(rig)
    original = doser.perform

    async def perform(action: str, args: Mapping[str, object]) -> Any:
        result = await original(action, args)
        if action == "prime_head":
            current = rig.engine.records.open[-1]
            rig.engine.records.advance(
                current, Phase.STOPPED, error_code=ErrorCode.COMMAND_CANCELLED
            )
        return result

    doser.perform = perform  # type: ignore[method-assign]
    assert (await rig.done(await run(rig, state))).phase is Phase.STOPPED


async def test_counters_that_were_never_read_are_read_before_a_run(rig: Rig) -> None:
    """What the run gave is not taken for what the pump had given before."""
    doser, state = await attach(rig)
    doser.lifetime[0] = 700_000
    await rig.done(await run(rig, state))
    doser.tell()
    await rig.settle()
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000


async def test_a_run_that_no_counter_can_tell_of_counts_as_asked(rig: Rig) -> None:
    """What is not known counts as given, also after a restart and a first reading."""
    doser, state = await attach(rig)
    doser.counts = False
    assert (await rig.done(await run(rig, state))).phase is Phase.COMPLETED
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000
    await rig.engine.close()
    await rig.boot()
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000
    state = await rig.attach(doser, heads={0: HeadLimits()})
    doser.counts = True
    doser.tell()
    await rig.settle()
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000


async def test_a_pump_that_cannot_be_read_does_not_run(rig: Rig) -> None:
    """It is not reached, so nothing counts."""
    doser, state = await attach(rig)
    doser.prepare_errors = [DeviceError("unreachable", transient=False)]
    assert (await rig.done(await run(rig, state))).phase is Phase.FAILED
    assert doser.ran == []
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 0


async def test_a_run_that_is_stopped_just_when_its_counter_is_read_lets_go(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pump holds its connection for nobody."""
    doser, state = await attach(rig)
    doser.preparing = asyncio.Event()
    prepare = doser.prepare
    ready: list[MemoryDose] = []

    async def prepared(head: int) -> MemoryDose:
        ready.append(await prepare(head))
        return ready[-1]

    monkeypatch.setattr(doser, "prepare", prepared)
    command = await run(rig, state)
    doser.preparing.set()
    while not ready:
        await asyncio.sleep(0)
    await rig.engine.emergency.end_dose(state)
    assert (await rig.done(command)).phase is Phase.WITHDRAWN
    assert doser.ran == []
    assert ready[0].ended.done()
    assert state.busy_heads == {}


async def test_what_the_counters_tell_before_a_run_may_forbid_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate is asked once more when they were read."""
    doser, state = await attach(rig)
    prepare = doser.prepare

    async def prepared(head: int) -> MemoryDose:
        state.limits.heads[0] = HeadLimits(budget=1000)  # type: ignore[index]
        return await prepare(head)

    monkeypatch.setattr(doser, "prepare", prepared)
    ended = await rig.done(await run(rig, state))
    assert ended.error == "refused_budget_24h"
    assert doser.ran == []


async def test_a_run_counts_from_the_moment_it_was_let_in(rig: Rig) -> None:
    """Neither a dose nor another run passes on what it is about to give."""
    doser, state = await attach(rig, budget=8000)
    doser.tell()
    await rig.done(await run(rig, state))
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000
    assert rig.engine.gate.unknown == ()
    second = await run(rig, state)
    args = {"head_index": 0, "volume_ml": 4}
    with pytest.raises(SafetyRefusedError):
        await rig.engine.send(state, "dose", args, SERVICE)
    await rig.advance(30)
    assert (await rig.done(second)).error == "refused_budget_24h"
    assert (doser.lifetime[0], doser.sent) == (5000, [])
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000
    assert [one.source for one in rig.engine.gate.doses(1, 0)] == [PUMP]


async def test_a_dose_waits_for_a_run(rig: Rig) -> None:
    """It would spoil what is measured."""
    doser, state = await attach(rig)
    doser.tell()
    await rig.done(await run(rig, state))
    args = {"head_index": 1, "volume_ml": 2}
    dose = await rig.engine.send(state, "dose", args, SERVICE)
    await rig.advance(4)
    assert doser.sent == []
    await rig.advance(2)
    assert (await rig.done(dose)).phase is Phase.COMPLETED
    assert doser.sent == [(1, 2000)]


async def test_a_stop_frees_the_pump_from_a_run(rig: Rig) -> None:
    """What is asked for afterwards does not wait for an end that has been."""
    doser, state = await attach(rig)
    doser.tell()
    await rig.done(await run(rig, state, "prime_head", seconds=20))
    await rig.engine.emergency.end_dose(state)
    args = {"head_index": 1, "volume_ml": 2}
    dose = await rig.engine.send(state, "dose", args, SERVICE)
    await rig.settle()
    assert (await rig.done(dose)).phase is Phase.COMPLETED
    await rig.done(await run(rig, state, "prime_head", seconds=50))
    await rig.advance(21)
    assert list(state.busy_heads) == [0]


async def test_a_reading_before_the_end_of_a_run_decides_nothing(rig: Rig) -> None:
    """What it has given so far is not counted twice."""
    doser, state = await attach(rig)
    doser.tell()
    await rig.done(await run(rig, state))
    doser.lifetime[0] = 2000
    doser.tell()
    await rig.settle()
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000
    doser.lifetime[0] = 4900
    await rig.advance(21)
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 4900


async def test_a_run_of_a_switch_counts_until_it_is_off(rig: Rig) -> None:
    """Then it has told what it gave."""
    doser, state = await attach(rig)
    doser.kind = DeviceKind.DOSER
    state.row = replace(state.row, kind=DeviceKind.DOSER)
    doser.on = True
    await rig.done(await run(rig, state))
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000
    waiting = await run(rig, state)
    await rig.advance(60)
    assert len(doser.ran) == 1
    doser.on = False
    doser._tell_ran(0, 4000, rig.clock.now())
    doser._tell_off()
    await rig.settle()
    assert (await rig.done(waiting)).phase is Phase.COMPLETED
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 4000


async def test_a_run_is_reserved_over_a_restart(rig: Rig) -> None:
    """Until the counters were read after its end, wherever it is dosed meanwhile."""
    doser, state = await attach(rig)
    doser.tell()
    await rig.done(await run(rig, state))
    await rig.engine.close()
    await rig.boot()
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000
    await rig.attach(doser)
    await rig.advance(21)
    assert [one.source for one in rig.engine.gate.doses(1, 0)] == [PUMP]
    await rig.reboot(doser)
    assert [one.source for one in rig.engine.gate.doses(1, 0)] == [PUMP]


async def test_a_run_of_a_pump_out_of_reach_stays_reserved(rig: Rig) -> None:
    """It is asked again and again."""
    doser, state = await attach(rig)
    doser.tell()
    await rig.done(await run(rig, state))
    doser.counts = False
    await rig.advance(3600)
    assert doser.asked > 1
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000
    doser.counts = True
    await rig.advance(600)
    assert [one.source for one in rig.engine.gate.doses(1, 0)] == [PUMP]


async def test_a_run_that_takes_long_to_begin_stays_reserved(rig: Rig) -> None:
    """The counters are told when the pump is reached, before it runs."""
    doser, state = await attach(rig)
    doser.tell()
    perform = doser.perform

    async def late(action: str, args: Mapping[str, object]) -> Any:
        rig.clock.advance(60)
        doser.tell()
        return await perform(action, args)

    doser.perform = late  # type: ignore[method-assign]
    await rig.done(await run(rig, state))
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 5000
    assert [one.source for one in rig.engine.gate.doses(1, 0)] == [RUN]
