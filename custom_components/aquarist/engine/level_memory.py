"""What has to outlive a restart of a field's level, besides what it should be."""

from collections.abc import Mapping
from typing import Any, Final

from ..store import settings
from .ground import Ground
from .on_time import LEVEL
from .state import DeviceState, FieldState

REMEMBER_SECONDS: Final = 10.0
REMEMBERED: Final = "level_sent"
WITHDRAWN: Final = "withdrawn"


class LevelMemory:
    """Where slow moves were, and which fields may show what was withdrawn."""

    def __init__(self, ground: Ground) -> None:
        """Keep it with the fields, and in the store."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._devices = ground.devices

    def load(self, stored: Mapping[str, Any]) -> None:
        """Take up what an earlier life has left behind."""
        for key, value in stored.items():
            kind, *rest = key.split("/", 2)
            if kind not in (REMEMBERED, WITHDRAWN):
                continue
            number, name = rest
            state = self._devices[int(number)].field_state(name)
            if kind == REMEMBERED:
                state.remembered = {LEVEL: value}
            else:
                state.withdrawn = value

    def reached(
        self, device: DeviceState, state: FieldState, level: float | None
    ) -> None:
        """Keep the level of a slow move: no jump after a restart (R-B109)."""
        now = self._clock.elapsed()
        if state.name not in device.limits.slew or level is None:
            return
        if state.moving is not None and now - state.remembered_at < REMEMBER_SECONDS:
            return
        if state.remembered == {LEVEL: level}:
            return
        state.remembered, state.remembered_at = {LEVEL: level}, now
        self._put(REMEMBERED, device, state, level)

    def withdrew(self, device: DeviceState, state: FieldState) -> None:
        """Remember that a device may show a value that was withdrawn (law 4).

        Until it was written once more that is owed, also by the next life.
        """
        if not state.withdrawn:
            state.withdrawn = True
            self._put(WITHDRAWN, device, state, True)

    def settled(self, device: DeviceState, state: FieldState) -> None:
        """Forget that: the field was written, or is left as it is."""
        if state.withdrawn:
            state.withdrawn = False
            self._put(WITHDRAWN, device, state, False)

    def _put(
        self, kind: str, device: DeviceState, state: FieldState, value: float | bool
    ) -> None:
        """Write something down with the next batch."""
        key = f"{kind}/{device.row.number}/{state.name}"
        self._journal.record(lambda connection: settings.put(connection, key, value))
