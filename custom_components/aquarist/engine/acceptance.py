"""Accepting requests: on disk before anything else, and each to the place where it waits.

A request that repeats an id is answered with what is stored (RES-44). What may not wait
for a broken store, an off, goes out without it (law 2).
"""

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from sqlite3 import Connection
from typing import Any

from ..commands.command import Command, ErrorCode, Source, changed
from ..commands.phases import Kind, Phase
from ..layers.claims import Layer
from ..layers.resolve import override_end
from ..layers.setting import Scalar, Setting
from ..store import commands as command_rows
from ..store.commands import ConflictingId
from ..store.errors import StoreError
from .arbiter import LONGEST_OVERRIDE, Arbiter
from .equipment import Equipment
from .errors import EngineError, SafetyRefusedError
from .gate import Gate
from .ground import Ground
from .intake import Origin, check_dose, command_for, field_command, window_for
from .state import DeviceState


class Acceptance:
    """The one way in for every command."""

    def __init__(
        self, ground: Ground, arbiter: Arbiter, gate: Gate, equipment: Equipment
    ) -> None:
        """Answer the agenda for commands that wait too long."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._arbiter = arbiter
        self._gate = gate
        self._equipment = equipment
        self._devices = ground.devices
        self._database = ground.database
        ground.agenda.on("expire", self._expire_due)

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
        if id is not None and (known := await self._known(device, id)) is not None:
            again = command_for(
                device, action, args, origin, known.created_at, id=id, timeout=timeout
            )
            return _replayed(known, again)
        now = self._clock.now()
        command = command_for(
            device,
            action,
            args,
            origin,
            now,
            id=id,
            timeout=timeout,
            at_once=device.queue.idle,
        )
        if command.kind is Kind.DOSE:
            self._refuse_dose_early(device, args, now)
        if origin.by_hand and command.kind is Kind.SET:
            command = self._as_override(device, command, now)
        return await self._accept(device, command)

    async def set_field(
        self, device: DeviceState, name: str, value: Scalar, origin: Origin
    ) -> Command:
        """Accept a point action on a field by its name (a keeper's switch, a plain field)."""
        command = field_command(device, name, value, origin, self._clock.now())
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
        """Accept a write action: set a value, and give way at its end (R-T2).

        Its id is known to all devices: for another one it is refused (RES-44).
        """

        def build(now: datetime) -> Command:
            return window_for(
                device, field_name, value, origin, now, start=start, end=end, id=id
            )

        if id is not None and (known := await self._known_write(id)) is not None:
            return _replayed(known, build(known.created_at))
        return await self._accept(device, build(self._clock.now()))

    def enter(self, command: Command) -> None:
        """Route a command that is on disk to where it waits."""
        device = self._devices[command.device]
        if command.kind in (Kind.WINDOW, Kind.RAMP):
            self._arbiter.enter(command)
            return
        if command.source is Source.ENTITY and command.kind is Kind.SET:
            self._supersede(device, command)
        if command.phase is Phase.PLANNED and command.expires_at is not None:
            self._agenda.put("expire", command.key, command.expires_at)
        device.queue.put(command)

    def withdraw(self, command: Command) -> Command:
        """End a command that waits, or holds a field. Raises EngineError for one that runs."""
        if is_running(command):
            raise EngineError("command_is_running", id=command.id)
        return self._equipment.withdraw(command)

    async def _known(self, device: DeviceState, id: str) -> Command | None:
        """Return the command that has an id at a device, from the store."""
        number = device.row.number
        return await self._read(
            lambda connection: command_rows.get(connection, number, id)
        )

    async def _known_write(self, id: str) -> Command | None:
        """Return the write action that has an id, at whatever device."""
        return await self._read(
            lambda connection: command_rows.write_action(connection, id)
        )

    async def _read(
        self, query: Callable[[Connection], Command | None]
    ) -> Command | None:
        """Ask the store, if there is one."""
        return None if self._database is None else await self._database.read(query)

    async def _accept(self, device: DeviceState, command: Command) -> Command:
        """Commit a cause and let it run; an off goes out even when the store fails (law 2)."""
        queue = device.queue
        let_go = queue.reserve()

        def entered(stored: Command) -> None:
            let_go()
            self.enter(stored)

        try:
            stored, new = await self._records.accept(command, entered)
        except ConflictingId as error:
            let_go()
            raise EngineError("id_conflict", field="id", id=command.id) from error
        except (StoreError, EngineError) as error:
            let_go()
            if not _may_go_unstored(command, error):
                raise
            return self._go_unstored(device, command)
        if not new:
            let_go()
        return stored

    def _go_unstored(self, device: DeviceState, command: Command) -> Command:
        """Carry out an off together with its record (law 2)."""
        if command.layer is Layer.OVERRIDE:
            begun = changed(
                command, phase=Phase.IN_FORCE, started_at=command.created_at
            )
            return self._arbiter.hold_at_once(device, begun)
        command = self._records.impose(command)
        device.queue.put(command)
        return command

    def _refuse_dose_early(
        self, device: DeviceState, args: Mapping[str, Any], now: datetime
    ) -> None:
        """Refuse a dose at once that the gate would refuse now; not the binding answer."""
        head, volume = check_dose(device, args)
        refusal = self._gate.refusal(device, head, volume, now)
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
        return changed(
            command,
            kind=Kind.WINDOW,
            layer=Layer.OVERRIDE,
            phase=Phase.PLANNED,
            attempts=0,
            started_at=None,
            starts_at=now,
            ends_at=override_end(state.claims.values(), now) or now + LONGEST_OVERRIDE,
            expires_at=None,
        )

    def _supersede(self, device: DeviceState, newer: Command) -> None:
        """End entity writes to the same field that have not begun (design 5)."""
        waiting = [self._records.current(one.key) for one in device.queue.waiting]
        for older in filter(None, waiting):
            if (
                older.source is Source.ENTITY
                and older.kind is Kind.SET
                and older.field == newer.field
            ):
                device.queue.withdraw(older.key)
                planned = older.phase is Phase.PLANNED
                self._records.advance(
                    older,
                    Phase.WITHDRAWN if planned else Phase.STOPPED,
                    error_code=ErrorCode.SUPERSEDED,
                    error="superseded",
                )

    def _expire_due(self, key: Hashable, now: datetime) -> None:
        """End a command that waited for too long (so that nothing runs late)."""
        command = self._records.current(str(key))
        if command is None or command.phase is not Phase.PLANNED:
            return
        queue = self._devices[command.device].queue
        if queue.running is not None and queue.running.key == key:
            return
        queue.withdraw(command.key)
        self._records.advance(
            command, Phase.MISSED, error_code=ErrorCode.EXPIRED, error="expired"
        )


def is_running(command: Command) -> bool:
    """Return whether a command is at its device now: it comes to its own end."""
    claims = command.kind in (Kind.WINDOW, Kind.RAMP)
    return not claims and command.phase is not Phase.PLANNED


def _may_go_unstored(command: Command, error: Exception) -> bool:
    """Return whether a command must go out although the store is broken."""
    broken = isinstance(error, StoreError) or (
        isinstance(error, EngineError) and error.code == "store_locked"
    )
    level = (command.value or {}).get("level")
    off = command.action == "turn_off" or (level == 0 and not isinstance(level, bool))
    point = command.kind is Kind.SET or command.layer is Layer.OVERRIDE
    return broken and point and off


def _replayed(known: Command, again: Command) -> Command:
    """Return the stored command for a request that repeats it. Raises EngineError (RES-44)."""
    if known.fingerprint != again.fingerprint:
        raise EngineError("id_conflict", field="id", id=known.id)
    return known
