"""A Bluetooth adapter inside Home Assistant whose radio reaches simulated devices.

Everything above it is real: Home Assistant's Bluetooth, habluetooth, bleak-retry-connector and
Bleak's front end. It advertises when told to, on the event loop.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, override

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError
from bluetooth_data_tools import monotonic_time_coarse
from habluetooth import (
    Allocations,
    BaseHaRemoteScanner,
    BluetoothScanningMode,
    HaBluetoothConnector,
    get_manager,
)
from homeassistant.components import bluetooth
from homeassistant.core import HomeAssistant

from custom_components.aquarist.simulator.errors import (
    ConnectUnanswered,
    OutOfSlots,
    SimulatorError,
    WriteUnanswered,
)
from custom_components.aquarist.simulator.link import Connection
from custom_components.aquarist.simulator.peripheral import Peripheral

from . import gatt_table
from .gatt_table import CURRENT, Table

SOURCE = "A0:00:00:00:00:01"


class VirtualAdapter(BaseHaRemoteScanner):
    """A scanner that can connect, with a limited number of connections."""

    def __init__(
        self, hass: HomeAssistant, *, source: str = SOURCE, slots: int = 3
    ) -> None:
        """Register with Home Assistant's Bluetooth, which must have been set up."""
        super().__init__(
            source,
            "virtual0",
            HaBluetoothConnector(
                client=partial(VirtualClient, self),  # type: ignore[arg-type]
                source=source,
                can_connect=lambda: self.free > 0,
            ),
            connectable=True,
            requested_mode=BluetoothScanningMode.ACTIVE,
            current_mode=BluetoothScanningMode.ACTIVE,
        )
        self.slots = slots
        self.devices: dict[str, tuple[Peripheral, Table]] = {}
        self.open: dict[str, VirtualClient] = {}
        self.connects = 0
        # What was written, or subscribed to, beside the frames: (address, UUID).
        self.touched: list[tuple[str, str]] = []
        unregister = bluetooth.async_register_scanner(hass, self)
        unsetup = self.async_setup()
        self._leave: tuple[Callable[[], None], ...] = (unsetup, unregister)

    @property
    def free(self) -> int:
        """Return the number of connections that are left."""
        return max(0, self.slots - len(self.open))

    def add(self, peripheral: Peripheral, table: Table = CURRENT) -> None:
        """Put a device within reach, and let it advertise once."""
        self.devices[peripheral.address] = peripheral, table
        self.advertise()

    def advertise(self, rssi: int | None = None) -> None:
        """Hear every device that advertises now."""
        for peripheral, table in self.devices.values():
            if peripheral.advertising:
                self._async_on_raw_advertisement(
                    peripheral.address,
                    peripheral.rssi if rssi is None else rssi,
                    gatt_table.advertisement(peripheral.name, table[-1].uuid),
                    {"address_type": 1},
                    monotonic_time_coarse(),
                )

    def forget(self, address: str) -> None:
        """Let a device that has been silent for long leave the scanner, and Home Assistant notice it."""
        self._previous_service_info.pop(address, None)
        manager = get_manager()
        if manager._cancel_unavailable_tracking is not None:
            manager._cancel_unavailable_tracking.cancel()
        manager._async_check_unavailable()

    def fill(self) -> None:
        """Use up all connections."""
        self.slots = len(self.open)
        self.allocations_changed()

    def allocations_changed(self) -> None:
        """Tell Home Assistant how many connections are left."""
        get_manager().async_on_allocation_changed(self.get_allocations())

    @override
    def get_allocations(self) -> Allocations:
        """Return how many connections there are and who has them."""
        return Allocations(self.source, self.slots, self.free, list(self.open))

    def leave(self) -> None:
        """Unregister from Home Assistant."""
        for step in self._leave:
            step()


class VirtualClient(BaseBleakClient):
    """One connection through a virtual adapter."""

    def __init__(
        self, adapter: VirtualAdapter, device: BLEDevice, **kwargs: Any
    ) -> None:
        """Bind the client to the adapter that hears the device."""
        super().__init__(device, **kwargs)
        self._adapter = adapter
        self._name = device.name or device.address
        self._peripheral, self._table = adapter.devices[device.address]
        self._connection: Connection | None = None
        self._notify: Callable[[bytearray], None] | None = None
        self._hanging: asyncio.Future[None] | None = None

    @property
    @override
    def name(self) -> str:
        """Return the advertised name."""
        return self._name

    @property
    @override
    def mtu_size(self) -> int:
        """Return the size the device asks for."""
        return gatt_table.MTU

    @property
    @override
    def is_connected(self) -> bool:
        """Return whether the link is up."""
        return self._connection is not None and self._connection.connected

    @override
    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connect, with the errors that a proxy would report."""
        self._adapter.connects += 1
        with self._adapter.connecting():
            await asyncio.sleep(0)
            try:
                connection = self._peripheral.connect(self._notified, self._lost)
            except ConnectUnanswered:
                async with asyncio.timeout(kwargs["timeout"]):
                    await asyncio.get_running_loop().create_future()
            except OutOfSlots as error:
                raise BleakError("no connection slot available") from error
            except SimulatorError as error:
                raise BleakError(f"ESP_GATT_CONN_FAIL_ESTABLISH: {error}") from error
        self._connection = connection
        self._adapter.open[self.address] = self
        self._adapter.allocations_changed()
        self.services = self._discovered()

    @override
    async def disconnect(self) -> None:
        """Disconnect; as with BlueZ and proxies the callback is called for this, too."""
        await asyncio.sleep(0)
        connection = self._connection
        if connection is not None and connection.connected:
            connection.disconnect()
            self._ended()

    @override
    async def pair(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: these devices do not pair."""
        raise BleakError("not supported")

    @override
    async def unpair(self) -> None:
        """Refuse: these devices do not pair."""
        raise BleakError("not supported")

    @override
    async def read_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        *,
        use_cached: bool = False,
        **kwargs: Any,
    ) -> bytearray:
        """Refuse: nothing here can be read."""
        raise BleakError("not supported")

    @override
    async def read_gatt_descriptor(
        self,
        descriptor: BleakGATTDescriptor,
        *,
        use_cached: bool = False,
        **kwargs: Any,
    ) -> bytearray:
        """Refuse: nothing here can be read."""
        raise BleakError("not supported")

    @override
    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: Any, response: bool
    ) -> None:
        """Write a frame; a write to anything else is remembered."""
        await asyncio.sleep(0)
        connection = self._connection
        if connection is None:
            raise BleakError("Service Discovery has not been performed yet")
        if characteristic.handle not in gatt_table.write_handles(self._table):
            self._adapter.touched.append((self.address, characteristic.uuid))
            return
        try:
            connection.write(bytes(data), response)
        except WriteUnanswered:
            self._hanging = asyncio.get_running_loop().create_future()
            await self._hanging
        except SimulatorError as error:
            raise BleakError(f"Bluetooth GATT Error: {error}") from error

    @override
    async def write_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, data: Any
    ) -> None:
        """Refuse: Bleak itself switches notifications on."""
        raise BleakError("not supported")

    @override
    async def start_notify(
        self,
        characteristic: BleakGATTCharacteristic,
        callback: Callable[[bytearray], None],
        **kwargs: Any,
    ) -> None:
        """Subscribe; to anything else than the notifications is remembered."""
        await asyncio.sleep(0)
        if characteristic.handle not in gatt_table.notify_handles(self._table):
            self._adapter.touched.append((self.address, characteristic.uuid))
            return
        if self._connection is None:
            raise BleakError("Service Discovery has not been performed yet")
        self._notify = callback
        try:
            self._connection.subscribe()
        except SimulatorError as error:
            raise BleakError(f"disconnected: {error}") from error

    @override
    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe."""
        self._notify = None

    def _notified(self, data: bytes) -> None:
        """Deliver a notification in a turn of its own, as on air."""
        if self._notify is not None:
            asyncio.get_running_loop().call_soon(self._notify, bytearray(data))

    def _lost(self, _reason: str) -> None:
        """Take note that the device has dropped the link."""
        if self._hanging is not None and not self._hanging.done():
            self._hanging.set_exception(BleakError("disconnected"))
        asyncio.get_running_loop().call_soon(self._ended)

    def _ended(self) -> None:
        """Free the slot and tell whoever connected."""
        self._connection = None
        self.services = None
        self._adapter.open.pop(self.address, None)
        self._adapter.allocations_changed()
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    def _discovered(self) -> BleakGATTServiceCollection:
        """Return the device's table as Bleak shows it."""
        found = BleakGATTServiceCollection()
        for service in self._table:
            shown = BleakGATTService(service, service.handle, service.uuid)
            found.add_service(shown)
            for characteristic in service.characteristics:
                known = BleakGATTCharacteristic(
                    characteristic,
                    characteristic.handle,
                    characteristic.uuid,
                    characteristic.properties.names,  # type: ignore[arg-type]
                    lambda: gatt_table.MTU - 3,
                    shown,
                )
                found.add_characteristic(known)
                if (cccd := characteristic.cccd) is not None:
                    found.add_descriptor(
                        BleakGATTDescriptor(None, cccd, gatt_table.CCCD, known)
                    )
        return found
