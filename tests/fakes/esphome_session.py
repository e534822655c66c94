"""One client of the simulated proxy's API, and what it is answered."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, override

from aioesphomeapi.model import BluetoothProxyFeature

from custom_components.aquarist.simulator.errors import (
    ConnectUnanswered,
    InUse,
    OutOfSlots,
    Refused,
    SimulatorError,
    WriteUnanswered,
)

from . import gatt_table
from .esphome_wire import Decoder, Message, WireError, encode, pb
from .gatt_messages import services
from .stage import StagedConnection

if TYPE_CHECKING:
    from .esphome_proxy import EsphomeProxy

FEATURES = (
    BluetoothProxyFeature.PASSIVE_SCAN
    | BluetoothProxyFeature.ACTIVE_CONNECTIONS
    | BluetoothProxyFeature.REMOTE_CACHING
    | BluetoothProxyFeature.CACHE_CLEARING
    | BluetoothProxyFeature.RAW_ADVERTISEMENTS
    | BluetoothProxyFeature.FEATURE_STATE_AND_MODE
)
# ESP-IDF's codes.
NOT_ESTABLISHED = 0x3E
GATT_ERROR = 0x85
NO_RESOURCES = 0x80
CONNECTION_TIMEOUT = 0x08
NOT_CONNECTED = -1


@dataclass(slots=True)
class DeviceLink:
    """A device's connection and the session that asked for it."""

    connection: StagedConnection
    session: Session


class Session(asyncio.Protocol):
    """One client of the API."""

    def __init__(self, proxy: EsphomeProxy) -> None:
        """Wait for the client's first message."""
        self._proxy = proxy
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._mode: int = pb.BLUETOOTH_SCANNER_MODE_ACTIVE
        self.wants_advertisements = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the proxy's clients."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._proxy.sessions.add(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Leave, and give up the connections that this client had asked for."""
        self._proxy.sessions.discard(self)
        for number, link in list(self._proxy.links.items()):
            if link.session is self:
                del self._proxy.links[number]
                link.connection.disconnect()

    @override
    def data_received(self, data: bytes) -> None:
        """Answer what has come in."""
        try:
            for message in self._decoder.feed(data):
                self._answer(message)
        except WireError:
            self.abort()

    def send(self, message: Message) -> None:
        """Send a message, unless the client has gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode(message))

    def abort(self) -> None:
        """Cut the client off."""
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, message: Message) -> None:
        """Hand a message to what answers it; what needs no answer is ignored."""
        handler = _HANDLERS.get(type(message))
        if handler is not None:
            handler(self, message)

    def _hello(self, _: Any) -> None:
        """Say who we are."""
        self.send(
            pb.HelloResponse(
                api_version_major=1,
                api_version_minor=12,
                server_info="simulated",
                name=self._proxy.name,
            )
        )

    def _device_info(self, _: Any) -> None:
        """Say what we can do."""
        proxy = self._proxy
        self.send(
            pb.DeviceInfoResponse(
                name=proxy.name,
                friendly_name=proxy.name.replace("-", " ").title(),
                mac_address=proxy.mac,
                bluetooth_mac_address=proxy.bluetooth_mac,
                esphome_version="2026.9.0",
                model="Simulated ESP32",
                manufacturer="Aquarist",
                project_name="aquarist.simulated_proxy",
                project_version="1.0",
                compilation_time="Jan 1 2026",
                bluetooth_proxy_feature_flags=int(FEATURES),
            )
        )

    def _list_entities(self, _: Any) -> None:
        """Have none."""
        self.send(pb.ListEntitiesDoneResponse())

    def _ping(self, _: Any) -> None:
        """Be alive."""
        self.send(pb.PingResponse())

    def _goodbye(self, _: Any) -> None:
        """Let the client go."""
        self.send(pb.DisconnectResponse())
        if self._transport is not None:
            self._transport.close()

    def _slots(self, _: Any) -> None:
        """Tell how many connections are left."""
        self.send(self._proxy.slots_message())

    def _advertisements(self, _: Any) -> None:
        """Hand over advertisements from now on."""
        self.wants_advertisements = True
        self._scanner_state()
        self._proxy.advertise()

    def _no_advertisements(self, _: Any) -> None:
        """Hand over no more advertisements."""
        self.wants_advertisements = False

    def _scanner_mode(self, message: Any) -> None:
        """Scan in another mode."""
        self._mode = message.mode
        self._scanner_state()

    def _scanner_state(self) -> None:
        """Tell that we scan, and how."""
        self.send(
            pb.BluetoothScannerStateResponse(
                state=pb.BLUETOOTH_SCANNER_STATE_RUNNING,
                mode=self._mode,
                configured_mode=pb.BLUETOOTH_SCANNER_MODE_ACTIVE,
            )
        )

    def _device(self, message: Any) -> None:
        """Connect, disconnect, or forget what is known about a device."""
        number = message.address
        match message.request_type:
            case (
                pb.BLUETOOTH_DEVICE_REQUEST_TYPE_CONNECT_V3_WITH_CACHE
                | pb.BLUETOOTH_DEVICE_REQUEST_TYPE_CONNECT_V3_WITHOUT_CACHE
            ):
                self._connect(number)
            case pb.BLUETOOTH_DEVICE_REQUEST_TYPE_DISCONNECT:
                link = self._proxy.links.pop(number, None)
                if link is not None:
                    link.connection.disconnect()
                self._ended(number, 0)
            case pb.BLUETOOTH_DEVICE_REQUEST_TYPE_CLEAR_CACHE:
                self.send(
                    pb.BluetoothDeviceClearCacheResponse(address=number, success=True)
                )

    def _connect(self, number: int) -> None:
        """Connect to a device, or tell why not."""
        proxy = self._proxy
        address = address_text(number)
        if address not in proxy.stage.devices:
            self._ended(number, NOT_ESTABLISHED)
            return
        if not proxy.free:
            self._ended(number, NO_RESOURCES)
            return
        try:
            connection = proxy.stage.connect(
                address,
                lambda data: self._notify(number, data),
                lambda _reason: self._dropped(number),
            )
        except ConnectUnanswered:
            return
        except SimulatorError as error:
            self._ended(number, _connect_error(error))
            return
        proxy.links[number] = DeviceLink(connection, self)
        # The list of connections must hold the device before it is told that it is connected.
        proxy.push_slots()
        self.send(
            pb.BluetoothDeviceConnectionResponse(
                address=number, connected=True, mtu=gatt_table.MTU
            )
        )

    def _ended(self, number: int, error: int) -> None:
        """Tell that there is no connection (any more); only then how many are left."""
        self.send(
            pb.BluetoothDeviceConnectionResponse(
                address=number, connected=False, error=error
            )
        )
        self._proxy.push_slots()

    def _dropped(self, number: int) -> None:
        """Tell that a device has dropped its link."""
        if self._proxy.links.pop(number, None) is not None:
            self._ended(number, CONNECTION_TIMEOUT)

    def _notify(self, number: int, data: bytes) -> None:
        """Pass on a notification."""
        for handle in gatt_table.notify_handles(
            self._proxy.table(address_text(number))
        ):
            self.send(
                pb.BluetoothGATTNotifyDataResponse(
                    address=number, handle=handle, data=data
                )
            )

    def _services(self, message: Any) -> None:
        """Tell what a device offers."""
        if self._link(message.address, 0) is None:
            return
        table = self._proxy.table(address_text(message.address))
        self.send(
            pb.BluetoothGATTGetServicesResponse(
                address=message.address, services=services(table)
            )
        )
        self.send(pb.BluetoothGATTGetServicesDoneResponse(address=message.address))

    def _notify_request(self, message: Any) -> None:
        """Get ready to pass on notifications; the descriptor switches them on."""
        if self._link(message.address, message.handle) is not None:
            self.send(
                pb.BluetoothGATTNotifyResponse(
                    address=message.address, handle=message.handle
                )
            )

    def _write_descriptor(self, message: Any) -> None:
        """Subscribe."""
        link = self._link(message.address, message.handle)
        if link is None:
            return
        address = address_text(message.address)
        handles = gatt_table.notify_handles(self._proxy.table(address))
        if message.handle - 1 in handles:
            link.connection.subscribe()
        else:
            self._proxy.touched.append((address, message.handle))
        self._written(message.address, message.handle)

    def _write(self, message: Any) -> None:
        """Write to a device; only a write with response is answered."""
        link = self._link(message.address, message.handle)
        if link is None:
            return
        address = address_text(message.address)
        if message.handle not in gatt_table.write_handles(self._proxy.table(address)):
            self._proxy.touched.append((address, message.handle))
            self._written(message.address, message.handle)
            return
        try:
            link.connection.write(message.data, message.response)
        except WriteUnanswered:
            return
        except SimulatorError:
            # When the link broke, that has been told already.
            if link.connection.connected:
                self._failed(message.address, message.handle, GATT_ERROR)
            return
        if message.response:
            self._written(message.address, message.handle)

    def _link(self, number: int, handle: int) -> DeviceLink | None:
        """Return a device's connection; when there is none, say so."""
        link = self._proxy.links.get(number)
        if link is None:
            self._failed(number, handle, NOT_CONNECTED)
        return link

    def _written(self, number: int, handle: int) -> None:
        """Answer a write."""
        self.send(pb.BluetoothGATTWriteResponse(address=number, handle=handle))

    def _failed(self, number: int, handle: int, error: int) -> None:
        """Answer a request that failed."""
        self.send(
            pb.BluetoothGATTErrorResponse(address=number, handle=handle, error=error)
        )


_HANDLERS: dict[type[Any], Callable[[Session, Message], None]] = {
    pb.HelloRequest: Session._hello,
    pb.DeviceInfoRequest: Session._device_info,
    pb.ListEntitiesRequest: Session._list_entities,
    pb.PingRequest: Session._ping,
    pb.DisconnectRequest: Session._goodbye,
    pb.SubscribeBluetoothConnectionsFreeRequest: Session._slots,
    pb.SubscribeBluetoothLEAdvertisementsRequest: Session._advertisements,
    pb.UnsubscribeBluetoothLEAdvertisementsRequest: Session._no_advertisements,
    pb.BluetoothScannerSetModeRequest: Session._scanner_mode,
    pb.BluetoothDeviceRequest: Session._device,
    pb.BluetoothGATTGetServicesRequest: Session._services,
    pb.BluetoothGATTNotifyRequest: Session._notify_request,
    pb.BluetoothGATTWriteDescriptorRequest: Session._write_descriptor,
    pb.BluetoothGATTWriteRequest: Session._write,
}


def _connect_error(error: SimulatorError) -> int:
    """Return the code with which an ESP32 reports a failed connect."""
    match error:
        case OutOfSlots():
            return NO_RESOURCES
        case Refused() | InUse():
            return GATT_ERROR
        case _:
            return NOT_ESTABLISHED


def address_number(address: str) -> int:
    """Return an address as the API writes it."""
    return int(address.replace(":", ""), 16)


def address_text(number: int) -> str:
    """Return an address as everybody else writes it."""
    return number.to_bytes(6).hex(":").upper()
