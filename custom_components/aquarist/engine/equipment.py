"""The devices of the engine: attached, detached, and taken out of use.

Entries bring and take hardware; what is known of a device stays here and in the store.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
import logging
from sqlite3 import Connection
from typing import Any

from ..commands.command import Command, ErrorCode
from ..commands.phases import Kind, Phase
from ..devices.device import Device, StopReport
from ..devices.errors import DeviceError
from ..layers.claims import Layer
from ..layers.setting import Setting
from ..store import devices as device_rows
from ..store.commands import SYNCHRONOUS_WRITE
from ..store.devices import DeviceRow
from ..store.errors import StoreError
from .arbiter import Arbiter
from .changes import DeviceChanged
from .claims import is_passing
from .device_memory import DeviceMemory
from .dose_ledger import DoseLedger
from .errors import EngineError
from .execution import Execution
from .ground import Ground
from .hearing import Hearing
from .levels import Levels
from .memory_power import PowerWatch
from .observations import Observations
from .pulses import Pulses
from .state import DEVICE_WAIT, DeviceLimits, DeviceState
from .switch_runs import SwitchRuns

_LOGGER = logging.getLogger(__name__)

RESTORE_WAIT = 10.0


class Equipment:
    """Every device that the engine knows, with or without its hardware."""

    def __init__(
        self,
        ground: Ground,
        levels: Levels,
        arbiter: Arbiter,
        observations: Observations,
        pulses: Pulses,
        switch_runs: SwitchRuns,
        ledger: DoseLedger,
        execution: Execution,
        memory: DeviceMemory,
        power: PowerWatch,
    ) -> None:
        """Keep the devices in the mapping that all rooms of the engine look into."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._levels = levels
        self._arbiter = arbiter
        self._observations = observations
        self._pulses = pulses
        self._switch_runs = switch_runs
        self._ledger = ledger
        self._execution = execution
        self.memory = memory
        self._hearing = Hearing(
            ground, observations, switch_runs, ledger, memory, power, came=self._came
        )
        self._devices = ground.devices
        self._by_uuid: dict[str, DeviceState] = {}
        self._leave: dict[int, Callable[[], None]] = {}
        self.started = False
        ground.agenda.on("release", self._release_due)

    def start(self) -> None:
        """Let the queues run, each as soon as its device is there or was waited for."""
        self.started = True
        for device in self._devices.values():
            self._let_go(device)

    async def close_queues(self) -> None:
        """Let nothing begin any more; what runs stays open on disk."""
        for device in self._devices.values():
            await device.queue.close()

    async def close(self) -> None:
        """Let go of all hardware."""
        for leave in self._leave.values():
            leave()
        self._leave.clear()
        for device in self._devices.values():
            if device.device is not None:
                await _closed(device.device)

    def add(self, row: DeviceRow) -> DeviceState:
        """Take a device into memory, without its hardware."""
        state = self._devices.get(row.number)
        if state is None:
            state = DeviceState(row, self._execution.execute, self._levels.flush)
            self._devices[row.number] = state
        state.row = row
        self._by_uuid[row.uuid] = state
        return state

    def find(self, reference: str | int) -> DeviceState:
        """Return a device by number, UUID or Bluetooth address. Raises EngineError.

        While the store is locked nobody knows the number that a device has there.
        """
        if isinstance(reference, int):
            state = self._devices.get(reference)
            if state is None and self._journal.locked:
                raise EngineError("store_locked")
        else:
            state = self._by_uuid.get(reference) or next(
                (
                    one
                    for one in self._devices.values()
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
        assumed: Mapping[str, Setting],
    ) -> DeviceState:
        """Take hardware that an entry brings. Never connects and never waits for it.

        ``assumed`` is what fields rest on when nothing is known of them and the device
        cannot tell (a lamp has no read-back). Raises StoreError when the device is new
        and cannot be stored.
        """
        row = await self._row_of(device, aquarium)
        state = self.add(row)
        if (leave := self._leave.pop(row.number, None)) is not None:
            leave()
        state.attach(device, limits)
        for name, setting in assumed.items():
            field = state.fields[name]
            if field.resting is None and device.observed(name) is None:
                field.resting = dict(setting)
        self._switch_runs.recall(state)
        self._leave[row.number] = device.listen(self._hearing.of(state))
        await self._safe_first(state)
        self._observations.attached(state)
        if self.started:
            self._let_go(state)
        self._announcer.announce(DeviceChanged(device=row.number))
        return state

    async def detach(self, number: int) -> None:
        """Let hardware go; claims, resting values and the queue's order stay."""
        state = self._devices[number]
        if state.may_run and state.device is not None:
            # While it is still heard what was given until then.
            await state.queue.stop(state.device.stop)
        if (leave := self._leave.pop(number, None)) is not None:
            leave()
        device = state.device
        state.detach()
        if device is not None:
            await _closed(device)
        self._announcer.announce(DeviceChanged(device=number))

    async def retire(self, number: int) -> None:
        """Take a device out of use: what holds it ends, and it is brought back first.

        Its row stays (design 2). A device that cannot be reached is left as it is.
        """
        state = self._devices[number]
        state.queue.hold()
        await state.queue.stop(_nothing)
        for command in self._records.open:
            if command.device == number:
                self._end(command)
        if state.device is not None:
            await self._bring_back(state)
        now = self._clock.now()

        def unit(connection: Connection) -> None:
            # It may be in use again by the time that the store takes this.
            if self._devices.get(number) in (None, state):
                device_rows.retire(connection, number, now)

        try:
            await self._journal.commit(unit)
        except (EngineError, StoreError) as error:
            # It is gone from the keeper's list, whatever the store takes now.
            _LOGGER.warning("%s is out of use, to be stored: %s", state.row.name, error)
            self._journal.record(unit)
        # Who hears that it is detached shall not take it for one that cannot be reached.
        state.row = replace(state.row, retired_at=now)
        await self.detach(number)
        self._by_uuid.pop(state.row.uuid, None)
        del self._devices[number]

    def withdraw(self, command: Command, *, bring_back: bool = True) -> Command:
        """End a command that waits for its turn, or holds a field.

        What held a field ends once that is brought back, unless somebody else does so.
        """
        planned = command.phase is Phase.PLANNED
        phase = Phase.WITHDRAWN if planned else Phase.STOPPED
        code, word = ErrorCode.COMMAND_CANCELLED, "cancelled"
        if command.kind in (Kind.WINDOW, Kind.RAMP):
            return self._arbiter.withdraw(
                command, phase, code, word, bring_back=bring_back
            )
        self._devices[command.device].queue.withdraw(command.key)
        return self._records.advance(command, phase, error_code=code, error=word)

    def give_up(self, command: Command, code: ErrorCode, word: str) -> None:
        """End a command of an earlier life of which nobody knows whether it took effect.

        What it may have changed is withdrawn (law 4), but for a synchronous write: after
        that what shows is left as it is (RES-78).
        """
        if command.kind is Kind.SET and command.action != SYNCHRONOUS_WRITE:
            device = self._devices[command.device]
            state = device.field_state(command.field or "")
            self._levels.memory.withdrew(device, state)
        self._records.advance(command, Phase.FAILED, error_code=code, error=word)

    def _end(self, command: Command) -> None:
        """End a command of a device that goes out of use, whatever its phase."""
        running = command.phase is not Phase.PLANNED
        if command.kind is Kind.DOSE and running:
            self._pulses.interrupted(command)
        else:
            self.withdraw(command, bring_back=False)

    async def _bring_back(self, state: DeviceState) -> None:
        """Write what every field rests on, with what goes along, within a bounded time."""
        held = [
            field
            for field in state.fields.values()
            if field.dirty and not field.description.virtual
        ]
        for field in held:
            self._levels.memory.withdrew(state, field)
        try:
            async with asyncio.timeout(RESTORE_WAIT):
                await state.queue.stop(lambda: self._levels.push(state, held))
        except (DeviceError, TimeoutError) as error:
            _LOGGER.warning("%s stays as it is: %s", state.row.name, error)
        for field in state.fields.values():
            self._levels.memory.settled(state, field)

    async def _row_of(self, device: Device, aquarium: str | None) -> DeviceRow:
        """Return the device's row, stored; in memory only while the store is locked."""
        known = self._by_uuid.get(device.uuid)
        if self._journal.locked:
            if known is not None:
                return known.row
            return DeviceRow(
                number=-1 - len(self._devices),
                uuid=device.uuid,
                kind=device.kind,
                name=device.name,
                address=device.address,
                aquarium=aquarium,
            )
        now = self._clock.now()

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

        try:
            return await self._journal.commit(unit)
        except StoreError:
            if known is None:
                raise
            # What is held on it must not be lost over a new name (law 2).
            return known.row

    async def _safe_first(self, state: DeviceState) -> None:
        """Switch off what doses, and send what safety holds off, before anything else (design 6)."""
        if state.may_run and state.device is not None:
            report = await state.queue.stop(state.device.stop)
            if not report.confirmed:
                _LOGGER.warning("%s may be on: %s", state.row.name, report.detail)
        held = [
            field
            for field in state.fields.values()
            if not field.description.virtual
            and any(
                claim.layer is Layer.SAFETY
                and not is_passing(self._records.current(key))
                for key, claim in field.claims.items()
            )
        ]
        if not held:
            return
        try:
            async with asyncio.timeout(RESTORE_WAIT):
                await state.queue.stop(lambda: self._levels.push(state, held))
        except (DeviceError, TimeoutError) as error:
            _LOGGER.warning("%s could not be made safe yet: %s", state.row.name, error)

    def _came(self, state: DeviceState, available: bool) -> None:
        """Let the queue run that waited for a device, and take what it now tells of itself."""
        state.refresh_fields()
        if available and self.started:
            state.queue.release()

    def _let_go(self, state: DeviceState) -> None:
        """Let a device's queue run, once the device is there or was waited for (R-X5)."""
        if state.device is None:
            return
        self._ledger.looks.settle_later(state)
        if state.ready:
            state.queue.release()
        else:
            self._agenda.put_elapsed("release", state.row.number, DEVICE_WAIT)

    def _release_due(self, key: Any, now: datetime) -> None:
        """Let a queue run although its device did not come: its commands fail clearly."""
        state = self._devices.get(key)
        if state is not None and state.device is not None:
            state.queue.release()


async def _closed(device: Device) -> None:
    """Let go of hardware; what goes wrong with it holds up nothing else."""
    try:
        await device.close()
    except Exception:
        _LOGGER.exception("%s was not let go of in good order", device.name)


async def _nothing() -> StopReport:
    """Do nothing at the device: what ran has been cancelled."""
    return StopReport(confirmed=True, detail="nothing_to_stop")
