"""Runs of a head for a time, which prime its hose or measure its flow (law 5).

They are no doses, but what comes out is as real: they pass the gate, wait for the pump, are
written down before the pump hears of them, pass the rules again right before it does, and
are never repeated (laws 2 and 3). What they gave is found by the counters, or told by the device; until then, and where no counter was
ever read, they count as asked.
"""

from collections.abc import Callable, Coroutine, Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import Any, Final, cast

from ..commands.command import Command, ErrorCode, new_id
from ..commands.phases import Phase
from ..devices.device import DeviceKind, DoserDevice
from ..dosing.ledger import PUMP, RUN, Dose, DoseState
from ..store import doses as dose_rows, settings
from ..store.errors import StoreError
from .changes import DoseChanged
from .counter_looks import DELIVERY_MARGIN
from .dose_ledger import DoseLedger
from .execution import Execution
from .gate import Gate
from .ground import Ground
from .intake import attached
from .pulses import Pulses, TurnedAway
from .records import Write
from .state import DeviceState
from .switch_runs import SwitchRuns

RUNNING: Final = "runs_under_way"
ACTIONS = ("prime_head", "calibrate_head")
NEARLY: Final = 0.95
"""The share of its volume that a run gave at least which nobody cut short."""


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
        self._journal = ground.journal
        self._records = ground.records
        self._announcer = ground.announcer
        self._devices = ground.devices
        self._gate = gate
        self._pulses = pulses
        self._ledger = ledger
        self._switch_runs = switch_runs
        self._execution = execution
        self._running: dict[str, Dose] = {}
        # What switches told of their runs; nobody saw how long those of an earlier life ran.
        self._told: dict[str, int] = {}
        self._earlier: set[str] = set()
        gate.on_count(self._counted)
        switch_runs.on_end = self._switch_is_off
        self._agenda.on("run_over", self._run_over)
        for action in ACTIONS:
            execution.register(action, self.execute)

    def load(self, stored: Iterable[Sequence[Any]]) -> None:
        """Reserve again what had begun and was not told of."""
        for key, device, head, volume, at, additive, aquarium in stored:
            run = Dose(
                key=key,
                device=device,
                head=head,
                volume=volume,
                state=DoseState.SENT,
                at=datetime.fromisoformat(at),
                additive=additive,
                aquarium=aquarium,
                source=RUN,
            )
            self._running[key] = run
            self._earlier.add(key)
            self._gate.note(run)

    async def execute(self, device: DeviceState, command: Command) -> None:
        """Run a head, or tell it what it gave when it ran."""
        seconds = command.args.get("seconds")
        if seconds is None:
            await self._tell(device, command)
        elif not self._pulses.waits_for_pump(device, command):
            run = self._run_of(device, command, seconds)
            if self._let_in(device, command, run):
                await self._run(device, command, run)

    async def _tell(self, device: DeviceState, command: Command) -> None:
        """Tell a pump what it gave."""
        try:
            command = await self._records.advance_first(command, Phase.APPLYING)
        except StoreError as error:
            self._not_written(command, error)
        else:
            port = attached(device)
            await self._perform(
                command, lambda: port.perform(command.action, command.args)
            )

    async def _run(self, device: DeviceState, command: Command, run: Dose) -> None:
        """Run a head that is reserved: from the last word on it may have run."""
        self._pulses.occupy(device, run.head, run.key)
        port = cast(DoserDevice, attached(device))
        written = begun = False

        def last_word() -> None:
            nonlocal begun
            self._pulses.pass_rules(device, run.head)
            self._begins(run)
            begun = True

        try:
            ready = await self._ready(device, command, run)
            if ready is None:
                return
            run = replace(run, at=self._clock.now())
            # A cancelled wait does not undo the write: its row may be there from here.
            written = True
            command = await self._begin(device, ready, run)
            await self._perform(
                command, lambda: port.run(command.action, command.args, last_word)
            )
        except StoreError as error:
            written = False
            self._not_written(command, error)
        except TurnedAway as turned:
            if (current := self._records.current(command.key)) is not None:
                self._pulses.turned_away(current, turned.answer)
        finally:
            if begun:
                self._look_after(device, run, command.args["seconds"])
            else:
                self._not_begun(device, run, written=written)
            self._pulses.look_after(device)

    async def _ready(
        self, device: DeviceState, command: Command, run: Dose
    ) -> Command | None:
        """Read counters that were never read; they may tell of what stands in the way."""
        if not self._counts_unseen(device, run):
            return command
        port = cast(DoserDevice, attached(device))

        async def read() -> int | None:
            prepared = await port.prepare(run.head)
            await prepared.release()
            return prepared.lifetime

        command, lifetime = await self._execution.tried(command, read)
        self._ledger.prepared(device, run.head, lifetime)
        return command if self._let_in(device, command, run) else None

    async def _perform(
        self, command: Command, action: Callable[[], Coroutine[Any, Any, Any]]
    ) -> None:
        """Have the device do it, once."""
        command, result = await self._execution.tried(command, action)
        if self._records.current(command.key) is not None:
            self._records.advance(command, Phase.COMPLETED, result=result or {})

    def _not_written(self, command: Command, error: StoreError) -> None:
        """End a command that the store did not take."""
        self._records.advance(
            command,
            Phase.FAILED,
            error_code=ErrorCode.INTERNAL_ERROR,
            error=error.code,
        )

    def _run_of(self, device: DeviceState, command: Command, seconds: float) -> Dose:
        """Return what a run gives if it ends as it was asked for; nobody sees that end."""
        head = int(command.args["head_index"])
        port = cast(DoserDevice, attached(device))
        return Dose(
            key=f"{command.device}/{PUMP}-{new_id()}",
            device=command.device,
            head=head,
            volume=round(port.heads[head].flow * seconds),
            state=DoseState.INTENDED,
            at=self._clock.now(),
            additive=device.limits.head(head).additive,
            aquarium=device.row.aquarium,
            source=RUN,
        )

    def _let_in(self, device: DeviceState, command: Command, run: Dose) -> bool:
        """Reserve a run if the gate lets it in; if it does not, its command ends or waits."""
        answer = self._gate.run_answer(device, run, self._clock.now())
        if answer is None:
            self._gate.note(run)
        else:
            self._pulses.turned_away(command, answer)
        return answer is None

    def _begins(self, run: Dose) -> None:
        """Count a run as one that the pump may have heard of."""
        if run.key in self._running:
            now = self._clock.now()
            self._gate.note(replace(run, state=DoseState.SENT, at=now))
        else:
            dose = _unseen(run)
            self._gate.note(dose)
            self._announcer.announce(DoseChanged(dose=dose))

    def _not_begun(self, device: DeviceState, run: Dose, *, written: bool) -> None:
        """Let go of a run that the pump never heard of."""
        if written and run.key not in self._running:
            self._gate.note(_unseen(run))
            self._ledger.settled(_unseen(run), DoseState.NOT_GIVEN)
        else:
            self._gate.forget(run)
        self._switch_runs.not_begun(device, run.at)
        self._pulses.free(device, run.head)

    def _counts_unseen(self, device: DeviceState, run: Dose) -> bool:
        """Return whether no counter was ever read that could tell what a run gave."""
        return device.row.kind == DeviceKind.CHIHIROS_DOSER and not self._ledger.counts(
            run.device, run.head
        )

    async def _begin(self, device: DeviceState, command: Command, run: Dose) -> Command:
        """Write a run down before the pump hears of it. Raises StoreError."""
        switched = self._switch_runs.begins(device, run.volume, run.at, counted=False)
        unseen = self._counts_unseen(device, run)
        dose = _unseen(run)
        if not unseen:
            self._gate.note(run)
            self._running[run.key] = run
        kept = self._kept()

        def also(connection: Connection) -> None:
            switched(connection)
            if unseen:
                dose_rows.intend(connection, dose, None, dose.source)
            else:
                kept(connection)

        return await self._records.advance_first(command, Phase.APPLYING, also=also)

    def _look_after(self, device: DeviceState, run: Dose, seconds: float) -> None:
        """Keep the pump occupied, and the run reserved, until it is told what it gave."""
        number = device.row.number
        if run.key in self._running:
            now = self._clock.now()
            self._gate.note(replace(run, state=DoseState.SENT, at=now))
        if device.row.kind == DeviceKind.CHIHIROS_DOSER:
            self._agenda.put_elapsed("run_over", (number, run.head, run.key), seconds)
            if self._counts_unseen(device, run):
                over = timedelta(seconds=seconds + DELIVERY_MARGIN)
                self._agenda.put("counters", number, self._clock.now() + over)
            else:
                self._ledger.looks.settle_later(device)
            return
        self._switch_runs.not_begun(device, run.at)
        if not device.may_run:
            self._switch_is_off(device)

    def _run_over(self, key: Hashable, now: datetime) -> None:
        """Let a pump dose again whose run must have ended."""
        number, head, run = cast(tuple[int, int, str], key)
        self._free(self._devices[number], head, run)

    def _switch_is_off(self, device: DeviceState) -> None:
        """Count a run of a switch no more: what it gave has been told.

        One that did not run for its time, or was not seen to, measures nothing.
        """
        number = device.row.number
        for run in [one for one in self._running.values() if one.device == number]:
            told = self._told.get(run.key, 0)
            if run.key in self._earlier or told < run.volume * NEARLY:
                self._pulses.run_stopped(device, run.head)
            self._gate.forget(run)
            self._free(device, run.head, run.key)

    def _free(self, device: DeviceState, head: int, run: str) -> None:
        """Let a pump dose again that was occupied by a run."""
        if device.busy_heads.get(head) == run:
            self._pulses.free(device, head)

    def _counted(self, before: Dose | None, after: Dose | None) -> None:
        """Keep a run no longer that is not reserved any more; take in what it gave."""
        if before is not None and after is None and before.key in self._running:
            del self._running[before.key]
            self._told.pop(before.key, None)
            self._earlier.discard(before.key)
            self._journal.record(self._kept())
        elif before is None and after is not None and after.source == PUMP:
            for run in self._running.values():
                if (run.device, run.head) == (after.device, after.head):
                    self._told[run.key] = self._told.get(run.key, 0) + after.counted

    def _kept(self) -> Write:
        """Return what writes down which runs are reserved."""
        known = [
            (
                run.key,
                run.device,
                run.head,
                run.volume,
                run.at.isoformat(),
                run.additive,
                run.aquarium,
            )
            for run in self._running.values()
        ]

        def unit(connection: Connection) -> None:
            settings.put(connection, RUNNING, known)

        return unit


def _unseen(run: Dose) -> Dose:
    """Return a run as the dose that it counts as where no counter can tell what it gave."""
    return replace(run, state=DoseState.UNKNOWN, source=PUMP)
