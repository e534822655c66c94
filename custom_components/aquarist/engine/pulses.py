"""Doses: written down, sent at most once, and settled by what the pump counted (law 3)."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
import logging
from typing import Any, cast

from ..commands.command import Command, ErrorCode
from ..commands.phases import Phase
from ..devices.device import DoserDevice, PreparedDose
from ..devices.errors import DeviceError
from ..dosing.ledger import Dose, DoseState, advance, settle
from ..dosing.volume import microlitres, millilitres
from ..limits.refusal import Refusal
from ..store import counters, doses as dose_rows
from ..store.counters import Counter
from ..store.errors import StoreError
from .agenda import Agenda
from .changes import Announcer, DeviceChanged, DoseChanged
from .clock import Clock
from .errors import describe
from .execution import Execution
from .gate import Gate
from .journal import Journal
from .levels import describe_error
from .records import Records
from .state import DeviceState

_LOGGER = logging.getLogger(__name__)

DELIVERY_MARGIN = 15.0
_SETTLE_AGAIN = timedelta(minutes=10)
_MOST_HEADS = 8


class Pulses:
    """Carries out the doses of every doser."""

    def __init__(
        self,
        clock: Clock,
        agenda: Agenda,
        records: Records,
        journal: Journal,
        announcer: Announcer,
        gate: Gate,
        execution: Execution,
        devices: Mapping[int, DeviceState],
    ) -> None:
        """Register nothing: the engine wires `execute` to the queue."""
        self._clock = clock
        self._agenda = agenda
        self._records = records
        self._journal = journal
        self._announcer = announcer
        self._gate = gate
        self._execution = execution
        self._devices = devices
        self.counters: dict[tuple[int, int], Counter] = {}
        self._deliveries: dict[str, asyncio.Task[None]] = {}
        self._stopped: set[str] = set()
        self._waiting: dict[int, list[Command]] = {}
        self.read_counters: Callable[[DeviceState], None] = _nothing
        agenda.on("settle", self._settle_due)

    async def execute(self, device: DeviceState, command: Command) -> None:
        """Give one dose: reserve, prepare, write it down, send, and let it be delivered."""
        head = int(command.args["head_index"])
        if device.busy_heads:
            # Not before the pump is free; meanwhile the queue goes on.
            self._waiting.setdefault(command.device, []).append(command)
            return
        dose = Dose(
            key=command.key,
            device=command.device,
            head=head,
            volume=microlitres(command.args["volume_ml"]),
            state=DoseState.INTENDED,
            at=self._clock.now(),
        )
        if refusal := self._gate.reserve(device, dose, self._clock.now()):
            self._refused(command, refusal)
            return
        device.busy_heads[head] = command.key
        try:
            await self._send(device, command, dose)
        finally:
            if command.key not in self._deliveries:
                self._free(device, head)

    async def _send(self, device: DeviceState, command: Command, dose: Dose) -> None:
        """Bring a reserved dose to the pump; from `send` on it may have been given."""
        port = cast(DoserDevice, device.device)
        prepared: PreparedDose | None = None
        intended = False
        try:
            async with asyncio.timeout(command.timeout):
                command, prepared = await self._execution.tried(
                    command, lambda: port.prepare(dose.head)
                )
                dose = Dose(
                    key=dose.key,
                    device=dose.device,
                    head=dose.head,
                    volume=dose.volume,
                    state=DoseState.INTENDED,
                    at=self._clock.now(),
                    lifetime_before=prepared.lifetime,
                )
                self._gate.note(dose)
                command = await self._intend(command, dose)
                intended = True
                await prepared.send(dose.volume)
        except (DeviceError, TimeoutError, StoreError) as error:
            if prepared is not None:
                await prepared.release()
            if intended:
                self._uncertain(command, dose, error)
            else:
                self._gate.forget(dose)
                self._not_sent(command, error)
            return
        except BaseException:
            if intended:
                self._settled(dose, DoseState.UNKNOWN)
            else:
                self._gate.forget(dose)
            if prepared is not None:
                await prepared.release()
            raise
        self._under_way(device, command, self._moved(dose, DoseState.SENT), prepared)

    async def _intend(self, command: Command, dose: Dose) -> Command:
        """Commit that the dose is about to be given: the last thing before the pump hears."""
        order = command.order
        source = command.source.value
        return await self._records.advance_first(
            command,
            Phase.APPLYING,
            also=lambda connection: dose_rows.intend(connection, dose, order, source),
        )

    def _under_way(
        self,
        device: DeviceState,
        command: Command,
        dose: Dose,
        prepared: PreparedDose,
    ) -> None:
        """Let the pump deliver while the queue goes on."""
        command = self._records.advance(
            command,
            Phase.IN_FORCE,
            result={"head_index": dose.head, "volume_ml": millilitres(dose.volume)},
        )
        task = asyncio.get_running_loop().create_task(
            self._deliver(device, command, dose, prepared),
            name=f"aquarist dose {dose.key}",
        )
        self._deliveries[command.key] = task

    async def _deliver(
        self,
        device: DeviceState,
        command: Command,
        dose: Dose,
        prepared: PreparedDose,
    ) -> None:
        """Wait for the pump's own word that the dose has ended (RES-60)."""
        port = cast(DoserDevice, device.device)
        flow = port.heads[dose.head].flow
        given: int | None = None
        try:
            async with asyncio.timeout(dose.volume / flow + DELIVERY_MARGIN):
                given = await prepared.finished()
        except TimeoutError, DeviceError:
            given = None
        finally:
            await prepared.release()
            self._deliveries.pop(command.key, None)
            self._free(device, dose.head)
        self._delivered(command, dose, given)

    def _delivered(self, command: Command, dose: Dose, given: int | None) -> None:
        """End the command with what is known of its dose."""
        stopped = command.key in self._stopped
        self._stopped.discard(command.key)
        if (current := self._records.current(command.key)) is None:
            return
        if given is None:
            self._settled(dose, DoseState.UNKNOWN)
            self.settle_later(self._devices[dose.device])
            self._records.advance(
                current,
                Phase.STOPPED if stopped else Phase.FAILED,
                error_code=ErrorCode.COMMAND_CANCELLED
                if stopped
                else ErrorCode.INTERRUPTED,
                error="dose_unknown",
            )
            return
        if dose.lifetime_before is not None:
            self._keep_counter(
                dose.device,
                dose.head,
                dose.lifetime_before + given,
                None,
                self._clock.now(),
            )
        result = {
            "head_index": dose.head,
            "volume_ml": millilitres(dose.volume),
            "given_ml": millilitres(given),
        }
        if given <= 0:
            self._settled(dose, DoseState.NOT_GIVEN)
        elif given < dose.volume:
            self._settled(dose, DoseState.PARTLY, given=given)
        else:
            self._settled(dose, DoseState.GIVEN, given=given)
            self._records.advance(current, Phase.COMPLETED, result=result)
            return
        self._records.advance(
            current,
            Phase.STOPPED if stopped else Phase.FAILED,
            result=result,
            error_code=ErrorCode.COMMAND_CANCELLED
            if stopped
            else ErrorCode.COMMAND_FAILED,
            error="dose_stopped" if stopped else "dose_partly",
        )

    def stop_deliveries(self, device: DeviceState) -> None:
        """Note that what is being delivered ends because of a stop."""
        self._stopped.update(device.busy_heads.values())

    def counters_read(
        self,
        device: DeviceState,
        lifetime: Mapping[int, int],
        today: Mapping[int, int],
    ) -> None:
        """Keep what the pump counted, and settle what it explains (RES-52)."""
        number, now = device.row.number, self._clock.now()
        for head in lifetime.keys() | today.keys():
            self._keep_counter(number, head, lifetime.get(head), today.get(head), now)
        for head, total in lifetime.items():
            still_open = self._gate.open_doses(number, head)
            ended = [one for one in still_open if self._end_of(device, one) <= now]
            for dose in ended:
                settled = settle(dose, total, len(still_open) > 1)
                if settled is not None:
                    self._record(settled)
        self._announcer.announce(DeviceChanged(device=number))

    def settle_later(self, device: DeviceState) -> None:
        """Have the counters read once the pump must have ended what nobody saw the end of."""
        ends = [
            self._end_of(device, dose)
            for head in range(_MOST_HEADS)
            for dose in self._gate.open_doses(device.row.number, head)
        ]
        if ends:
            due = max(*ends, self._clock.now())
            self._agenda.put("settle", device.row.number, due)

    def _settle_due(self, key: Hashable, now: datetime) -> None:
        """Read the counters if there is still something to settle."""
        device = self._devices.get(cast(int, key))
        if device is None or device.device is None:
            return
        if any(
            self._gate.open_doses(device.row.number, head)
            for head in range(_MOST_HEADS)
        ):
            self.read_counters(device)
            self._agenda.put("settle", key, now + _SETTLE_AGAIN)

    def _end_of(self, device: DeviceState, dose: Dose) -> datetime:
        """Return by when the pump must have ended a dose (RES-60)."""
        port = cast(DoserDevice | None, device.device)
        flow = port.heads[dose.head].flow if port is not None else 1
        return dose.at + timedelta(seconds=dose.volume / flow + DELIVERY_MARGIN)

    def _keep_counter(
        self,
        number: int,
        head: int,
        total: int | None,
        today: int | None,
        at: datetime,
    ) -> None:
        """Remember a head's counters, as far as they were read, and record them."""
        known = self.counters.get((number, head))
        if total is None:
            if known is None:
                return
            total = known.lifetime
        if today is None and known is not None:
            today = known.today
        counter = self.counters[number, head] = Counter(
            device=number, head=head, lifetime=total, today=today, at=at
        )
        self._journal.record(
            lambda connection: counters.upsert(
                connection, number, head, counter.lifetime, counter.today, at
            )
        )

    def settle(self, dose: Dose, state: DoseState) -> None:
        """Record what the keeper says became of a dose (RES-52)."""
        self._settled(dose, state)

    async def close(self) -> None:
        """End the waiting for deliveries; recovery settles them."""
        tasks = tuple(self._deliveries.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def interrupted(self, command: Command) -> None:
        """End a dose that was under way when the engine stopped; it is never sent again."""
        for dose in self._gate.open_doses(
            command.device, int(command.args["head_index"])
        ):
            if dose.key == command.key and dose.state is not DoseState.UNKNOWN:
                self._settled(dose, DoseState.UNKNOWN)
        self._records.advance(
            command,
            Phase.FAILED,
            error_code=ErrorCode.INTERRUPTED,
            error="interrupted",
        )

    def _free(self, device: DeviceState, head: int) -> None:
        """Let the doses take their places in the queue again that waited for the pump."""
        device.busy_heads.pop(head, None)
        for command in self._waiting.pop(device.row.number, ()):
            if self._records.current(command.key) is not None:
                device.queue.put(command)

    def _refused(self, command: Command, refusal: Refusal) -> None:
        """End a dose that a limit forbids."""
        self._records.advance(
            command,
            Phase.FAILED,
            error_code=ErrorCode.SAFETY_REFUSED,
            error=f"refused_{refusal.limit}",
            error_details=describe(refusal),
        )

    def _not_sent(self, command: Command, error: Exception) -> None:
        """End a dose of which the pump never heard."""
        code, text = describe_error(error)
        if isinstance(error, StoreError):
            code, text = ErrorCode.INTERNAL_ERROR, error.code
        current = self._records.current(command.key) or command
        self._records.advance(current, Phase.FAILED, error_code=code, error=text)

    def _uncertain(self, command: Command, dose: Dose, error: Exception) -> None:
        """End a command whose dose may have been given: counted, and never sent again."""
        self._settled(dose, DoseState.UNKNOWN)
        self.settle_later(self._devices[dose.device])
        timed_out = isinstance(error, TimeoutError)
        self._records.advance(
            command,
            Phase.TIMED_OUT if timed_out else Phase.FAILED,
            error_code=ErrorCode.COMMAND_TIMEOUT
            if timed_out
            else ErrorCode.INTERRUPTED,
            error="dose_unknown",
        )

    def _moved(self, dose: Dose, state: DoseState) -> Dose:
        """Move a dose on and record it."""
        moved = advance(dose, state)
        self._record(moved)
        return moved

    def _settled(
        self, dose: Dose, state: DoseState, *, given: int | None = None
    ) -> None:
        """Record what became of a dose."""
        newest = {one.key: one for one in self._gate.doses(dose.device, dose.head)}
        self._record(advance(newest.get(dose.key, dose), state, given=given))

    def _record(self, dose: Dose) -> None:
        """Write a dose; the gate knows at once, the world when it is on disk."""
        self._gate.note(dose)
        at = self._clock.now()

        def unit(connection: Any) -> None:
            dose_rows.update(connection, dose, at)

        def committed(_: None) -> None:
            self._announcer.announce(DoseChanged(dose=dose))

        self._journal.record(unit, committed)


def _nothing(device: DeviceState) -> None:
    """Read nothing: the engine says how, once it is wired."""
