"""Chihiros devices on a simulated link whose memory the engine writes."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from custom_components.aquarist.ble.link import Link
from custom_components.aquarist.ble.session import LinkSettings
from custom_components.aquarist.ble.simulated_transport import SimulatedTransport
from custom_components.aquarist.chihiros.lights import CurveFamily
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.devices.chihiros_doser import ChihirosDoser
from custom_components.aquarist.devices.chihiros_light import ChihirosLight
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.simulator.clock import LoopClock
from custom_components.aquarist.simulator.doser import DoserModel
from custom_components.aquarist.simulator.light import LightModel
from custom_components.aquarist.simulator.peripheral import Peripheral
from tests.engine.rig import SERVICE, Rig

QUICK = LinkSettings(idle_hold=0.05, write_pause=0, answer_timeout=0.2, drop_grace=0.2)
SCHEDULE = {"head_index": 0, "volume_tenths_ml": 50, "hour": 8, "minute": 30}
HOURLY = {"head_index": 0, "mode": "every_hour", "volume_tenths_ml": 240}
MORNING = {"sunrise": "08:00", "sunset": "12:00", "channels": [80, 40]}
EVENING = {"sunrise": "18:00", "sunset": "21:00", "brightness": 30}


def local_time() -> datetime:
    """Give the devices' wall clock: a Tuesday at one o'clock."""
    return datetime(2026, 3, 10, 13, tzinfo=UTC)


class MemoryBench:
    """A simulated pump and light, and devices that reach them, again after each restart."""

    def __init__(self, *, keeps_memory: bool = True) -> None:
        """Switch both on."""
        self._links: list[Link] = []
        self.clock = LoopClock(asyncio.get_running_loop())
        self.pump = DoserModel(
            self.clock, address="02:AA:00:00:00:01", keeps_memory=keeps_memory
        )
        self.lamp = LightModel(
            self.clock,
            address="02:AA:00:00:00:02",
            channels=2,
            keeps_memory=keeps_memory,
        )

    def doser(self) -> ChihirosDoser:
        """Give a doser over a new link."""
        return ChihirosDoser(
            self._link(self.pump, DeviceFamily.DOSER),
            uuid="uuid-doser",
            name="Doser",
            address=self.pump.address,
            head_names=["One", "Two", "Three", "Four"],
            local_time=local_time,
        )

    def light(self) -> ChihirosLight:
        """Give a light over a new link."""
        return ChihirosLight(
            self._link(self.lamp, DeviceFamily.LIGHT),
            uuid="uuid-light",
            name="Light",
            address=self.lamp.address,
            channels={"red": 0, "white": 1},
            local_time=local_time,
            curve=CurveFamily.SEA,
        )

    def programme(self, head: int = 0) -> dict[str, Any]:
        """Return what the pump really keeps for a head."""
        return self.pump.heads[head].programme.as_json()

    def windows(self) -> Any:
        """Return what the light really keeps."""
        return self.lamp.state()["windows"]

    async def left_alone(self, rig: Rig) -> None:
        """Wait until nothing is done at the devices and their links were let go."""
        await rig.settle()
        await until(
            rig,
            lambda: (
                not any(link.connected for link in self._links)
                and all(device.queue.idle for device in rig.engine.devices.values())
            ),
        )

    def _link(self, model: Peripheral, family: DeviceFamily) -> Link:
        """Return a new link to a model."""
        link = Link(SimulatedTransport(model), family, local_time, QUICK)
        self._links.append(link)
        return link


type Benches = Callable[..., MemoryBench]


async def write(
    rig: Rig, state: DeviceState, action: str, args: dict[str, Any], **more: Any
) -> Command:
    """Have something written and return how that ended."""
    return await rig.done(await rig.engine.send(state, action, args, SERVICE, **more))


def content(rig: Rig) -> Any:
    """Return what the engine knows of all memories."""
    return rig.engine.device_memory.content


async def until(rig: Rig, condition: Callable[[], bool]) -> None:
    """Wait for something that real devices bring about."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)
    await rig.settle()
