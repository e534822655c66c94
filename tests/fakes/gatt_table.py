"""What a simulated device offers over GATT (protocol section 1.1), and how it advertises (1.2)."""

from dataclasses import dataclass
from enum import IntFlag
from uuid import UUID

from custom_components.aquarist.chihiros import gatt

MTU = 247
CCCD = "00002902-0000-1000-8000-00805f9b34fb"


class Property(IntFlag):
    """Characteristic properties as they are on air."""

    READ = 0x02
    WRITE_WITHOUT_RESPONSE = 0x04
    WRITE = 0x08
    NOTIFY = 0x10
    INDICATE = 0x20

    @property
    def names(self) -> list[str]:
        """Return Bleak's names of the properties that are set."""
        return [str(flag.name).lower().replace("_", "-") for flag in self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristic:
    """A characteristic; one that notifies has its descriptor right behind it."""

    uuid: str
    handle: int
    properties: Property

    @property
    def cccd(self) -> int | None:
        """Return the handle of the descriptor that switches notifications on."""
        notifies = self.properties & (Property.NOTIFY | Property.INDICATE)
        return self.handle + 1 if notifies else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service and its characteristics."""

    uuid: str
    handle: int
    characteristics: tuple[Characteristic, ...]


type Table = tuple[Service, ...]

_WRITE = Property.WRITE | Property.WRITE_WITHOUT_RESPONSE
# Firmware update stands first: a trap for whoever takes the first one that notifies.
DFU = Service(
    uuid=gatt.DFU_SERVICE,
    handle=10,
    characteristics=(
        Characteristic(
            uuid=gatt.DFU_CHARACTERISTIC,
            handle=12,
            properties=Property.WRITE | Property.INDICATE,
        ),
    ),
)
UART = Service(
    uuid=gatt.UART_SERVICE,
    handle=20,
    characteristics=(
        Characteristic(uuid=gatt.UART_WRITE, handle=22, properties=_WRITE),
        Characteristic(uuid=gatt.UART_NOTIFY, handle=24, properties=Property.NOTIFY),
    ),
)
CURRENT: Table = (DFU, UART)


def legacy(properties: Property = _WRITE | Property.NOTIFY) -> Table:
    """Return the table of one of the oldest lights, whose one characteristic has these properties."""
    characteristic = Characteristic(
        uuid=gatt.LEGACY_CHARACTERISTIC, handle=32, properties=properties
    )
    return (
        Service(uuid=gatt.LEGACY_SERVICE, handle=30, characteristics=(characteristic,)),
    )


def write_handles(table: Table) -> frozenset[int]:
    """Return the handles at which a device takes frames."""
    return _handles(table, gatt.UART_WRITE, gatt.LEGACY_CHARACTERISTIC)


def notify_handles(table: Table) -> frozenset[int]:
    """Return the handles at which a device notifies."""
    return _handles(table, gatt.UART_NOTIFY, gatt.LEGACY_CHARACTERISTIC)


def advertisement(name: str, service: str | None = gatt.UART_SERVICE) -> bytes:
    """Return advertisement and scan response in one, as an ESP32 that scans actively hands them over."""
    parts = [(0x01, b"\x06"), (0x09, name.encode())]
    if service is not None:
        parts.append((0x07, UUID(service).bytes[::-1]))
    return b"".join(bytes([len(data) + 1, kind]) + data for kind, data in parts)


def _handles(table: Table, *uuids: str) -> frozenset[int]:
    """Return the handles of the characteristics with these UUIDs."""
    return frozenset(
        characteristic.handle
        for service in table
        for characteristic in service.characteristics
        if characteristic.uuid in uuids
    )
