"""Host to device frames: layout, message ids, checksum and the two encoding profiles.

Protocol sections 2.1 to 2.3. Knows bytes only, not what a command means.
"""

from enum import IntEnum, StrEnum
from functools import reduce
from operator import xor
from typing import Final, NamedTuple, override

from ..frozen import frozen
from .ranges import OutOfRange, check_whole

PROTOCOL_VERSION: Final = 0x01
ESCAPED: Final = 0x5A
MAX_PARAMETERS: Final = 250
_OVERHEAD: Final = 7
_LENGTH_OFFSET: Final = 2


class Group(IntEnum):
    """The first byte of a host frame, which names the set of commands."""

    COMMON = 0x5A
    SCHEDULE = 0xA5
    APP_ONLY = 0x5F


class Profile(StrEnum):
    """How the byte 0x5A is treated while encoding (protocol section 2.3)."""

    LEGACY = "legacy"
    VERBATIM = "verbatim"


class FrameFault(StrEnum):
    """Why bytes are not a host frame."""

    TOO_SHORT = "too short"
    WRONG_GROUP = "wrong group"
    WRONG_VERSION = "wrong protocol version"
    WRONG_LENGTH = "wrong length"
    WRONG_CHECKSUM = "wrong checksum"


class FrameError(ValueError):
    """Bytes that are not a host frame; `reason` says why."""

    def __init__(self, reason: FrameFault) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason

    @override
    def __str__(self) -> str:
        """Say why the bytes were refused."""
        return f"not a host frame: {self.reason}"


class MessageId(NamedTuple):
    """The two message id bytes, big endian."""

    high: int
    low: int


FIRST_MESSAGE_ID: Final = MessageId(0, 1)


@frozen
class Frame:
    """A parsed host frame: group byte, mode byte, parameter bytes and message id."""

    group: int
    mode: int
    parameters: bytes
    message_id: MessageId


def checksum(data: bytes) -> int:
    """XOR all given bytes; a host frame gives bytes 1 to n-2, without its group byte."""
    return reduce(xor, data, 0)


def next_message_id(current: MessageId) -> MessageId:
    """Return the id after this one: neither byte 0x5A, (255, 255) wraps to (0, 1).

    Raises OutOfRange when a part of the id is not a byte. Protocol section 2.2.
    """
    high = check_whole("message_id.high", current[0], 0, 255)
    low = check_whole("message_id.low", current[1], 0, 255)
    if high == ESCAPED:
        return MessageId(ESCAPED + 1, 0)
    low += 1
    if low == ESCAPED:
        low += 1
    if low <= 255:
        return MessageId(high, low)
    high += 1
    if high == ESCAPED:
        high += 1
    return MessageId(high, 0) if high <= 255 else FIRST_MESSAGE_ID


def build(
    group: int, mode: int, parameters: bytes, message_id: MessageId, profile: Profile
) -> bytes:
    """Encode one host frame.

    With the legacy profile the id inside may be a later one than the one given: continue
    counting from `parse(frame).message_id`. Raises OutOfRange for an unknown group, a mode or
    an id part that is no byte and for more than 250 parameters. Protocol sections 2.1, 2.3.
    """
    if type(group) is bool or group not in Group:
        raise OutOfRange("group", group, min(Group), max(Group), "5A, 5F or A5")
    check_whole("mode", mode, 0, 255)
    check_whole("len(parameters)", len(parameters), 0, MAX_PARAMETERS)
    check_whole("message_id.high", message_id[0], 0, 255)
    check_whole("message_id.low", message_id[1], 0, 255)
    if profile is Profile.VERBATIM:
        return _assemble(group, mode, parameters, message_id)
    escaped = parameters.replace(bytes([ESCAPED]), bytes([ESCAPED - 1]))
    if ESCAPED in message_id:
        message_id = next_message_id(message_id)
    frame = _assemble(group, mode, escaped, message_id)
    while frame[-1] == ESCAPED:
        message_id = next_message_id(message_id)
        frame = _assemble(group, mode, escaped, message_id)
    return frame


def _assemble(group: int, mode: int, parameters: bytes, message_id: MessageId) -> bytes:
    """Put the fields in wire order and close with the checksum."""
    body = (
        bytes([PROTOCOL_VERSION, len(parameters) + 5, *message_id, mode]) + parameters
    )
    return bytes([group]) + body + bytes([checksum(body)])


def parse(data: bytes) -> Frame:
    """Take one host frame apart.

    Raises FrameError for a wrong group, version, length or checksum. Protocol section 2.1.
    """
    if len(data) < _OVERHEAD:
        raise FrameError(FrameFault.TOO_SHORT)
    if data[0] not in Group:
        raise FrameError(FrameFault.WRONG_GROUP)
    if data[1] != PROTOCOL_VERSION:
        raise FrameError(FrameFault.WRONG_VERSION)
    if data[_LENGTH_OFFSET] != len(data) - _LENGTH_OFFSET:
        raise FrameError(FrameFault.WRONG_LENGTH)
    if checksum(data[1:-1]) != data[-1]:
        raise FrameError(FrameFault.WRONG_CHECKSUM)
    return Frame(
        group=data[0],
        mode=data[5],
        parameters=bytes(data[6:-1]),
        message_id=MessageId(data[3], data[4]),
    )
