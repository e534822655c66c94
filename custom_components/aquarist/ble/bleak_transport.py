"""Carries bytes over Home Assistant's Bluetooth, local adapters and ESPHome proxies alike."""

import asyncio
from collections.abc import Callable
import logging
from typing import Final, override

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTServiceCollection
from bleak.exc import BleakError
import bleak_retry_connector
from bluetooth_data_tools import monotonic_time_coarse
from homeassistant.components import bluetooth
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..chihiros import gatt
from .errors import LinkError, Reason
from .transport import Transport

_LOGGER = logging.getLogger(__name__)

# What a client of any backend may raise; time-outs are not Bleak errors.
CLIENT_ERRORS: Final = (BleakError, TimeoutError, AttributeError, EOFError, OSError)
# A device says its name about once a second: silent for so long, it advertises no more.
SILENT_AFTER: Final = 30.0
# So long after it was last heard, what silenced it is forgotten.
RECENTLY: Final = 900.0
# Weaker than this, a device that went silent may as well have gone out of range.
WELL_HEARD: Final = -85
# How long a device gets to advertise again after a connection of ours.
COMES_BACK: Final = 30.0


class BleakTransport(Transport):
    """The connection to one address. A new client and a fresh `BLEDevice` for each connection."""

    def __init__(self, hass: HomeAssistant, address: str, name: str) -> None:
        """Prepare for a device; nothing is connected yet."""
        self._hass = hass
        self._address = address
        self._name = name
        self._client: BleakClient | None = None
        self._write_to: BleakGATTCharacteristic | None = None
        self._dropped: Callable[[], None] | None = None
        self._free_since = -COMES_BACK
        self._lost_at: float | None = None
        self._unanswered = False
        self._last_heard: bluetooth.BluetoothServiceInfoBleak | None = None
        self._watcher: Callable[[bool], None] | None = None
        self._cancel_look: CALLBACK_TYPE | None = None

    @property
    @override
    def connected(self) -> bool:
        """Return whether the connection is open."""
        return self._client is not None and self._client.is_connected

    @property
    @override
    def present(self) -> bool:
        """Return whether the device is connected, heard by a connectable scanner, or has just been let go."""
        return self.connected or self._heard or self._coming_back

    @property
    @override
    def signal(self) -> int | None:
        """Return how strong any scanner heard the last advertisement."""
        last = self._last_heard_by_any()
        return None if last is None else last.rssi

    @override
    async def connect(
        self, notify: Callable[[bytes], None], dropped: Callable[[], None]
    ) -> None:
        """Connect, find the characteristics and subscribe."""
        if self._hass.is_stopping:
            raise LinkError(Reason.STOPPING)
        await self._comes_back()
        device = self._reachable_device()
        try:
            client = await self._establish(device)
        except CLIENT_ERRORS as error:
            raise LinkError(self._connect_reason(error), str(error)) from error
        self._client = client
        self._lost_at = None
        self._unanswered = False
        self._dropped = dropped
        try:
            await self._open_channel(client, notify)
        except CLIENT_ERRORS as error:
            await self.disconnect()
            raise LinkError(Reason.LINK_LOST, str(error)) from error
        except BaseException:
            await self.disconnect()
            raise

    @override
    async def write(self, data: bytes) -> None:
        """Write with response where the characteristic has it."""
        client, characteristic = self._client, self._write_to
        if client is None or characteristic is None or not client.is_connected:
            raise LinkError(Reason.LINK_LOST)
        self._unanswered = True
        try:
            await client.write_gatt_char(
                characteristic, data, response="write" in characteristic.properties
            )
            self._unanswered = False
        except CLIENT_ERRORS as error:
            self._unanswered = isinstance(error, TimeoutError)
            reason = Reason.WRITE_FAILED if client.is_connected else Reason.LINK_LOST
            raise LinkError(reason, str(error)) from error

    @override
    async def disconnect(self) -> None:
        """Close the connection; a client that cannot is left to its own time-outs."""
        client, self._client = self._client, None
        self._write_to = None
        self._dropped = None
        if client is None:
            return
        if self._unanswered:
            # It was gone before we were: its silence is not an app's doing.
            self._lost_at = monotonic_time_coarse()
        self._let_go()
        try:
            await client.disconnect()
        except CLIENT_ERRORS as error:
            _LOGGER.debug("%s: while disconnecting: %s", self._name, error)

    @override
    def silence_reason(self) -> Reason:
        """Tell a full proxy, a device that is gone or held, and one that hears but does not answer apart."""
        paths = self._paths()
        if not paths:
            return self._vanished_reason()
        if _no_slot_free(paths):
            return Reason.NO_FREE_SLOT
        last = self._last_heard_by_any()
        if last is not None and monotonic_time_coarse() - last.time > SILENT_AFTER:
            return self._vanished_reason()
        return Reason.NO_ANSWER

    @override
    def watch_presence(self, changed: Callable[[bool], None]) -> Callable[[], None]:
        """Follow the advertisements; one watcher at a time."""
        self._watcher = changed
        stops = (
            bluetooth.async_register_callback(
                self._hass,
                self._advertised,
                {"address": self._address, "connectable": True},
                bluetooth.BluetoothScanningMode.PASSIVE,
            ),
            bluetooth.async_track_unavailable(
                self._hass, self._unheard, self._address, connectable=True
            ),
        )

        def unwatch() -> None:
            self._watcher = None
            self._stop_looking()
            for stop in stops:
                stop()

        return unwatch

    @property
    def _heard(self) -> bool:
        """Return whether a connectable scanner hears the device."""
        return bluetooth.async_address_present(
            self._hass, self._address, connectable=True
        )

    @property
    def _coming_back(self) -> bool:
        """Return whether the device was let go so lately that it may not have advertised yet."""
        return monotonic_time_coarse() - self._free_since < COMES_BACK

    async def _comes_back(self) -> None:
        """Wait until a device that we have just let go advertises again, for as long as it gets."""
        left = COMES_BACK - (monotonic_time_coarse() - self._free_since)
        if left <= 0 or self._paths():
            return
        heard = asyncio.Event()
        stop = bluetooth.async_register_advertisement_callback(
            self._hass, lambda _: heard.set(), self._address
        )
        try:
            async with asyncio.timeout(left):
                await heard.wait()
        except TimeoutError:
            _LOGGER.debug("%s did not advertise again", self._name)
        finally:
            stop()

    def _reachable_device(self) -> BLEDevice:
        """Return a fresh device. Raises LinkError at once where a connect could only time out."""
        paths = self._paths()
        device = bluetooth.async_ble_device_from_address(
            self._hass, self._address, connectable=True
        )
        if not paths or device is None:
            raise LinkError(self._vanished_reason(), self._reachability())
        if _no_slot_free(paths):
            raise LinkError(Reason.NO_FREE_SLOT, self._reachability())
        return device

    async def _establish(self, device: BLEDevice) -> BleakClient:
        """Connect through Home Assistant's manager, which takes the best scanner with a free slot."""
        # Home Assistant puts its own client class in this place: it must be looked up at the time of the call.
        return await bleak_retry_connector.establish_connection(
            bleak_retry_connector.BleakClientWithServiceCache,
            device,
            self._name,
            disconnected_callback=self._client_dropped,
            ble_device_callback=lambda: (
                bluetooth.async_ble_device_from_address(
                    self._hass, self._address, connectable=True
                )
                or device
            ),
        )

    async def _open_channel(
        self, client: BleakClient, notify: Callable[[bytes], None]
    ) -> None:
        """Choose the characteristics and switch notifications on, where there are any."""
        chosen = _characteristics(client.services)
        if chosen is None:
            # A proxy may have kept what it once read of a device that was not ready.
            if isinstance(client, bleak_retry_connector.BleakClientWithServiceCache):
                await client.clear_cache()
            raise LinkError(
                Reason.UNSUPPORTED, "neither the UART nor the legacy service"
            )
        self._write_to, notify_from = chosen
        if "notify" in notify_from.properties:
            await client.start_notify(notify_from, lambda _, data: notify(bytes(data)))

    @callback
    def _client_dropped(self, client: BleakClient) -> None:
        """Pass on a lost connection; clients call this for those that we closed, too."""
        if client is not self._client:
            return
        dropped, self._dropped = self._dropped, None
        self._client = None
        self._write_to = None
        self._lost_at = monotonic_time_coarse()
        self._let_go()
        if dropped is not None:
            dropped()

    def _let_go(self) -> None:
        """Give the device time to advertise again, then look whether it does."""
        self._free_since = monotonic_time_coarse()
        self._stop_looking()
        if self._watcher is not None:
            self._cancel_look = async_call_later(self._hass, COMES_BACK + 1, self._look)

    @callback
    def _look(self, _now: object) -> None:
        """Report how it is now that the device has had its time."""
        self._cancel_look = None
        self._report()

    def _stop_looking(self) -> None:
        """Do not look later."""
        if self._cancel_look is not None:
            self._cancel_look()
            self._cancel_look = None

    @callback
    def _advertised(
        self,
        info: bluetooth.BluetoothServiceInfoBleak,
        _change: bluetooth.BluetoothChange,
    ) -> None:
        """Report a device that is heard (again)."""
        self._last_heard = info
        if self._watcher is not None:
            self._watcher(True)

    @callback
    def _unheard(self, info: bluetooth.BluetoothServiceInfoBleak) -> None:
        """Report a device that is not heard any more; a connected one never advertises and is not meant."""
        self._last_heard = info
        self._report()

    def _report(self) -> None:
        """Tell the watcher."""
        if self._watcher is not None:
            self._watcher(self.present)

    def _paths(self) -> list[bluetooth.BluetoothScannerDevice]:
        """Return the connectable scanners that hear the device."""
        return bluetooth.async_scanner_devices_by_address(
            self._hass, self._address, connectable=True
        )

    def _vanished_reason(self) -> Reason:
        """Judge a device without a way to it: it does not advertise while an app is connected to it."""
        last = self._last_heard_by_any()
        if last is None or last.rssi < WELL_HEARD or self._silent_since_lost:
            return Reason.OUT_OF_RANGE
        # Who was heard just now is held by nobody; but those who hear it cannot connect.
        silent_for = monotonic_time_coarse() - last.time
        held = SILENT_AFTER < silent_for < RECENTLY
        return Reason.HELD_BY_APP if held else Reason.OUT_OF_RANGE

    @property
    def _silent_since_lost(self) -> bool:
        """Return whether a connection broke off, or answered no more, and nothing was heard since.

        No app can have come in between, for it would have had to hear the device first.
        """
        last = self._last_heard_by_any()
        return (
            self._lost_at is not None
            and last is not None
            and last.time <= self._lost_at
        )

    def _last_heard_by_any(self) -> bluetooth.BluetoothServiceInfoBleak | None:
        """Return the last advertisement that any scanner heard, as far as it is known."""
        return (
            bluetooth.async_last_service_info(
                self._hass, self._address, connectable=False
            )
            or self._last_heard
        )

    def _connect_reason(self, error: Exception) -> Reason:
        """Return why a connect failed."""
        if self._hass.is_stopping:
            return Reason.STOPPING
        if isinstance(error, bleak_retry_connector.BleakOutOfConnectionSlotsError):
            return Reason.NO_FREE_SLOT
        if isinstance(error, (bleak_retry_connector.BleakNotFoundError, TimeoutError)):
            return self.silence_reason()
        if self._paths() and not self._silent_since_lost:
            return Reason.HELD_BY_APP
        return self._vanished_reason()

    def _reachability(self) -> str:
        """Return what Home Assistant's Bluetooth manager knows about the ways to the device."""
        return bluetooth.async_address_reachability_diagnostics(
            self._hass, self._address, bluetooth.BluetoothReachabilityIntent.CONNECTION
        )


def _no_slot_free(paths: list[bluetooth.BluetoothScannerDevice]) -> bool:
    """Return whether every scanner says that its connections are used up."""
    allocations = [path.scanner.get_allocations() for path in paths]
    return all(known is not None and known.free <= 0 for known in allocations)


def _characteristics(
    services: BleakGATTServiceCollection,
) -> tuple[BleakGATTCharacteristic, BleakGATTCharacteristic] | None:
    """Return what to write to and what notifies: UART, else the legacy one. Nothing else is ever touched (#116)."""
    for service_uuid, write_uuid, notify_uuid in (
        (gatt.UART_SERVICE, gatt.UART_WRITE, gatt.UART_NOTIFY),
        (gatt.LEGACY_SERVICE, gatt.LEGACY_CHARACTERISTIC, gatt.LEGACY_CHARACTERISTIC),
    ):
        if (service := services.get_service(service_uuid)) is None:
            continue
        write, notify = (
            service.get_characteristic(write_uuid),
            service.get_characteristic(notify_uuid),
        )
        if write is not None and notify is not None:
            return write, notify
    return None
