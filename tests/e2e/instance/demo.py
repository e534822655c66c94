"""The demo aquarium, set up as a keeper would do it: through the flows."""

import asyncio
from typing import Any

from .client import Client
from .proxy import Proxy

DEVICES = 2
"""How many devices the proxy lets Home Assistant discover: a light and a doser."""


async def add_proxy(client: Client, proxy: Proxy) -> None:
    """Let Home Assistant use the Bluetooth proxy, unless it does already."""
    if await client.entries("esphome"):
        return
    answers = {"user": {"host": "127.0.0.1", "port": proxy.port}}
    await client.flow("esphome", answers)


async def add_discovered(client: Client, *, timeout_seconds: float = 60) -> None:
    """Add every device that Aquarist discovers, until light and doser are there."""
    async with asyncio.timeout(timeout_seconds):
        while len(await _device_entries(client)) < DEVICES:
            for flow in await client.discoveries("aquarist"):
                await client.go_on(flow["flow_id"], DISCOVERY_ANSWERS)
            await asyncio.sleep(0.2)


async def _device_entries(client: Client) -> list[dict[str, Any]]:
    """Return the entries of Aquarist that are devices."""
    entries = await client.entries("aquarist")
    return [entry for entry in entries if entry["source"] == "bluetooth"]


# What Aquarist's own flows ask, step by step.
DISCOVERY_ANSWERS: dict[str, dict[str, Any]] = {"bluetooth_confirm": {}}
AQUARIUM_ANSWERS: dict[str, dict[str, Any]] = {
    "user": {"next_step_id": "aquarium"},
    "aquarium": {"name": "Living room"},
}
SIMULATED_ANSWERS: dict[str, dict[str, Any]] = {
    "user": {"next_step_id": "demo"},
    "demo": {},
}
PUMPS: list[dict[str, Any]] = [
    {"name": "Return pump", "entity_id": "input_boolean.return_pump"},
    {"name": "Skimmer", "entity_id": "input_boolean.skimmer"},
    {"name": "Wave pump", "entity_id": "input_number.wave_pump"},
]


async def add_aquarium(client: Client) -> str:
    """Add the aquarium with its pumps; return the id of its entry."""
    result = await client.flow("aquarist", AQUARIUM_ANSWERS)
    entry_id: str = result["result"]["entry_id"]
    for pump in PUMPS:
        await client.subentry(entry_id, "pump", {"user": pump})
    return entry_id


async def set_up(client: Client, proxy: Proxy) -> None:
    """Set up proxy, light, doser and aquarium; what is there already stays."""
    await add_proxy(client, proxy)
    await add_discovered(client)
    if len(await client.entries("aquarist")) == DEVICES:
        await add_aquarium(client)
