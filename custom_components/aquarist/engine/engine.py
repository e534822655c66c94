"""The engine: what ties the pure rooms, the devices and the store together.

It is made once and outlives the entries, which only attach and detach hardware. Every
request of every surface goes through here, and nothing else reaches a device (law 1).
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
import logging
from typing import Any

from ..commands.command import Command, Source
from ..commands.phases import Kind
from ..devices.device import Device, DeviceKind
from ..layers.setting import Scalar, Setting
from ..store import commands as command_rows, settings
from ..store.database import Database
from ..store.errors import StoreError
from .acceptance import Acceptance, is_running
from .agenda import Agenda
from .arbiter import Arbiter
from .changes import Announcer, Change, DeviceChanged, StoreChanged
from .clock import Clock
from .dose_ledger import DoseLedger
from .emergency import DeviceStopped, Emergency
from .equipment import Equipment
from .errors import EngineError
from .execution import Execution
from .gate import Gate
from .ground import Ground
from .intake import Origin
from .journal import Journal
from .levels import Levels
from .planner import Planned, Planner
from .pulses import Pulses
from .records import Records
from .recovery import AUTOMATION_OFF, load, recover
from .state import DeviceLimits, DeviceState
from .upkeep import Upkeep

_LOGGER = logging.getLogger(__name__)


class Engine:
    """Everything that Aquarist does, without a word of how it was asked."""

    def __init__(
        self,
        clock: Clock,
        database: Database | None,
        *,
        default_zone: Callable[[], str],
    ) -> None:
        """Wire the rooms; without a database the engine is locked: stop and off only."""
        self.clock = clock
        self.database = database
        self._default_zone = default_zone
        self._tasks: set[asyncio.Task[None]] = set()
        self.announcer = Announcer()
        self.agenda = Agenda(clock)
        self.journal = Journal(database, self._store_troubled)
        self.store_trouble: str | None = None if database else "store_locked"
        self.store_fault: StoreError | None = None
        self.records = Records(self.journal, clock, self.announcer)
        ground = Ground(
            clock=clock,
            agenda=self.agenda,
            journal=self.journal,
            records=self.records,
            announcer=self.announcer,
            database=database,
        )
        self.devices = ground.devices
        self.gate = Gate()
        self.levels = Levels(ground)
        self.arbiter = Arbiter(ground, self.levels)
        self.execution = Execution(ground, self.levels)
        self.ledger = DoseLedger(ground, self.gate)
        self.counters = self.ledger.counters
        self.ledger.read_counters = self._read_counters
        self.pulses = Pulses(ground, self.gate, self.ledger, self.execution)
        self.execution.register(Kind.DOSE, self.pulses.execute)
        self.equipment = Equipment(
            ground,
            self.levels,
            self.arbiter,
            self.pulses,
            self.ledger,
            self.execution,
        )
        self.acceptance = Acceptance(ground, self.arbiter, self.gate, self.equipment)
        self.planner = Planner(ground, self.acceptance.enter)
        self.upkeep = Upkeep(ground, self._background)
        self.emergency = Emergency(ground, self.arbiter, self.levels, self.pulses)

    async def recover(self) -> None:
        """Take up what the last engine left, without touching a device (design 6)."""
        if self.database is None:
            return
        now = self.clock.now()
        stored = await self.database.read(lambda connection: load(connection, now))
        recover(self, stored)

    def start(self) -> None:
        """Begin to act: catch up with what was missed, then wait for what is due."""
        self.equipment.start()
        self.planner.start()
        self.upkeep.start()
        self.agenda.start()

    async def end_switched_doses(self) -> None:
        """Switch off what doses by a switch, while Home Assistant still can (design 6).

        A pump with a mind of its own ends its dose by itself; a switch would stay on.
        """
        running = [
            device
            for device in self.devices.values()
            if device.row.kind == DeviceKind.DOSER and device.busy_heads
        ]
        await asyncio.gather(*(self.emergency.end_dose(device) for device in running))

    async def close(self) -> None:
        """Stop acting; what is under way stays open on disk for the next engine (R-B54)."""
        self.execution.closing = True
        self.agenda.stop()
        await self.equipment.close_queues()
        await self.pulses.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.equipment.close()
        await self.journal.close()

    def listen(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Hear of every change until the returned function is called."""
        return self.announcer.listen(listener)

    # Devices

    def device(self, reference: str | int) -> DeviceState:
        """Return a device by number, UUID or Bluetooth address. Raises EngineError."""
        return self.equipment.find(reference)

    async def attach(
        self,
        device: Device,
        *,
        limits: DeviceLimits,
        aquarium: str | None,
        assumed: Mapping[str, Setting] | None = None,
    ) -> DeviceState:
        """Take hardware that an entry brings. Never connects and never waits for it."""
        return await self.equipment.attach(
            device, limits=limits, aquarium=aquarium, assumed=assumed or {}
        )

    async def detach(self, number: int) -> None:
        """Let hardware go; claims, resting values and the queue's order stay."""
        await self.equipment.detach(number)

    async def retire(self, number: int) -> None:
        """Take a device out of use: what holds it ends, and it is brought back first."""
        await self.equipment.retire(number)

    # Requests

    async def send(
        self,
        device: DeviceState,
        action: str,
        args: Mapping[str, Any],
        origin: Origin,
        *,
        id: str | None = None,
        timeout: float = 10.0,
    ) -> Command:
        """Accept an action at a device; it is on disk when this returns (law 2).

        Raises EngineError or InvalidValue (nothing stored), StoreError (not stored).
        """
        return await self.acceptance.send(
            device, action, args, origin, id=id, timeout=timeout
        )

    async def set_field(
        self, device: DeviceState, name: str, value: Scalar, origin: Origin
    ) -> Command:
        """Accept a point action on a field by its name (a keeper's switch, a plain field)."""
        return await self.acceptance.set_field(device, name, value, origin)

    async def create_window(
        self,
        device: DeviceState,
        field_name: str,
        value: Scalar | Setting,
        origin: Origin,
        *,
        start: datetime,
        end: datetime,
        id: str | None = None,
    ) -> Command:
        """Accept a write action: set a value, and give way at its end (R-T2)."""
        return await self.acceptance.create_window(
            device, field_name, value, origin, start=start, end=end, id=id
        )

    async def finished(self, command: Command) -> Command:
        """Wait for the end of a command; returns the record as it ended."""
        if self.database is None:
            return self.records.current(command.key) or command
        ended = await self.records.finished(command)
        if ended.final:
            return ended
        stored = await self.database.read(
            lambda connection: command_rows.get(connection, command.device, command.id)
        )
        return stored or command

    async def cancel(self, command: Command) -> Command:
        """End a command that has not ended. Raises EngineError when it has."""
        current = self.records.current(command.key)
        if current is None:
            raise EngineError("command_is_final", id=command.id)
        return self.acceptance.withdraw(current)

    async def create_schedule(
        self, data: Mapping[str, Any], *, user: str | None
    ) -> Planned:
        """Store and plan a schedule. Raises ScheduleError, EngineError, StoreError."""
        if self.journal.locked:
            raise EngineError("store_locked")
        return await self.planner.create(
            data, default_zone=self._default_zone(), user=user
        )

    async def delete_schedule(self, schedule: int, *, user: str | None) -> None:
        """Remove a schedule and end what it has under way (R-B116)."""
        await self.planner.delete(schedule, user=user)
        for command in self.records.open:
            if command.schedule == schedule and not is_running(command):
                self.acceptance.withdraw(command)

    async def emergency_stop(
        self,
        aquarium: str | None,
        *,
        user: str | None = None,
        context: str | None = None,
    ) -> list[DeviceStopped]:
        """Stop the devices of an aquarium, or all of them, and keep them stopped."""
        return await self.emergency.stop(
            self._of_aquarium(aquarium), user=user, context=context
        )

    def release_emergency(self, aquarium: str | None) -> int:
        """End an emergency stop; returns how many holds were let go."""
        return self.emergency.release(self._of_aquarium(aquarium))

    async def set_automation(self, aquarium: str, enabled: bool) -> None:
        """Let the schedules of an aquarium act, or not; kept over restarts."""
        off = set(self.planner.automation_off)
        if enabled:
            off.discard(aquarium)
        else:
            off.add(aquarium)

        def committed(_: None) -> None:
            self.planner.automation_off.clear()
            self.planner.automation_off.update(off)
            self.announcer.announce(DeviceChanged(device=0))

        await self.journal.commit(
            lambda connection: settings.put(connection, AUTOMATION_OFF, sorted(off)),
            committed,
        )

    async def recent(
        self, device: DeviceState | None, limit: int, before: int | None = None
    ) -> list[Command]:
        """Return the newest commands first, of one device or of all."""
        if self.database is None:
            raise EngineError("store_locked")
        number = device.row.number if device is not None else None
        return await self.database.read(
            lambda connection: command_rows.recent(connection, number, limit, before)
        )

    def _read_counters(self, state: DeviceState) -> None:
        """Ask a doser for its counters, by the road that everything takes (law 1)."""

        async def ask() -> None:
            origin = Origin(source=Source.ENGINE)
            try:
                await self.send(state, "request_status", {}, origin, timeout=30)
            except (EngineError, StoreError) as error:
                _LOGGER.debug("%s could not be asked: %s", state.row.name, error)

        self._background(ask())

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for; it ends with the engine."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _of_aquarium(self, aquarium: str | None) -> list[DeviceState]:
        """Return the devices of an aquarium, or all."""
        return [
            device
            for device in self.devices.values()
            if aquarium is None or device.row.aquarium == aquarium
        ]

    def _store_troubled(self, error: StoreError | None) -> None:
        """Tell of a fault of the store, once, and of its end."""
        code = error.code if error is not None else None
        if code != self.store_trouble:
            self.store_trouble = code
            self.upkeep.store_changed(refused=code is not None)
            self.announcer.announce(StoreChanged(code=code))
