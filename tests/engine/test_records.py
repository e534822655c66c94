"""Records: the open commands, and who waits for their end."""

import asyncio
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.changes import CommandChanged
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.store import resting
from tests.engine.rig import SERVICE, Pump, Rig


async def test_everybody_who_waits_hears_of_the_end(rig: Rig) -> None:
    """Who has stopped waiting does not hold the others up."""
    pump = Pump()
    pump.hanging = asyncio.Event()
    state = await rig.attach(pump)
    command = await rig.engine.send(state, "turn_off", {}, SERVICE)
    waiting = [asyncio.ensure_future(rig.done(command)) for _ in range(3)]
    await rig.settle()
    waiting[1].cancel()
    await asyncio.sleep(0)
    pump.hanging.set()
    assert [(await waiting[one]).phase for one in (0, 2)] == [Phase.COMPLETED] * 2
    with pytest.raises(asyncio.CancelledError):
        await waiting[1]


async def test_the_end_of_what_has_ended_is_known(rig: Rig) -> None:
    """Also for who held on to the record as it was accepted."""
    state = await rig.attach(Pump())
    command = await rig.engine.send(state, "turn_off", {}, SERVICE)
    ended = await rig.done(command)
    assert await rig.engine.finished(command) == ended
    assert await rig.engine.finished(ended) == ended


async def test_open_commands_come_in_the_order_of_acceptance(rig: Rig) -> None:
    """Over all devices; what has ended is not among them."""
    states = [await rig.attach(Pump(name)) for name in ("First", "Second")]
    accepted = [
        await rig.engine.send(state, "turn_off", {}, SERVICE, hold=60)
        for state in (states[1], states[0])
    ]
    await rig.done(await rig.engine.send(states[0], "turn_on", {}, SERVICE))
    assert [one.key for one in rig.engine.records.open] == [one.key for one in accepted]


async def test_without_a_listener_all_goes_on_as_well(rig: Rig) -> None:
    """Nobody has to listen."""
    rig.changes.clear()
    rig.engine.announcer._listeners.clear()
    state = await rig.attach(Pump())
    command = await rig.engine.send(state, "turn_off", {}, SERVICE)
    assert (await rig.done(command)).phase is Phase.COMPLETED
    assert not [one for one in rig.changes if isinstance(one, CommandChanged)]


async def test_a_note_that_comes_late_does_not_set_a_command_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 8: the store took the next phase first."""
    state = await rig.attach(Pump())
    held = await rig.engine.send(state, "turn_off", {}, SERVICE, hold=60)
    await rig.settle()
    (command,) = rig.engine.records.open
    late: list[Any] = []
    with monkeypatch.context() as patched:
        patched.setattr(rig.engine.journal, "record", late.append)
        noted = rig.engine.records.note(command, attempts=7)
    await rig.advance(60)
    await rig.engine.journal.commit(late[0])
    ended = await rig.stored(held)
    assert noted.phase is Phase.IN_FORCE
    assert (ended.phase, ended.attempts) == (Phase.COMPLETED, 7)


async def test_many_at_once_are_each_stored_as_if_alone(rig: Rig) -> None:
    """Those of many devices share statements; their order is the one they came in (law 2)."""
    states = [await rig.attach(Pump(f"Pump {number}")) for number in range(20)]
    accepted = await asyncio.gather(
        *(
            rig.engine.send(state, "set_level", {"level": number + 1}, SERVICE)
            for number, state in enumerate(states)
        )
    )
    first = accepted[0].order
    assert [one.order for one in accepted] == [*range(first, first + 20)]
    for one in accepted:
        ended = await rig.done(one)
        assert (ended.phase, ended.order) == (Phase.COMPLETED, one.order)
        assert await rig.stored(one) == ended
    assert rig.engine.database is not None
    rests = await rig.engine.database.read(resting.load_all)
    assert rests == {
        (state.row.number, "level"): {"level": number + 1}
        for number, state in enumerate(states)
    }


async def test_a_note_about_what_went_out_with_its_record(rig: Rig) -> None:
    """Its place in the store was not known yet when it was noted."""
    state = await rig.attach(Pump())
    imposed = rig.engine.arbiter.impose(
        state,
        state.fields["level"],
        {"level": 0.0},
        Layer.SAFETY,
        action="emergency_stop",
        ends_at=None,
    )
    noted = rig.engine.records.note(imposed, attempts=7)
    assert noted.order == 0
    await rig.settle()
    assert (await rig.stored(imposed)).attempts == 7
