"""How long things have been on, and off with what has been on for too long (law 5).

Elapsed time alone counts (law 6); since when something is on is on disk in both times.
"""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Any, cast

from ..layers.claims import Layer
from ..limits.on_time import off_due
from ..store import on_times
from .claims import lasting
from .clock import anchor
from .ground import Ground
from .state import DeviceState, FieldState

ACTION = "maximum_on_time"
KIND = "on_time"
LEVEL = "level"


class OnTimes:
    """Watches every field that can be on."""

    impose: Callable[..., Any]
    """Claims a field on the spot; given by the room that keeps the claims."""

    def __init__(self, ground: Ground) -> None:
        """Answer the agenda when something has been on for as long as it may."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._journal = ground.journal
        self._devices = ground.devices
        ground.agenda.on(KIND, self._due)

    def note(self, device: DeviceState, state: FieldState, level: float | None) -> None:
        """Remember since when something has been on; None when nobody knows its level."""
        if level is None:
            return
        number, name = device.row.number, state.name
        if level and state.on_since is None:
            since = state.on_since = anchor(self._clock)
            self._journal.record(
                lambda connection: on_times.put(
                    connection, number, name, since.wall, since.elapsed, since.boot
                )
            )
            self.watch(device, state)
        elif not level and state.on_since is not None:
            state.on_since = None
            self._agenda.remove(KIND, (number, name))
            self._journal.record(
                lambda connection: on_times.clear(connection, number, name)
            )
        elif level and (left := self._left(device, state)) is not None and left <= 0:
            # It could not be switched off while it should have rested.
            self.watch(device, state)

    def watch(self, device: DeviceState, state: FieldState) -> None:
        """Put the moment on the agenda at which a field has been on for too long."""
        if (left := self._left(device, state)) is not None:
            self._agenda.put_elapsed(
                KIND, (device.row.number, state.name), max(left, 0.0)
            )

    def _left(self, device: DeviceState, state: FieldState) -> float | None:
        """Return the seconds that a field may still be on; None without a limit."""
        if state.on_since is None:
            return None
        on_for = state.on_since.seconds_since(self._clock)
        return off_due(-on_for, device.limits.maximum_on.get(state.name))

    def _due(self, key: Hashable, now: datetime) -> None:
        """Switch off what has been on for as long as it may, and let it rest as long."""
        number, name = cast(tuple[int, str], key)
        device = self._devices.get(number)
        state = device.fields.get(name) if device is not None else None
        if device is None or state is None:
            return
        if (left := self._left(device, state)) is None:
            return
        if left > 0:
            self.watch(device, state)
            return
        maximum = device.limits.maximum_on[name]
        state.on_since = anchor(self._clock)
        self.impose(
            device,
            state,
            {LEVEL: 0.0},
            Layer.SAFETY,
            action=ACTION,
            ends_at=now + timedelta(seconds=maximum),
            args=lasting(self._clock, maximum),
            result={"maximum_on_seconds": maximum},
        )
