"""The plain-text frames of ESPHome's native API: 0x00, length, message type, protobuf."""

from typing import Any

from aioesphomeapi import api_pb2
from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO

# The messages are made at run time and have no types of their own.
pb: Any = api_pb2
type Message = Any
_TYPES = {proto: number for number, proto in MESSAGE_TYPE_TO_PROTO.items()}


class WireError(Exception):
    """Bytes that are no plain-text frame: the client wants encryption, or is none."""


def encode(message: Message) -> bytes:
    """Return a message as it goes over the wire."""
    payload = message.SerializeToString()
    return b"\0" + _varint(len(payload)) + _varint(_TYPES[type(message)]) + payload


class Decoder:
    """Cuts a stream into messages; several may come in one piece, one in several."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._data = b""

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that are complete now. Raises WireError."""
        self._data += data
        messages: list[Message] = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        """Return the next message; None while it is not complete."""
        if not self._data:
            return None
        if self._data[0] != 0:
            raise WireError("not a plain-text frame")
        size, at = self._read_varint(1)
        number, at = self._read_varint(at)
        if at < 0 or len(self._data) < at + size:
            return None
        payload, self._data = self._data[at : at + size], self._data[at + size :]
        message = MESSAGE_TYPE_TO_PROTO[number]()
        message.ParseFromString(payload)
        return message

    def _read_varint(self, at: int) -> tuple[int, int]:
        """Return a number and where it ends, which is -1 while it is not complete."""
        value = shift = 0
        while 0 <= at < len(self._data):
            byte = self._data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value, at
        return 0, -1


def _varint(value: int) -> bytes:
    """Return a number in groups of seven bits, lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
