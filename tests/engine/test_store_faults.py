"""A broken store: nothing half stored, no device touched, but moves to the safe side go out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
import sqlite3

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.changes import CommandChanged, StoreChanged
from custom_components.aquarist.engine.engine import Engine
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.errors import (
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreNewerError,
    StoreReadOnlyError,
)
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig
from tests.engine.troubled_store import full, read_only
from tests.fakes.manual_clock import ManualEngineClock

type Trouble = Callable[[Database], AbstractAsyncContextManager[None]]

OFF = {"level": {"level": 0.0}}


def store(rig: Rig) -> Database:
    """Return the engine's store."""
    assert rig.engine.database is not None
    return rig.engine.database


async def come_to_rest(rig: Rig) -> None:
    """Let everything happen that can, with a store that takes nothing."""
    for _ in range(3):
        for _ in range(5):
            await asyncio.sleep(0)
        with pytest.raises(StoreError):
            await rig.engine.journal.commit(
                lambda connection: connection.execute("CREATE TABLE more (a)")
            )


async def refused(rig: Rig, state: DeviceState, error: type[StoreError]) -> None:
    """Ask for levels until the store takes no more, not even one alone."""
    asked = refusals = 0
    while refusals < 5:
        asked += 1
        assert asked < 500
        try:
            await rig.engine.send(state, "set_level", {"level": 30}, SERVICE)
        except error:
            refusals += 1
        else:
            refusals = 0


@pytest.mark.parametrize(
    ("trouble", "error"), [(full, StoreFullError), (read_only, StoreReadOnlyError)]
)
async def test_what_cannot_be_stored_touches_no_device(
    rig: Rig, trouble: Trouble, error: type[StoreError]
) -> None:
    """Law 2: the error is the caller's, and nothing of it is on disk afterwards."""
    pump = Pump()
    state = await rig.attach(pump)
    await rig.accept_many()
    async with trouble(store(rig)):
        await refused(rig, state, error)
        await come_to_rest(rig)
        told, stored = len(pump.told), await rig.engine.history.recent(None, 100)
        with pytest.raises(error):
            await rig.engine.send(state, "set_level", {"level": 31}, SERVICE)
        await come_to_rest(rig)
        assert len(pump.told) == told
    await rig.settle()
    assert await rig.engine.history.recent(None, 100) == [
        await rig.stored(command) for command in stored
    ]
    assert pump.level != 31


@pytest.mark.parametrize("trouble", [full, read_only])
async def test_off_goes_out_and_is_recorded_when_the_store_is_back(
    rig: Rig, trouble: Trouble
) -> None:
    """Law 2, exceptions: with its record, once."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await rig.accept_many()
    async with trouble(store(rig)):
        await refused(
            rig, state, StoreFullError if trouble is full else StoreReadOnlyError
        )
        command = await rig.engine.send(state, "turn_off", {}, SERVICE)
        await come_to_rest(rig)
        assert pump.level == 0
        assert rig.engine.journal.kept
    await rig.advance(31)
    assert rig.engine.journal.kept == 0
    assert (await rig.stored(command)).phase is Phase.COMPLETED
    heard = [
        change.command.phase
        for change in rig.changes
        if isinstance(change, CommandChanged) and change.command.key == command.key
    ]
    assert heard.count(Phase.COMPLETED) == 1


async def test_an_emergency_stop_goes_out_and_stays_latched(rig: Rig) -> None:
    """Also over a restart, once it could be written."""
    pump, doser = Pump(level=80), MemoryDoser()
    await rig.attach(pump, safe=OFF)
    state = await rig.attach(doser)
    async with read_only(store(rig)):
        reports = await rig.engine.emergency.stop(None)
        assert [report.confirmed for report in reports] == [True, True]
        assert pump.level == 0
        await come_to_rest(rig)
    await rig.advance(31)
    _, state = await rig.reboot(pump, doser)
    assert rig.engine.emergency.latched(state)


async def test_a_pump_that_was_on_for_too_long_goes_off(rig: Rig) -> None:
    """Maximum on-time needs no store."""
    pump = Pump(level=0)
    state = await rig.attach(pump, maximum_on={"level": 600.0})
    await rig.done(await rig.engine.send(state, "turn_on", {}, SERVICE))
    async with read_only(store(rig)):
        rig.clock.advance(601)
        await come_to_rest(rig)
        assert pump.level == 0
    await rig.advance(31)
    assert rig.engine.journal.kept == 0


async def test_a_window_ends_although_it_cannot_be_written(rig: Rig) -> None:
    """Restoring never waits for the store."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    now = rig.clock.now()
    command = await rig.engine.acceptance.create_window(
        state, "level", 0, SERVICE, start=now, end=now + timedelta(seconds=60)
    )
    await rig.settle()
    assert pump.level == 0
    async with read_only(store(rig)):
        rig.clock.advance(60)
        await come_to_rest(rig)
        assert pump.level == 80
        assert (await rig.stored(command)).phase is Phase.IN_FORCE
    await rig.advance(31)
    assert (await rig.stored(command)).phase is Phase.COMPLETED


async def test_a_window_that_cannot_be_written_does_not_begin(rig: Rig) -> None:
    """What it captures must be on disk before the device hears (R-T53)."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    now = rig.clock.now()
    await rig.engine.acceptance.create_window(
        state,
        "level",
        0,
        SERVICE,
        start=now + timedelta(seconds=10),
        end=now + timedelta(seconds=600),
    )
    async with read_only(store(rig)):
        rig.clock.advance(10)
        await come_to_rest(rig)
        assert pump.told == []
    await rig.advance(31)
    assert pump.level == 0


async def test_a_dose_that_cannot_be_written_down_is_not_given(rig: Rig) -> None:
    """The intent is on disk before the pump hears, or the pump does not hear."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    doser.slow = True
    first = await rig.engine.send(
        state, "dose", {"head_index": 0, "volume_ml": 1}, SERVICE
    )
    second = await rig.engine.send(
        state, "dose", {"head_index": 1, "volume_ml": 2}, SERVICE
    )
    await rig.settle()
    async with read_only(store(rig)):
        doser.under_way[0].give(1000)
        await come_to_rest(rig)
        assert doser.sent == [(0, 1000)]
        assert rig.engine.gate.given(state.row.number, 1, rig.clock.now()) == 0
    await rig.advance(31)
    assert (await rig.stored(first)).phase is Phase.COMPLETED
    refused_one = await rig.stored(second)
    assert (refused_one.phase, refused_one.error) == (Phase.FAILED, "store_read_only")
    assert doser.sent == [(0, 1000)]


async def test_the_trouble_is_told_once_and_its_end_too(rig: Rig) -> None:
    """For the repair issue."""
    state = await rig.attach(Pump())
    async with read_only(store(rig)):
        await refused(rig, state, StoreReadOnlyError)
        await refused(rig, state, StoreReadOnlyError)
    await rig.advance(31)
    assert rig.engine.store_trouble is None
    told = [change.code for change in rig.changes if isinstance(change, StoreChanged)]
    assert told == ["store_read_only", None]


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Rig]:
    """Give a started engine without a store."""
    rig = Rig(tmp_path)
    rig.engine = Engine(rig.clock, None, default_zone=lambda: "UTC")
    rig.engine.listen(rig.changes.append)
    await rig.engine.recover()
    rig.engine.start()
    yield rig
    await rig.engine.close()


async def test_a_locked_engine_accepts_nothing_but_off(locked: Rig) -> None:
    """Design 3: stop and off only."""
    pump = Pump(level=80)
    state = await locked.attach(pump)
    now = locked.clock.now()
    for ask in (
        lambda: locked.engine.send(state, "set_level", {"level": 5}, SERVICE),
        lambda: locked.engine.acceptance.create_window(
            state, "level", 5, SERVICE, start=now, end=now + timedelta(hours=1)
        ),
        lambda: locked.engine.create_schedule(
            {
                "name": "Dawn",
                "device_ids": [state.row.number],
                "schedule_type": "cron",
                "cron_expression": "0 8 * * *",
                "action_type": "on",
                "action_params": {},
            },
            user=None,
        ),
        lambda: locked.engine.history.recent(None, 10),
        lambda: locked.engine.planner.set_automation("tank", enabled=False),
    ):
        with pytest.raises(EngineError, match="store_locked"):
            await ask()
    assert pump.told == []
    command = await locked.engine.send(state, "turn_off", {}, SERVICE)
    await asyncio.sleep(0)
    assert pump.level == 0
    ended = await locked.engine.finished(command)
    assert ended.phase in {Phase.APPLYING, Phase.COMPLETED}


async def test_a_locked_engine_doses_nothing_and_stops_everything(locked: Rig) -> None:
    """An empty ledger would let doses repeat."""
    pump, doser = Pump(level=80), MemoryDoser()
    await locked.attach(pump, safe=OFF)
    state = await locked.attach(doser)
    with pytest.raises(EngineError, match="store_locked"):
        await locked.engine.send(
            state, "dose", {"head_index": 0, "volume_ml": 1}, SERVICE
        )
    reports = await locked.engine.emergency.stop(None)
    assert [report.confirmed for report in reports] == [True, True]
    assert pump.level == 0
    assert doser.sent == []
    assert locked.engine.emergency.latched(state)


async def test_the_same_device_is_the_same_one_in_a_locked_engine(locked: Rig) -> None:
    """A reload of its entry makes no second one."""
    first = await locked.attach(Pump())
    await locked.engine.equipment.detach(first.row.number)
    second = await locked.attach(Pump())
    assert second is first
    assert first.row.number < 0


async def test_a_locked_engine_knows_no_device_by_the_number_in_its_records(
    locked: Rig,
) -> None:
    """That there is none would be wrong: nobody knows which one it is."""
    state = await locked.attach(Pump())
    assert locked.engine.device(state.row.uuid) is state
    assert locked.engine.device(state.row.number) is state
    with pytest.raises(EngineError, match="store_locked"):
        locked.engine.device(1)
    with pytest.raises(EngineError, match="device_not_found"):
        locked.engine.device("1f0c7a39-3ac6-5d9d-a5ae-b8a1cf1a5cbd")


async def test_a_damaged_store_is_set_aside_and_a_newer_one_left_alone(
    tmp_path: Path,
) -> None:
    """Neither becomes an engine with an empty memory."""
    now = ManualEngineClock().now()
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"this is no database, and long enough to be seen as none" * 50)
    with pytest.raises(StoreCorruptError) as corrupt:
        await Database.open(damaged, at=now)
    assert corrupt.value.set_aside is not None
    assert corrupt.value.set_aside.exists()
    newer = tmp_path / "newer.db"
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version=9999")
    connection.close()
    before = newer.read_bytes()
    with pytest.raises(StoreNewerError):
        await Database.open(newer, at=now)
    assert newer.read_bytes() == before
