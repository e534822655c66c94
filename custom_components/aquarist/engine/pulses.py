"""Doses: written down, sent at most once, and followed until the pump has ended (law 3)."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import replace
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import cast

from ..commands.command import Command, ErrorCode
from ..commands.phases import Phase
from ..devices.device import DoserDevice, PreparedDose
from ..devices.errors import DeviceError
from ..dosing.ledger import Dose, DoseState
from ..dosing.spacing import NotBefore
from ..dosing.volume import microlitres, millilitres
from ..limits.refusal import Refusal
from ..store import commands as command_rows, doses as dose_rows
from ..store.errors import StoreError
from .counter_looks import DELIVERY_MARGIN
from .dose_ends import ended_in_part, ended_unknown
from .dose_ledger import DoseLedger
from .errors import describe
from .execution import Execution
from .faults import describe_error
from .gate import Gate
from .ground import Ground
from .state import DeviceState
from .switch_runs import SwitchRuns

# A dose that others of its aquarium keep waiting for longer than this is given up.
LONGEST_WAIT = timedelta(hours=24)


class TurnedAway(Exception):
    """The gate had let a dose or run in; what is known since stands in its way."""

    def __init__(self, answer: Refusal | NotBefore) -> None:
        """Keep the gate's answer."""
        super().__init__()
        self.answer = answer


class Pulses:
    """Carries out the doses of every doser."""

    def __init__(
        self,
        ground: Ground,
        gate: Gate,
        ledger: DoseLedger,
        execution: Execution,
        switch_runs: SwitchRuns,
    ) -> None:
        """Register nothing: the engine wires `execute` to the queue."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._journal = ground.journal
        self._records = ground.records
        self._settings = ground.settings
        self._gate = gate
        self._ledger = ledger
        self._execution = execution
        self._switch_runs = switch_runs
        self._devices = ground.devices
        self._deliveries: dict[str, asyncio.Task[None]] = {}
        # By the key of a dose that is being stopped, the rule that forbids it, if one does.
        self._stopped: dict[str, Refusal | None] = {}
        self.look_after: Callable[[DeviceState], None] = _nothing
        self.run_stopped: Callable[[DeviceState, int], None] = _nobody
        self._occupied: set[str] = set()
        self._waiting: dict[int, list[Command]] = {}
        ground.agenda.on("dose", self._dose_due)

    async def execute(self, device: DeviceState, command: Command) -> None:
        """Give one dose: reserve, prepare, write it down, send, and let it be delivered."""
        head = int(command.args["head_index"])
        if self.waits_for_pump(device, command):
            return
        dose = Dose(
            key=command.key,
            device=command.device,
            head=head,
            volume=microlitres(command.args["volume_ml"]),
            state=DoseState.INTENDED,
            at=self._clock.now(),
            additive=device.limits.head(head).additive,
            aquarium=device.row.aquarium,
            source=command.source.value,
        )
        if answer := self._gate.reserve(device, dose, self._clock.now()):
            self.turned_away(command, answer)
            return
        device.busy_heads[head] = command.key
        try:
            await self._send(device, command, dose)
        finally:
            if command.key not in self._deliveries:
                self.free(device, head)
            self.look_after(device)

    def waits_for_pump(self, device: DeviceState, command: Command) -> bool:
        """Keep a command until the pump is free; meanwhile the queue goes on."""
        if not device.busy_heads:
            return False
        self._waiting.setdefault(command.device, []).append(command)
        return True

    async def _send(self, device: DeviceState, command: Command, dose: Dose) -> None:
        """Bring a reserved dose to the pump; from `send` on it may have been given."""
        port = cast(DoserDevice, device.device)
        prepared: PreparedDose | None = None
        written = sent = False

        async def made_ready() -> PreparedDose:
            # Who is cancelled just then has to let go of it all the same.
            nonlocal prepared
            prepared = await port.prepare(dose.head)
            return prepared

        try:
            async with asyncio.timeout(command.timeout):
                command, prepared = await self._execution.tried(command, made_ready)
                self._ledger.prepared(device, dose.head, prepared.lifetime)
                dose = replace(
                    dose, at=self._clock.now(), lifetime_before=prepared.lifetime
                )
                self._pass_again(device, dose)
                # A cancelled wait does not undo the write: its row may be there from here.
                written = True
                command = await self._intend(device, command, dose)
                self.pass_rules(device, dose.head)
                sent = True
                await prepared.send(dose.volume)
        except TurnedAway as turned:
            self._let_go(dose, written=written)
            self._switch_runs.not_begun(device, dose.at)
            await cast(PreparedDose, prepared).release()
            self.turned_away(command, turned.answer)
            return
        except (DeviceError, TimeoutError, StoreError) as error:
            if prepared is not None:
                await prepared.release()
            if sent:
                self._uncertain(command, dose, error)
            else:
                self._let_go(
                    dose, written=written and not isinstance(error, StoreError)
                )
                self._switch_runs.not_begun(device, dose.at)
                self._not_sent(command, error)
            return
        except BaseException:
            if sent:
                self._ledger.settled(dose, DoseState.UNKNOWN)
                self._ledger.looks.settle_later(device)
            else:
                self._let_go(dose, written=written)
                self._switch_runs.not_begun(device, dose.at)
            if prepared is not None:
                await prepared.release()
            raise
        self._under_way(
            device, command, self._ledger.moved(dose, DoseState.SENT), prepared
        )

    def _pass_again(self, device: DeviceState, dose: Dose) -> None:
        """Ask the gate once more: the counters may have told of doses that count, too."""
        if answer := self._gate.answer(device, dose, dose.at):
            raise TurnedAway(answer)
        self._gate.note(dose)

    def pass_rules(self, device: DeviceState, head: int) -> None:
        """Ask last of all who forbids a head to pump: that may have changed meanwhile.

        Raises TurnedAway.
        """
        if refusal := self._gate.forbidden(device, head, self._clock.now()):
            raise TurnedAway(refusal)

    def _let_go(self, dose: Dose, *, written: bool) -> None:
        """Count a reserved dose no more: the pump never heard of it."""
        if written:
            self._ledger.settled(dose, DoseState.NOT_GIVEN)
        else:
            self._gate.forget(dose)

    async def _intend(
        self, device: DeviceState, command: Command, dose: Dose
    ) -> Command:
        """Commit that the dose is about to be given: the last thing before the pump hears."""
        order = command.order
        source = command.source.value
        switched = self._switch_runs.begins(device, dose.volume, dose.at, counted=True)

        def also(connection: Connection) -> None:
            dose_rows.intend(connection, dose, order, source)
            switched(connection)

        return await self._records.advance_first(command, Phase.APPLYING, also=also)

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
            self.free(device, dose.head)
        self._delivered(command, dose, given)

    def _delivered(self, command: Command, dose: Dose, given: int | None) -> None:
        """End the command with what is known of its dose."""
        stopped, refusal = command.key in self._stopped, self._stopped.get(command.key)
        self._stopped.pop(command.key, None)
        if (current := self._records.current(command.key)) is None:
            return
        if given is None:
            self._ledger.settled(dose, DoseState.UNKNOWN)
            self._ledger.looks.settle_later(self._devices[dose.device])
            ended_unknown(self._records, current, stopped=stopped, refusal=refusal)
            return
        result = {
            "head_index": dose.head,
            "volume_ml": millilitres(dose.volume),
            "given_ml": millilitres(given),
        }
        if given <= 0:
            self._ledger.settled(dose, DoseState.NOT_GIVEN)
        elif given < dose.volume:
            self._ledger.settled(dose, DoseState.PARTLY, given=given)
        else:
            self._ledger.settled(dose, DoseState.GIVEN, given=given)
            self._records.advance(current, Phase.COMPLETED, result=result)
            return
        ended_in_part(self._records, current, result, stopped=stopped, refusal=refusal)

    def stop_deliveries(
        self, device: DeviceState, because: Refusal | None = None
    ) -> None:
        """Note that what is being delivered ends because of a stop, or a rule; a run is over."""
        for head, key in tuple(device.busy_heads.items()):
            if key in self._occupied:
                self.free(device, head)
                self.run_stopped(device, head)
            else:
                self._stopped.setdefault(key, because)

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
                self._ledger.settled(dose, DoseState.UNKNOWN)
        self._records.advance(
            command,
            Phase.FAILED,
            error_code=ErrorCode.INTERRUPTED,
            error="interrupted",
        )

    def occupy(self, device: DeviceState, head: int, key: str) -> None:
        """Have doses wait while a head runs for something else, until `free` or a stop."""
        device.busy_heads[head] = key
        self._occupied.add(key)

    def free(self, device: DeviceState, head: int) -> None:
        """Let the doses take their places in the queue again that waited for the pump."""
        self._occupied.discard(device.busy_heads.pop(head, ""))
        for command in self._waiting.pop(device.row.number, ()):
            if self._records.current(command.key) is not None:
                device.queue.put(command)

    def turned_away(self, command: Command, answer: Refusal | NotBefore) -> None:
        """End a dose or run that a limit forbids; have one that is too early come again."""
        if isinstance(answer, NotBefore):
            self._wait_until(command, answer.at)
        else:
            self.refused(command, answer)

    def _wait_until(self, command: Command, at: datetime) -> None:
        """Let a dose come again at an instant; the queue goes on without it.

        It may begin for as long after that as any command after its start: the others of
        its aquarium moved it, not the pump's queue.
        """
        start = command.starts_at or command.created_at
        expiry = self._settings.current.queue_expiry
        expires_at = min(at, start + LONGEST_WAIT) + expiry
        command = self._records.count(command, expires_at=expires_at)
        self._agenda.put("expire", command.key, expires_at)
        self._agenda.put("dose", command.key, at)
        self._journal.record(
            lambda connection: command_rows.postpone(connection, command, expires_at)
        )

    def _dose_due(self, key: Hashable, now: datetime) -> None:
        """Let a dose that was too early take its place in the queue, if it is still wanted."""
        command = self._records.current(str(key))
        if command is not None and command.phase is Phase.PLANNED:
            self._devices[command.device].queue.put(command)

    def refused(self, command: Command, refusal: Refusal) -> None:
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
        self._ledger.settled(dose, DoseState.UNKNOWN)
        self._ledger.looks.settle_later(self._devices[dose.device])
        timed_out = isinstance(error, TimeoutError)
        self._records.advance(
            command,
            Phase.TIMED_OUT if timed_out else Phase.FAILED,
            error_code=ErrorCode.COMMAND_TIMEOUT
            if timed_out
            else ErrorCode.INTERRUPTED,
            error="dose_unknown",
        )


def _nothing(device: DeviceState) -> None:
    """Look after nothing: the engine says who does, once it is wired."""


def _nobody(device: DeviceState, head: int) -> None:
    """Tell nobody of a run that was stopped."""
