"""What windows and modes promise, tried over REST and in the browser as a new user would."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from .instance import demo
from .instance.browser import Visit, browsing
from .instance.client import Json
from .living_aquarium import LivingAquarium, eventually
from .stream import OK, requested

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

WINDOWS = "write_actions"
WAVE = "input_number.wave_pump"
WAVE_LEVEL = "number.wave_pump_level"
RETURN, SKIMMER = "input_boolean.return_pump", "input_boolean.skimmer"
MODE, MODE_ENDS = "select.living_room_mode", "sensor.living_room_mode_ends"
FEEDING_MINUTES = 0.4
RESTS_AT = "60.0"


def in_seconds(seconds: float) -> str:
    """Return a moment from now as a user writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def window(device: str, value: Any, start: float, end: float, **more: Any) -> Json:
    """Return a write action that begins and ends so many seconds from now."""
    return {
        "action_id": str(uuid4()),
        "device_id": device,
        "field_name": "level",
        "value": value,
        "start_timestamp": in_seconds(start),
        "end_timestamp": in_seconds(end),
        **more,
    }


async def posted(aquarium: LivingAquarium, *windows: Json) -> list[Json]:
    """Post write actions at once; return what became of each."""
    body = {"actions": list(windows)}
    status, answer = await requested(aquarium.client, "POST", WINDOWS, body)
    assert status == OK
    results: list[Json] = answer["results"]
    return results


async def statuses(aquarium: LivingAquarium, *windows: Json) -> list[str]:
    """Return how write actions stand, in their order."""
    ids = [one["action_id"] for one in windows]
    query = f"{WINDOWS}?action_id={','.join(ids)}"
    _, answer = await requested(aquarium.client, "GET", query)
    found = {one["action_id"]: one["status"] for one in answer["results"]}
    return [found[one] for one in ids]


async def uuid_of(aquarium: LivingAquarium, name: str) -> str:
    """Return the id of a device."""
    found: str = (await aquarium.devices())[name]["device_id"]
    return found


async def test_a_mixed_batch_gives_a_result_for_each(
    aquarium: LivingAquarium,
) -> None:
    """What is right happens, what is wrong says why, and nothing of it is stored."""
    wave = await uuid_of(aquarium, "Wave pump")
    right, above = window(wave, 20, 0, 3), window(wave, 101, 0, 3)
    nobody = window("no-such-device", 20, 0, 3)
    over, odd = window(wave, 20, -60, -30), window(wave, 20, 0, 3, field_name="colour")

    results = await posted(aquarium, right, above, nobody, over, odd)

    assert [one["action_id"] for one in results] == [
        one["action_id"] for one in (right, above, nobody, over, odd)
    ]
    assert "error" not in results[0]
    for wrong in results[1:]:
        assert wrong["status"] == "FAILED"
        assert set(wrong["error"]) == {"error_key", "error_message", "error_details"}
    assert len({one["error"]["error_key"] for one in results[1:]}) == 4
    await aquarium.shows(WAVE, "20.0")
    await aquarium.shows(WAVE, RESTS_AT)
    _, listed = await requested(aquarium.client, "GET", WINDOWS)
    assert [one["action_id"] for one in listed["results"]] == [right["action_id"]]


async def test_two_windows_that_cross_leave_what_was_before_the_first(
    aquarium: LivingAquarium,
) -> None:
    """The one that started last shows; the last to end does not bring the first one back."""
    wave = await uuid_of(aquarium, "Wave pump")
    first, second = window(wave, 20, 0, 5), window(wave, 90, 2, 8)
    await posted(aquarium, first, second)

    await aquarium.shows(WAVE, "20.0")
    await aquarium.shows(WAVE, "90.0")

    async def first_is_over() -> bool:
        return (await statuses(aquarium, first))[0] == "OLD_VALUE_RESTORED"

    await eventually(first_is_over)
    assert (await aquarium.client.state(WAVE))["state"] == "90.0"
    await aquarium.shows(WAVE, RESTS_AT)

    async def both_are_over() -> bool:
        return set(await statuses(aquarium, first, second)) == {"OLD_VALUE_RESTORED"}

    await eventually(both_are_over)
    assert (await aquarium.client.state(WAVE))["state"] == RESTS_AT


async def test_what_safety_does_not_let_show_is_refused(
    aquarium: LivingAquarium,
) -> None:
    """It waits while its time lasts, and says for what; one that lasts longer is set after it."""
    wave = await uuid_of(aquarium, "Wave pump")
    await aquarium.client.call("aquarist", "emergency_stop")
    short, long = window(wave, 20, 0, 3), window(wave, 90, 0, 60)
    await posted(aquarium, short, long)

    async def short_has_failed() -> Json | None:
        query = f"{WINDOWS}?action_id={short['action_id']}&status=FAILED"
        _, answer = await requested(aquarium.client, "GET", query)
        found: list[Json] = answer["results"]
        return found[0] if found else None

    failed = await eventually(short_has_failed)
    assert failed is not None
    error = failed["error"]
    assert error["error_key"] == "refused_by_safety"
    assert error["error_details"]["limit"] == "emergency_stop"
    assert error["error_details"]["allowed"] == "0"
    assert (await aquarium.client.state(WAVE))["state"] == "0.0"
    assert await statuses(aquarium, long) == ["PLANNED"]
    released = {"entity_id": "button.living_room_release_emergency_stop"}
    await aquarium.client.call("button", "press", released)
    await aquarium.shows(WAVE, "90.0")

    async def long_is_set() -> bool:
        return await statuses(aquarium, long) == ["NEW_VALUE_SET"]

    # The device shows it a moment before that is on disk.
    await eventually(long_is_set)


@pytest.mark.parametrize("kill", [False, True])
async def test_a_restart_inside_the_window_changes_nothing(
    aquarium: LivingAquarium, kill: bool
) -> None:
    """It holds on the other side, ends when it should, and what was there is back."""
    wave = await uuid_of(aquarium, "Wave pump")
    held = window(wave, 20, 0, 20)
    await posted(aquarium, held)
    await aquarium.shows(WAVE, "20.0")
    await aquarium.are_on_disk(WAVE)
    await aquarium.restart(kill=kill)

    await aquarium.shows(WAVE, "20.0")
    assert await statuses(aquarium, held) == ["NEW_VALUE_SET"]
    await aquarium.shows(WAVE, RESTS_AT)

    async def over() -> bool:
        return await statuses(aquarium, held) == ["OLD_VALUE_RESTORED"]

    await eventually(over)


async def own_feeding(aquarium: LivingAquarium) -> None:
    """Have feeding last for some seconds; the skimmer waits until the return pump runs."""
    ids = {name: device["device_id"] for name, device in await _pumps(aquarium)}
    definition = {
        "name": "feed",
        "duration_minutes": FEEDING_MINUTES,
        "steps": [
            *({"hold": {"device_id": pump, "level": 0}} for pump in ids.values()),
            {"countdown": True},
            {"release": {"device_id": ids["Return pump"]}},
            {"release": {"device_id": ids["Wave pump"]}},
            {
                "wait": {
                    "device_id": ids["Return pump"],
                    "field_name": "level",
                    "above": 50,
                    "timeout": 30,
                }
            },
            {"delay": 3},
            {"release": {"device_id": ids["Skimmer"]}},
        ],
    }
    (entry,) = (
        entry
        for entry in await aquarium.client.entries("aquarist")
        if entry["source"] == "user"
    )
    async with aquarium.client.websocket() as websocket:
        await websocket.command(
            "aquarist/modes/update",
            aquarium=entry["entry_id"],
            mode="feed",
            definition=definition,
        )


async def _pumps(aquarium: LivingAquarium) -> list[tuple[str, Json]]:
    """Return the pumps with their names."""
    devices = await aquarium.devices()
    return [item for item in devices.items() if item[1]["kind"] == "pump"]


async def slid(visit: Visit, name: str, steps: int, key: str) -> None:
    """Move the slider of a tile by the keyboard, as somebody does who cannot use a mouse."""
    slider = visit.tile(name).get_by_role("slider")
    await slider.focus()
    for _ in range(steps):
        await slider.press(key)


async def test_feeding_stops_the_pumps_and_brings_them_back_in_stages(
    aquarium: LivingAquarium, artifacts: Path
) -> None:
    """Pressed in the page; the countdown shows, and survives a restart."""
    await demo.set_up(aquarium.client, aquarium.proxy, zone=demo.night())
    await own_feeding(aquarium)

    async with browsing(aquarium.client, height=900) as visit:
        await visit.open()
        await visit.says("Mode", "Normal")
        await visit.press("Feed")
        await visit.says("Mode", "Feed · Counting down")
        await visit.says("Return pump", "Off")
        await visit.says("Skimmer", "Off")
        await visit.screenshot(artifacts / "feeding.png")
        assert visit.errors == []
    for pump in (RETURN, SKIMMER):
        await aquarium.shows(pump, "off")
    await aquarium.shows(WAVE, "0.0")
    ends = (await aquarium.client.state(MODE_ENDS))["state"]
    left = datetime.fromisoformat(ends) - datetime.now(UTC)
    assert timedelta() < left <= timedelta(minutes=FEEDING_MINUTES)

    await aquarium.restart()

    await aquarium.shows(MODE, "feed")
    for pump in (RETURN, SKIMMER):
        assert (await aquarium.client.state(pump))["state"] == "off"
    await aquarium.shows(RETURN, "on")
    assert (await aquarium.client.state(SKIMMER))["state"] == "off"
    await aquarium.shows(WAVE, RESTS_AT)
    await aquarium.shows(SKIMMER, "on")
    await aquarium.shows(MODE, "normal")
    async with browsing(aquarium.client, height=900) as visit:
        await visit.open()
        await visit.says("Mode", "Normal")
        await visit.says("Return pump", "On")
        await visit.says("Skimmer", "On")
        assert visit.errors == []


async def test_a_slider_moved_by_hand_wins_and_gives_way(
    aquarium: LivingAquarium, artifacts: Path
) -> None:
    """Over a window of the plan: until that ends, and no longer."""
    await demo.set_up(aquarium.client, aquarium.proxy, zone=demo.night())
    wave = await uuid_of(aquarium, "Wave pump")
    held = window(wave, 20, 0, 15)
    await posted(aquarium, held)
    await aquarium.shows(WAVE, "20.0")

    async with browsing(aquarium.client, height=900) as visit:
        await visit.open()
        await visit.tile("Wave pump Level").wait_for()
        await slid(visit, "Wave pump Level", 5, "ArrowRight")

        async def moved() -> bool:
            state = (await aquarium.client.state(WAVE))["state"]
            return state not in ("20.0", RESTS_AT)

        await eventually(moved)
        await visit.screenshot(artifacts / "by-hand.png")
        assert visit.errors == []
    by_hand = (await aquarium.client.state(WAVE))["state"]
    assert float(by_hand) > 20
    assert await statuses(aquarium, held) == ["NEW_VALUE_SET"]

    await aquarium.shows(WAVE, RESTS_AT)

    async def over() -> bool:
        return await statuses(aquarium, held) == ["OLD_VALUE_RESTORED"]

    await eventually(over)
