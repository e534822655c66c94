"""The engine: what ties the pure rooms, the devices and the store together.

It is made once and outlives the entries, which only attach and detach hardware. Every
request of every surface goes through here, and nothing else reaches a device (law 1).
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
import logging
from sqlite3 import Connection
from typing import Any

from ..commands.command import Command, ErrorCode, Source, changed
from ..commands.phases import Kind, Phase
from ..devices.device import Device, Observation
from ..devices.errors import DeviceError
from ..layers.claims import Layer
from ..layers.resolve import override_end
from ..layers.setting import Scalar, Setting
from ..store import commands as command_rows, devices as device_rows, settings
from ..store.commands import ConflictingId
from ..store.database import Database
from ..store.devices import DeviceRow
from ..store.errors import StoreError
from .agenda import Agenda
from .arbiter import Arbiter
from .changes import Announcer, Change, DeviceChanged, StoreChanged
from .clock import Clock
from .emergency import DeviceStopped, Emergency
from .errors import EngineError, SafetyRefusedError
from .execution import Execution
from .gate import Gate
from .intake import Origin, check_dose, command_for, field_command, window_for
from .journal import Journal
from .levels import Levels
from .planner import Planned, Planner
from .pulses import Pulses
from .records import Records
from .recovery import AUTOMATION_OFF, load, recover
from .state import DeviceLimits, DeviceState

_LOGGER = logging.getLogger(__name__)

DEVICE_WAIT = 60.0
_OFF = frozenset({"turn_off"})


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
        self.devices: dict[int, DeviceState] = {}
        self._by_uuid: dict[str, DeviceState] = {}
        self._leave: dict[int, Callable[[], None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.announcer = Announcer()
        self.agenda = Agenda(clock)
        self.journal = Journal(database, self._store_troubled)
        self.store_trouble: str | None = None if database else "store_locked"
        self.store_fault: StoreError | None = None
        self.records = Records(self.journal, clock, self.announcer)
        self.gate = Gate()
        self.levels = Levels(
            clock, self.agenda, self.records, self.journal, self.announcer
        )
        self.arbiter = Arbiter(
            clock,
            self.agenda,
            self.records,
            self.journal,
            self.announcer,
            self.levels,
            self.devices,
        )
        self.execution = Execution(clock, self.records, self.levels)
        self.pulses = Pulses(
            clock,
            self.agenda,
            self.records,
            self.journal,
            self.announcer,
            self.gate,
            self.execution,
            self.devices,
        )
        self.counters = self.pulses.counters
        self.pulses.read_counters = self._read_counters
        self.execution.register(Kind.DOSE, self.pulses.execute)
        self.planner = Planner(
            clock,
            self.agenda,
            self.records,
            self.journal,
            self.announcer,
            self.devices,
            self.enter,
        )
        self.emergency = Emergency(self.arbiter, self.levels, self.pulses, self.records)
        self.agenda.on("release", self._release_due)
        self.agenda.on("expire", self._expire_due)
        self.agenda.on("command", self._command_due)
        self.agenda.on_sweep(self._swept)
        self.started = False

    async def recover(self) -> None:
        """Take up what the last engine left, without touching a device (design 6)."""
        if self.database is None:
            return
        now = self.clock.now()
        stored = await self.database.read(lambda connection: load(connection, now))
        recover(self, stored)

    def start(self) -> None:
        """Begin to act: catch up with what was missed, then wait for what is due."""
        self.started = True
        for device in self.devices.values():
            self._let_go(device)
        self.planner.start()
        self.agenda.start()

    async def close(self) -> None:
        """Stop acting; what is under way stays open on disk for the next engine (R-B54)."""
        self.execution.closing = True
        self.agenda.stop()
        for device in self.devices.values():
            await device.queue.close()
        await self.pulses.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for leave in self._leave.values():
            leave()
        self._leave.clear()
        for device in self.devices.values():
            if device.device is not None:
                await device.device.close()
        await self.journal.close()

    def listen(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Hear of every change until the returned function is called."""
        return self.announcer.listen(listener)

    # Devices

    def add_device(self, row: DeviceRow) -> DeviceState:
        """Take a device into memory, without its hardware."""
        state = self.devices.get(row.number)
        if state is None:
            state = DeviceState(row, self.execution.execute, self.levels.flush)
            self.devices[row.number] = state
        state.row = row
        self._by_uuid[row.uuid] = state
        return state

    def device(self, reference: str | int) -> DeviceState:
        """Return a device by number, UUID or Bluetooth address. Raises EngineError."""
        if isinstance(reference, int):
            state = self.devices.get(reference)
        else:
            state = self._by_uuid.get(reference) or next(
                (
                    one
                    for one in self.devices.values()
                    if one.row.address is not None
                    and one.row.address == reference.upper()
                ),
                None,
            )
        if state is None or state.row.retired_at is not None:
            raise EngineError("device_not_found", field="device_id", id=reference)
        return state

    async def attach(
        self,
        device: Device,
        *,
        limits: DeviceLimits,
        aquarium: str | None,
        assumed: Mapping[str, Setting] | None = None,
    ) -> DeviceState:
        """Take hardware that an entry brings. Never connects and never waits for it.

        ``assumed`` is what fields rest on when nothing is known of them and the device
        cannot tell (a lamp has no read-back). Raises StoreError when the device is new
        and cannot be stored.
        """
        row = await self._row_of(device, aquarium)
        state = self.add_device(row)
        if (leave := self._leave.pop(row.number, None)) is not None:
            leave()
        state.attach(device, limits)
        for name, setting in (assumed or {}).items():
            field = state.fields[name]
            if field.resting is None and device.observed(name) is None:
                field.resting = dict(setting)
        self._leave[row.number] = device.listen(_Ears(self, state))
        await self._safe_first(state)
        self.arbiter.converge(state)
        if self.started:
            self._let_go(state)
        self.announcer.announce(DeviceChanged(device=row.number))
        return state

    async def detach(self, number: int) -> None:
        """Let hardware go; claims, resting values and the queue's order stay."""
        state = self.devices[number]
        if (leave := self._leave.pop(number, None)) is not None:
            leave()
        device = state.device
        state.detach()
        if device is not None:
            await device.close()
        self.announcer.announce(DeviceChanged(device=number))

    async def retire(self, number: int) -> None:
        """Take a device out of use: its claims end, its row stays (design 2)."""
        state = self.devices[number]
        for command in self.records.open:
            if command.device == number:
                self._withdraw(command)
        now = self.clock.now()
        await self.journal.commit(
            lambda connection: device_rows.retire(connection, number, now)
        )
        self._by_uuid.pop(state.row.uuid, None)
        await self.detach(number)
        del self.devices[number]

    async def retire_of(self, aquarium: str, address: str | None) -> None:
        """Take the devices of a removed entry out of use.

        A device made from entities goes with its aquarium; a Bluetooth device goes with
        its own entry and is left without an aquarium when only that is removed.
        """
        for number, state in tuple(self.devices.items()):
            own = address is not None and state.row.address == address
            if own or (state.row.aquarium == aquarium and state.row.address is None):
                await self.retire(number)

    async def _row_of(self, device: Device, aquarium: str | None) -> DeviceRow:
        """Return the device's row, stored; in memory only while the store is locked."""
        if self.journal.locked:
            known = self._by_uuid.get(device.uuid)
            return (
                known.row
                if known
                else DeviceRow(
                    number=-1 - len(self.devices),
                    uuid=device.uuid,
                    kind=device.kind,
                    name=device.name,
                    address=device.address,
                    aquarium=aquarium,
                )
            )
        now = self.clock.now()

        def unit(connection: Connection) -> DeviceRow:
            return device_rows.ensure(
                connection,
                uuid=device.uuid,
                kind=device.kind,
                name=device.name,
                address=device.address,
                aquarium=aquarium,
                at=now,
            )

        return await self.journal.commit(unit)

    async def _safe_first(self, state: DeviceState) -> None:
        """Send what safety holds off before anything else can run (design 6)."""
        held = [
            field
            for field in state.fields.values()
            if not field.description.virtual
            and any(claim.layer is Layer.SAFETY for claim in field.claims.values())
        ]
        if not held:
            return
        try:
            await state.queue.stop(lambda: self.levels.push(state, held))
        except (DeviceError, TimeoutError) as error:
            _LOGGER.warning("%s could not be made safe yet: %s", state.row.name, error)

    def _let_go(self, state: DeviceState) -> None:
        """Let a device's queue run, once the device is there or was waited for (R-X5)."""
        if state.device is None:
            return
        self.pulses.settle_later(state)
        if state.available:
            state.queue.release()
        else:
            self.agenda.put_elapsed("release", state.row.number, DEVICE_WAIT)

    def _read_counters(self, state: DeviceState) -> None:
        """Ask a doser for its counters, by the road that everything takes (law 1)."""

        async def ask() -> None:
            try:
                await self.send(
                    state,
                    "request_status",
                    {},
                    Origin(source=Source.ENGINE),
                    timeout=30,
                )
            except (EngineError, StoreError) as error:
                _LOGGER.debug("%s could not be asked: %s", state.row.name, error)

        self._background(ask())

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for; it ends with the engine."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _release_due(self, key: Any, now: datetime) -> None:
        """Let a queue run although its device did not come: its commands fail clearly."""
        state = self.devices.get(key)
        if state is not None and state.device is not None:
            state.queue.release()

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
        now = self.clock.now()
        command = command_for(device, action, args, origin, now, id=id, timeout=timeout)
        if command.kind is Kind.DOSE:
            self._refuse_dose_early(device, args, now)
        if origin.by_hand and command.kind is Kind.SET:
            command = self._as_override(device, command, now)
        return await self._accept(device, command)

    async def set_field(
        self, device: DeviceState, name: str, value: Scalar, origin: Origin
    ) -> Command:
        """Accept a point action on a field by its name (a keeper's switch, a plain field)."""
        command = field_command(device, name, value, origin, self.clock.now())
        return await self._accept(device, command)

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
        command = window_for(
            device,
            field_name,
            value,
            origin,
            self.clock.now(),
            start=start,
            end=end,
            id=id,
        )
        return await self._accept(device, command)

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
        return self._withdraw(current)

    async def create_schedule(
        self, data: Mapping[str, Any], *, user: str | None
    ) -> Planned:
        """Store and plan a schedule. Raises ScheduleError, EngineError, StoreError."""
        return await self.planner.create(
            data, default_zone=self._default_zone(), user=user
        )

    async def delete_schedule(self, schedule: int, *, user: str | None) -> None:
        """Remove a schedule and end what it has under way (R-B116)."""
        await self.planner.delete(schedule, user=user)
        for command in self.records.open:
            if command.schedule == schedule:
                self._withdraw(command)

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

    def enter(self, command: Command) -> None:
        """Route a command that is on disk to where it waits."""
        device = self.devices[command.device]
        if command.kind in (Kind.WINDOW, Kind.RAMP):
            self.arbiter.enter(command)
            return
        if command.source is Source.ENTITY and command.kind is Kind.SET:
            self._supersede(device, command)
        if command.phase is Phase.PLANNED and command.expires_at is not None:
            self.agenda.put("expire", command.key, command.expires_at)
        device.queue.put(command)

    async def _accept(self, device: DeviceState, command: Command) -> Command:
        """Commit a cause and let it run; an off goes out even when the store fails (law 2)."""
        queue = device.queue
        let_go = queue.reserve()

        def entered(stored: Command) -> None:
            let_go()
            self.enter(stored)

        try:
            stored, new = await self.records.accept(command, entered)
        except ConflictingId as error:
            let_go()
            raise EngineError("id_conflict", field="id", id=command.id) from error
        except (StoreError, EngineError) as error:
            let_go()
            if not self._may_go_unstored(command, error):
                raise
            command = self.records.impose(command)
            queue.put(command)
            return command
        if not new:
            let_go()
        return stored

    @staticmethod
    def _may_go_unstored(command: Command, error: Exception) -> bool:
        """Return whether a command must go out although the store is broken."""
        broken = isinstance(error, StoreError) or (
            isinstance(error, EngineError) and error.code == "store_locked"
        )
        level = (command.value or {}).get("level")
        off = command.action in _OFF or (level == 0 and not isinstance(level, bool))
        return broken and command.kind is Kind.SET and off

    def _refuse_dose_early(
        self, device: DeviceState, args: Mapping[str, Any], now: datetime
    ) -> None:
        """Refuse a dose at once that the gate would refuse now; not the binding answer."""
        head, volume = check_dose(device, args)
        refusal = self.gate.refusal(device, head, volume, now)
        if refusal is not None:
            raise SafetyRefusedError(refusal)

    def _as_override(
        self, device: DeviceState, command: Command, now: datetime
    ) -> Command:
        """Turn a change by hand into an override while a plan holds the field (law 4)."""
        state = device.field_state(command.field or "")
        resolution = state.resolve(now)
        owner = resolution.owner if resolution is not None else None
        if owner is None or owner.layer > Layer.OVERRIDE:
            return command
        ends_at = override_end(state.claims.values(), now)
        for key in tuple(state.claims):
            older = self.records.current(key)
            if older is not None and older.layer is Layer.OVERRIDE:
                ends_at = ends_at or older.ends_at
                self.arbiter.withdraw(older, Phase.STOPPED, ErrorCode.SUPERSEDED)
        return _override(command, now, ends_at)

    def _supersede(self, device: DeviceState, newer: Command) -> None:
        """End entity writes to the same field that have not begun (design 5)."""
        for older in device.queue.waiting:
            if (
                older.source is Source.ENTITY
                and older.kind is Kind.SET
                and older.field == newer.field
                and device.queue.withdraw(older.key) is not None
            ):
                current = self.records.current(older.key)
                if current is not None and current.phase is Phase.PLANNED:
                    self.records.advance(
                        current,
                        Phase.WITHDRAWN,
                        error_code=ErrorCode.SUPERSEDED,
                        error="superseded",
                    )

    def _withdraw(self, command: Command) -> Command:
        """End a command wherever it is in its life."""
        planned = command.phase is Phase.PLANNED
        phase = Phase.WITHDRAWN if planned else Phase.STOPPED
        if command.kind in (Kind.WINDOW, Kind.RAMP):
            return self.arbiter.withdraw(command, phase, ErrorCode.COMMAND_CANCELLED)
        if not planned:
            raise EngineError("command_is_running", id=command.id)
        self.devices[command.device].queue.withdraw(command.key)
        return self.records.advance(
            command, phase, error_code=ErrorCode.COMMAND_CANCELLED, error="cancelled"
        )

    def _expire_due(self, key: Any, now: datetime) -> None:
        """End a command that waited for too long (so that nothing runs late)."""
        command = self.records.current(key)
        if command is None or command.phase is not Phase.PLANNED:
            return
        device = self.devices[command.device]
        running = device.queue.running
        if running is not None and running.key == key:
            return
        device.queue.withdraw(command.key)
        self.records.advance(
            command, Phase.MISSED, error_code=ErrorCode.EXPIRED, error="expired"
        )

    def _command_due(self, key: Any, now: datetime) -> None:
        """Let a command take its place in the queue that had to wait for an instant."""
        command = self.records.current(key)
        if command is not None and command.phase is Phase.PLANNED:
            self.devices[command.device].queue.put(command)

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
            self.announcer.announce(StoreChanged(code=code))

    def _swept(self) -> None:
        """Try again to write what the store did not take."""
        if self.journal.kept and not self.journal.locked:
            self._background(self.journal.retry())


class _Ears:
    """Hears a device on behalf of the engine."""

    def __init__(self, engine: Engine, state: DeviceState) -> None:
        """Know whose device it is."""
        self._engine = engine
        self._state = state

    def observed(self, observation: Observation) -> None:
        """Have a value judged that was seen."""
        self._engine.arbiter.observe(self._state, observation)

    def availability_changed(self, available: bool) -> None:
        """Re-assert what is held, and let the queue run that waited for the device."""
        self._state.refresh_fields()
        self._engine.arbiter.availability_changed(self._state, available)
        if available and self._engine.started:
            self._state.queue.release()

    def counters_read(
        self, lifetime: Mapping[int, int], today: Mapping[int, int]
    ) -> None:
        """Settle doses by what the pump counted."""
        self._engine.pulses.counters_read(self._state, lifetime, today)


def _override(command: Command, now: datetime, ends_at: datetime | None) -> Command:
    """Return a point action as an override of the plan."""
    return changed(
        command,
        kind=Kind.WINDOW,
        layer=Layer.OVERRIDE,
        phase=Phase.PLANNED,
        attempts=0,
        started_at=None,
        starts_at=now,
        ends_at=ends_at if ends_at is not None else now + timedelta(hours=24),
        expires_at=None,
    )
