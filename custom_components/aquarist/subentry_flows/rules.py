"""What the flows for safety rules have in common: the devices of the aquarium to choose from."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from ..data import DATA_ENGINE


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
