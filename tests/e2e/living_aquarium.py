"""A running Home Assistant with the demo aquarium, and what its devices really did."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from . import smoke
from .instance import Client, Instance, Proxy, demo
from .instance.client import Json

LIGHT_ADDRESS = "D0:BE:5A:10:C0:DE"
DOSER_ADDRESS = "D0:5E:5A:10:C0:D4"
LIGHT = "light.universal_wrgb_c0de"
DOSE_BUTTON = "button.dosing_pump_c0d4_head_1_dose_now"
DOSED = "sensor.dosing_pump_c0d4_head_1_dosed_in_24_hours"
PATIENCE = 30.0


async def eventually[T](
    probe: Callable[[], Awaitable[T]], *, timeout_seconds: float = PATIENCE
) -> T:
    """Return the first truthy answer of a probe; raises AssertionError with the last one."""
    answer: T | None = None
    try:
        async with asyncio.timeout(timeout_seconds):
            while not (answer := await probe()):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not in {timeout_seconds} s: {answer!r}") from None
    return answer


@dataclass(slots=True, kw_only=True)
class LivingAquarium:
    """One Home Assistant with a proxy beside it, through restarts."""

    instance: Instance
    proxy: Proxy
    session: aiohttp.ClientSession
    client: Client

    async def restart(self, *, kill: bool = False) -> None:
        """Stop or kill Home Assistant and start it again on the same folder."""
        if kill:
            await self.instance.kill()
        else:
            assert await self.instance.stop() == 0
        self.instance.start()
        self.client = await self.instance.ready(self.session)

    async def are_on_disk(self, *addresses: str) -> None:
        """Wait until Home Assistant, which takes its time, has the entries of devices on disk."""
        path = self.instance.folder / ".storage" / "core.config_entries"

        async def stored() -> bool:
            return path.exists() and all(one in path.read_text() for one in addresses)

        await eventually(stored)

    async def peripheral(self, address: str) -> Json:
        """Return what a simulated device says of itself: the truth."""
        devices = (await self.proxy.command("state"))["devices"]
        return next(device for device in devices if device["address"] == address)

    async def written(self, address: str, since: int = 0) -> list[str]:
        """Return what arrived at a simulated device from a count on, in hexadecimal."""
        log = await self.proxy.command("writes", device=address, since=since)
        return [written["data"] for written in log["writes"]]

    async def count_written(self, address: str) -> int:
        """Return how many frames arrived at a simulated device so far."""
        return len(await self.written(address))

    async def devices(self) -> dict[str, Json]:
        """Return Aquarist's devices by name."""
        async with self.client.websocket() as websocket:
            found = (await websocket.command("aquarist/devices/list"))["devices"]
        return {device["name"]: device for device in found}

    async def schedules(self) -> list[Json]:
        """Return the schedules."""
        async with self.client.websocket() as websocket:
            answer = await websocket.command("aquarist/schedules/list")
        schedules: list[Json] = answer["schedules"]
        return schedules

    async def commands(self) -> list[Json]:
        """Return the newest hundred command records, the newest first."""
        async with self.client.websocket() as websocket:
            answer = await websocket.command("aquarist/commands/list", limit=100)
        commands: list[Json] = answer["commands"]
        return commands

    async def send(self, device: str | int, action: str, **arguments: Any) -> Json:
        """Have a device do something; returns the record as it was accepted."""
        data = {"device_id": device, "action": action, "args": arguments}
        return await self.client.ask("aquarist", "send_command", data)

    async def shows(
        self, entity_id: str, state: str, *, timeout_seconds: float = PATIENCE
    ) -> Json:
        """Wait until an entity has a state; returns it with its attributes."""
        return await self._shown(
            entity_id, lambda shown: bool(shown["state"] == state), timeout_seconds
        )

    async def shows_attribute(
        self,
        entity_id: str,
        name: str,
        value: object,
        *,
        timeout_seconds: float = PATIENCE,
    ) -> Json:
        """Wait until an entity has an attribute of that value; returns its state."""
        return await self._shown(
            entity_id,
            lambda shown: bool(shown["attributes"].get(name) == value),
            timeout_seconds,
        )

    async def _shown(
        self, entity_id: str, wanted: Callable[[Json], bool], timeout_seconds: float
    ) -> Json:
        """Wait until the state of an entity is the one that is wanted."""
        shown: Json = {}
        try:
            async with asyncio.timeout(timeout_seconds):
                while not wanted(shown := await self.client.state(entity_id)):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"not in {timeout_seconds} s: {shown}") from None
        return shown

    def complaints(self) -> list[str]:
        """Return the log's entries of level warning or above that are about Aquarist."""
        return complaints(self.instance.log())


def complaints(log: str) -> list[str]:
    """Return the entries of level warning or above that have to do with Aquarist."""
    entries = smoke.complaints(log, ("WARNING", *smoke.BAD))
    # Home Assistant warns of each custom integration, whatever it is.
    return [one for one in entries if "We found a custom integration" not in one]


async def started(
    instance: Instance,
    proxy: Proxy,
    session: aiohttp.ClientSession,
    *,
    count: int = demo.DEVICES,
) -> LivingAquarium:
    """Start Home Assistant and add the demo aquarium without its plan for the day.

    `count` is how many devices the proxy lets Home Assistant discover.
    """
    instance.start()
    client = await instance.ready(session)
    aquarium = await demo.add_aquarium(client)
    await demo.add_proxy(client, proxy)
    await demo.add_discovered(client, aquarium, count=count)
    return LivingAquarium(
        instance=instance, proxy=proxy, session=session, client=client
    )
