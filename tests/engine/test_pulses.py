"""Pulses: doses whose end nobody saw, and what the counters say later (law 3, RES-52)."""

import asyncio
from typing import Any

import pytest

from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.dosing.ledger import DoseState
from custom_components.aquarist.engine.changes import DoseChanged
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from tests.engine.memory_doser import MemoryDose, MemoryDoser
from tests.engine.rig import SERVICE, Rig
from tests.engine.troubled_store import read_only


async def dose(rig: Rig, state: DeviceState, volume: float, head: int = 0) -> Command:
    """Ask for a dose, and let it be sent."""
    command = await rig.engine.send(
        state, "dose", {"head_index": head, "volume_ml": volume}, SERVICE
    )
    await rig.settle()
    return command


def states(rig: Rig, head: int = 0) -> list[tuple[DoseState, int | None]]:
    """Return what is known of the doses of a head."""
    return [(one.state, one.given) for one in rig.engine.gate.doses(1, head)]


async def slow(rig: Rig, **limits: Any) -> tuple[MemoryDoser, DeviceState]:
    """Attach a doser whose doses end only when the test says so."""
    doser = MemoryDoser()
    doser.slow = True
    return doser, await rig.attach(doser, **limits)


@pytest.mark.parametrize(
    ("given", "state", "phase", "millilitres"),
    [
        (2000, DoseState.GIVEN, Phase.COMPLETED, 2.0),
        (700, DoseState.PARTLY, Phase.FAILED, 0.7),
        (0, DoseState.NOT_GIVEN, Phase.FAILED, 0.0),
    ],
)
async def test_what_the_pump_says_it_gave_is_the_result(
    rig: Rig, given: int, state: DoseState, phase: Phase, millilitres: float
) -> None:
    """All, some or none of it."""
    doser, device = await slow(rig)
    command = await dose(rig, device, 2)
    doser.under_way[0].give(given)
    ended = await rig.done(command)
    assert ended.phase is phase
    assert ended.result == {
        "head_index": 0,
        "volume_ml": 2.0,
        "given_ml": millilitres,
    }
    assert states(rig) == [(state, given)]
    assert rig.engine.counters[1, 0].lifetime == given


async def test_a_pump_without_counters_is_believed(rig: Rig) -> None:
    """There is no counter to keep."""
    doser, device = await slow(rig)
    doser.counts = False
    command = await dose(rig, device, 2)
    doser.under_way[0].give(2000)
    assert (await rig.done(command)).phase is Phase.COMPLETED
    assert rig.engine.counters == {}


async def test_an_end_that_is_never_told_is_unknown(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The waiting has an end of its own; the dose counts in full."""
    monkeypatch.setattr(
        "custom_components.aquarist.engine.pulses.DELIVERY_MARGIN", 0.01
    )
    _, device = await slow(rig)
    ended = await rig.done(await dose(rig, device, 0.1))
    assert (ended.phase, ended.error_code, ended.error) == (
        Phase.FAILED,
        ErrorCode.INTERRUPTED,
        "dose_unknown",
    )
    assert states(rig) == [(DoseState.UNKNOWN, None)]
    assert rig.engine.gate.given(1, 0, rig.clock.now()) == 100


async def test_a_link_that_is_lost_while_waiting_is_unknown_too(rig: Rig) -> None:
    """The pump goes on by itself."""
    doser, device = await slow(rig)
    command = await dose(rig, device, 2)
    doser.under_way[0].ended.set_exception(DeviceError("link_lost", transient=True))
    assert (await rig.done(command)).error == "dose_unknown"


async def test_counters_that_do_not_explain_it_leave_it_open(rig: Rig) -> None:
    """RES-52: the keeper decides, once."""
    doser, device = await slow(rig)
    command = await dose(rig, device, 2)
    doser.under_way[0].give(None)
    await rig.done(command)
    doser.lifetime[0] = 9000
    await rig.advance(3600)
    assert doser.asked > 0
    # What is certainly not of this dose the pump gave by itself.
    assert states(rig) == [(DoseState.UNKNOWN, None), (DoseState.GIVEN, 7000)]
    rig.changes.clear()
    (unknown,) = rig.engine.gate.unknown
    rig.engine.ledger.settled(unknown, DoseState.GIVEN)
    await rig.settle()
    assert states(rig) == [(DoseState.GIVEN, 2000), (DoseState.GIVEN, 7000)]
    told = [one.dose.state for one in rig.changes if isinstance(one, DoseChanged)]
    assert told == [DoseState.GIVEN]
    asked = doser.asked
    await rig.advance(3600)
    assert doser.asked == asked


async def test_counters_are_asked_for_until_they_can_be_read(rig: Rig) -> None:
    """A store in trouble, and a pump that is away, only delay it."""
    doser, device = await slow(rig)
    command = await dose(rig, device, 2)
    doser.under_way[0].give(None)
    await rig.done(command)
    doser.lifetime[0] = 2000
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        await rig.advance(60)
    assert doser.asked == 0
    await rig.engine.equipment.detach(1)
    await rig.advance(600)
    assert doser.asked == 0
    await rig.attach(doser)
    await rig.advance(60)
    assert doser.asked == 1
    assert states(rig) == [(DoseState.GIVEN, 2000)]


async def test_todays_totals_alone_are_kept_for_heads_that_are_known(rig: Rig) -> None:
    """A pump pushes them at the end of each dose."""
    doser, device = await slow(rig)
    doser._tell_counters({}, {1: 400})
    doser._tell_counters({0: 7000}, {})
    doser._tell_counters({}, {0: 300, 1: 400})
    await rig.settle()
    counter = rig.engine.counters[1, 0]
    assert (counter.lifetime, counter.today) == (7000, 300)
    assert (1, 1) not in rig.engine.counters
    doser._tell_counters({0: 7100}, {})
    assert rig.engine.counters[1, 0].today == 300
    (device,) = await rig.reboot(doser)
    assert rig.engine.counters[1, 0].lifetime == 7100
    assert device.row.number == 1


async def test_only_the_dose_that_was_interrupted_becomes_unknown(rig: Rig) -> None:
    """Another one of that head has been unknown for longer."""
    doser, device = await slow(rig)
    first = await dose(rig, device, 1)
    doser.under_way[0].give(None)
    await rig.done(first)
    second = await dose(rig, device, 2)
    await rig.settle()
    await rig.reboot(doser)
    assert (await rig.stored(second)).error_code == ErrorCode.INTERRUPTED
    assert states(rig) == [(DoseState.UNKNOWN, None)] * 2


async def test_a_doser_without_a_switch_for_its_heads_may_dose(rig: Rig) -> None:
    """Nobody holds it back but the budget."""
    doser = MemoryDoser()
    doser._fields = {}
    device = await rig.attach(doser, heads={0: HeadLimits(budget=1000)})
    assert (await rig.done(await dose(rig, device, 1))).phase is Phase.COMPLETED


async def test_what_is_being_prepared_does_not_expire(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has begun, although the pump has not heard of it yet."""
    ready = asyncio.Event()
    prepare = MemoryDoser.prepare

    async def slowly(doser: MemoryDoser, head: int) -> MemoryDose:
        await ready.wait()
        return await prepare(doser, head)

    monkeypatch.setattr(MemoryDoser, "prepare", slowly)
    doser = MemoryDoser()
    command = await dose(rig, await rig.attach(doser), 1)
    await rig.advance(301)
    ready.set()
    assert (await rig.done(command)).phase is Phase.COMPLETED
    assert doser.sent == [(0, 1000)]


async def test_a_dose_that_is_stopped_just_when_all_is_ready_lets_go_of_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pump holds its connection for nobody."""
    doser = MemoryDoser()
    doser.preparing = asyncio.Event()
    prepare = doser.prepare
    ready: list[MemoryDose] = []

    async def prepared(head: int) -> MemoryDose:
        ready.append(await prepare(head))
        return ready[-1]

    monkeypatch.setattr(doser, "prepare", prepared)
    device = await rig.attach(doser)
    command = await dose(rig, device, 2)
    doser.preparing.set()
    while not ready:
        await asyncio.sleep(0)
    await rig.engine.emergency.end_dose(device)
    assert (await rig.done(command)).phase is Phase.WITHDRAWN
    assert doser.sent == []
    assert ready[0].ended.done()
