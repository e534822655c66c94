"""What a device tells of itself, passed to the rooms of the engine that it concerns."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ..devices.device import DeviceListener, DeviceStatus, MemoryReport, Observation
from .changes import DeviceChanged
from .device_memory import DeviceMemory
from .dose_ledger import DoseLedger
from .ground import Ground
from .memory_power import PowerWatch
from .observations import Observations
from .state import DeviceState
from .switch_runs import SwitchRuns


class Hearing:
    """Hears every device on behalf of the engine."""

    def __init__(
        self,
        ground: Ground,
        observations: Observations,
        switch_runs: SwitchRuns,
        ledger: DoseLedger,
        memory: DeviceMemory,
        power: PowerWatch,
        *,
        came: Callable[[DeviceState, bool], None],
    ) -> None:
        """Know who is to hear of what; ``came`` of each coming and going, before others."""
        self.announcer = ground.announcer
        self.observations = observations
        self.switch_runs = switch_runs
        self.ledger = ledger
        self.memory = memory
        self.power = power
        self.came = came

    def of(self, state: DeviceState) -> DeviceListener:
        """Return what listens to one device."""
        return _Ears(self, state)


class _Ears:
    """Hears one device."""

    def __init__(self, hearing: Hearing, state: DeviceState) -> None:
        """Know whose device it is."""
        self._to = hearing
        self._state = state

    def observed(self, observation: Observation) -> None:
        """Have a value judged that was seen."""
        self._to.observations.observe(self._state, observation)

    def availability_changed(self, available: bool) -> None:
        """Let the device's queue run, and re-assert what is held on it."""
        self._to.came(self._state, available)
        self._to.observations.availability_changed(self._state, available)
        if available:
            self._to.ledger.looks.within_reach(self._state)

    def connected(self) -> None:
        """Have doses settled that wait for a reading of the counters."""
        self._to.ledger.looks.within_reach(self._state)

    def field_came(self, field: str) -> None:
        """Re-assert what is held on a field that is there before its device is."""
        self._to.came(self._state, self._state.ready)
        self._to.observations.field_came(self._state, field)

    def counters_read(
        self, lifetime: Mapping[int, int], today: Mapping[int, int]
    ) -> None:
        """Settle doses by what the pump counted."""
        self._to.ledger.counters_read(self._state, lifetime, today)

    def status_read(self, status: DeviceStatus) -> None:
        """Keep what the device says of itself, and announce what is news."""
        self._to.power.status_read(self._state, status)
        if status != self._state.status:
            self._state.status = status
            self._to.announcer.announce(DeviceChanged(device=self._state.row.number))

    def memory_read(self, report: MemoryReport) -> None:
        """Compare what the device shows of its memory with what was written into it."""
        if report.auto:
            self._to.observations.handed_over(self._state)
        self._to.memory.memory_read(self._state, report)

    def ran_by_itself(self, head: int, microlitres: int, at: datetime) -> None:
        """Book what a head gave that no dose accounts for."""
        self._to.ledger.ran_by_itself(self._state, head, microlitres, at)

    def went_off(self) -> None:
        """Forget since when the switch was on."""
        self._to.switch_runs.ended(self._state)
