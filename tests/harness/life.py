"""One life of the engine in the world, from its start to its end or its death."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
import logging
from pathlib import Path
from typing import Any, override

from custom_components.aquarist.commands.actions import ACTIONS
from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Kind, Phase
from custom_components.aquarist.devices.fields import LEVEL
from custom_components.aquarist.devices.lamp import LIGHT
from custom_components.aquarist.engine.changes import Change, CommandChanged
from custom_components.aquarist.engine.engine import Engine
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.state import (
    AquariumLimits,
    DeviceLimits,
    DeviceState,
    HeadLimits,
)
from custom_components.aquarist.layers.setting import Scalar, Setting
from custom_components.aquarist.store import command_history
from custom_components.aquarist.store.command_history import CommandFilter
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.errors import StoreError

from . import house
from .loop import WorldLoop
from .ports import Ports, Trouble, WorldClock, open_store
from .world import DOSER, LAMP, Chronicle, World

SERVICE = Origin(source=Source.SERVICE)
AQUARIUM = "tank"
PRODUCT = "custom_components.aquarist"
CONTAINER = 500_000

type HeadOf = Callable[[str, int], HeadLimits]
_PATIENCE = 5.0
_EVERYTHING = 100_000


class _Log(logging.Handler):
    """Keeps what is logged with a traceback: nobody has foreseen it."""

    def __init__(self, kept: list[str]) -> None:
        """Take the list to add to."""
        super().__init__(logging.ERROR)
        self._kept = kept

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep an unexpected error."""
        if record.exc_info:
            self._kept.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


class Life:
    """An engine on the world's store, with the world's peripherals."""

    def __init__(self, folder: Path, trouble: Trouble | None = None) -> None:
        """Prepare a life; nothing is opened yet. To be made in the loop."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WorldLoop)
        self.chronicle = Chronicle(folder)
        self.world = World(self.chronicle, loop)
        self.ports = Ports(loop, self.world.die, trouble)
        self.engine: Engine
        self.states: dict[str, DeviceState] = {}
        self.records: list[Command] = []
        self.heard_before = self.chronicle.read("announced")
        self.faults_logged: list[str] = []
        self._log = _Log(self.faults_logged)
        self._path = folder / "aquarist.db"
        self._database: Database

    async def begin(
        self,
        *names: str,
        head: HeadOf,
        aquarium: AquariumLimits,
        lamp: DeviceLimits,
        outage: float = 0.0,
    ) -> None:
        """Live through what happened before, open the store, attach the devices, start.

        ``head`` tells what a head of a doser may do, ``aquarium`` all of them together,
        ``lamp`` what the lamp may.
        """
        await self.world.replay(outage)
        logging.getLogger(PRODUCT).addHandler(self._log)
        if not house.NAMES.isdisjoint(names):
            await self.world.open_house(self.ports)
        self._database = await open_store(self._path, self.ports, self.world.now())
        await self.look()
        self.engine = Engine(
            WorldClock(self.ports), self._database, default_zone=lambda: "UTC"
        )
        self.engine.listen(self._announced)
        await self.engine.recover()
        self.engine.set_aquarium_limits(AQUARIUM, aquarium)
        for name in names:
            await self._attach(name, head, lamp)
        self.engine.start()

    async def end(self) -> None:
        """End this life in good order."""
        await self.engine.close()
        logging.getLogger(PRODUCT).removeHandler(self._log)
        self.world.close()
        self.world.note_end()

    async def until(self, second: float) -> None:
        """Let the world go on until a second."""
        await asyncio.sleep(max(second - self.world.loop.time(), 0))

    async def send(self, name: str, action: str, **args: Any) -> Command | None:
        """Ask for an action; None when it was not accepted because of the store."""
        return await self._accepted(
            lambda: self.engine.send(
                self.states[name],
                action,
                args,
                SERVICE,
                confirm=ACTIONS[action].destructive,
            )
        )

    async def window(
        self,
        name: str,
        value: Scalar | Setting,
        *,
        begins: float,
        ends: float,
        field: str = LEVEL,
    ) -> Command | None:
        """Ask for a write action on a field, from one second of the world to another."""
        now = self.world.now() - timedelta(seconds=self.world.loop.time())
        return await self._accepted(
            lambda: self.engine.acceptance.create_window(
                self.states[name],
                field,
                value,
                SERVICE,
                start=now + timedelta(seconds=begins),
                end=now + timedelta(seconds=ends),
            )
        )

    async def schedule(self, **definition: Any) -> int | None:
        """Store a schedule; None when the store did not take it."""
        try:
            planned = await self.engine.create_schedule(definition, user=None)
        except StoreError:
            return None
        self.chronicle.note("scheduled", schedule=planned.row.id)
        return planned.row.id

    async def everything_is_on_disk(self) -> bool:
        """Return whether what the engine recorded so far is on disk."""
        journal = self.engine.journal
        try:
            await journal.commit(lambda connection: None)
        except StoreError:
            return False
        return journal.kept == 0

    def number(self, name: str) -> int:
        """Return a device's number."""
        return self.states[name].row.number

    async def look(self) -> list[Command]:
        """Read every command on disk into `records`, in the order of acceptance."""
        found = await self._database.read(
            lambda connection: command_history.find(
                connection, CommandFilter(), _EVERYTHING
            )
        )
        self.records = sorted(found, key=lambda one: one.order)
        return self.records

    def of_kind(self, kind: Kind) -> list[Command]:
        """Return the commands of a kind as they are now, ended ones as last looked at."""
        known = {one.key: one for one in (*self.records, *self.engine.records.open)}
        return [one for one in known.values() if one.kind is kind]

    def completed(self, kind: Kind) -> list[Command]:
        """Return the commands of a kind that came to a good end."""
        return [one for one in self.of_kind(kind) if one.phase is Phase.COMPLETED]

    async def read[T](self, query: Callable[[Any], T]) -> T:
        """Ask the store."""
        return await self._database.read(query)

    async def _accepted(self, ask: Callable[[], Any]) -> Command | None:
        """Note what was acknowledged: from here on it may never be lost."""
        try:
            command: Command = await ask()
        except StoreError:
            return None
        self.chronicle.note("acknowledged", key=command.key)
        return command

    async def _attach(self, name: str, head: HeadOf, lamp: DeviceLimits) -> None:
        """Attach a device; as an entry does, try again when the store fails."""
        assumed = {LIGHT: {"level": 0.0, "mix_white": 100.0}} if name == LAMP else None
        heads = {DOSER: 4, house.SWITCHED: 1}.get(name, 0)
        limits = replace(
            lamp if name == LAMP else DeviceLimits(),
            heads={
                index: replace(head(name, index), container=CONTAINER)
                for index in range(heads)
            },
        )
        while name not in self.states:
            try:
                self.states[name] = await self.engine.attach(
                    self.world.device(name, self.ports),
                    limits=limits,
                    aquarium=AQUARIUM,
                    assumed=assumed,
                )
            except StoreError, EngineError:
                await asyncio.sleep(_PATIENCE)

    def _announced(self, change: Change) -> None:
        """Note what the world was told of a command: that must be on disk (law 2)."""
        if isinstance(change, CommandChanged):
            command = change.command
            self.chronicle.note(
                "announced",
                key=command.key,
                phase=command.phase.value,
                final=command.final,
            )
