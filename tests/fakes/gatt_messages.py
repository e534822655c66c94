"""A device's services as ESPHome's API describes them."""

from typing import Any
from uuid import UUID

from .esphome_wire import pb
from .gatt_table import CCCD, Characteristic, Table


def services(table: Table) -> list[Any]:
    """Return the messages for a table; 128-bit UUIDs go as two halves."""
    return [
        pb.BluetoothGATTService(
            uuid=_halves(service.uuid),
            handle=service.handle,
            characteristics=[
                _characteristic(characteristic)
                for characteristic in service.characteristics
            ],
        )
        for service in table
    ]


def _characteristic(
    characteristic: Characteristic,
) -> Any:
    """Return a characteristic with the descriptor of its notifications."""
    cccd = characteristic.cccd
    return pb.BluetoothGATTCharacteristic(
        uuid=_halves(characteristic.uuid),
        handle=characteristic.handle,
        properties=int(characteristic.properties),
        descriptors=[]
        if cccd is None
        else [pb.BluetoothGATTDescriptor(uuid=_halves(CCCD), handle=cccd)],
    )


def _halves(uuid: str) -> list[int]:
    """Return the upper and the lower 64 bits."""
    number = UUID(uuid).int
    return [number >> 64, number & (1 << 64) - 1]
