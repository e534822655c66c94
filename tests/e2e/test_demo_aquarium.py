"""The demo aquarium in processes of its own: Home Assistant here, the Bluetooth proxy there.

Frames are compared with what the protocol page says, written down by hand.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from .instance import demo
from .living_aquarium import (
    DOSE_BUTTON,
    DOSED,
    DOSER_ADDRESS,
    LIGHT,
    LIGHT_ADDRESS,
    LivingAquarium,
    eventually,
)

pytestmark = pytest.mark.e2e

COLOURS = 4


def levels(written: list[str]) -> list[int]:
    """Return the levels that were written to the red channel."""
    return [int(data[14:16], 16) for data in written if data[10:14] == "0700"]


def in_seconds(seconds: float) -> str:
    """Return the instant so many seconds ahead."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def test_light_and_doser_are_discovered_beside_the_pumps(
    aquarium: LivingAquarium,
) -> None:
    """Both Bluetooth devices and the three pumps belong to the aquarium and can be reached."""
    devices = await aquarium.devices()

    kinds = {name: device["kind"] for name, device in devices.items()}
    assert kinds == {
        "Return pump": "pump",
        "Skimmer": "pump",
        "Wave pump": "pump",
        "Universal WRGB C0DE": "chihiros_light",
        "Dosing Pump C0D4": "chihiros_doser",
    }
    assert all(device["available"] for device in devices.values())
    assert len({device["aquarium"] for device in devices.values()}) == 1


async def test_turning_the_light_on_reaches_it_as_the_exact_frames(
    aquarium: LivingAquarium,
) -> None:
    """Status query, the clock twice, manual mode, then one frame a channel (1.3, 3.1)."""
    before = await aquarium.count_written(LIGHT_ADDRESS)

    await aquarium.client.call(
        "light", "turn_on", {"entity_id": LIGHT, "brightness_pct": 60}
    )

    status, *clock, manual, red, green, blue, white = await aquarium.written(
        LIGHT_ADDRESS, before
    )
    assert status == "5a01060001040103"
    assert [data[:6] + data[10:12] for data in clock] == ["5a010b09", "5a010b09"]
    assert manual == "5a01080004050bffff03"
    assert red == "5a0107000507003c38"
    assert green == "5a0107000607013c3a"
    assert blue == "5a0107000707023c38"
    assert white == "5a0107000807033c36"
    assert (await aquarium.peripheral(LIGHT_ADDRESS))["channels"] == [60] * COLOURS
    shown = await aquarium.shows(LIGHT, "on")
    assert shown["attributes"]["brightness"] == round(0.6 * 255)


async def test_a_dose_comes_back_as_a_finished_command_and_a_raised_counter(
    aquarium: LivingAquarium,
) -> None:
    """The button's frame arrives once; the pump's `22` ends the command (4.2, 4.3)."""
    volume = DOSE_BUTTON.replace("button", "number").replace("_now", "_volume")
    await aquarium.client.call(
        "number", "set_value", {"entity_id": volume, "value": 1.5}
    )
    before = await aquarium.count_written(DOSER_ADDRESS)

    async with aquarium.client.websocket() as websocket:
        events = await websocket.subscribe("aquarist/commands/subscribe")
        await aquarium.client.call("button", "press", {"entity_id": DOSE_BUTTON})
        statuses = []
        async with asyncio.timeout(20):
            while "success" not in statuses:
                record = await events.get()
                assert record["action"] == "dose"
                statuses.append(record["status"])

    assert statuses == ["pending", "running", "success"]
    assert record["result"] == {"head_index": 0, "volume_ml": 1.5, "given_ml": 1.5}
    written = await aquarium.written(DOSER_ADDRESS, before)
    # The prelude has five frames, then the totals are asked for: the dose is the eighth.
    assert [data for data in written if data[10:12] == "1b"] == [
        "a5010a00081b000000000f17"
    ]
    (head, *others) = (await aquarium.peripheral(DOSER_ADDRESS))["heads"]
    assert head["delivered"] == head["lifetime"] == 1500
    assert not any(other["delivered"] for other in others)
    await aquarium.shows(DOSED, "1.5")
    event = DOSE_BUTTON.replace("button", "event").replace("dose_now", "dose_result")
    assert (await aquarium.client.state(event))["attributes"]["event_type"] == "given"


async def test_a_feeding_pause_ends_by_itself(aquarium: LivingAquarium) -> None:
    """A plan for once turns the pumps off for some seconds; then they are as before."""
    devices = await aquarium.devices()
    pumps = [one for one in devices.values() if one["kind"] == "pump"]
    starts = datetime.now(UTC) + timedelta(seconds=2)

    await aquarium.client.call(
        "aquarist",
        "create_schedule",
        {
            "name": "Feeding",
            "device_ids": [pump["device_id"] for pump in pumps],
            "schedule_type": "one_off",
            "start_time": starts.isoformat(),
            "action_type": "off",
            "action_params": {"duration": 4},
        },
    )

    await aquarium.shows("input_boolean.return_pump", "off")
    await aquarium.shows("input_boolean.skimmer", "off")
    await aquarium.shows("input_number.wave_pump", "0.0")
    assert starts <= datetime.now(UTC) < starts + timedelta(seconds=4)
    await aquarium.shows("input_boolean.return_pump", "on")
    await aquarium.shows("input_boolean.skimmer", "on")
    await aquarium.shows("input_number.wave_pump", "60.0")
    assert datetime.now(UTC) >= starts + timedelta(seconds=4)
    event = await aquarium.shows_attribute(
        "event.living_room_occurrence", "event_type", "ran"
    )
    assert event["attributes"]["schedule"] == "Feeding"


async def test_a_ramp_moves_the_light(aquarium: LivingAquarium) -> None:
    """It climbs without a step back and stays at its end."""
    before = await aquarium.count_written(LIGHT_ADDRESS)

    await aquarium.send(LIGHT_ADDRESS, "ramp", start_level=0, end_level=80, duration=5)

    async def arrived() -> bool:
        return (await aquarium.peripheral(LIGHT_ADDRESS))["channels"] == [80] * COLOURS

    await eventually(arrived)
    reds = levels(await aquarium.written(LIGHT_ADDRESS, before))
    assert len(reds) >= 4
    assert reds == sorted(reds)
    assert reds[-1] == 80
    await aquarium.shows(LIGHT, "on")


async def test_a_restart_in_the_middle_loses_nothing_and_repeats_nothing(
    aquarium: LivingAquarium,
) -> None:
    """Dose, ramp and feeding pause under way are carried on by the next Home Assistant."""
    ramp = {"start_level": 0, "end_level": 100, "duration": 20}
    await aquarium.send(LIGHT_ADDRESS, "ramp", **ramp)
    pause = await aquarium.client.ask(
        "aquarist",
        "create_write_action",
        {
            "device_id": (await aquarium.devices())["Return pump"]["device_id"],
            "field_name": "level",
            "value": 0,
            "start_timestamp": in_seconds(0),
            "end_timestamp": in_seconds(15),
        },
    )
    await aquarium.shows("input_boolean.return_pump", "off")
    await aquarium.client.call("button", "press", {"entity_id": DOSE_BUTTON})

    await aquarium.restart()

    await aquarium.shows("input_boolean.return_pump", "off")
    before = await aquarium.count_written(LIGHT_ADDRESS)

    async def ended() -> bool:
        return all(one["completed_at"] for one in await aquarium.commands())

    await eventually(ended, timeout_seconds=60)
    await aquarium.shows("input_boolean.return_pump", "on")
    commands = {one["action"]: one for one in await aquarium.commands()}
    assert commands["ramp"]["status"] == "success"
    assert commands["write_action"]["status"] == "success"
    assert commands["write_action"]["id"] == pause["action_id"]
    assert commands["dose"]["error_code"] in (None, "interrupted")
    reds = levels(await aquarium.written(LIGHT_ADDRESS, before))
    assert reds == sorted(reds)
    assert (await aquarium.peripheral(LIGHT_ADDRESS))["channels"] == [100] * COLOURS
    written = await aquarium.written(DOSER_ADDRESS)
    assert len([data for data in written if data[10:12] == "1b"]) == 1
    assert (await aquarium.peripheral(DOSER_ADDRESS))["heads"][0]["delivered"] == 1000
    await aquarium.shows(DOSED, "1.0")


async def test_the_day_is_planned_once(
    aquarium: LivingAquarium,
) -> None:
    """Setting the demo up again adds nothing, and brings nothing back that was deleted."""
    plan = [
        "Dawn",
        "Dusk",
        "Evening phosphate",
        "Feeding pause",
        "Morning iron",
        "Noon nitrate",
    ]

    await demo.set_up(aquarium.client, aquarium.proxy, zone=demo.night())
    schedules = await aquarium.schedules()
    assert sorted(one["name"] for one in schedules) == plan
    assert all(one["next_run"] for one in schedules)
    await aquarium.client.call(
        "aquarist", "delete_schedule", {"schedule_id": schedules[0]["id"]}
    )
    await demo.set_up(aquarium.client, aquarium.proxy, zone=demo.night())

    assert len(await aquarium.schedules()) == len(plan) - 1
    assert len(await aquarium.devices()) == 5
