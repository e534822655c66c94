"""Sensors: what heads gave, what they may still give, and what comes next."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from syrupy.assertion import SnapshotAssertion

from custom_components.aquarist.ble.link import Link
from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.engine.intake import Origin

from .aquarium import (
    NAME,
    aquarium,
    call,
    compare_all,
    device_named,
    engine_of,
    entities_behind,
    entity_of,
    gives_too_little,
    heard,
    press,
    subentry,
)
from .test_button import given
from .test_number import PUMP

MORNING = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
DOSER = {
    "entity_id": "input_boolean.relay",
    "flow_ml_per_minute": 600.0,
    "maximum_dose_ml": 20.0,
    "budget_ml": 5.0,
}


def state_of(hass: HomeAssistant, device: str, key: str) -> State:
    """Return the state of a sensor."""
    state = hass.states.get(entity_of(hass, Platform.SENSOR, device, key))
    assert state is not None
    return state


async def test_the_demo_sensors(
    hass: HomeAssistant,
    tmp_path: Path,
    snapshot: SnapshotAssertion,
    freezer: FrozenDateTimeFactory,
) -> None:
    """At six in the morning the lamp's dawn is what comes next."""
    freezer.move_to(MORNING)
    async with aquarium(
        hass, tmp_path, Platform.SENSOR, demo=True, all_enabled=True
    ) as entry:
        await compare_all(hass, entry, snapshot)


async def test_what_a_device_says_of_itself(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Firmware and uptime are told on each connection."""
    async with aquarium(
        hass, tmp_path, Platform.SENSOR, Platform.BUTTON, demo=True, all_enabled=True
    ):
        assert state_of(hass, "Demo light", "firmware").state == "unknown"
        await press(hass, "Demo light", "sync_clock")
        async with asyncio.timeout(5):
            while state_of(hass, "Demo light", "firmware").state == "unknown":
                await asyncio.sleep(0.01)
        assert state_of(hass, "Demo light", "firmware").state == "21"
        assert state_of(hass, "Demo light", "uptime").state == "0"


async def test_volumes_stay_in_millilitres_everywhere(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Where others measure in ounces too: a dose is asked for and limited in mL."""
    hass.config.units = US_CUSTOMARY_SYSTEM
    async with aquarium(hass, tmp_path, Platform.SENSOR, demo=True, all_enabled=True):
        for key in ("0_dosed_today", "0_budget_left", "0_lifetime"):
            shown = state_of(hass, "Demo doser", key)
            assert shown.attributes["unit_of_measurement"] == "mL"


async def test_what_a_pump_gave(hass: HomeAssistant, tmp_path: Path) -> None:
    """A dose counts at once, and the pump's own counter as soon as it is read."""
    async with aquarium(
        hass, tmp_path, Platform.SENSOR, Platform.BUTTON, demo=True, all_enabled=True
    ):
        assert state_of(hass, "Demo doser", "1_lifetime").state == "unknown"

        async with heard(hass, given):
            await press(hass, "Demo doser", "1_dose_now")
        await hass.async_block_till_done()

        assert state_of(hass, "Demo doser", "1_dosed_today").state == "1.0"
        assert state_of(hass, "Demo doser", "1_budget_left").state == "99.0"
        assert state_of(hass, "Demo doser", "0_dosed_today").state == "0.0"

        doser = device_named(hass, "Demo doser")
        engine = engine_of(hass)
        asked = await engine.send(
            doser, "request_status", {}, Origin(source=Source.SERVICE)
        )
        await engine.finished(asked)
        assert state_of(hass, "Demo doser", "1_lifetime").state == "1.0"


async def test_a_dose_counts_for_24_hours(hass: HomeAssistant, tmp_path: Path) -> None:
    """It rolls out by itself, although nothing happens."""
    await entities_behind(hass)
    kept = subentry("doser", "Iron", DOSER)
    async with aquarium(
        hass,
        tmp_path,
        Platform.SENSOR,
        Platform.BUTTON,
        subentries=[kept],
        all_enabled=True,
    ):
        async with heard(hass, given):
            await press(hass, "Iron", "0_dose_now")
        await hass.async_block_till_done()
        assert state_of(hass, "Iron", "0_dosed_today").state == "1.0"
        assert state_of(hass, "Iron", "0_budget_left").state == "4.0"

        later = dt_util.utcnow() + timedelta(hours=24)
        with freeze_time(later):
            async_fire_time_changed(hass, later)
            await hass.async_block_till_done()

            assert state_of(hass, "Iron", "0_dosed_today").state == "0.0"
            assert state_of(hass, "Iron", "0_budget_left").state == "5.0"


async def test_a_head_without_limit_has_no_budget(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """And a switch has no counter of its own."""
    await entities_behind(hass)
    kept = subentry("doser", "Iron", {**DOSER, "budget_ml": None})
    async with aquarium(hass, tmp_path, Platform.SENSOR, subentries=[kept]):
        assert sorted(hass.states.async_entity_ids("sensor")) == [
            "sensor.iron_dosed_in_24_hours",
            "sensor.iron_next_dose",
            "sensor.reef_mode_ends",
            "sensor.reef_next_action",
        ]


async def test_the_plan_ahead(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """What comes next follows the schedules, and is nothing while automation is off."""
    freezer.move_to(MORNING)
    async with aquarium(hass, tmp_path, Platform.SENSOR, Platform.SWITCH, demo=True):
        doser = device_named(hass, "Demo doser").row.number
        automation = entity_of(hass, Platform.SWITCH, NAME, "automation")
        assert state_of(hass, "Demo doser", "3_next_dose").state == "unknown"

        vitamins = {
            "name": "Vitamins",
            "device_ids": [doser],
            "schedule_type": "cron",
            "cron_expression": "30 15 * * *",
            "timezone": "UTC",
            "action_type": "dose",
            "action_params": {"head_index": 3, "volume_ml": 1},
        }
        await engine_of(hass).create_schedule(
            {**vitamins, "name": "Not yet", "is_enabled": False}, user=None
        )
        assert state_of(hass, "Demo doser", "3_next_dose").state == "unknown"

        planned = await engine_of(hass).create_schedule(vitamins, user=None)
        assert state_of(hass, "Demo doser", "3_next_dose").state == (
            "2026-03-01T15:30:00+00:00"
        )
        next_action = state_of(hass, NAME, "next_action")
        assert next_action.state == "2026-03-01T15:30:00+00:00"
        assert next_action.attributes["schedule"] == "Vitamins"

        await call(hass, "turn_off", automation)
        assert state_of(hass, NAME, "next_action").state == "unknown"
        assert state_of(hass, NAME, "next_action").attributes["schedule"] is None
        assert state_of(hass, "Demo doser", "3_next_dose").state == "unknown"

        await call(hass, "turn_on", automation)
        await engine_of(hass).delete_schedule(planned.row.id, user=None)
        assert state_of(hass, "Demo doser", "3_next_dose").state == "unknown"
        assert state_of(hass, NAME, "next_action").attributes["schedule"] == "Dawn"


async def test_a_macro_that_a_schedule_starts_is_ahead_too(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """Its doses, as it is now: what it has become is shown at once."""
    freezer.move_to(MORNING)
    async with aquarium(hass, tmp_path, Platform.SENSOR, demo=True):
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        await engine.containers.resize(doser, 3, 10_000, user=None)
        await hass.async_block_till_done()
        keys = ("3_next_dose", "3_days_left")
        command = {
            "device_id": doser.row.uuid,
            "action": "dose",
            "args": {"head_index": 3, "volume_ml": 5},
        }
        nothing = {"name": "Evening", "sequence": [{"delay": 1}]}
        macro = await engine.macros.create(nothing, user=None)
        daily = {
            "name": "Daily",
            "schedule_type": "cron",
            "cron_expression": "30 15 * * *",
            "timezone": "UTC",
            "action_type": "macro",
            "action_params": {"macro": "Evening"},
        }
        await engine.create_schedule(daily, user=None)
        assert line_up(hass, "Demo doser", *keys) == ["unknown", "unknown"]

        doses = {**nothing, "sequence": [{"command": command}]}
        await engine.macros.update(macro.row.id, doses, user=None)
        due, days = line_up(hass, "Demo doser", *keys)
        assert due == "2026-03-01T15:30:00+00:00"
        assert 2 <= float(days) <= 3
        assert state_of(hass, NAME, "next_action").attributes["schedule"] == "Daily"

        await engine.macros.delete(macro.row.id, user=None)
        assert line_up(hass, "Demo doser", *keys) == ["unknown", "unknown"]


async def test_since_when_a_pump_runs(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """Another level is not another start."""
    freezer.move_to(MORNING)
    await entities_behind(hass, speed=0)
    kept = subentry("pump", "Refill", PUMP)
    async with aquarium(
        hass,
        tmp_path,
        Platform.NUMBER,
        Platform.SENSOR,
        subentries=[kept],
        all_enabled=True,
    ):
        level = entity_of(hass, Platform.NUMBER, "Refill", "level")
        assert state_of(hass, "Refill", "on_since").state == "unknown"

        await call(hass, "set_value", level, value=30)
        assert state_of(hass, "Refill", "on_since").state == MORNING.isoformat()

        freezer.tick(60)
        await call(hass, "set_value", level, value=60)
        assert state_of(hass, "Refill", "on_since").state == MORNING.isoformat()

        await call(hass, "set_value", level, value=0)
        assert state_of(hass, "Refill", "on_since").state == "unknown"


def line_up(hass: HomeAssistant, device: str, *keys: str) -> list[str]:
    """Return the states of several sensors."""
    return [state_of(hass, device, key).state for key in keys]


async def test_a_container_is_followed(hass: HomeAssistant, tmp_path: Path) -> None:
    """What is left goes down with each dose, the days with the plan."""
    await entities_behind(hass)
    kept = subentry("doser", "Iron", {**DOSER, "container_ml": 10.0})
    async with aquarium(
        hass, tmp_path, Platform.SENSOR, Platform.BUTTON, subentries=[kept]
    ):
        keys = ("0_container_left", "0_days_left")
        assert line_up(hass, "Iron", *keys) == ["10.0", "unknown"]

        daily = {
            "name": "Daily",
            "device_ids": [device_named(hass, "Iron").row.number],
            "schedule_type": "cron",
            "cron_expression": "0 15 * * *",
            "timezone": "UTC",
            "action_type": "dose",
            "action_params": {"head_index": 0, "volume_ml": 3},
        }
        await engine_of(hass).create_schedule(daily, user=None)
        left, days = line_up(hass, "Iron", *keys)
        # Three doses fit: it lasts until the fourth is due.
        assert left == "10.0"
        assert 3 <= float(days) <= 4

        async with heard(hass, given):
            await press(hass, "Iron", "0_dose_now")
        await hass.async_block_till_done()
        assert state_of(hass, "Iron", "0_container_left").state == "9.0"


async def test_the_days_of_a_container_pass(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """In tenths, which spares the recorder; also while nothing is dosed."""
    freezer.move_to(MORNING)
    await entities_behind(hass)
    kept = subentry("doser", "Iron", {**DOSER, "container_ml": 10.0})
    async with aquarium(hass, tmp_path, Platform.SENSOR, subentries=[kept]):
        weekly = {
            "name": "Weekly",
            "device_ids": [device_named(hass, "Iron").row.number],
            "schedule_type": "cron",
            "cron_expression": "0 8 * * 3",
            "timezone": "UTC",
            "action_type": "dose",
            "action_params": {"head_index": 0, "volume_ml": 4},
        }
        await engine_of(hass).create_schedule(weekly, user=None)
        # To the third Wednesday at eight: that dose does not fit any more.
        assert state_of(hass, "Iron", "0_days_left").state == "16.8"

        freezer.tick(timedelta(days=1, seconds=1))
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert state_of(hass, "Iron", "0_days_left").state == "15.7"


async def test_a_head_without_container_has_none_to_show(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """They come with the container, and stay."""
    async with aquarium(hass, tmp_path, Platform.SENSOR, demo=True) as entry:
        names = hass.states.async_entity_ids("sensor")
        assert not [name for name in names if "container" in name]
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")

        await engine.containers.resize(doser, 2, 500_000, user=None)
        await hass.async_block_till_done()

        assert state_of(hass, "Demo doser", "2_container_left").state == "500.0"
        names = hass.states.async_entity_ids("sensor")
        assert len([name for name in names if "container" in name]) == 2
        await engine.containers.refill(doser, 2, user=None)
        await hass.async_block_till_done()
        assert len(hass.states.async_entity_ids("sensor")) == len(names)

        assert await hass.config_entries.async_reload(entry.entry_id)
        assert state_of(hass, "Demo doser", "2_container_left").state == "500.0"


async def test_what_the_pump_does_by_itself_comes_next(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """A programme in its memory counts like a schedule; after its dose the next one is shown."""
    async with aquarium(hass, tmp_path, Platform.SENSOR, demo=True):
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        hourly = {"head_index": 3, "mode": "every_hour", "volume_tenths_ml": 240}
        written = await engine.send(
            doser, "set_doser_schedule", hourly, Origin(source=Source.SERVICE)
        )
        await engine.finished(written)
        await hass.async_block_till_done()
        now = dt_util.utcnow()
        due = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        assert state_of(hass, "Demo doser", "3_next_dose").state == due.isoformat()

        with freeze_time(due):
            async_fire_time_changed(hass, due)
            await hass.async_block_till_done()
        assert state_of(hass, "Demo doser", "3_next_dose").state == (
            (due + timedelta(hours=1)).isoformat()
        )


async def test_what_was_delivered_of_what_was_planned(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Known once enough was given to tell."""
    async with aquarium(hass, tmp_path, Platform.SENSOR, demo=True, all_enabled=True):
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        assert state_of(hass, "Demo doser", "0_delivered").state == "unknown"

        gives_too_little(engine, doser.row.number, 0)

        assert state_of(hass, "Demo doser", "0_delivered").state == "85.0"


async def test_when_a_head_was_calibrated(hass: HomeAssistant, tmp_path: Path) -> None:
    """Unknown before."""
    async with aquarium(hass, tmp_path, Platform.SENSOR, demo=True, all_enabled=True):
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        assert state_of(hass, "Demo doser", "0_calibrated").state == "unknown"
        measured = await engine.calibrations.measured(
            doser, 0, asked=5000, measured=4900, user=None
        )
        at = measured.at.replace(microsecond=0).isoformat()
        assert state_of(hass, "Demo doser", "0_calibrated").state == at


async def test_how_strong_a_device_is_heard(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """Looked at again after a while, although nothing happens."""
    freezer.move_to(MORNING)
    async with aquarium(hass, tmp_path, Platform.SENSOR, demo=True, all_enabled=True):
        assert state_of(hass, "Demo light", "signal").state == "-60"
        with patch.object(Link, "signal", -75):
            freezer.tick(300)
            async_fire_time_changed(hass)
            await hass.async_block_till_done()
        assert state_of(hass, "Demo light", "signal").state == "-75"
