"""What outlives a process that is killed: peripherals, time, and who was told what."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
import json
import os
from pathlib import Path
from typing import Any, Never

from custom_components.aquarist.ble.link import Link
from custom_components.aquarist.chihiros.frames import FrameError, parse
from custom_components.aquarist.chihiros.lights import CurveFamily
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.devices.chihiros_doser import ChihirosDoser
from custom_components.aquarist.devices.chihiros_light import ChihirosLight
from custom_components.aquarist.devices.device import Device
from custom_components.aquarist.simulator.clock import LoopClock
from custom_components.aquarist.simulator.doser import DoserModel
from custom_components.aquarist.simulator.faults import FaultName
from custom_components.aquarist.simulator.light import LightModel
from custom_components.aquarist.simulator.peripheral import Peripheral
from tests.fakes.manual_clock import START

from . import house
from .house import House
from .loop import WorldLoop
from .ports import Fault, Ports, PortTransport

KILLED = 9
DOSER, LAMP = "doser", "lamp"
FLOW = 1000
_DOSE_FRAME = (0xA5, 0x1B)
_DOSE_SIZE = 5
# What changes the device itself, not only the way to it.
_LASTING = frozenset({FaultName.POWER_CUT, FaultName.WRONG_CLOCK})


class Chronicle:
    """A file that only grows; what is in it survives the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Keep where the file is."""
        self._path = folder / "world.jsonl"

    def note(self, kind: str, **what: Any) -> None:
        """Add a line; it is with the operating system when this returns."""
        line = json.dumps({"kind": kind, **what}) + "\n"
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def read(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the lines of some kinds in their order."""
        if not self._path.exists():
            return []
        lines = map(json.loads, self._path.read_text().splitlines())
        return [line for line in lines if line["kind"] in kinds]


class World:
    """The peripherals as they are in one life of the engine."""

    def __init__(self, chronicle: Chronicle, loop: WorldLoop) -> None:
        """Make the peripherals as they were on the first day."""
        self.chronicle = chronicle
        self.loop = loop
        self._clock = LoopClock(loop)
        self.doser = DoserModel(self._clock, address="02:AA:00:00:00:01", flow=FLOW)
        self.lamp = LightModel(self._clock, address="02:AA:00:00:00:02", channels=1)
        self._models: Mapping[str, Peripheral] = {DOSER: self.doser, LAMP: self.lamp}
        self._noted = dict.fromkeys(self._models, 0)
        self._without_effect: set[float] = set()
        self.house = House(self._clock, self.now)

    async def replay(self, outage: float) -> None:
        """Live through what happened before, then let an outage pass."""
        happened = self.chronicle.read("frame", "fault", "service")
        # A frame whose write was never answered is noted late.
        for line in sorted(happened, key=lambda line: float(line["at"])):
            await asyncio.sleep(max(line["at"] - self.loop.time(), 0))
            self._happens_again(line)
        for name, model in self._models.items():
            self._noted[name] = len(model.write_log)
        ends = self.chronicle.read("end")
        if ends:
            await asyncio.sleep(max(ends[-1]["at"] + outage - self.loop.time(), 0))

    def _happens_again(self, line: Mapping[str, Any]) -> None:
        """Let one thing of an earlier life happen once more."""
        if line["kind"] == "service":
            self.house.obey(line["entity"], line["service"], line["data"])
            return
        model = self._models[line["device"]]
        if line["kind"] == "fault":
            model.faults.set(line["name"], value=line["value"])
            return
        if line.get("void"):
            self._without_effect.add(self.loop.time())
            model.faults.set(FaultName.WRITE_ERROR)
        model.receive(bytes.fromhex(line["data"]), response=False)

    async def open_house(self, ports: Ports) -> None:
        """Begin the life of a Home Assistant."""
        await self.house.open(
            ports,
            lambda **what: self.chronicle.note("service", at=self.loop.time(), **what),
        )

    def now(self) -> datetime:
        """Return the wall time, uncounted."""
        return START + timedelta(seconds=self.loop.time())

    def note_end(self) -> None:
        """Write down when this life ended."""
        self.chronicle.note("end", at=self.loop.time())

    def die(self) -> Never:
        """End the process as `kill -9` does."""
        self.note_end()
        os._exit(KILLED)

    def close(self) -> None:
        """End the peripherals of this life."""
        self.house.close()
        self._clock.close()

    def device(self, name: str, ports: Ports) -> Device:
        """Return a device that reaches what it is made of over counted ports."""
        if name in house.NAMES:
            return self.house.device(name)
        model = self._models[name]
        transport = PortTransport(
            model,
            ports,
            lambda void: self._mirror(name, void=void),
            lambda fault: self._set_fault(name, fault),
        )
        if name == DOSER:
            return ChihirosDoser(
                Link(transport, DeviceFamily.DOSER, self.now, name=name),
                uuid=name,
                name=name,
                address=model.address,
                head_names=["One", "Two", "Three", "Four"],
                local_time=self.now,
            )
        return ChihirosLight(
            Link(transport, DeviceFamily.LIGHT, self.now, name=name),
            uuid=name,
            name=name,
            address=model.address,
            channels={"white": 0},
            local_time=self.now,
            curve=CurveFamily.SEA,
        )

    def delivered(self, head: int = 0, name: str = DOSER) -> int:
        """Return the microlitres that have come out of a head: the truth."""
        if name == house.SWITCHED:
            return self.house.delivered()
        return self.doser.delivered[head]

    def told_to_dose(self, head: int = 0) -> list[int]:
        """Return the volumes of the dose frames that ever reached a head, in microlitres."""
        return [
            (frame[3] << 8 | frame[4]) * 100
            for frame, _ in self._arrived(*_DOSE_FRAME)
            if len(frame) == _DOSE_SIZE and frame[0] == head
        ]

    def told_at(self, head: int = 0) -> list[float]:
        """Return the seconds of the world at which dose frames took effect at a head."""
        return [
            at
            for frame, at in self._arrived(*_DOSE_FRAME)
            if len(frame) == _DOSE_SIZE and frame[0] == head
            if at not in self._without_effect
        ]

    def level(self) -> float:
        """Return the light that comes out of the lamp: the truth."""
        return self.lamp.channels[0]

    def _arrived(self, group: int, mode: int) -> list[tuple[bytes, float]]:
        """Return the parameters of the whole frames of a kind that reached the doser, and when."""
        arrived = []
        for written in self.doser.write_log:
            try:
                frame = parse(written.data)
            except FrameError:
                continue
            if (frame.group, frame.mode) == (group, mode):
                arrived.append((bytes(frame.parameters), written.at_elapsed))
        return arrived

    def _set_fault(self, name: str, fault: Fault) -> None:
        """Let a peripheral have a fault; what it does to the device itself is written down."""
        self._models[name].faults.set(fault.name, times=fault.times, value=fault.value)
        if fault.name in _LASTING:
            self.chronicle.note(
                "fault",
                device=name,
                at=self.loop.time(),
                name=fault.name.value,
                value=fault.value,
            )

    def _mirror(self, name: str, *, void: bool) -> None:
        """Write down what has reached a peripheral since the last time."""
        log = self._models[name].write_log
        for written in log[self._noted[name] :]:
            if void:
                self._without_effect.add(written.at_elapsed)
            self.chronicle.note(
                "frame",
                device=name,
                at=written.at_elapsed,
                data=written.data.hex(),
                void=void,
            )
        self._noted[name] = len(log)
