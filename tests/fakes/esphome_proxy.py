"""A simulated ESPHome Bluetooth proxy over TCP: what a user's ESP32 is to Home Assistant.

    python -m tests.fakes.esphome_proxy --port N --control-port M
        [--light NAME/ADDRESS] [--doser NAME/ADDRESS] [--state-file FILE] [--slots N]
        [--lifetime ML] [--lifetime-end stick|wrap]

Without devices named it has one light and one doser. All heads of its dosers have pumped ML before. Everything listens on 127.0.0.1 only. With a
state file the devices live on across a restart. `proxy_control` tells what the second port can do.
"""

import argparse
import asyncio
from pathlib import Path
import signal

from custom_components.aquarist.simulator.clock import LoopClock
from custom_components.aquarist.simulator.doser import DoserModel, LifetimeEnd
from custom_components.aquarist.simulator.faults import FaultName
from custom_components.aquarist.simulator.light import LightModel
from custom_components.aquarist.simulator.programme import MILLILITRE

from . import gatt_table
from .esphome_session import DeviceLink, Session, address_number
from .esphome_wire import Message, pb
from .gatt_table import CURRENT, Table
from .proxy_control import serve_control
from .stage import ResumedClock, Stage

HOST = "127.0.0.1"
BEACON_EVERY = 1.0
DEFAULT_LIGHT = "DYU1000D0BE5A10C0DE/D0:BE:5A:10:C0:DE"
DEFAULT_DOSER = "DYDOSED05E5A10C0D4/D0:5E:5A:10:C0:D4"
HEADS = 4
# Stands in the list of connections for those of somebody else.
FOREIGN = 0xFE0000000000


class EsphomeProxy:
    """The proxy: its devices, its few connections, and the clients of its API."""

    def __init__(
        self,
        stage: Stage,
        *,
        name: str = "aquarium-proxy",
        mac: str = "AA:BB:CC:00:00:01",
        bluetooth_mac: str = "AA:BB:CC:00:00:02",
        slots: int = 3,
    ) -> None:
        """Take the stage with the devices within reach; MACs must be unique among proxies."""
        self.stage = stage
        self.name = name
        self.mac = mac
        self.bluetooth_mac = bluetooth_mac
        self.slots = slots
        self.tables: dict[str, Table] = {}
        self.links: dict[int, DeviceLink] = {}
        self.sessions: set[Session] = set()
        # What was written, or subscribed to, beside the frames: (address, handle).
        self.touched: list[tuple[str, int]] = []
        self._server: asyncio.Server | None = None
        self._beacon: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        """Return the port on which the API listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def free(self) -> int:
        """Return how many connections are left; none while a device's fault says so."""
        faulty = any(
            device.faults.find(FaultName.OUT_OF_SLOTS) is not None
            for device in self.stage.devices.values()
        )
        return 0 if faulty else max(0, self.slots - len(self.links))

    async def start(self, port: int = 0, *, beacon: float | None = None) -> None:
        """Listen on 127.0.0.1, and let the devices advertise every ``beacon`` seconds."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Session(self), HOST, port)
        if beacon is not None:
            self._advertise_every(beacon)

    async def stop(self) -> None:
        """Close everything."""
        if self._beacon is not None:
            self._beacon.cancel()
        self.reboot()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def reboot(self) -> None:
        """Lose all clients and all connections, as an ESP32 that restarts does."""
        for link in list(self.links.values()):
            link.connection.disconnect()
        self.links.clear()
        for session in list(self.sessions):
            session.abort()

    def advertise(self) -> None:
        """Hand over what the devices advertise now."""
        heard = [
            pb.BluetoothLERawAdvertisement(
                address=address_number(device.address),
                rssi=device.rssi,
                address_type=1,
                data=gatt_table.advertisement(
                    device.name, self.table(device.address)[-1].uuid
                ),
            )
            for device in self.stage.devices.values()
            if device.advertising
        ]
        if heard:
            message = pb.BluetoothLERawAdvertisementsResponse(advertisements=heard)
            for session in self.sessions:
                if session.wants_advertisements:
                    session.send(message)

    def push_slots(self) -> None:
        """Tell all clients how many connections are left."""
        for session in self.sessions:
            session.send(self.slots_message())

    def slots_message(self) -> Message:
        """Return how many connections are left; those in use are listed, all of them."""
        used = self.slots - self.free
        others = [FOREIGN + number for number in range(max(0, used - len(self.links)))]
        return pb.BluetoothConnectionsFreeResponse(
            free=self.free, limit=self.slots, allocated=[*self.links, *others]
        )

    def table(self, address: str) -> Table:
        """Return what a device offers."""
        return self.tables.get(address, CURRENT)

    def _advertise_every(self, seconds: float) -> None:
        """Advertise now and again and again."""
        self.advertise()
        loop = asyncio.get_running_loop()
        self._beacon = loop.call_later(seconds, self._advertise_every, seconds)


def _options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.esphome_proxy")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--light", action="append", default=[], metavar="NAME/ADDRESS")
    parser.add_argument("--doser", action="append", default=[], metavar="NAME/ADDRESS")
    parser.add_argument("--state-file", type=Path)
    parser.add_argument("--slots", type=int, default=3)
    parser.add_argument("--lifetime", type=float, default=0, metavar="ML")
    parser.add_argument("--lifetime-end", type=LifetimeEnd, default=LifetimeEnd.STICK)
    options = parser.parse_args()
    if not options.light and not options.doser:
        options.light, options.doser = [DEFAULT_LIGHT], [DEFAULT_DOSER]
    return options


async def _main(options: argparse.Namespace) -> None:
    """Run until told to end."""
    loop = asyncio.get_running_loop()
    live = LoopClock(loop)
    stage = Stage(ResumedClock() if options.state_file else live)
    for text in options.light:
        name, _, address = text.partition("/")
        stage.add(LightModel(stage.clock, name=name, address=address.upper()))
    for text in options.doser:
        name, _, address = text.partition("/")
        doser = DoserModel(
            stage.clock,
            name=name,
            address=address.upper(),
            lifetime=[round(options.lifetime * MILLILITRE)] * HEADS,
            lifetime_end=options.lifetime_end,
        )
        stage.add(doser)
    if options.state_file:
        stage.resume(options.state_file, live)
    proxy = EsphomeProxy(stage, slots=options.slots)
    await proxy.start(options.port, beacon=BEACON_EVERY)
    control = await serve_control(proxy, HOST, options.control_port)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    print(f"listening on {options.port} and {options.control_port}", flush=True)
    await ended.wait()
    control.close()
    await proxy.stop()


if __name__ == "__main__":
    asyncio.run(_main(_options()))
