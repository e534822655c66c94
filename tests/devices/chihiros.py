"""Chihiros devices over a simulated link: real models, real protocol, time that jumps."""

import asyncio
from datetime import UTC, datetime

from custom_components.aquarist.ble.link import Link
from custom_components.aquarist.ble.session import LinkSettings
from custom_components.aquarist.ble.simulated_transport import SimulatedTransport
from custom_components.aquarist.chihiros.lights import CurveFamily
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.devices.chihiros_doser import ChihirosDoser
from custom_components.aquarist.devices.chihiros_light import ChihirosLight
from custom_components.aquarist.simulator.clock import LoopClock
from custom_components.aquarist.simulator.doser import DoserModel
from custom_components.aquarist.simulator.light import LightModel
from custom_components.aquarist.simulator.peripheral import Peripheral

from .listening import Recorder

ADDRESS = "EE:43:AD:53:AD:80"
CHANNELS = {"red": 0, "green": 1, "blue": 2, "white": 3}
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class WallClock:
    """Local time that starts at a given instant and runs with the loop."""

    def __init__(self, start: datetime = NOON) -> None:
        """Start now."""
        self._loop = asyncio.get_running_loop()
        self._offset = start.timestamp() - self._loop.time()

    def __call__(self) -> datetime:
        """Return the local time now."""
        return datetime.fromtimestamp(self._loop.time() + self._offset, UTC)


class LightOnAir:
    """A light, the model behind it and its listener."""

    def __init__(self, curve: CurveFamily | None = CurveFamily.SEA) -> None:
        """Switch the model on; must be made inside the loop."""
        self.model = LightModel(LoopClock(asyncio.get_running_loop()), address=ADDRESS)
        self.clock = WallClock()
        self.link = link_to(self.model, DeviceFamily.LIGHT, self.clock)
        self.device = ChihirosLight(
            self.link,
            uuid="u",
            name="Light",
            address=ADDRESS,
            channels=CHANNELS,
            local_time=self.clock,
            curve=curve,
        )
        self.recorder = Recorder()
        self.device.listen(self.recorder)

    def commands(self) -> list[tuple[int, int, bytes]]:
        """Return what was written after the last clock of a prelude: group, mode, parameters."""
        return commands(self.model)


class DoserOnAir:
    """A doser of four heads, the model behind it and its listener."""

    def __init__(
        self,
        *,
        start: datetime = NOON,
        lifetime: tuple[int, ...] = (),
        heads: int = 4,
        live_counters: bool = True,
    ) -> None:
        """Switch the model on; must be made inside the loop."""
        self.model = DoserModel(
            LoopClock(asyncio.get_running_loop()),
            address=ADDRESS,
            lifetime=lifetime,
            heads=heads,
            live_counters=live_counters,
        )
        self.clock = WallClock(start)
        self.link = link_to(self.model, DeviceFamily.DOSER, self.clock)
        self.device = ChihirosDoser(
            self.link,
            uuid="u",
            name="Doser",
            address=ADDRESS,
            head_names=[f"Head {number + 1}" for number in range(heads)],
            local_time=self.clock,
        )
        self.recorder = Recorder()
        self.device.listen(self.recorder)

    def doses(self) -> list[bytes]:
        """Return the parameters of all dose frames that arrived."""
        return [
            parameters
            for group, mode, parameters in commands(self.model)
            if (group, mode) == (0xA5, 0x1B)
        ]


def link_to(model: Peripheral, family: DeviceFamily, clock: WallClock) -> Link:
    """Return a link over a simulated transport."""
    return Link(SimulatedTransport(model), family, clock, LinkSettings())


def commands(model: Peripheral) -> list[tuple[int, int, bytes]]:
    """Return all whole frames that arrived: group, mode, parameters."""
    return [
        (frame.data[0], frame.data[5], frame.data[6:-1])
        for frame in model.write_log
        if len(frame.data) > 6
    ]
