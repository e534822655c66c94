"""Where devices are while nobody rules them: at the start and after the stop (issue 4)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine import start_and_stop
from custom_components.aquarist.engine.memory_content import MODE, AutoMode
from custom_components.aquarist.engine.start_and_stop import CATCH_UP
from custom_components.aquarist.layers.claims import Layer
from tests.engine.holding import claim, phase, window
from tests.engine.rig import SERVICE, Pump, Rig

AT_START: dict[str, Any] = {"at_start": {"level": {"level": 30.0}}}
AT_SHUTDOWN: dict[str, Any] = {"at_shutdown": {"level": {"level": 10.0}}}
BOTH: dict[str, Any] = {**AT_START, **AT_SHUTDOWN}


@pytest.fixture
def pump() -> Pump:
    """Give a pump that runs at 80 %."""
    return Pump(level=80)


async def begin(rig: Rig, pump: Pump, **limits: Any) -> None:
    """Let Home Assistant start up to the moment before the plan takes over."""
    await rig.boot(start=False)
    await rig.attach(pump, **limits)
    await rig.settle()


async def start(rig: Rig) -> None:
    """Let Home Assistant have started, and the plan take over."""
    rig.engine.start()
    await rig.advance(CATCH_UP)


async def stop(rig: Rig) -> None:
    """Let Home Assistant stop in good order."""
    await rig.engine.start_and_stop.shut_down()
    await rig.engine.close()


@pytest.fixture
async def house(tmp_path: Path, pump: Pump) -> Any:
    """Give a rig that has run once: the pump was set to 60 %, and Home Assistant is down."""
    rig = Rig(tmp_path)
    await rig.boot()
    state = await rig.attach(pump)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 60}, SERVICE))
    await rig.settle()
    await rig.engine.close()
    pump.told.clear()
    yield rig
    await rig.engine.close()


async def test_a_device_is_told_its_start_level_first(house: Rig, pump: Pump) -> None:
    """Until the plan has taken over; then it is back at what should hold."""
    await begin(house, pump, **AT_START)
    assert pump.told == [30.0]
    house.engine.start()
    await house.settle()
    assert pump.level == 30
    await house.advance(CATCH_UP)
    assert pump.told == [30.0, 60.0]
    assert not house.engine.records.open


async def test_without_a_start_level_nothing_is_said(house: Rig, pump: Pump) -> None:
    """A start alone changes nothing at a device."""
    await begin(house, pump)
    await start(house)
    assert pump.told == []


async def test_what_is_changed_meanwhile_shows_after_it(house: Rig, pump: Pump) -> None:
    """A level asked for while the start level holds is where the device goes to."""
    await begin(house, pump, **AT_START)
    house.engine.start()
    state = house.engine.device(pump.uuid)
    await house.done(
        await house.engine.send(state, "set_level", {"level": 45}, SERVICE)
    )
    assert pump.level == 30
    await house.advance(CATCH_UP)
    assert pump.told == [30.0, 45.0]


async def test_what_holds_a_device_wins_over_its_start_level(
    house: Rig, pump: Pump
) -> None:
    """A window that was open goes on."""
    await house.boot()
    state = await house.attach(pump)
    await window(house, state, 20, 0, 3600)
    await house.engine.close()
    pump.told.clear()
    await begin(house, pump, **AT_START)
    await start(house)
    assert set(pump.told) <= {20.0}
    assert pump.level == 20


async def test_what_is_being_given_back_is_not_held(house: Rig, pump: Pump) -> None:
    """The device goes straight to where it belongs."""
    await house.boot()
    state = await house.attach(pump)
    command = await window(house, state, 20, 0, 600)
    pump.hanging = asyncio.Event()
    await house.advance(600)
    assert await phase(house, command) is Phase.RESTORING
    await house.engine.close()
    pump.hanging = None
    pump.told.clear()
    await begin(house, pump, **AT_START)
    await start(house)
    assert pump.told == [60.0]


async def test_a_device_that_comes_during_the_start_is_told_then(
    house: Rig, pump: Pump
) -> None:
    """It may be unavailable while its integration starts."""
    pump.available = False
    await begin(house, pump, **AT_START)
    assert pump.told == []
    pump.available = True
    await house.settle()
    assert pump.told == [30.0]
    await start(house)
    assert pump.level == 60


async def test_a_device_that_comes_after_the_start_belongs_to_the_plan(
    house: Rig, pump: Pump
) -> None:
    """A reload is no start."""
    await house.boot()
    await house.attach(pump, **AT_START)
    await house.settle()
    assert pump.told == []


async def test_a_reload_during_the_start_holds_it_once(house: Rig, pump: Pump) -> None:
    """One record, and nothing is said twice."""
    await begin(house, pump, **AT_START)
    await house.engine.equipment.detach(house.engine.device(pump.uuid).row.number)
    await house.attach(pump, **AT_START)
    await house.settle()
    assert pump.told == [30.0]
    assert len(house.engine.records.open) == 1
    await start(house)
    assert pump.level == 60


async def test_a_device_that_nobody_knew_stays_where_it_was(
    house: Rig, pump: Pump
) -> None:
    """What it showed when it was seen first is what it rests on."""
    new = Pump("New", level=70)
    await begin(house, new, **AT_START)
    await start(house)
    assert new.told == [30.0, 70.0]


async def test_a_start_that_is_cut_off_begins_again(house: Rig, pump: Pump) -> None:
    """The level that should hold is not lost over it."""
    await begin(house, pump, **AT_START)
    await house.engine.close()
    await begin(house, pump, **AT_START)
    assert len(house.engine.records.open) == 1
    await start(house)
    assert pump.level == 60


async def test_a_device_that_does_not_answer_delays_nobody(
    house: Rig, pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Home Assistant starts and stops; the level is owed until the plan takes over."""
    monkeypatch.setattr(start_and_stop, "WRITE_WITHIN", 0.01)
    pump.hanging = asyncio.Event()
    await begin(house, pump, **BOTH)
    await house.engine.start_and_stop.shut_down()
    pump.hanging.set()
    await start(house)
    assert pump.level == 60


async def test_a_locked_store_says_nothing(tmp_path: Path, pump: Pump) -> None:
    """Nobody would know what to bring back."""
    rig = Rig(tmp_path)
    rig.lock()
    await rig.attach(pump, **AT_START)
    assert not rig.engine.records.open
    assert pump.told == []
    await rig.engine.close()


async def test_a_device_is_left_at_its_level_for_the_stop(
    house: Rig, pump: Pump
) -> None:
    """After the start it is back at what should hold."""
    await house.boot()
    await house.attach(pump, **AT_SHUTDOWN)
    await stop(house)
    assert pump.told == [10.0]
    await begin(house, pump, **AT_SHUTDOWN)
    assert pump.level == 10
    await start(house)
    assert set(pump.told) == {10.0, 60.0}
    assert pump.level == 60
    assert not house.engine.records.open


async def test_a_broken_store_does_not_keep_a_device_from_it(
    tmp_path: Path, pump: Pump
) -> None:
    """It is the safe side (law 2)."""
    rig = Rig(tmp_path)
    rig.lock()
    await rig.attach(pump, **AT_SHUTDOWN)
    rig.engine.start()
    await rig.engine.start_and_stop.shut_down()
    assert pump.level == 10
    await rig.engine.close()


async def test_it_wins_over_windows_and_modes_that_come_back(
    house: Rig, pump: Pump
) -> None:
    """Nobody could end them while Home Assistant is not there."""
    await house.boot()
    state = await house.attach(pump, **AT_SHUTDOWN)
    await claim(house, state, 0, 0, 3600, Layer.MODE)
    await stop(house)
    assert pump.level == 10
    await begin(house, pump, **AT_SHUTDOWN)
    await start(house)
    assert pump.level == 0
    await house.advance(3600)
    assert pump.level == 60


async def test_a_start_level_follows_the_one_of_the_stop(
    house: Rig, pump: Pump
) -> None:
    """Each has its time; in the end the level that should hold is back."""
    await house.boot()
    await house.attach(pump, **BOTH)
    await stop(house)
    await begin(house, pump, **BOTH)
    assert pump.told == [10.0, 30.0]
    (held,) = house.engine.records.open
    assert held.action == "at_start"
    await start(house)
    assert pump.told == [10.0, 30.0, 60.0]


async def test_a_stop_that_lasted_for_days_ends_all_the_same(
    house: Rig, pump: Pump
) -> None:
    """The hold has an end of its own (law 4)."""
    await house.boot()
    await house.attach(pump, **AT_SHUTDOWN)
    await stop(house)
    house.clock.advance(3 * 24 * 3600)
    await begin(house, pump, **AT_SHUTDOWN)
    await start(house)
    assert pump.level == 60
    assert not house.engine.records.open


async def test_what_was_stopped_stays_stopped(house: Rig, pump: Pump) -> None:
    """An emergency stop is above the level for the stop."""
    await house.boot()
    await house.attach(pump, safe={"level": {"level": 0.0}}, **AT_SHUTDOWN)
    await house.engine.emergency.stop(None)
    await stop(house)
    assert pump.level == 0
    await begin(house, pump, safe={"level": {"level": 0.0}}, **AT_SHUTDOWN)
    await start(house)
    assert pump.level == 0


async def test_a_lamp_that_follows_its_memory_is_left_alone(
    house: Rig, pump: Pump
) -> None:
    """It looks after itself."""
    await house.boot(start=False)
    state = await house.attach(pump)
    house.engine.device_memory.content.keep(state.row.number, MODE, AutoMode())
    await house.attach(pump, **BOTH)
    await house.settle()
    await house.engine.start_and_stop.shut_down()
    assert pump.told == []


async def test_a_device_without_its_hardware_is_left_out(
    house: Rig, pump: Pump
) -> None:
    """Its entry is not loaded."""
    await house.boot()
    state = await house.attach(pump, **AT_SHUTDOWN)
    await house.engine.equipment.detach(state.row.number)
    await house.engine.start_and_stop.shut_down()
    assert pump.told == []
    assert not house.engine.records.open
