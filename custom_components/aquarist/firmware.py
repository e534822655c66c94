"""The firmware of Chihiros devices on their pages: they tell it on each connection."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN
from .data import AquaristConfigEntry
from .engine.changes import DeviceChanged


@callback
def async_keep_firmware(hass: HomeAssistant, entry: AquaristConfigEntry) -> None:
    """Keep the firmware of an entry's devices in the registry until it is unloaded."""
    devices = entry.runtime_data.devices
    registry = dr.async_get(hass)

    @callback
    def changed(change: DeviceChanged) -> None:
        """Look whether a device told its firmware."""
        for state in devices.values():
            if state.row.number != change.device or state.status is None:
                continue
            known = registry.async_get_device_by_identifier(
                (DOMAIN, state.row.uuid), entry.entry_id
            )
            if known is not None:
                version = str(state.status.firmware)
                registry.async_update_device(known.id, sw_version=version)

    engine = entry.runtime_data.engine
    entry.async_on_unload(engine.announcer.listen(changed, DeviceChanged))
