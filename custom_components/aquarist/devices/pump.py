"""A pump made from an entity that switches or regulates it."""

from collections.abc import Mapping
from typing import override

from homeassistant.core import HomeAssistant

from ..layers.setting import Setting
from .backed_device import BackedDevice
from .backing_entity import CONFIRM_TIME, BackingEntity, domain_of
from .device import DeviceKind, StopReport
from .entity_adapter import RestsAt, Switching
from .fields import LEVEL, Field
from .level_actions import level_setting, switched
from .level_adapters import level_adapter
from .observable import only_fields


class Pump(BackedDevice):
    """One field `level`, 0 to 100 per cent. Stopped means at its safe level."""

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        uuid: str,
        name: str,
        entity: str,
        low: float | None = None,
        high: float | None = None,
        safe_level: float = 0.0,
        confirm_time: float = CONFIRM_TIME,
    ) -> None:
        """Take a switch, input boolean, number, input number, light, fan, valve or cover.

        ``low`` and ``high`` are the numbers that mean 0 and 100 per cent, by default the ends
        of the entity's range. Raises DeviceError `unsupported` for another domain.
        """
        super().__init__(uuid=uuid, kind=DeviceKind.PUMP, name=name)
        self.safe_level = safe_level
        self._entity = BackingEntity(
            hass,
            entity,
            level_adapter(domain_of(hass, entity), LEVEL, low=low, high=high),
            self._entity_changed,
            confirm_time=confirm_time,
        )
        self._attach([self._entity])

    @override
    def setting_for(
        self, action: str, args: Mapping[str, object], resting: Setting | None
    ) -> tuple[str, Setting]:
        """Translate `turn_on`, `turn_off` and `set_level` {level}."""
        return LEVEL, level_setting(
            action, args, self.fields[LEVEL], resting, self._last_level
        )

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Bring the pump to its level. Raises DeviceError."""
        only_fields(settings, LEVEL)
        async with self._writing(settings):
            for setting in settings.values():
                await self._entity.set(setting)

    async def stop(self) -> StopReport:
        """Go to the safe level."""
        return await self._to_safe_side({LEVEL: {LEVEL: self.safe_level}})

    @override
    def _describe(self) -> tuple[Field, ...]:
        """Return the level's description."""
        return (self._entity.field,)

    @override
    def _intended(
        self, entity: BackingEntity, meant: Setting | Switching, rests_at: RestsAt
    ) -> tuple[str, Setting]:
        """Return the level that is meant."""
        if isinstance(meant, Switching):
            resting = rests_at(LEVEL)
            return self.setting_for(switched(meant, resting), {}, resting)
        return LEVEL, meant

    @override
    def _read(self, field: str) -> Setting | None:
        """Return the level shown."""
        return self._entity.reading
