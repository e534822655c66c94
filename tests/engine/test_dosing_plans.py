"""Home Assistant and a pump never both dose one plan, macros that schedules start included."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.errors import EngineError, SafetyRefusedError
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.store.occurrences import Verdict
from tests.engine.memory_bench import SCHEDULE, Benches, MemoryBench, content, write
from tests.engine.plans import create, daily, words
from tests.engine.rig import SERVICE
from tests.engine.run_rig import RunRig, run_rig

ADDRESS = "02:AA:00:00:00:01"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RunRig]:
    """Give a started engine that runs macros."""
    async with run_rig(tmp_path) as rig:
        yield rig


@pytest.fixture
async def bench(memory_bench_of: Benches) -> MemoryBench:
    """Give a simulated pump."""
    return memory_bench_of()


@pytest.fixture
async def pump(rig: RunRig, bench: MemoryBench) -> DeviceState:
    """Attach the pump."""
    return await rig.attach(bench.doser(), aquarium="reef")


def dose(head: int = 0, device: str = "uuid-doser") -> dict[str, Any]:
    """Return a step that doses."""
    args = {"head_index": head, "volume_ml": 1.0}
    return {"command": {"device_id": device, "action": "dose", "args": args}}


def macro(*steps: dict[str, Any], name: str = "Evening") -> dict[str, Any]:
    """Return the definition of a macro."""
    return {"name": name, "sequence": [{"delay": 1}, *steps]}


def at_four(macro: str | int = "Evening", **more: Any) -> dict[str, Any]:
    """Return a schedule that starts a macro at four in the afternoon."""
    return daily("16:00", "macro", {"macro": macro}, name="Daily", devices=()) | more


@pytest.mark.parametrize("device", ["uuid-doser", ADDRESS])
async def test_a_schedule_whose_macro_doses_beside_a_programme_is_refused(
    rig: RunRig, pump: DeviceState, device: str
) -> None:
    """As one that doses itself; one that is off is not, nor one for another head."""
    await write(rig, pump, "set_schedule", SCHEDULE)
    await rig.engine.macros.create(macro(dose(0, device)), user=None)
    await rig.engine.macros.create(macro(dose(1, device), name="Other"), user=None)
    with pytest.raises(EngineError) as error:
        await create(rig, at_four())
    assert (error.value.code, error.value.field) == (
        "programme_active",
        "action_params.macro",
    )
    assert error.value.placeholders["head"] == "1"
    assert error.value.placeholders["name"] == "Doser"
    await create(rig, at_four(is_enabled=False))
    await create(rig, at_four("Other", name="Other head"))


@pytest.mark.parametrize("by_number", [False, True])
async def test_a_programme_beside_a_schedule_whose_macro_doses_is_refused(
    rig: RunRig, pump: DeviceState, bench: MemoryBench, by_number: bool
) -> None:
    """The error names the schedule; the other heads are free."""
    made = await rig.engine.macros.create(macro(dose(0)), user=None)
    await create(rig, at_four(made.row.id if by_number else "Evening"))
    clock = {"action": "sync_clock"}
    await create(rig, daily("09:00", "command", clock, devices=[pump.row.number]))
    with pytest.raises(SafetyRefusedError) as error:
        await rig.engine.send(pump, "set_schedule", SCHEDULE, SERVICE)
    assert error.value.code == "refused_schedule_doses"
    assert error.value.placeholders["schedule"] == "Daily"
    ended = await write(rig, pump, "set_schedule", {**SCHEDULE, "head_index": 1})
    assert ended.phase is Phase.COMPLETED
    assert bench.programme(0)["doses"] == []


async def test_a_schedule_that_comes_first_wins(
    rig: RunRig, pump: DeviceState, bench: MemoryBench
) -> None:
    """Accepted while the programme waits in the queue: the programme is refused."""
    await rig.engine.macros.create(macro(dose(0)), user=None)
    pump.queue.hold()
    command = await rig.engine.send(pump, "set_schedule", SCHEDULE, SERVICE)
    await create(rig, at_four())
    pump.queue.release()
    ended = await rig.done(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "refused_schedule_doses")
    assert bench.pump.write_log == []


@pytest.mark.parametrize("by_number", [False, True])
async def test_a_macro_that_a_schedule_starts_is_not_made_to_dose_there(
    rig: RunRig, pump: DeviceState, by_number: bool
) -> None:
    """The error names the step; what the macro was stays."""
    await write(rig, pump, "set_schedule", SCHEDULE)
    made = await rig.engine.macros.create(macro(dose(1)), user=None)
    number = made.row.id
    await create(rig, at_four(number if by_number else "Evening"))
    with pytest.raises(EngineError) as error:
        await rig.engine.macros.update(number, macro(dose(1), dose(0)), user=None)
    assert (error.value.code, error.value.field) == (
        "programme_active",
        "sequence.2.command.args.head_index",
    )
    assert rig.engine.macros.get(number).row.revision == 1


async def test_a_macro_that_takes_the_name_of_one_that_is_started_is_refused(
    rig: RunRig, pump: DeviceState
) -> None:
    """Made anew, or by being renamed; a schedule looks its macro up when it is due."""
    await write(rig, pump, "set_schedule", SCHEDULE)
    gone = await rig.engine.macros.create(macro(), user=None)
    await create(rig, at_four())
    await rig.engine.macros.delete(gone.row.id, user=None)
    with pytest.raises(EngineError, match="programme_active"):
        await rig.engine.macros.create(macro(dose(0)), user=None)
    other = await rig.engine.macros.create(macro(dose(0), name="By hand"), user=None)
    with pytest.raises(EngineError, match="programme_active"):
        await rig.engine.macros.update(other.row.id, macro(dose(0)), user=None)


async def test_what_no_check_saw_before_is_not_begun(
    rig: RunRig, pump: DeviceState, bench: MemoryBench
) -> None:
    """A plan stored by an older version has its verdict, and doses nothing."""
    await rig.engine.macros.create(macro(dose(0)), user=None)
    await create(rig, at_four())
    await write(rig, pump, "set_schedule", {**SCHEDULE, "head_index": 1})
    programme = content(rig).programme(pump.row.number, 1)
    content(rig).keep(pump.row.number, "head_0", programme)
    moment = rig.clock.now().replace(hour=16, minute=0, second=0)
    await rig.advance((moment - rig.clock.now()).total_seconds())
    await rig.settle()
    assert await words(rig) == [(Verdict.FAILED, "programme_active")]
    assert rig.engine.gate.doses(pump.row.number, 0) == ()


async def test_what_cannot_be_told_is_in_nobodys_way(
    rig: RunRig, pump: DeviceState, bench: MemoryBench
) -> None:
    """A macro that is gone or for another device, a head that is none, a device that is gone."""
    number = pump.row.number
    gone = await rig.engine.macros.create(macro(), user=None)
    await create(rig, at_four())
    await rig.engine.macros.delete(gone.row.id, user=None)
    await write(rig, pump, "set_schedule", SCHEDULE)
    await rig.reboot()
    step = {"device_id": "uuid-doser", "action": "dose", "args": {"head_index": "0"}}
    made = await rig.engine.macros.create(macro({"command": step}), user=None)
    await rig.engine.equipment.retire(number)
    assert made.definition is not None
    assert [*rig.engine.macros.doses.of(made.definition)] == []
