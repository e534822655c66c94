"""Builds the notifications of a device byte by byte (protocol sections 2.4, 3.5 and 4.3)."""

from collections.abc import Sequence
from typing import Final

from ..chihiros import frames
from .device_clock import minute_of_day, weekday

STATUS: Final = 0x0A
LIFETIME: Final = 0x1E
TODAY: Final = 0x22
SNAPSHOT: Final = 0xFE
HEADER: Final = 0x5B
UPTIME_END: Final = 5000
VOLUME_END: Final = 0xFFFF
UNKNOWN_BYTES: Final = 13
RECORDS: Final = 8
SNAPSHOT_HEADS: Final = 4
_COUNTED: Final = 4


def status(firmware: int, status_byte: int, uptime_minutes: int) -> bytes:
    """Return `0A` (14 bytes); the uptime stops at 5000 minutes."""
    uptime = min(uptime_minutes, UPTIME_END).to_bytes(2)
    body = bytes([firmware, 0x0A, 0, 1, STATUS, 1, 255, 255, 255, status_byte]) + uptime
    return bytes([HEADER]) + body + bytes([frames.checksum(body)])


def light_snapshot(
    firmware: int, reading: float, unknown: bytes, points: Sequence[tuple[int, int]]
) -> bytes:
    """Return `FE` of a light (50 bytes): points are (minute of day, level), at most eight fit.

    `unknown` are the 13 bytes at offset 9 whose meaning nobody knows.
    """
    records = b"".join(
        bytes([*divmod(minute, 60), level]) for minute, level in points[:RECORDS]
    )
    now = _clock_bytes(reading)
    return (
        _snapshot_head(firmware)
        + now
        + unknown
        + now
        + records.ljust(RECORDS * 3, b"\0")
        + b"\0"
    )


def doser_snapshot(
    firmware: int, reading: float, heads: Sequence[bytes], targets: Sequence[int]
) -> bytes:
    """Return `FE` of a doser (50 bytes) from nine bytes and a target in mL for each head.

    Four heads fit; the rest of a bigger pump is cut off, missing ones show as switched off.
    """
    records = [*heads, *[bytes([4]) + bytes(8)] * SNAPSHOT_HEADS][:SNAPSHOT_HEADS]
    shown = [*targets, *[0] * SNAPSHOT_HEADS][:SNAPSHOT_HEADS]
    return (
        _snapshot_head(firmware)
        + _clock_bytes(reading)
        + b"".join(records)
        + bytes(min(target, 255) for target in shown)
        + b"\0"
    )


def totals(mode: int, volumes: Sequence[int]) -> bytes:
    """Return `1E` or `22` (15 bytes) from tenths of a millilitre; the trailer covers bytes 1 to 10.

    The layout for more than four heads is unknown; it is taken to be the same, but longer.
    """
    count = max(len(volumes), _COUNTED)
    padded = [*volumes, *[0] * count][:count]
    length = 2 * count + 2
    body = bytes([1, length, 0, 1, mode]) + b"".join(
        volume.to_bytes(2) for volume in padded
    )
    return bytes([HEADER]) + body + bytes([frames.checksum(body[:length])])


def _snapshot_head(firmware: int) -> bytes:
    """Return bytes 0 to 5 of `FE`."""
    return bytes([HEADER, firmware, 0x30, 0, 1, SNAPSHOT])


def _clock_bytes(reading: float) -> bytes:
    """Return weekday, hour and minute."""
    return bytes([weekday(reading), *divmod(int(minute_of_day(reading)), 60)])
