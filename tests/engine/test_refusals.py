"""RES-57: what a limit refused before it was accepted is in the records."""

import pytest

from custom_components.aquarist.commands.command import ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.changes import CommandChanged
from custom_components.aquarist.engine.errors import SafetyRefusedError
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.store.command_history import CommandFilter
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Rig

DOSE = {"head_index": 0, "volume_ml": 5}


async def doser(rig: Rig) -> DeviceState:
    """Attach a pump whose first head may give a millilitre a day."""
    return await rig.attach(MemoryDoser(), heads={0: HeadLimits(budget=1000)})


async def refused(rig: Rig, state: DeviceState, **more: str) -> None:
    """Ask for a dose that is too much."""
    with pytest.raises(SafetyRefusedError):
        await rig.engine.send(state, "dose", DOSE, SERVICE, **more)  # type: ignore[arg-type]


async def test_it_has_ended_as_it_was_made(rig: Rig) -> None:
    """With the reason, under an id of its own, and announced once."""
    state = await doser(rig)
    rig.changes.clear()
    await refused(rig, state, id="iron")
    await rig.settle()

    (found,) = await rig.engine.history.find(CommandFilter(), 10)
    assert rig.changes == [CommandChanged(command=found)]
    assert found.id != "iron"
    assert (found.phase, found.attempts) == (Phase.FAILED, 0)
    assert found.completed_at == found.created_at
    assert (found.error_code, found.error) == (
        ErrorCode.SAFETY_REFUSED,
        "refused_budget_24h",
    )
    details = found.error_details or {}
    assert (details["asked_id"], details["asked"], details["left"]) == (
        "iron",
        "5",
        "1",
    )
    assert rig.engine.records.open == ()


async def test_one_without_an_id(rig: Rig) -> None:
    """There is nothing to tell of it."""
    await refused(rig, await doser(rig))
    await rig.settle()
    (found,) = await rig.engine.history.find(CommandFilter(), 10)
    assert "asked_id" not in (found.error_details or {})


async def test_without_a_store_nothing_can_be_told_later(rig: Rig) -> None:
    """The answer is all there is."""
    await rig.engine.close()
    rig.lock()
    await refused(rig, await doser(rig))
    assert rig.engine.journal.kept == 0


async def test_as_many_as_would_be_accepted(rig: Rig) -> None:
    """What asks again and again does not fill the store; it is refused all the same."""
    state = await doser(rig)
    for _ in range(12):
        await refused(rig, state)
    await rig.settle()
    assert len(await rig.engine.history.find(CommandFilter(), 100)) == 10

    rig.clock.advance(61)
    await refused(rig, state)
    await rig.settle()
    assert len(await rig.engine.history.find(CommandFilter(), 100)) == 11
