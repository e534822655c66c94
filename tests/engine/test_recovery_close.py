"""An end in good order in the middle of a dose: settled later by what the pump counted."""

import asyncio
from typing import override

import pytest

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.dosing.ledger import Dose, DoseState
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.store import doses
from tests.engine.memory_doser import MemoryDose, MemoryDoser
from tests.engine.rig import SERVICE, Rig
from tests.fakes.manual_clock import START
from tests.store.gate import Gate, blocked


class BehindAGate(MemoryDoser):
    """A doser that has the store stand still before a dose is written down."""

    def __init__(self, rig: Rig) -> None:
        """Know whose store it is."""
        super().__init__()
        self._rig = rig
        self.gate: Gate | None = None

    @override
    async def prepare(self, head: int) -> MemoryDose:
        """Let the writer stand at a gate from now on."""
        assert self._rig.engine.database is not None
        self.gate, _ = await blocked(self._rig.engine.database.writer)
        return await super().prepare(head)


async def begun(rig: Rig, doser: MemoryDoser) -> tuple[DeviceState, Command]:
    """Attach a slow doser and let a dose of 2 mL be under way."""
    state = await rig.attach(doser)
    doser.slow = True
    command = await dose(rig, state, 2)
    await rig.settle()
    return state, command


async def dose(rig: Rig, state: DeviceState, volume: float) -> Command:
    """Ask for a dose of the first head."""
    args = {"head_index": 0, "volume_ml": volume}
    return await rig.engine.send(state, "dose", args, SERVICE)


async def ledger(rig: Rig) -> list[tuple[DoseState, int | None]]:
    """Return what is on disk of the doses."""
    assert rig.engine.database is not None
    found: list[Dose] = await rig.engine.database.read(
        lambda connection: doses.since(connection, START.replace(year=2000))
    )
    return [(one.state, one.given) for one in found]


async def until_read(rig: Rig, doser: MemoryDoser, times: int = 1) -> None:
    """Let the counters be asked for."""
    for _ in range(40):
        await rig.advance(1)
    assert doser.asked == times


@pytest.mark.parametrize(
    ("really", "state"),
    [
        (2000, (DoseState.GIVEN, 2000)),
        (700, (DoseState.PARTLY, 700)),
        (0, (DoseState.NOT_GIVEN, 0)),
    ],
)
async def test_a_close_in_the_middle_of_a_dose_is_settled_by_the_next_engine(
    rig: Rig, really: int, state: tuple[DoseState, int]
) -> None:
    """RES-45, RES-52: its command has ended, and counts until the pump has told."""
    doser = MemoryDoser()
    _, command = await begun(rig, doser)
    await rig.engine.close()
    doser.lifetime[0] += really
    await rig.boot(start=False)
    again = await rig.attach(doser)
    rig.engine.start()
    await rig.settle()
    assert (await rig.stored(command)).error_code == "interrupted"
    assert await ledger(rig) == [(DoseState.UNKNOWN, None)]
    assert rig.engine.gate.given(again.row.number, 0, rig.clock.now()) == 2000
    await until_read(rig, doser)
    assert await ledger(rig) == [state]
    assert rig.engine.gate.given(again.row.number, 0, rig.clock.now()) == really
    assert doser.sent == [(0, 2000)]


async def test_a_doser_that_is_taken_away_in_the_middle_is_settled_when_it_is_back(
    rig: Rig,
) -> None:
    """A reload of its entry, while the pump goes on."""
    doser = MemoryDoser()
    state, command = await begun(rig, doser)
    await rig.engine.equipment.detach(state.row.number)
    await doser.under_way[0].release()
    ended = await rig.done(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "dose_unknown")
    doser.lifetime[0] += 2000
    await rig.attach(doser)
    await until_read(rig, doser)
    assert await ledger(rig) == [(DoseState.GIVEN, 2000)]


async def test_a_stop_while_the_frame_is_written_is_settled_by_the_counter(
    rig: Rig,
) -> None:
    """Whether the pump heard it nobody knows, until it is asked."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    doser.sending = asyncio.Event()
    command = await dose(rig, state, 2)
    await rig.settle()
    await rig.engine.emergency.stop(None)
    assert (await rig.done(command)).phase is Phase.STOPPED
    await rig.settle()
    assert await ledger(rig) == [(DoseState.UNKNOWN, None)]
    await until_read(rig, doser)
    assert await ledger(rig) == [(DoseState.NOT_GIVEN, 0)]


async def test_a_stop_while_the_intent_is_written_leaves_nothing_open(rig: Rig) -> None:
    """Its row is on disk, the pump never heard of it."""
    doser = BehindAGate(rig)
    state = await rig.attach(doser)
    command = await dose(rig, state, 2)
    while rig.engine.records.current(command.key) == command:
        await asyncio.sleep(0)
    await rig.engine.emergency.stop(None)
    assert doser.gate is not None
    doser.gate.opened.set()
    assert (await rig.done(command)).phase is Phase.STOPPED
    await rig.settle()
    assert doser.sent == []
    assert await ledger(rig) == [(DoseState.NOT_GIVEN, 0)]
    assert rig.engine.gate.given(state.row.number, 0, rig.clock.now()) == 0


async def test_a_later_dose_does_not_hide_what_became_of_an_earlier_one(
    rig: Rig,
) -> None:
    """Its volume is taken off the rise."""
    doser = MemoryDoser()
    state, first = await begun(rig, doser)
    doser.under_way[0].give(None)
    assert (await rig.done(first)).phase is Phase.FAILED
    doser.slow = False
    await rig.advance(1)
    assert (await rig.done(await dose(rig, state, 2))).phase is Phase.COMPLETED
    await until_read(rig, doser)
    assert await ledger(rig) == [(DoseState.NOT_GIVEN, 0), (DoseState.GIVEN, 2000)]


async def test_two_unknown_doses_stay_unknown_and_count(rig: Rig) -> None:
    """The rise has more than one explanation; the pump is not asked for ever."""
    doser = MemoryDoser()
    state, first = await begun(rig, doser)
    doser.under_way[0].give(None)
    await rig.done(first)
    second = await dose(rig, state, 2)
    await rig.settle()
    doser.under_way[1].give(None)
    await rig.done(second)
    doser.lifetime[0] += 2000
    for _ in range(40):
        await rig.advance(1)
    asked = doser.asked
    assert asked >= 1
    for _ in range(24):
        await rig.advance(3600)
    assert doser.asked == asked
    assert {one for one, _ in await ledger(rig)} == {DoseState.UNKNOWN}
    assert rig.engine.gate.given(state.row.number, 0, START) == 4000


async def test_a_pump_that_does_not_answer_is_asked_again(rig: Rig) -> None:
    """Every ten minutes, until it does."""
    doser = MemoryDoser()
    _, command = await begun(rig, doser)
    doser.under_way[0].give(None)
    await rig.done(command)
    doser.counts = False
    await until_read(rig, doser)
    doser.counts = True
    doser.lifetime[0] += 2000
    for _ in range(11):
        await rig.advance(60)
    assert doser.asked == 2
    assert await ledger(rig) == [(DoseState.GIVEN, 2000)]


async def test_a_pump_without_a_counter_is_not_asked(rig: Rig) -> None:
    """The keeper says what became of the dose; until then it counts."""
    doser = MemoryDoser()
    doser.counts = False
    state, command = await begun(rig, doser)
    doser.under_way[0].give(None)
    await rig.done(command)
    for _ in range(24):
        await rig.advance(3600)
    assert doser.asked == 0
    (unknown,) = rig.engine.gate.unknown
    assert rig.engine.gate.given(state.row.number, 0, START) == 2000
    rig.engine.ledger.settled(unknown, DoseState.NOT_GIVEN)
    await rig.settle()
    assert await ledger(rig) == [(DoseState.NOT_GIVEN, 0)]


async def test_to_retire_a_doser_in_the_middle_ends_its_dose(rig: Rig) -> None:
    """The record comes to its one end."""
    doser = MemoryDoser()
    state, command = await begun(rig, doser)
    await rig.engine.equipment.retire(state.row.number)
    await doser.under_way[0].release()
    await rig.settle()
    assert (await rig.stored(command)).error_code == "interrupted"
    assert await ledger(rig) == [(DoseState.UNKNOWN, None)]
