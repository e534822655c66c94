"""A pump without hardware: for the demo aquarium, and it can be told to fail."""

from collections.abc import Mapping
from typing import override

from ..layers.setting import Setting, is_number
from .device import DeviceKind, Observation, StopReport
from .errors import DeviceError
from .fields import LEVEL, percent
from .level_actions import level_setting
from .observable import ObservableDevice


class SimulatedPump(ObservableDevice):
    """Keeps one field `level`, 0 to 100 per cent."""

    ACTIONS = {"request_status": ()}

    def __init__(self, *, uuid: str, name: str, level: float = 0.0) -> None:
        """Start running at a level."""
        super().__init__(
            uuid=uuid, kind=DeviceKind.PUMP, name=name, fields={LEVEL: percent(LEVEL)}
        )
        self._available = True
        self._failures: list[DeviceError] = []
        self._know(LEVEL, {LEVEL: level})

    @property
    def available(self) -> bool:
        """Return whether the pump can be reached."""
        return self._available

    @available.setter
    def available(self, available: bool) -> None:
        """Let the pump go away or come back."""
        if available != self._available:
            self._available = available
            self._tell_availability(available)

    def fail_next(self, error: DeviceError) -> None:
        """Let one of the next calls fail; several errors are raised in the order given."""
        self._failures.append(error)

    def turn_by_hand(self, level: float, *, user_id: str | None = None) -> None:
        """Change the level as somebody at the pump, or a user of Home Assistant, does."""
        self._change({LEVEL: level}, user_id)

    @override
    def setting_for(
        self, action: str, args: Mapping[str, object], resting: Setting | None
    ) -> tuple[str, Setting]:
        """Translate `turn_on`, `turn_off` and `set_level` {level}."""
        return LEVEL, level_setting(
            action, args, self.fields[LEVEL], resting, self._last_level
        )

    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Change the level. Raises DeviceError."""
        for name, setting in settings.items():
            level = setting.get(LEVEL)
            if name != LEVEL or level is None or not is_number(level):
                raise DeviceError("unsupported", transient=False, field=name)
            if self._failures:
                raise self._failures.pop(0)
            if not self._available:
                raise DeviceError("out_of_range", transient=True)
            self._change({LEVEL: level}, None)

    async def stop(self) -> StopReport:
        """Stop pumping."""
        try:
            await self.apply({LEVEL: {LEVEL: 0.0}})
        except DeviceError as error:
            return StopReport(confirmed=False, detail=error.code)
        return StopReport(confirmed=True, detail="stopped")

    @override
    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Do `request_status`."""
        self.check_action(action, args)
        return {
            "available": self._available,
            "fields": {LEVEL: dict(self._known[LEVEL])},
        }

    def _change(self, setting: Setting, user_id: str | None) -> None:
        """Take over a setting and tell of it when it is news."""
        if self._know(LEVEL, setting):
            self._tell_observed(
                Observation(field=LEVEL, setting=setting, user_id=user_id)
            )
