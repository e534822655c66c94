"""Hands advertisements to Home Assistant's Bluetooth that come from no scanner.

Such a device starts discovery flows and shows up in lists, but nothing can connect to it: for that
there is `tests.fakes.virtual_adapter`.
"""

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bluetooth_data_tools import monotonic_time_coarse
from homeassistant.components import bluetooth
from homeassistant.components.bluetooth import BluetoothServiceInfoBleak
from homeassistant.core import HomeAssistant

from custom_components.aquarist.chihiros import gatt


def service_info(
    name: str,
    address: str,
    *,
    rssi: int = -60,
    service_uuids: tuple[str, ...] = (gatt.UART_SERVICE,),
    connectable: bool = True,
) -> BluetoothServiceInfoBleak:
    """Return what Home Assistant makes of an advertisement; Chihiros send neither manufacturer nor service data."""
    uuids = list(service_uuids)
    return BluetoothServiceInfoBleak(
        name=name,
        address=address,
        rssi=rssi,
        manufacturer_data={},
        service_data={},
        service_uuids=uuids,
        source="local",
        device=BLEDevice(address, name, {}),
        advertisement=AdvertisementData(
            local_name=name,
            manufacturer_data={},
            service_data={},
            service_uuids=uuids,
            tx_power=None,
            rssi=rssi,
            platform_data=(),
        ),
        connectable=connectable,
        time=monotonic_time_coarse(),
        tx_power=None,
    )


def inject(hass: HomeAssistant, info: BluetoothServiceInfoBleak) -> None:
    """Let Home Assistant hear an advertisement; its flows start as background tasks."""
    bluetooth.async_get_advertisement_callback(hass)(info)
