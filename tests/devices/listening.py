"""A listener that keeps what a device tells."""

from collections.abc import Mapping
from datetime import datetime

from custom_components.aquarist.devices.device import (
    Device,
    DeviceStatus,
    MemoryReport,
    Observation,
)
from custom_components.aquarist.layers.setting import Setting


class Recorder:
    """Keeps observations, changes of availability and totals in the order they came."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.observations: list[Observation] = []
        self.availability: list[bool] = []
        self.came: list[str] = []
        self.lifetime: list[Mapping[int, int]] = []
        self.today: list[Mapping[int, int]] = []
        self.statuses: list[DeviceStatus] = []
        self.memories: list[MemoryReport] = []
        self.runs: list[tuple[int, int, datetime]] = []
        self.offs = 0
        self.connections = 0

    @property
    def settings(self) -> list[Setting]:
        """Return the settings observed."""
        return [observation.setting for observation in self.observations]

    def observed(self, observation: Observation) -> None:
        """Keep an observation."""
        self.observations.append(observation)

    def availability_changed(self, available: bool) -> None:
        """Keep a change of availability."""
        self.availability.append(available)

    def connected(self) -> None:
        """Count how often a connection was told."""
        self.connections += 1

    def field_came(self, field: str) -> None:
        """Keep a field that came within reach."""
        self.came.append(field)

    def counters_read(
        self, lifetime: Mapping[int, int], today: Mapping[int, int]
    ) -> None:
        """Keep the totals that were read."""
        if lifetime:
            self.lifetime.append(lifetime)
        if today:
            self.today.append(today)

    def status_read(self, status: DeviceStatus) -> None:
        """Keep what the device says of itself."""
        self.statuses.append(status)

    def memory_read(self, report: MemoryReport) -> None:
        """Keep what the device shows of its memory."""
        self.memories.append(report)

    def ran_by_itself(self, head: int, microlitres: int, at: datetime) -> None:
        """Keep what a head gave that no dose accounts for."""
        self.runs.append((head, microlitres, at))

    def went_off(self) -> None:
        """Count how often the end of a time on was told."""
        self.offs += 1


def is_available(device: Device) -> bool:
    """Return whether the device can be reached now."""
    return device.available
