"""A link to a simulated device in a loop whose time jumps, and what the tests ask of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from custom_components.aquarist.ble.errors import LinkError, Reason
from custom_components.aquarist.ble.link import Link
from custom_components.aquarist.ble.session import LinkSettings
from custom_components.aquarist.ble.simulated_transport import SimulatedTransport
from custom_components.aquarist.chihiros.frames import Frame, parse
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.chihiros.notifications import Notification
from custom_components.aquarist.simulator.clock import LoopClock
from custom_components.aquarist.simulator.doser import DoserModel
from custom_components.aquarist.simulator.light import LightModel

LIGHT_ADDRESS = "D0:BE:5A:10:C0:DE"
DOSER_ADDRESS = "D0:5E:5A:10:C0:D4"
BERLIN = ZoneInfo("Europe/Berlin")
# A Wednesday.
BEGIN = datetime(2026, 7, 1, 12, 0, tzinfo=BERLIN)


class Rig:
    """The device, its link, and everything that the link told."""

    def __init__(
        self,
        family: DeviceFamily = DeviceFamily.LIGHT,
        *,
        begin: datetime = BEGIN,
        settings: LinkSettings | None = None,
    ) -> None:
        """Make a device that advertises and a link that is not connected."""
        self.loop = asyncio.get_running_loop()
        clock = LoopClock(self.loop)
        self._zero = self.loop.time()
        self._begin = begin
        self.device: LightModel | DoserModel = (
            DoserModel(clock, address=DOSER_ADDRESS)
            if family is DeviceFamily.DOSER
            else LightModel(clock, address=LIGHT_ADDRESS)
        )
        self.transport = SimulatedTransport(self.device)
        self.link = Link(
            self.transport, family, self.local_time, settings, name="tank light"
        )
        self.events: list[str] = []
        self.heard: list[Notification] = []
        self.link.on_notification(self.heard.append)
        self.link.on_connected(lambda: self.events.append("connected"))
        self.link.on_dropped(lambda: self.events.append("dropped"))
        self.link.on_availability(
            lambda available: self.events.append(
                "available" if available else "unavailable"
            )
        )

    @property
    def frames(self) -> list[Frame]:
        """Return the frames that arrived at the device."""
        return [parse(written.data) for written in self.device.write_log]

    @property
    def modes(self) -> list[tuple[int, int]]:
        """Return group and mode of each frame that arrived."""
        return [(frame.group, frame.mode) for frame in self.frames]

    def elapsed(self) -> float:
        """Return the seconds since the rig was made."""
        return self.loop.time() - self._zero

    def local_time(self) -> datetime:
        """Return the local wall-clock time, which runs with the loop; arithmetic in UTC, as DST may change."""
        at = self._begin.timestamp() + self.elapsed()
        return datetime.fromtimestamp(at, BERLIN)

    async def connect(self) -> None:
        """Connect and go idle."""
        async with self.link.lease():
            pass

    async def reason(self, *, urgent: bool = False) -> Reason:
        """Return why no lease is to be had."""
        try:
            async with self.link.lease(urgent=urgent):
                raise AssertionError("a lease was given")
        except LinkError as error:
            return error.reason


@asynccontextmanager
async def rig(
    family: DeviceFamily = DeviceFamily.LIGHT,
    *,
    begin: datetime = BEGIN,
    settings: LinkSettings | None = None,
) -> AsyncIterator[Rig]:
    """Give a rig and close its link."""
    made = Rig(family, begin=begin, settings=settings)
    try:
        yield made
    finally:
        await made.link.close()


async def until(condition: Callable[[], bool], limit: float = 600.0) -> None:
    """Let the time pass until a condition holds; it must within ``limit`` seconds."""
    async with asyncio.timeout(limit):
        while not condition():
            await asyncio.sleep(0.01)
