"""Runs of a head for a time, which prime its hose or measure its flow (law 5).

They are no doses, but what comes out is as real: they pass the gate, wait for the pump, are
written down before the pump hears of them, and are never repeated (laws 2 and 3). What they
gave is found by the counters, or told by the device; where no counter was ever read they
count as asked.
"""

from datetime import timedelta
from functools import partial
from sqlite3 import Connection
from typing import cast

from ..commands.command import Command, ErrorCode, new_id
from ..commands.phases import Phase
from ..devices.device import DeviceKind, DoserDevice
from ..dosing.ledger import PUMP, Dose, DoseState
from ..store import doses as dose_rows
from ..store.errors import StoreError
from .changes import DoseChanged
from .dose_ledger import DELIVERY_MARGIN, DoseLedger
from .execution import Execution
from .gate import Gate
from .ground import Ground
from .intake import attached
from .pulses import Pulses
from .state import DeviceState
from .switch_runs import SwitchRuns

ACTIONS = ("prime_head", "calibrate_head")


class TimedRuns:
    """Carries out the actions that run a head."""

    def __init__(
        self,
        ground: Ground,
        gate: Gate,
        pulses: Pulses,
        ledger: DoseLedger,
        execution: Execution,
        switch_runs: SwitchRuns,
    ) -> None:
        """Take the actions over from the queues."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._announcer = ground.announcer
        self._gate = gate
        self._pulses = pulses
        self._ledger = ledger
        self._switch_runs = switch_runs
        self._execution = execution
        for action in ACTIONS:
            execution.register(action, self.execute)

    async def execute(self, device: DeviceState, command: Command) -> None:
        """Run a head, or tell it what it gave when it ran."""
        port = cast(DoserDevice, attached(device))
        seconds = command.args.get("seconds")
        dose: Dose | None = None
        if seconds is not None:
            if self._pulses.waits_for_pump(device, command):
                return
            dose = self._run_of(device, command, seconds)
            if not self._let_in(device, command, dose):
                return
            if self._counts_unseen(device, dose):
                command, prepared = await self._execution.tried(
                    command, partial(port.prepare, dose.head)
                )
                self._ledger.prepared(device, dose.head, prepared.lifetime)
                await prepared.release()
                # The counters may have told of doses that count, too.
                if not self._let_in(device, command, dose):
                    return
        try:
            command = await self._begin(device, command, dose)
        except StoreError as error:
            if dose is not None:
                self._switch_runs.not_begun(device, dose.at)
            self._records.advance(
                command,
                Phase.FAILED,
                error_code=ErrorCode.INTERNAL_ERROR,
                error=error.code,
            )
            return
        try:
            command, result = await self._execution.tried(
                command, lambda: port.perform(command.action, command.args)
            )
        finally:
            if dose is not None:
                self._switch_runs.not_begun(device, dose.at)
                self._look_after(device, float(seconds or 0.0))
        if self._records.current(command.key) is not None:
            self._records.advance(command, Phase.COMPLETED, result=result or {})

    def _run_of(self, device: DeviceState, command: Command, seconds: float) -> Dose:
        """Return what a run gives if it ends as it was asked for; nobody sees that end."""
        head = int(command.args["head_index"])
        port = cast(DoserDevice, attached(device))
        return Dose(
            key=f"{command.device}/{PUMP}-{new_id()}",
            device=command.device,
            head=head,
            volume=round(port.heads[head].flow * seconds),
            state=DoseState.UNKNOWN,
            at=self._clock.now(),
            additive=device.limits.head(head).additive,
            aquarium=device.row.aquarium,
            source=PUMP,
        )

    def _let_in(self, device: DeviceState, command: Command, dose: Dose) -> bool:
        """Return whether the gate lets a run in; end its command if it does not."""
        refusal = self._gate.run_refusal(
            device, dose.head, dose.volume, self._clock.now()
        )
        if refusal is not None:
            self._pulses.refused(command, refusal)
        return refusal is None

    def _counts_unseen(self, device: DeviceState, dose: Dose) -> bool:
        """Return whether no counter was ever read that could tell what a run gave."""
        return (
            device.row.kind == DeviceKind.CHIHIROS_DOSER
            and (dose.device, dose.head) not in self._ledger.counters
        )

    async def _begin(
        self, device: DeviceState, command: Command, dose: Dose | None
    ) -> Command:
        """Write a run down before the pump hears of it. Raises StoreError."""
        if dose is None:
            return await self._records.advance_first(command, Phase.APPLYING)
        switched = self._switch_runs.begins(device, dose.volume, dose.at, counted=False)
        unseen = self._counts_unseen(device, dose)

        def also(connection: Connection) -> None:
            switched(connection)
            if unseen:
                dose_rows.intend(connection, dose, None, dose.source)

        begun = await self._records.advance_first(command, Phase.APPLYING, also=also)
        if unseen:
            self._gate.note(dose)
            self._announcer.announce(DoseChanged(dose=dose))
        return begun

    def _look_after(self, device: DeviceState, seconds: float) -> None:
        """Have the counters read when the run must have ended."""
        if device.row.kind == DeviceKind.CHIHIROS_DOSER:
            over = timedelta(seconds=seconds + DELIVERY_MARGIN)
            self._agenda.put("counters", device.row.number, self._clock.now() + over)
