"""Runs of a head for a time, which prime its hose or measure its flow (law 5).

They are no doses, but what comes out is as real: they pass the gate, wait for the pump, are
written down before the pump hears of them, and are never repeated (laws 2 and 3). What they
gave is found by the counters, or told by the device.
"""

from datetime import timedelta
from typing import cast

from ..commands.command import Command, ErrorCode
from ..commands.phases import Phase
from ..devices.device import DeviceKind, DoserDevice
from ..store.errors import StoreError
from .dose_ledger import DELIVERY_MARGIN
from .execution import Execution
from .gate import Gate
from .ground import Ground
from .intake import attached
from .pulses import Pulses
from .state import DeviceState

ACTIONS = ("prime_head", "calibrate_head")


class TimedRuns:
    """Carries out the actions that run a head."""

    def __init__(
        self, ground: Ground, gate: Gate, pulses: Pulses, execution: Execution
    ) -> None:
        """Take the actions over from the queues."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._gate = gate
        self._pulses = pulses
        self._execution = execution
        for action in ACTIONS:
            execution.register(action, self.execute)

    async def execute(self, device: DeviceState, command: Command) -> None:
        """Run a head, or tell it what it gave when it ran."""
        seconds = command.args.get("seconds")
        port = cast(DoserDevice, attached(device))
        if seconds is not None:
            if self._pulses.waits_for_pump(device, command):
                return
            head = int(command.args["head_index"])
            volume = round(port.heads[head].flow * seconds)
            now = self._clock.now()
            if refusal := self._gate.run_refusal(device, head, volume, now):
                self._pulses.refused(command, refusal)
                return
        try:
            command = await self._records.advance_first(command, Phase.APPLYING)
        except StoreError as error:
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
            if seconds is not None:
                self._look_after(device, seconds)
        if self._records.current(command.key) is not None:
            self._records.advance(command, Phase.COMPLETED, result=result or {})

    def _look_after(self, device: DeviceState, seconds: float) -> None:
        """Have the counters read when the run must have ended."""
        if device.row.kind == DeviceKind.CHIHIROS_DOSER:
            over = timedelta(seconds=seconds + DELIVERY_MARGIN)
            self._agenda.put("counters", device.row.number, self._clock.now() + over)
