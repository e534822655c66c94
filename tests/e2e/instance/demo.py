"""The demo aquarium, set up as a keeper would do it: through the flows."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from custom_components.aquarist.demo import day_plan

from .client import Client
from .dashboard import FILLED_HEADS, HEAD, add_dashboard
from .proxy import Proxy

type Answers = dict[str, dict[str, Any]]

CONTAINER_ML = 500
NIGHT_HOUR = 2
DEVICES = 2
"""How many devices the proxy lets Home Assistant discover: a light and a doser."""


async def add_proxy(client: Client, proxy: Proxy) -> None:
    """Let Home Assistant use the Bluetooth proxy, unless it does already."""
    if await client.entries("esphome"):
        return
    answers = {"user": {"host": "127.0.0.1", "port": proxy.port}}
    await client.flow("esphome", answers)


async def add_discovered(
    client: Client, aquarium: str, *, count: int = DEVICES, timeout_seconds: float = 60
) -> None:
    """Add every device that Aquarist discovers, until so many are there."""
    async with asyncio.timeout(timeout_seconds):
        while len(await _device_entries(client)) < count:
            for flow in await client.discoveries("aquarist"):
                await client.go_on(flow["flow_id"], discovery_answers(aquarium))
            await asyncio.sleep(0.2)


async def _device_entries(client: Client) -> list[dict[str, Any]]:
    """Return the entries of Aquarist that are devices."""
    entries = await client.entries("aquarist")
    return [entry for entry in entries if entry["source"] == "bluetooth"]


async def add_aquarium(client: Client, *, timeout_seconds: float = 20) -> str:
    """Add the aquarium with its pumps, unless it is there; return the id of its entry."""
    for entry in await client.entries("aquarist"):
        if entry["source"] == "user":
            found: str = entry["entry_id"]
            return found
    result = await client.flow("aquarist", AQUARIUM_ANSWERS)
    entry_id: str = result["result"]["entry_id"]
    for pump in PUMPS:
        await client.subentry(entry_id, "pump", pump)
    async with asyncio.timeout(timeout_seconds):
        # A flow ends before its device has been attached.
        while len((await devices(client)).get("pump", [])) < len(PUMPS):
            await asyncio.sleep(0.05)
    return entry_id


async def devices(client: Client) -> dict[str, list[int]]:
    """Return the numbers of Aquarist's devices by their kind."""
    async with client.websocket() as websocket:
        found = (await websocket.command("aquarist/devices/list"))["devices"]
    numbers: dict[str, list[int]] = {}
    for device in found:
        numbers.setdefault(device["kind"], []).append(device["number"])
    return numbers


def night() -> str:
    """Return a time zone in which it is night: nothing of the demo day is due for hours."""
    ahead = (NIGHT_HOUR - datetime.now(UTC).hour + 12) % 24 - 12
    # These names count the other way round.
    return f"Etc/GMT{-ahead:+d}"


async def add_plan(client: Client, *, zone: str | None = None) -> None:
    """Give the aquarium its day, unless it has schedules already.

    By the clock of a time zone, that of Home Assistant unless given.
    """
    async with client.websocket() as websocket:
        if (await websocket.command("aquarist/schedules/list"))["schedules"]:
            return
    numbers = await devices(client)
    zone = zone or (await client.get("config"))["time_zone"]
    for definition in day_plan(
        numbers["chihiros_light"], numbers["chihiros_doser"], numbers["pump"], zone
    ):
        await client.call("aquarist", "create_schedule", definition)


async def add_welcome(client: Client) -> None:
    """Let the next minutes show what a day brings: sunrise, a dose, a feeding pause."""
    numbers = await devices(client)
    begin = datetime.now(UTC)
    for name, after, kind, action, params in (
        (
            "Welcome, sunrise",
            15,
            "chihiros_light",
            "ramp",
            {"start_level": 5, "end_level": 80, "duration": 120},
        ),
        (
            "Welcome, a dose",
            45,
            "chihiros_doser",
            "dose",
            {"head_index": 0, "volume_ml": 2},
        ),
        ("Welcome, feeding pause", 75, "pump", "off", {"duration": 30}),
    ):
        definition = {
            "name": name,
            "device_ids": numbers[kind],
            "schedule_type": "one_off",
            "start_time": (begin + timedelta(seconds=after)).isoformat(),
            "action_type": action,
            "action_params": params,
        }
        await client.call("aquarist", "create_schedule", definition)


async def add_containers(client: Client) -> None:
    """Give the heads that the plan doses with full containers, unless they have some."""
    for number in FILLED_HEADS:
        size = f"number.{HEAD.format(number=number)}_container_size"
        if (await client.state(size))["state"] == "unknown":
            value = {"entity_id": size, "value": CONTAINER_ML}
            await client.call("number", "set_value", value)


async def set_up(client: Client, proxy: Proxy, *, zone: str | None = None) -> None:
    """Set up the aquarium, its plan and its page; what is there already stays.

    The plan goes by the clock of a time zone, that of Home Assistant unless given.
    """
    aquarium = await add_aquarium(client)
    await add_proxy(client, proxy)
    await add_discovered(client, aquarium)
    await add_plan(client, zone=zone)
    await add_containers(client)
    await add_dashboard(client)


# What Aquarist's own flows ask, step by step.
AQUARIUM_ANSWERS: Answers = {
    "user": {"next_step_id": "aquarium"},
    "aquarium": {"name": "Living room"},
}
SIMULATED_ANSWERS: Answers = {"user": {"next_step_id": "demo"}}


def discovery_answers(aquarium: str) -> Answers:
    """Return what a keeper answers for a discovered light or four-headed doser."""
    return {
        "light": {"aquarium": aquarium},
        "doser": {"heads": "4", "aquarium": aquarium},
    }


def _pump(name: str, entity_id: str, **limits: float) -> Answers:
    """Return what a keeper answers for a pump."""
    return {"device": {"name": name, "entity_id": entity_id}, "limits": limits}


PUMPS: list[Answers] = [
    _pump("Return pump", "input_boolean.return_pump", safe_level=100),
    _pump("Skimmer", "input_boolean.skimmer", safe_level=0),
    _pump("Wave pump", "input_number.wave_pump", safe_level=0),
]
