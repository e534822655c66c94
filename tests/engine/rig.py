"""An engine on a real store with devices in memory, and time in the test's hands."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Barrier
from typing import Any, override

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.devices.simulated import SimulatedPump
from custom_components.aquarist.engine.changes import Change
from custom_components.aquarist.engine.engine import Engine
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.state import DeviceLimits, DeviceState
from custom_components.aquarist.layers.setting import Setting
from custom_components.aquarist.store import commands
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.errors import StoreError
from tests.fakes.manual_clock import START, ManualEngineClock

SERVICE = Origin(source=Source.SERVICE)


class Pump(SimulatedPump):
    """A pump in memory that writes down what it is told, and can be made to behave badly."""

    def __init__(self, name: str = "Pump", *, level: float = 80.0) -> None:
        """Run at a level."""
        super().__init__(uuid=f"uuid-{name}", name=name, level=level)
        self.told: list[float] = []
        self.hanging: asyncio.Event | None = None
        self.raise_after: list[Exception] = []
        self.lies = False

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Write down what was asked, then do it, or not."""
        self.told.append(float(settings["level"]["level"]))
        if self.hanging is not None:
            await self.hanging.wait()
        await super().apply(settings)
        if self.raise_after:
            raise self.raise_after.pop(0)

    @property
    def level(self) -> float:
        """Return what the pump really does."""
        shown = self.observed("level")
        assert shown is not None
        return float(shown["level"])


class Rig:
    """One life of the engine after another on the same store."""

    def __init__(self, folder: Path, clock: ManualEngineClock | None = None) -> None:
        """Keep where the store is."""
        self.path = folder / "aquarist.db"
        self.clock = clock or ManualEngineClock()
        self.changes: list[Change] = []
        self.engine: Engine

    async def boot(self, *, start: bool = True) -> Engine:
        """Open the store and recover; start unless told otherwise."""
        database = await Database.open(self.path, at=self.clock.now())
        self.engine = Engine(self.clock, database, default_zone=lambda: "Europe/Berlin")
        self.engine.listen(self.changes.append)
        await self.engine.recover()
        if start:
            self.engine.start()
        return self.engine

    async def accept_many(self) -> None:
        """Let a user send as many commands as the settings allow at most."""
        await self.engine.live_settings.update({"rate_limit": 10_000}, None)

    def lock(self) -> Engine:
        """Make an engine without a store: only stop and off."""
        self.engine = Engine(self.clock, None, default_zone=lambda: "Europe/Berlin")
        self.engine.listen(self.changes.append)
        return self.engine

    async def attach(
        self,
        device: Any,
        *,
        aquarium: str | None = "tank",
        assumed: Mapping[str, Setting] | None = None,
        **limits: Any,
    ) -> DeviceState:
        """Attach hardware."""
        return await self.engine.attach(
            device, limits=DeviceLimits(**limits), aquarium=aquarium, assumed=assumed
        )

    async def reboot(self, *devices: Any, **limits: Any) -> list[DeviceState]:
        """End the engine in good order and begin another on the same store."""
        await self.engine.close()
        await self.boot(start=False)
        states = [await self.attach(device, **limits) for device in devices]
        self.engine.start()
        await self.settle()
        return states

    async def settle(self) -> None:
        """Let everything that can happen now happen: loop, threads of the store, loop.

        Until nothing was announced for a few rounds.
        """
        quiet = 0
        while quiet < 4:
            heard = len(self.changes)
            for _ in range(5):
                await asyncio.sleep(0)
            with suppress(StoreError):
                await self.engine.journal.commit(lambda connection: None)
            await self._all_read()
            quiet = quiet + 1 if len(self.changes) == heard else 0
        for _ in range(5):
            await asyncio.sleep(0)

    async def _all_read(self) -> None:
        """Wait until every reader of the store is through with what it was asked before."""
        if (database := self.engine.database) is None:
            return
        readers = len(database._readers)
        met = Barrier(readers)
        with suppress(StoreError):
            await asyncio.gather(
                *(
                    database.read(lambda connection: met.wait(10))
                    for _ in range(readers)
                )
            )

    async def advance(self, seconds: float) -> None:
        """Let time pass and everything settle."""
        self.clock.advance(seconds)
        await self.settle()

    async def done(self, command: Command) -> Command:
        """Wait for a command's end."""
        async with asyncio.timeout(10):
            return await self.engine.finished(command)

    async def stored(self, command: Command) -> Command:
        """Return a command as it is on disk."""
        assert self.engine.database is not None
        found = await self.engine.database.read(
            lambda connection: _get(connection, command)
        )
        assert found is not None
        return found


def _get(connection: Any, command: Command) -> Command | None:
    return commands.get(connection, command.device, command.id)


def at(text: str) -> datetime:
    """Return an instant of the day on which the clock starts, UTC."""
    hour, minute = text.split(":")
    return START.replace(hour=int(hour), minute=int(minute))
