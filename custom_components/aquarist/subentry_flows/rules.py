"""What the flows for safety rules have in common: the devices of the aquarium to choose from."""

from abc import ABC
from typing import Any, override

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from ..data import DATA_ENGINE
from .device_flow import DeviceFlow


class RuleFlow(DeviceFlow, ABC):
    """Adds or changes a rule about devices."""

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Add a rule; without devices there is nothing to protect."""
        if not devices_of(self.hass, self._get_entry().entry_id):
            return self.async_abort(reason="no_devices")
        return await super().async_step_user(user_input)


def devices_of(hass: HomeAssistant, aquarium: str) -> dict[str, str]:
    """Return the names of an aquarium's devices by UUID."""
    return {
        device.row.uuid: device.row.name
        for device in hass.data[DATA_ENGINE].devices.values()
        if device.row.aquarium == aquarium
    }


def device_field(
    hass: HomeAssistant, aquarium: str, *, several: bool
) -> SelectSelector:
    """Return the field that asks for one or several devices of an aquarium."""
    options = [
        SelectOptionDict(value=uuid, label=name)
        for uuid, name in devices_of(hass, aquarium).items()
    ]
    return SelectSelector(
        SelectSelectorConfig(
            options=options, multiple=several, mode=SelectSelectorMode.DROPDOWN
        )
    )
