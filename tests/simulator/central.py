"""A central for the tests: writes frames it builds by hand and keeps what it is told."""

from functools import reduce
import json
from operator import xor
from pathlib import Path

from custom_components.aquarist.simulator.link import Connection
from custom_components.aquarist.simulator.peripheral import Peripheral

ADDRESS = "E4:3A:D5:3A:D8:02"
EVERY_DAY = 127
_VECTORS = Path(__file__).parent.parent / "data" / "chihiros_vectors.json"


def captured(identity: str) -> bytes:
    """Return the bytes of a captured frame or notification."""
    vectors = json.loads(_VECTORS.read_text(encoding="utf-8"))
    return bytes.fromhex(
        next(item["hex"] for item in vectors if item["id"] == identity)
    )


def host_frame(group: int, mode: int, *parameters: int) -> bytes:
    """Build a frame without any code of the product (protocol section 2.1)."""
    body = bytes([1, len(parameters) + 5, 0, 1, mode, *parameters])
    return bytes([group, *body, reduce(xor, body)])


class Central:
    """A subscribed central with its link, the notifications it got and why the link was lost."""

    def __init__(self, peripheral: Peripheral) -> None:
        """Connect and subscribe."""
        self.peripheral = peripheral
        self.notifications: list[bytes] = []
        self.dropped: list[str] = []
        self.link: Connection
        self.connect()

    def connect(self) -> None:
        """Connect (again) and subscribe."""
        self.link = self.peripheral.connect(
            self.notifications.append, self.dropped.append
        )
        self.link.subscribe()

    def send(
        self, group: int, mode: int, *parameters: int, response: bool = True
    ) -> None:
        """Write a frame."""
        self.link.write(host_frame(group, mode, *parameters), response)

    def set_clock(self, weekday: int, hour: int, minute: int, second: int = 0) -> None:
        """Set the device's clock."""
        self.send(0x5A, 0x09, 26, 7, weekday, hour, minute, second)

    def of_mode(self, mode: int) -> list[bytes]:
        """Return the notifications with a mode byte."""
        return [data for data in self.notifications if data[5:6] == bytes([mode])]


def volumes(totals: bytes) -> list[int]:
    """Return the tenths of a millilitre in `1E` or `22`."""
    return [int.from_bytes(totals[at : at + 2]) for at in range(6, len(totals) - 1, 2)]
