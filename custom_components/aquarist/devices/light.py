"""A lamp made from one or several dimmable entities, one for each channel."""

from collections.abc import Mapping
from typing import override

from homeassistant.core import HomeAssistant

from ..layers.setting import Setting, is_number
from .backed_device import BackedDevice, together
from .backing_entity import CONFIRM_TIME, BackingEntity, domain_of
from .beside import beside, besides, with_beside
from .device import DeviceKind, StopReport
from .entity_adapter import RestsAt, Switching
from .fields import LEVEL, Field
from .lamp import LIGHT, Lamp
from .level_actions import FULL, switched
from .level_adapters import level_adapter
from .observable import only_fields


class Light(BackedDevice):
    """One composite field `light`: its level and the mix of its channels. Stopped means dark."""

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        uuid: str,
        name: str,
        channels: Mapping[str, str],
        confirm_time: float = CONFIRM_TIME,
    ) -> None:
        """Take an entity for each channel name. Raises DeviceError `unsupported` for a domain."""
        self.lamp = Lamp(channels=tuple(channels))
        super().__init__(
            uuid=uuid, kind=DeviceKind.LIGHT, name=name, aliases=self.lamp.aliases
        )
        self._asked: Setting | None = None
        self._attach(
            [
                BackingEntity(
                    hass,
                    entity,
                    level_adapter(domain_of(hass, entity), LEVEL),
                    self._entity_changed,
                    confirm_time=confirm_time,
                )
                for entity in channels.values()
            ]
        )

    @override
    def setting_for(
        self, action: str, args: Mapping[str, object], resting: Setting | None
    ) -> tuple[str, Setting]:
        """Translate the level actions, `set_brightness` and `set_channels` included."""
        return LIGHT, self.lamp.setting_for(
            action, args, resting, self.observed(LIGHT), self._last_level
        )

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Bring all channels to their outputs at the same time. Raises DeviceError."""
        only_fields(settings, LIGHT)
        async with self._writing(settings):
            for setting in settings.values():
                self._asked = self.lamp.whole(setting, self.observed(LIGHT))
                outputs = self.lamp.outputs(self._asked)
                kept = besides(setting)
                await together(
                    entity.set(
                        with_beside({LEVEL: output}, beside(kept.get(channel, {})))
                    )
                    for channel, entity, output in zip(
                        self.lamp.channels, self._entities, outputs, strict=True
                    )
                )

    @override
    def beside(self, field: str) -> str | None:
        """Return what goes along with what each channel's entity shows."""
        known = zip(self.lamp.channels, self._entities, strict=True)
        return beside(
            {
                channel: besides(with_beside({}, one.beside))
                for channel, one in known
                if one.beside is not None
            }
        )

    async def stop(self) -> StopReport:
        """Go dark; the mix is remembered."""
        return await self._to_safe_side({LIGHT: {LEVEL: 0.0}})

    @override
    def _describe(self) -> tuple[Field, ...]:
        """Return the composite field."""
        return (self.lamp.field,)

    @override
    def _intended(
        self, entity: BackingEntity, meant: Setting | Switching, rests_at: RestsAt
    ) -> tuple[str, Setting]:
        """Return the light with the output of the entity's channel as it is meant."""
        resting = rests_at(LIGHT)
        if len(self._entities) == 1:
            if not isinstance(meant, Switching):
                return LIGHT, meant
            return self.setting_for(switched(meant, resting), {}, resting)
        place = self._entities.index(entity)
        outputs = list(self.lamp.outputs(resting or {}))
        if isinstance(meant, Switching):
            on = switched(meant, {LEVEL: outputs[place]}) == Switching.ON
            outputs[place] = (outputs[place] or FULL) if on else 0.0
        else:
            outputs[place] = float(meant[LEVEL])
        return LIGHT, self.lamp.setting(outputs, resting)

    @override
    def _read(self, field: str) -> Setting | None:
        """Return what the channels show together, None unless all of them are known."""
        outputs: list[float] = []
        for entity in self._entities:
            level = (entity.reading or {}).get(LEVEL)
            if level is None or not is_number(level):
                return None
            outputs.append(float(level))
        if self._asked is not None and tuple(outputs) == self.lamp.outputs(self._asked):
            return self._asked
        return self.lamp.setting(outputs, self.observed(LIGHT))
