"""Runs that prime or calibrate: through the gate, once, and what they gave is found (law 5)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override

import pytest

from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
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
        self.faults: list[DeviceError] = []

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
