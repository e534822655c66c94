"""The calendar shows the plan, and nothing that will not happen."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from syrupy.assertion import SnapshotAssertion

from .aquarium import (
    NAME,
    aquarium,
    call,
    compare_all,
    device_named,
    engine_of,
    entity_of,
)

BEFORE_DAWN = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


async def events(
    hass: HomeAssistant, start: datetime, end: datetime
) -> list[dict[str, Any]]:
    """Return what the calendar has between two instants."""
    calendar = entity_of(hass, Platform.CALENDAR, NAME, "plan")
    answer = await hass.services.async_call(
        "calendar",
        "get_events",
        {"entity_id": calendar, "start_date_time": start, "end_date_time": end},
        blocking=True,
        return_response=True,
    )
    found: list[dict[str, Any]] = answer[calendar]["events"]  # type: ignore[index,assignment,call-overload]
    return found


def shown(hass: HomeAssistant) -> State:
    """Return the state of the calendar."""
    state = hass.states.get(entity_of(hass, Platform.CALENDAR, NAME, "plan"))
    assert state is not None
    return state


async def settle(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let changes of the plan settle."""
    freezer.tick(timedelta(seconds=2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


async def test_the_demo_plan(
    hass: HomeAssistant,
    tmp_path: Path,
    snapshot: SnapshotAssertion,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Dawn comes first."""
    freezer.move_to(BEFORE_DAWN)
    await hass.config.async_set_time_zone("UTC")
    async with aquarium(hass, tmp_path, Platform.CALENDAR, demo=True) as entry:
        await compare_all(hass, entry, snapshot)


async def test_a_day_of_the_demo(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """Ramps and pauses have their length; a dose has a minute to be seen."""
    freezer.move_to(BEFORE_DAWN)
    await hass.config.async_set_time_zone("UTC")
    async with aquarium(hass, tmp_path, Platform.CALENDAR, demo=True):
        day = await events(hass, BEFORE_DAWN, BEFORE_DAWN + timedelta(days=1))

        assert [
            (one["summary"], one["start"][11:16], one["end"][11:16]) for one in day
        ] == [
            ("Dawn", "08:00", "09:00"),
            ("Morning iron", "09:30", "09:31"),
            ("Noon nitrate", "12:00", "12:01"),
            ("Feeding pause", "17:00", "17:10"),
            ("Evening phosphate", "18:00", "18:01"),
            ("Dusk", "20:00", "21:00"),
        ]
        assert [one["description"] for one in day] == [
            "Fade to 80 % in 1 h: Demo light",
            "2.5 mL with Head 1: Demo doser",
            "4 mL with Head 2: Demo doser",
            "Off for 10 min: Return pump, Skimmer",
            "1.5 mL with Head 3: Demo doser",
            "Fade to 0 % in 1 h: Demo light",
        ]


async def test_what_is_under_way_is_on(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """Also when it began before the range that is asked for."""
    half_way = BEFORE_DAWN.replace(hour=8, minute=30)
    freezer.move_to(BEFORE_DAWN)
    await hass.config.async_set_time_zone("UTC")
    async with aquarium(hass, tmp_path, Platform.CALENDAR, demo=True):
        freezer.move_to(half_way)
        async_fire_time_changed(hass)
        await settle(hass, freezer)

        assert shown(hass).state == "on"
        assert shown(hass).attributes["message"] == "Dawn"
        (dawn,) = await events(hass, half_way, half_way + timedelta(minutes=10))
        assert dawn["summary"] == "Dawn"


async def test_what_came_before_the_plan_is_not_part_of_it(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """A schedule made after dawn has not had a dawn, and none is under way."""
    half_way = BEFORE_DAWN.replace(hour=8, minute=30)
    freezer.move_to(half_way)
    await hass.config.async_set_time_zone("UTC")
    async with aquarium(hass, tmp_path, Platform.CALENDAR, demo=True):
        assert shown(hass).state == "off"
        assert shown(hass).attributes["message"] == "Morning iron"

        day = await events(hass, BEFORE_DAWN, BEFORE_DAWN + timedelta(days=1))
        assert "Dawn" not in [one["summary"] for one in day]


async def test_what_will_not_happen_is_not_shown(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """Deleted schedules, and all of them while automation is off."""
    freezer.move_to(BEFORE_DAWN)
    await hass.config.async_set_time_zone("UTC")
    async with aquarium(hass, tmp_path, Platform.CALENDAR, Platform.SWITCH, demo=True):
        engine = engine_of(hass)
        for planned in engine.planner.schedules:
            if planned.row.name in ("Dawn", "Dusk"):
                await engine.delete_schedule(planned.row.id, user=None)
        await settle(hass, freezer)
        assert shown(hass).attributes["message"] == "Morning iron"

        await call(
            hass, "turn_off", entity_of(hass, Platform.SWITCH, NAME, "automation")
        )
        await settle(hass, freezer)
        assert shown(hass).state == "off"
        assert "message" not in shown(hass).attributes
        assert await events(hass, BEFORE_DAWN, BEFORE_DAWN + timedelta(days=1)) == []


async def test_a_plan_of_every_second_is_cut_off(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """A month of it would be millions of events."""
    freezer.move_to(BEFORE_DAWN)
    await hass.config.async_set_time_zone("UTC")
    async with aquarium(hass, tmp_path, Platform.CALENDAR, demo=True):
        await engine_of(hass).create_schedule(
            {
                "name": "Pulse",
                "device_ids": [device_named(hass, "Skimmer").row.number],
                "schedule_type": "cron",
                "cron_expression": "* * * * *",
                "timezone": "UTC",
                "action_type": "on",
            },
            user=None,
        )

        month = await events(hass, BEFORE_DAWN, BEFORE_DAWN + timedelta(days=31))

        assert len([one for one in month if one["summary"] == "Pulse"]) == 1000


async def test_a_macro_that_a_schedule_starts_is_part_of_the_plan(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """As it is now: a device that it has come to act on brings its aquarium along."""
    freezer.move_to(BEFORE_DAWN)
    await hass.config.async_set_time_zone("UTC")
    async with aquarium(hass, tmp_path, Platform.CALENDAR, demo=True):
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        nothing = {"name": "Early", "sequence": [{"delay": 1}]}
        macro = await engine.macros.create(nothing, user=None)
        daily = {
            "name": "Before dawn",
            "schedule_type": "cron",
            "cron_expression": "5 6 * * *",
            "timezone": "UTC",
            "action_type": "macro",
            "action_params": {"macro": "Early"},
        }
        await engine.create_schedule(daily, user=None)
        await settle(hass, freezer)
        assert shown(hass).attributes["message"] != "Before dawn"

        command = {
            "device_id": doser.row.uuid,
            "action": "dose",
            "args": {"head_index": 3, "volume_ml": 5},
        }
        doses = {**nothing, "sequence": [{"command": command}]}
        await engine.macros.update(macro.row.id, doses, user=None)
        await settle(hass, freezer)
        assert shown(hass).attributes["message"] == "Before dawn"
