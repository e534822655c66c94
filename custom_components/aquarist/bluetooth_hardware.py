"""Devices over Bluetooth: read in only where there are some."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ADDRESS
from homeassistant.core import HomeAssistant

from .ble.bleak_transport import BleakTransport
from .const import CONF_LOCAL_NAME
from .hardware import Hardware, LocalTime, aquarium_of, chihiros_device


def chihiros_hardware(
    hass: HomeAssistant, entry: ConfigEntry[Any], local_time: LocalTime
) -> Hardware:
    """Return the BLE device of an entry; nothing is connected."""
    address: str = entry.data[CONF_ADDRESS]
    transport = BleakTransport(hass, address, entry.data[CONF_LOCAL_NAME])
    return chihiros_device(
        transport,
        address=address,
        name=entry.title,
        data=entry.data,
        options=entry.options,
        aquarium=aquarium_of(hass, entry),
        local_time=local_time,
    )
