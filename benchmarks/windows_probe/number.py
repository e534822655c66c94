"""A pump that takes a minute for every value."""

import asyncio
from typing import override

from homeassistant.components.number import NumberEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType

HANGS_FOR = 60.0


async def async_setup_platform(
    hass: HomeAssistant,
    config: ConfigType,
    async_add_entities: AddEntitiesCallback,
    discovery_info: DiscoveryInfoType | None = None,
) -> None:
    """Add the one entity."""
    async_add_entities([HangingPump()])


class HangingPump(NumberEntity):
    """A number whose service call hangs."""

    _attr_name = "Hanging pump"
    _attr_native_value = 0.0
    _attr_should_poll = False

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Take the value, much later."""
        await asyncio.sleep(HANGS_FOR)
        self._attr_native_value = value
        self.async_write_ha_state()
