"""Accepting requests: on disk before anything else, and each to the place where it waits.

A request that repeats an id is answered with what is stored (RES-44). What may not wait
for a broken store, an off, goes out without it (law 2).
"""

from collections.abc import Callable, Hashable
from datetime import datetime
from sqlite3 import Connection

from ..commands.actions import ACTIONS
from ..commands.command import RAMP_START, Command, ErrorCode, Source, changed
from ..commands.phases import Kind, Phase
from ..layers.claims import Layer
from ..layers.setting import Scalar, Setting
from ..store import commands as command_rows
from ..store.commands import ConflictingId
from ..store.errors import StoreError
from .announced import require_announced
from .arbiter import Arbiter
from .equipment import Equipment
from .errors import EngineError, SafetyRefusedError
from .gate import Gate
from .ground import Ground
from .intake import (
    Origin,
    Request,
    asked,
    check_dose,
    command_of,
    field_command,
    spec_of,
    waits,
)
from .overrides import Overrides
from .rate_limits import RateLimits
from .refusals import Refusals
from .state import DeviceState
from .write_intake import window_asked, window_complete


class Acceptance:
    """The one way in for every command."""

    def __init__(
        self,
        ground: Ground,
        arbiter: Arbiter,
        overrides: Overrides,
        gate: Gate,
        equipment: Equipment,
    ) -> None:
        """Answer the agenda for commands that wait for their start, or wait too long."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._arbiter = arbiter
        self._overrides = overrides
        self._gate = gate
        self._equipment = equipment
        self._devices = ground.devices
        self._database = ground.database
        self._journal = ground.journal
        self._settings = ground.settings
        self._rate_limits = RateLimits()
        self._refusals = Refusals(ground)
        ground.agenda.on("expire", self._expire_due)
        ground.agenda.on("start", self._start_due)

    async def send(
        self,
        device: DeviceState,
        request: Request,
        *,
        confirm: bool = False,
        alone: bool = False,
    ) -> Command:
        """Accept an action at a device; it is on disk when this returns (law 2).

        ``alone`` refuses what would have to wait for its turn, `device_busy`. Raises
        EngineError or InvalidValue (nothing stored), StoreError (not stored).
        """
        if request.id is not None and (known := await self._known(device, request.id)):
            return self._replay(known, request)
        settings = self._settings.current
        now = self._clock.now()
        command = command_of(device, request, now, settings, at_once=device.queue.idle)
        at_once = not waits(command, now)
        if spec_of(request.action).destructive and not confirm:
            raise EngineError(
                "confirmation_needed", field="confirm", action=request.action
            )
        if alone and self.busy(device, command.id):
            raise EngineError("device_busy", name=device.row.name)
        if at_once:
            try:
                self._refuse_early(device, command)
            except SafetyRefusedError as error:
                self._refusals.note(command, request.id, error)
                raise
        if request.origin.by_hand and command.kind is Kind.SET and at_once:
            command = self._overrides.as_override(device, command)
        try:
            give_back = self._rate_limits.count(
                command, self._clock.elapsed(), settings
            )
        except EngineError:
            if (known := await self._accepted_just_now(device, request.id)) is None:
                raise
            return self._replay(known, request)
        return await self.accept(device, command, give_back)

    async def set_field(
        self, device: DeviceState, name: str, value: Scalar, origin: Origin
    ) -> Command:
        """Accept a point action on a field by its name (a keeper's switch, a plain field)."""
        now, expiry = self._clock.now(), self._settings.current.queue_expiry
        command = field_command(device, name, value, origin, now, expiry)
        if origin.by_hand:
            command = self._overrides.as_override(device, command)
        return await self.accept(device, command)

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
            return window_asked(
                device.row.number,
                field_name,
                value,
                origin,
                now,
                start=start,
                end=end,
                id=id,
            )

        if id is not None and (known := await self._known_write(id)) is not None:
            return _replayed(known, build(known.created_at))
        command = window_complete(device, build(self._clock.now()))
        require_announced(device, command.field or "", command.value or {})
        return await self.accept(device, command)

    async def rerun(
        self, command: Command, origin: Origin, *, confirm: bool = False
    ) -> Command:
        """Send the same once more, now and under a new id (R-C35).

        Raises EngineError `cannot_rerun` for what is no action of a device, and what
        `send` raises.
        """
        device = self._devices.get(command.device)
        if device is None:
            raise EngineError("device_not_found", field="device_id", id=command.device)
        if command.action not in ACTIONS:
            raise EngineError("cannot_rerun", field="id", action=command.action)
        hold = None
        if command.layer is Layer.WINDOW and command.starts_at and command.ends_at:
            hold = (command.ends_at - command.starts_at).total_seconds()
        added = {RAMP_START} if command.kind is Kind.RAMP else set()
        request = Request(
            action=command.action,
            args={name: command.args[name] for name in command.args.keys() - added},
            origin=origin,
            timeout=command.timeout,
            hold=hold,
            retry_of=command.id,
        )
        return await self.send(device, request, confirm=confirm)

    def enter(self, command: Command) -> None:
        """Route a command that is on disk to where it waits."""
        device = self._devices[command.device]
        if command.kind in (Kind.WINDOW, Kind.RAMP):
            self._arbiter.enter(command)
            return
        planned = command.phase is Phase.PLANNED
        if planned and command.starts_at and waits(command, self._clock.now()):
            self._agenda.put("start", command.key, command.starts_at)
            return
        if command.source is Source.ENTITY and command.kind is Kind.SET:
            self._supersede(device, command)
        if planned and command.expires_at is not None:
            self._agenda.put("expire", command.key, command.expires_at)
        self._let_queue(device, command)

    def resume(self, command: Command) -> None:
        """Take up a command that waited when the engine stopped (RES-45, R-C61).

        What should have begun meanwhile, and must not be done late, is missed; one that was
        put off when its time came, by spacing for instance, is not.
        """
        start = command.starts_at if command.scheduled else None
        on_time = start and start + self._settings.current.queue_expiry
        late = start is not None and start <= self._clock.now()
        if late and not command.repeatable and command.expires_at == on_time:
            self._miss(command)
        else:
            self.enter(command)

    def withdraw(self, command: Command) -> Command:
        """End a command that waits, or holds a field.

        Raises EngineError for one that runs, and for one by which safety holds a field: that
        ends by its own rule alone (law 4).
        """
        running = self._devices[command.device].queue.running
        preparing = running is not None and running.key == command.key
        if preparing or is_running(command) or command.layer is Layer.SAFETY:
            raise EngineError("command_is_running", id=command.id)
        for wait in ("start", "expire"):
            self._agenda.remove(wait, command.key)
        return self._equipment.withdraw(command)

    def busy(self, device: DeviceState, id: str | None) -> bool:
        """Return whether a device has something else to do than this command (R-C3)."""
        queue = device.queue
        others = [one.key for one in (queue.running, *queue.waiting) if one is not None]
        own = f"{device.row.number}/{id}"
        return any(key != own for key in (*others, *device.busy_heads.values()))

    def _replay(self, known: Command, request: Request) -> Command:
        """Return the stored command for a request that repeats its id (RES-44)."""
        at, settings = known.created_at, self._settings.current
        return _replayed(known, asked(known.device, request, at, settings))

    async def _accepted_just_now(
        self, device: DeviceState, id: str | None
    ) -> Command | None:
        """Return the command that a twin of this request has brought in meanwhile."""
        if id is None or self._journal.locked:
            return None
        number = device.row.number
        return await self._journal.commit(
            lambda connection: command_rows.get(connection, number, id)
        )

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

    async def accept(
        self,
        device: DeviceState,
        command: Command,
        give_back: Callable[[], None] = lambda: None,
    ) -> Command:
        """Commit a cause and let it run; an off goes out even when the store fails (law 2).

        ``give_back`` is called when nothing new was accepted. Raises EngineError
        `id_conflict`, StoreError.
        """
        queue = device.queue
        let_go = queue.reserve()

        def entered(stored: Command) -> None:
            let_go()
            self.enter(stored)

        try:
            stored, new = await self._records.accept(command, entered)
        except ConflictingId as error:
            give_back()
            raise EngineError("id_conflict", field="id", id=command.id) from error
        except (StoreError, EngineError) as error:
            if not _may_go_unstored(command, error):
                give_back()
                raise
            return self._go_unstored(device, command)
        finally:
            # Also for a caller that is cancelled and never hears what became of it.
            let_go()
        if not new:
            give_back()
        return stored

    def _go_unstored(self, device: DeviceState, command: Command) -> Command:
        """Carry out an off together with its record (law 2)."""
        if command.layer is Layer.OVERRIDE:
            begun = changed(
                command, phase=Phase.IN_FORCE, started_at=command.created_at
            )
            return self._arbiter.hold_at_once(device, begun)
        command = self._records.impose(command)
        self._let_queue(device, command)
        return command

    def _let_queue(self, device: DeviceState, command: Command) -> None:
        """Let a command wait for its turn; one that was begun already waits anew."""
        device.queue.put(command)
        if command.phase is Phase.APPLYING and command in device.queue.waiting:
            expires_at = self._clock.now() + self._settings.current.queue_expiry
            self._agenda.put("expire", command.key, expires_at)

    def _refuse_early(self, device: DeviceState, command: Command) -> None:
        """Refuse at once what the gate would refuse now; not the binding answer."""
        if command.kind is Kind.PROGRAMME and device.queue.idle:
            self._equipment.memory.refuse(device, command.action, command.args)
        if command.kind is Kind.DOSE:
            head, volume = check_dose(device, command.args)
            refusal = self._gate.refusal(device, head, volume, command.created_at)
            if refusal is not None:
                raise SafetyRefusedError(refusal)

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
        if command is None:
            return
        queue = self._devices[command.device].queue
        waited = queue.withdraw(command.key) is not None
        if command.phase is not Phase.PLANNED:
            if waited:
                self._equipment.give_up(command, ErrorCode.EXPIRED, "expired")
        elif queue.running is None or queue.running.key != key:
            self._miss(command)

    def _start_due(self, key: Hashable, now: datetime) -> None:
        """Let a command take its place whose start has come, if it is still wanted (law 7)."""
        command = self._records.current(str(key))
        if command is not None and command.phase is Phase.PLANNED:
            self.enter(command)

    def _miss(self, command: Command) -> None:
        """End a command for which it is too late."""
        self._records.advance(
            command, Phase.MISSED, error_code=ErrorCode.EXPIRED, error="expired"
        )


def is_running(command: Command) -> bool:
    """Return whether a command is at its device now: it comes to its own end."""
    if command.kind in (Kind.WINDOW, Kind.RAMP):
        return command.phase is Phase.RESTORING
    return command.phase is not Phase.PLANNED


def _may_go_unstored(command: Command, error: Exception) -> bool:
    """Return whether a command must go out although the store is broken."""
    broken = isinstance(error, StoreError) or (
        isinstance(error, EngineError) and error.code == "store_locked"
    )
    point = command.kind is Kind.SET or command.layer is Layer.OVERRIDE
    at_once = point and not waits(command, command.created_at)
    return broken and at_once and command.is_off


def _replayed(known: Command, again: Command) -> Command:
    """Return the stored command for a request that repeats it. Raises EngineError (RES-44)."""
    if known.fingerprint != again.fingerprint:
        raise EngineError("id_conflict", field="id", id=known.id)
    return known
