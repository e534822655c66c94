"""Entries come and go: the engine keeps what it knows, and what was held is given back."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import (
    CoreState,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.data import DATA_ENGINE
from custom_components.aquarist.demo import day_plan
from custom_components.aquarist.engine.engine import Engine
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.planner import Planned
from custom_components.aquarist.startup import STORE_FILE
from custom_components.aquarist.store.errors import StoreFullError
from tests.aquarium import subentry
from tests.engine.troubled_store import read_only

SERVICE = Origin(source=Source.SERVICE)
SKIMMER = "input_boolean.skimmer"


@pytest.fixture
async def skimmer(hass: HomeAssistant) -> None:
    """Have a skimmer that runs."""
    config = {"input_boolean": {"skimmer": {"initial": True}}}
    assert await async_setup_component(hass, "input_boolean", config)


def tank(**limits: Any) -> MockConfigEntry:
    """Give the entry of an aquarium with a skimmer."""
    pump = {"entity_id": SKIMMER, "safe_level": 0, **limits}
    return MockConfigEntry(
        domain=DOMAIN,
        title="Tank",
        unique_id="tank",
        data={"kind": "aquarium", "demo": False},
        subentries_data=[subentry("pump", "Skimmer", pump)],
    )


async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Set an entry up."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def pause(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """Pause the skimmer for ten minutes and wait until it stands."""
    engine = entry.runtime_data.engine
    state = entry.runtime_data.devices["skimmer"]
    command = await engine.send(state, "turn_off", {}, SERVICE, hold=600)
    await settled(hass)
    assert shown(hass) == "off"
    return command


def shown(hass: HomeAssistant) -> str:
    """Give what the skimmer shows."""
    state = hass.states.get(SKIMMER)
    assert state is not None
    return state.state


def shown_from_now_on(hass: HomeAssistant, entity_id: str) -> list[str | None]:
    """Return what an entity shows after each change from now on, None when it is gone."""
    seen: list[str | None] = []

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        seen.append(None if new is None else new.state)

    async_track_state_change_event(hass, entity_id, changed)
    return seen


async def settled(hass: HomeAssistant) -> None:
    """Let the store and the queues come to rest."""
    engine = hass.data[DATA_ENGINE]
    for _ in range(4):
        await engine.journal.commit(lambda connection: None)
        await hass.async_block_till_done()


async def test_a_reload_inside_a_window_changes_nothing(
    hass: HomeAssistant, skimmer: None
) -> None:
    """R-X8: no flicker, nothing twice; the window goes on."""
    entry = await loaded(hass, tank())
    command = await pause(hass, entry)
    changes = shown_from_now_on(hass, SKIMMER)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settled(hass)
    engine = entry.runtime_data.engine
    assert changes == []
    assert engine.records.current(command.key).phase is Phase.IN_FORCE
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_removing_an_entry_gives_back_what_was_held(
    hass: HomeAssistant, skimmer: None
) -> None:
    """R-X9: the pump runs again, its window has ended, its row is retired."""
    entry = await loaded(hass, tank())
    command = await pause(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await settled(hass)
    engine = hass.data[DATA_ENGINE]
    assert shown(hass) == "on"
    assert engine.records.current(command.key) is None
    assert engine.devices == {}


async def test_removing_an_entry_while_the_store_refuses(
    hass: HomeAssistant, skimmer: None, caplog: pytest.LogCaptureFixture
) -> None:
    """Its devices go all the same, in the middle of a feeding, and run again."""
    entry = await loaded(hass, tank())
    engine = hass.data[DATA_ENGINE]
    await engine.modes.start(entry.entry_id, "feed", SERVICE)
    await settled(hass)
    assert shown(hass) == "off"
    assert engine.database is not None
    async with read_only(engine.database):
        await hass.config_entries.async_remove(entry.entry_id)
        assert engine.devices == {}
        assert shown(hass) == "on"
    assert "Tank: its mode could not be ended" in caplog.text
    await engine.journal.retry()


async def test_removing_a_device_gives_back_what_was_held(
    hass: HomeAssistant, skimmer: None
) -> None:
    """The aquarium stays; only its skimmer is not listed any more."""
    entry = await loaded(hass, tank())
    await pause(hass, entry)
    assert hass.config_entries.async_remove_subentry(entry, "skimmer")
    await hass.async_block_till_done()
    await settled(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert shown(hass) == "on"
    assert entry.runtime_data.devices == {}
    assert hass.data[DATA_ENGINE].devices == {}
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_the_demo_leaves_nothing_that_runs(hass: HomeAssistant) -> None:
    """Its devices and its day go with it; a schedule of the keeper's own stays."""
    demo = MockConfigEntry(
        domain=DOMAIN,
        title="Demo aquarium",
        unique_id="demo_aquarium",
        data={"kind": "aquarium", "demo": True},
    )
    await loaded(hass, demo)
    engine = hass.data[DATA_ENGINE]
    names = [planned.row.name for planned in engine.planner.schedules]
    assert names == [one["name"] for one in day_plan([1], [2], [3], "UTC")]
    own = {
        "name": "My own",
        "device_ids": [demo.runtime_data.devices["light"].row.number],
        "schedule_type": "cron",
        "cron_expression": "0 10 * * *",
        "action_type": "on",
    }
    await engine.create_schedule(own, user=None)
    dusk = next(one for one in engine.planner.schedules if one.row.name == "Dusk")
    await engine.delete_schedule(dusk.row.id, user=None)
    await engine.create_schedule({**own, "name": "Dusk"}, user=None)
    await hass.config_entries.async_remove(demo.entry_id)
    await settled(hass)
    assert engine.devices == {}
    left = [planned.row.name for planned in engine.planner.schedules]
    assert left == ["My own", "Dusk"]


async def test_a_demo_day_that_was_planned_in_two_goes_is_removed_whole(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full in the middle of it."""
    real = Engine.create_schedule
    disk = iter([None, None, StoreFullError("full")])

    async def create(engine: Engine, *args: Any, **values: Any) -> Planned:
        if (fault := next(disk, None)) is not None:
            raise fault
        return await real(engine, *args, **values)

    monkeypatch.setattr(Engine, "create_schedule", create)
    demo = MockConfigEntry(
        domain=DOMAIN,
        title="Demo aquarium",
        unique_id="demo_aquarium",
        data={"kind": "aquarium", "demo": True},
    )
    demo.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(demo.entry_id)
    assert await hass.config_entries.async_reload(demo.entry_id)
    engine = hass.data[DATA_ENGINE]
    assert len(engine.planner.schedules) == 6
    await hass.config_entries.async_remove(demo.entry_id)
    assert not [*engine.planner.schedules]


async def test_the_demo_day_is_planned_once(hass: HomeAssistant) -> None:
    """A schedule that the keeper deleted does not come back with a reload."""
    demo = MockConfigEntry(
        domain=DOMAIN,
        title="Demo aquarium",
        unique_id="demo_aquarium",
        data={"kind": "aquarium", "demo": True},
    )
    await loaded(hass, demo)
    engine = hass.data[DATA_ENGINE]
    dusk = next(one for one in engine.planner.schedules if one.row.name == "Dusk")
    await engine.delete_schedule(dusk.row.id, user=None)
    assert await hass.config_entries.async_reload(demo.entry_id)
    await settled(hass)
    assert "Dusk" not in {one.row.name for one in engine.planner.schedules}
    assert len(engine.planner.schedules) == 5
    assert await hass.config_entries.async_unload(demo.entry_id)


async def test_heads_that_are_gone_leave_the_registry(hass: HomeAssistant) -> None:
    """A pump that was said to have four heads has two."""
    assert await async_setup_component(hass, "bluetooth", {})
    doser = MockConfigEntry(
        domain=DOMAIN,
        title="Doser",
        unique_id="D0:5E:5A:10:C0:D4",
        data={
            "kind": "chihiros",
            "address": "D0:5E:5A:10:C0:D4",
            "local_name": "DYDOSED05E5A10C0D4",
            "family": "doser",
            "heads": 4,
        },
    )
    await loaded(hass, doser)
    registry = dr.async_get(hass)
    assert len(dr.async_child_entries_for_config_entry(registry, doser.entry_id)) == 4
    hass.config_entries.async_update_entry(doser, data={**doser.data, "heads": 2})
    assert await hass.config_entries.async_reload(doser.entry_id)
    await hass.async_block_till_done()
    assert len(dr.async_child_entries_for_config_entry(registry, doser.entry_id)) == 2
    assert await hass.config_entries.async_unload(doser.entry_id)


async def test_a_broken_store_does_not_fail_the_set_up(
    hass: HomeAssistant, skimmer: None
) -> None:
    """Design 3: locked, and off still goes out."""
    Path(hass.config.path(STORE_FILE)).write_bytes(b"no database" * 1000)
    entry = await loaded(hass, tank())
    engine = entry.runtime_data.engine
    assert entry.state is ConfigEntryState.LOADED
    assert engine.journal.locked
    state = entry.runtime_data.devices["skimmer"]
    await engine.send(state, "turn_off", {}, SERVICE)
    await hass.async_block_till_done()
    assert shown(hass) == "off"
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.config_entries.async_remove(entry.entry_id)


async def test_a_new_device_waits_for_a_store_that_takes_it(
    hass: HomeAssistant, skimmer: None
) -> None:
    """On a full disk the set-up is tried again by itself, and comes to its end then."""
    entry = await loaded(hass, tank())
    engine = hass.data[DATA_ENGINE]
    other = MockConfigEntry(
        domain=DOMAIN,
        title="Demo aquarium",
        unique_id="demo_aquarium",
        data={"kind": "aquarium", "demo": True},
    )
    other.add_to_hass(hass)
    assert engine.database is not None
    async with read_only(engine.database):
        assert not await hass.config_entries.async_setup(other.entry_id)
        assert other.state.value == "setup_retry"
        assert "configuration folder" in (other.reason or "")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=1))
    async with asyncio.timeout(10):
        while other.state.value != "loaded":
            await settled(hass)
    assert len(engine.planner.schedules) == 6
    for one in (entry, other):
        assert await hass.config_entries.async_unload(one.entry_id)


async def test_unloading_and_loading_again_and_again_leaves_nothing(
    hass: HomeAssistant, skimmer: None
) -> None:
    """R-X1: the harness fails this test for any timer or task that lingers."""
    entry = await loaded(hass, tank())
    for _ in range(5):
        assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert len(hass.data[DATA_ENGINE].devices) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_the_engine_stops_with_home_assistant(
    hass: HomeAssistant, skimmer: None
) -> None:
    """What is under way stays open on disk; the store is closed in good order (R-B54)."""
    entry = await loaded(hass, tank())
    await pause(hass, entry)
    engine = hass.data[DATA_ENGINE]
    await hass.async_stop()
    wal = Path(hass.config.path(f"{STORE_FILE}-wal"))
    assert not wal.exists() or wal.stat().st_size == 0
    assert [one.phase for one in engine.records.open] == [Phase.IN_FORCE]


async def test_a_dosing_switch_is_off_before_home_assistant_stops(
    hass: HomeAssistant,
) -> None:
    """Design 6: a switch that stayed on would empty the container."""
    config = {"input_boolean": {"dosing_pump": {"initial": False}}}
    assert await async_setup_component(hass, "input_boolean", config)
    doser = {
        "entity_id": "input_boolean.dosing_pump",
        "flow_ml_per_minute": 1,
        "maximum_dose_ml": 5,
        "budget_ml": 20,
    }
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Tank",
        unique_id="tank",
        data={"kind": "aquarium", "demo": False},
        subentries_data=[subentry("doser", "Iron", doser)],
    )
    await loaded(hass, entry)
    engine = hass.data[DATA_ENGINE]
    state = entry.runtime_data.devices["iron"]
    command = await engine.send(
        state, "dose", {"head_index": 0, "volume_ml": 5}, SERVICE
    )
    await settled(hass)
    pump = hass.states.get("input_boolean.dosing_pump")
    assert pump is not None
    assert pump.state == "on"
    await hass.async_stop()
    pump = hass.states.get("input_boolean.dosing_pump")
    assert pump is not None
    assert pump.state == "off"
    assert engine.records.current(command.key) is None


async def test_a_device_is_left_at_its_level_when_home_assistant_stops(
    hass: HomeAssistant, skimmer: None
) -> None:
    """What it rests on stays as it was: the next start brings it back."""
    entry = await loaded(hass, tank(shutdown_level=0))
    state = entry.runtime_data.devices["skimmer"]
    engine = hass.data[DATA_ENGINE]
    await engine.finished(await engine.send(state, "turn_on", {}, SERVICE))
    await hass.async_stop()
    assert shown(hass) == "off"
    assert state.fields["level"].resting == {"level": 100.0}
    assert [one.action for one in engine.records.open] == ["at_shutdown"]


async def test_a_device_is_at_its_start_level_while_home_assistant_starts(
    hass: HomeAssistant, skimmer: None
) -> None:
    """It is no problem of the device, and what it rests on stays as it was."""
    hass.set_state(CoreState.starting)
    entry = await loaded(hass, tank(start_level=0))
    await settled(hass)
    state = entry.runtime_data.devices["skimmer"]
    assert shown(hass) == "off"
    assert state.fields["level"].resting == {"level": 100.0}
    problem = hass.states.get("binary_sensor.skimmer_problem")
    assert problem is not None
    assert problem.state == "off"
    assert await hass.config_entries.async_unload(entry.entry_id)
