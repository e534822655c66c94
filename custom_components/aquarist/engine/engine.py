"""The engine: what ties the pure rooms, the devices and the store together.

It is made once and outlives the entries, which only attach and detach hardware. Every
request of every surface goes through here, and nothing else reaches a device (law 1).
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import datetime
import logging
from typing import Any

from ..commands.command import Command, Source
from ..commands.phases import Kind
from ..devices.device import Device
from ..layers.setting import Scalar, Setting
from ..store import commands as command_rows
from ..store.database import Database
from ..store.errors import StoreError
from .acceptance import Acceptance, is_running
from .agenda import Agenda
from .arbiter import Arbiter
from .calibrations import Calibrations
from .changes import Announcer, Change, LimitsChanged, StoreChanged
from .clock import Clock
from .configurations import Configurations
from .containers import Containers
from .counter_looks import READING
from .cut_offs import CutOffs
from .device_memory import DeviceMemory
from .dose_ledger import DoseLedger
from .dosing_plans import DosingPlans
from .emergency import Emergency
from .equipment import Equipment
from .errors import EngineError
from .execution import Execution
from .gate import Gate
from .ground import Ground
from .guided import Guided
from .history import History
from .intake import Origin, Request
from .journal import Journal
from .levels import Levels
from .live_settings import LiveSettings
from .macros import Macros
from .memory_power import PowerWatch
from .missed import Missed
from .modes import Modes
from .observations import Observations
from .on_time import OnTimes
from .overrides import Overrides, Until
from .planner import Planned, Planner
from .programme_gate import ProgrammeGate
from .pulses import Pulses
from .records import Records
from .recovery import load, recover
from .run_steps import RunSteps
from .runs import Runs
from .safety import Safety
from .scheduled_macros import ScheduledMacros
from .service_steps import ServiceSteps
from .settings import Settings
from .start_and_stop import StartAndStop
from .state import AquariumLimits, DeviceLimits, DeviceState
from .switch_runs import SwitchRuns
from .synchronous import SynchronousWrites
from .timed_runs import TimedRuns
from .upkeep import Upkeep
from .windows import Windows
from .write_actions import WriteActions

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
        self.journal = Journal(database, self._store_troubled, self.announcer.acting)
        self.store_trouble: str | None = None if database else "store_locked"
        self.store_fault: StoreError | None = None
        # What had not ended when the last engine did, as that one left it.
        self.found: tuple[Command, ...] = ()
        self.records = Records(self.journal, clock, self.announcer)
        ground = Ground(
            clock=clock,
            agenda=self.agenda,
            journal=self.journal,
            records=self.records,
            announcer=self.announcer,
            database=database,
            settings=LiveSettings(self.journal, self.announcer, self._settings_applied),
        )
        self.live_settings = ground.settings
        self.history = History(database)
        self.devices = ground.devices
        self.gate = Gate(ground.devices, ground.memory)
        self.gate.zone = lambda: clock.local_now().tzinfo
        self.programme_gate = ProgrammeGate(self.gate, ground.memory)
        self.aquarium_limits = self.gate.aquarium_limits
        on_times = OnTimes(ground)
        self.levels = Levels(ground, on_times)
        self.arbiter = Arbiter(ground, self.levels)
        on_times.impose = self.arbiter.impose
        self.overrides = Overrides(ground, self.arbiter)
        observations = Observations(
            ground, self.levels, self.arbiter, self.overrides, on_times
        )
        self.execution = Execution(ground, self.levels, self.arbiter)
        self.ledger = DoseLedger(ground, self.gate)
        self.counters = self.ledger.counters
        self.calibrations = Calibrations(ground, self.gate)
        self.containers = Containers(
            ground, self.gate, lambda *head: self.dosing_plans.volumes(*head)
        )
        self.calibrations.seen = self.containers.seen
        self.ledger.looks.read = self._read_counters
        self.switch_runs = SwitchRuns(ground)
        self.pulses = Pulses(
            ground, self.gate, self.ledger, self.execution, self.switch_runs
        )
        self.execution.register(Kind.DOSE, self.pulses.execute)
        self.timed_runs = TimedRuns(
            ground,
            self.gate,
            self.pulses,
            self.ledger,
            self.execution,
            self.switch_runs,
        )
        self.device_memory = DeviceMemory(
            ground,
            self.execution,
            check=self.programme_gate.refusal,
            dosing_schedule=lambda *head: self.dosing_plans.of_head(*head),
        )
        self.power_watch = PowerWatch(
            ground,
            send=self.send,
            reassert=observations.reassert,
            background=self._background,
        )
        self.equipment = Equipment(
            ground,
            self.levels,
            self.arbiter,
            observations,
            self.pulses,
            self.switch_runs,
            self.ledger,
            self.execution,
            self.device_memory,
            self.power_watch,
        )
        self.acceptance = Acceptance(
            ground, self.arbiter, self.overrides, self.gate, self.equipment
        )
        self.windows = Windows(ground, self.acceptance)
        self.write_actions = WriteActions(ground)
        self.synchronous = SynchronousWrites(
            ground, self.levels, self.execution, self.acceptance
        )
        self.run_steps = RunSteps(
            ground,
            find=self.equipment.find,
            send=self.acceptance.send,
            finished=self.finished,
        )
        self.runs = Runs(ground, self.run_steps, self.acceptance.withdraw)
        self.safety = Safety(ground, self.arbiter)
        self.gate.interlock = self.safety.refusal
        self.gate.undecided = self.safety.undecided
        self.configurations = Configurations(ground, self.runs)
        self.service_steps = ServiceSteps(
            ground, self.run_steps, self.acceptance, self.history, self.finished
        )
        self.macros = Macros(
            ground, self.runs, self.equipment.find, self.service_steps.check
        )
        self.scheduled_macros = ScheduledMacros(
            ground, self.macros, self.runs, self.service_steps.targets
        )
        self.planner = Planner(ground, self.acceptance.enter, self.scheduled_macros)
        self.dosing_plans = DosingPlans(
            lambda: self.planner.schedules, self.scheduled_macros
        )
        self.macros.scheduled = self.dosing_plans.starts
        self.guided = Guided(
            self.runs,
            self.run_steps,
            self.calibrations,
            self.equipment.find,
            self._background,
        )
        self.pulses.run_stopped = self.guided.run_stopped
        self.gate.measuring = self.guided.measuring
        self.modes = Modes(
            ground,
            self.runs,
            self.run_steps,
            self.windows,
            self.arbiter,
            self.history,
            find=self.equipment.find,
            background=self._background,
        )
        self.missed = Missed(ground, self.gate, self.planner, self.acceptance.enter)
        self.upkeep = Upkeep(ground, self._background)
        self.emergency = Emergency(ground, self.arbiter, self.levels, self.pulses)
        self.cut_offs = CutOffs(
            ground,
            self.gate,
            end_dose=self.emergency.end_dose,
            background=self._background,
        )
        self.pulses.look_after = self.cut_offs.look
        self.start_and_stop = StartAndStop(
            ground,
            self.arbiter,
            self.levels,
            end_dose=self.emergency.end_dose,
            background=self._background,
        )

    async def recover(self) -> None:
        """Take up what the last engine left, without touching a device (design 6)."""
        if self.database is None:
            return
        now = self.clock.now()
        stored = await self.database.read(lambda connection: load(connection, now))
        self.found = tuple(stored.commands)
        recover(self, stored)

    def start(self) -> None:
        """Begin to act: catch up with what was missed, then wait for what is due."""
        self.equipment.start()
        self.safety.start()
        self.planner.start()
        self.run_steps.start()
        self.runs.start_up()
        self.modes.start_up()
        self.upkeep.start()
        self.start_and_stop.start()
        self.agenda.start()

    async def close(self) -> None:
        """Stop acting; what is under way stays open on disk for the next engine (R-B54)."""
        self.execution.closing = True
        self.agenda.stop()
        await self.runs.close()
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
        for number, known in self.devices.items():
            if known.row.uuid == device.uuid:
                self.calibrations.apply(number, device)
        state = await self.equipment.attach(
            device, limits=limits, aquarium=aquarium, assumed=assumed or {}
        )
        # Before anything waits: what was in its queue may begin from now on.
        await self.emergency.attached(state)
        self.safety.attached(state)
        await self.containers.attached(state)
        self.configurations.attached(state)
        self.cut_offs.look(state)
        return state

    def set_aquarium_limits(self, aquarium: str, limits: AquariumLimits) -> None:
        """Hold all devices of an aquarium to its limits from now on."""
        self.aquarium_limits[aquarium] = limits
        self.announcer.announce(LimitsChanged(aquarium=aquarium))

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
        scheduled_at: datetime | None = None,
        hold: float | None = None,
        confirm: bool = False,
    ) -> Command:
        """Accept an action at a device; it is on disk when this returns (law 2).

        It begins at once, or at ``scheduled_at``; a level may be held for so many seconds.
        What is destructive has to be confirmed. Raises EngineError or InvalidValue (nothing
        stored), StoreError (not stored).
        """
        request = Request(
            action=action,
            args=args,
            origin=origin,
            id=id,
            timeout=timeout,
            scheduled_at=scheduled_at,
            hold=hold,
        )
        return await self.acceptance.send(device, request, confirm=confirm)

    async def write_now(
        self,
        device: DeviceState,
        field_name: str,
        value: Scalar | Setting,
        origin: Origin,
        timeout: float,
        *,
        id: str | None = None,
    ) -> Command:
        """Set a field and return how that ended, within the time given (R-T32, RES-56, RES-78).

        Raises EngineError, InvalidValue, StoreError.
        """
        return await self.finished(
            await self.synchronous.write(
                device, field_name, value, origin, timeout, id=id
            )
        )

    async def override(
        self,
        device: DeviceState,
        field_name: str,
        value: Scalar | Setting,
        origin: Origin,
        *,
        seconds: float | None = None,
        until: Until | None = None,
    ) -> Command:
        """Accept an override of a field (R-B111).

        It lasts for seconds of elapsed time, or until the next event of the plan (the
        default), or until it is released. Raises EngineError, InvalidValue, StoreError.
        """
        command = self.overrides.by_service(
            device, field_name, value, origin, seconds=seconds, until=until
        )
        return await self.acceptance.accept(device, command)

    async def finished(self, command: Command) -> Command:
        """Wait for the end of a command; returns the record as it ended."""
        if self.database is None:
            return self.records.current(command.key) or command
        if not command.final and not self.records.holds(command.key):
            # Memory may not have heard yet of what is on disk already.
            await self.journal.commit(lambda connection: None)
        ended = await self.records.finished(command)
        if ended.final:
            return ended
        stored = await self.database.read(
            lambda connection: command_rows.get(connection, command.device, command.id)
        )
        return stored or command

    async def cancel(self, command: Command) -> Command:
        """End a command that has not ended; that is on disk when this returns (law 2).

        Raises EngineError when it has ended or runs, StoreError.
        """
        current = self.records.current(command.key)
        if current is None:
            raise EngineError("command_is_final", id=command.id)
        ended = self.acceptance.withdraw(current)
        await self.journal.written()
        return ended

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
                # What is just being prepared comes to its own end, too.
                with suppress(EngineError):
                    self.acceptance.withdraw(command)
        await self.scheduled_macros.end(schedule)
        await self.journal.written()

    def _read_counters(self, state: DeviceState) -> None:
        """Ask a doser for its counters, by the road that everything takes (law 1)."""

        async def ask() -> None:
            origin = Origin(source=Source.ENGINE)
            try:
                await self.send(state, READING, {}, origin, timeout=30)
            except (EngineError, StoreError) as error:
                _LOGGER.debug("%s could not be asked: %s", state.row.name, error)

        self._background(ask())

    def _settings_applied(self, settings: Settings) -> None:
        """Let new settings take effect where they are not asked for each time."""
        self.agenda.set_sweep(settings.sweep)

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for; it ends with the engine."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _store_troubled(self, error: StoreError | None) -> None:
        """Tell of a fault of the store, once, and of its end."""
        code = error.code if error is not None else None
        if code != self.store_trouble:
            self.store_trouble = code
            self.upkeep.store_changed(refused=code is not None)
            self.announcer.announce(StoreChanged(code=code))
