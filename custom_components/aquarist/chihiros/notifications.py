"""Device to host notifications (protocol sections 2.4, 3.5, 4.3, 5.2, 5.3).

Defensive: any bytes may arrive. Trailers are reported, never a reason to refuse.
"""

from collections.abc import Callable
from datetime import datetime
from enum import Flag
from typing import Final

from ..frozen import frozen
from .dosers import TENTH, ScheduleMode
from .frames import checksum
from .models import DeviceFamily

NOTIFICATION_GROUP: Final = 0x5B
UPTIME_LIMIT_MINUTES: Final = 5000
SNAPSHOT_SIZE: Final = 50
SNAPSHOT_HEADS: Final = 4
_SHORTEST: Final = 7
_WEEK_MINUTES: Final = 7 * 24 * 60


@frozen
class Status:
    """`0A`: firmware, the unexplained byte 10, minutes since power-on (they stop at 5000)."""

    firmware: int
    status_byte: int
    uptime_minutes: int
    saturated: bool
    checksum_ok: bool


@frozen
class Snapshot:
    """What both kinds of `FE` share: firmware and the device's clock, as sent."""

    firmware: int
    weekday: int
    hour: int
    minute: int

    def drift_minutes(self, local: datetime) -> int | None:
        """Return how far the device's clock is ahead of the local wall clock, in minutes.

        The nearest reading within the week; None when the device's clock makes no sense.
        """
        if not (1 <= self.weekday <= 7 and self.hour <= 23 and self.minute <= 59):
            return None
        here = (local.isoweekday() * 24 + local.hour) * 60 + local.minute
        there = (self.weekday * 24 + self.hour) * 60 + self.minute
        half = _WEEK_MINUTES // 2
        return (there - here + half) % _WEEK_MINUTES - half


@frozen
class SnapshotPoint:
    """A point of the running programme: hour and minute as sent, one level for all channels."""

    hour: int
    minute: int
    level: int


@frozen
class LightSnapshot(Snapshot):
    """`FE` of a light: at most eight points in wire order, which need not be time order.

    A sanity check, not a read-back: further points are cut off, a point 00:00 at level 0
    cannot be told from an unused one, levels of the other channels are not reported.
    """

    points: tuple[SnapshotPoint, ...]

    @property
    def points_sorted(self) -> tuple[SnapshotPoint, ...]:
        """The points in time order."""
        return tuple(sorted(self.points, key=lambda point: (point.hour, point.minute)))


@frozen
class HeadSnapshot:
    """A head in the doser's `FE`.

    `mode` is None for a mode byte that nobody has documented (`mode_byte` has it). `times`
    are the first times as (hour, minute), at most three, none for a disabled head.
    """

    mode: ScheduleMode | None
    mode_byte: int
    times: tuple[tuple[int, int], ...]
    today_microlitres: int


@frozen
class DoserSnapshot(Snapshot):
    """`FE` of a doser: four heads, daily targets in whole millilitres, cut off."""

    heads: tuple[HeadSnapshot, ...]
    daily_target_ml: tuple[int, ...]


@frozen
class Lifetime:
    """`1E`: what each head has given in its life; past 6553.5 mL unknown."""

    microlitres: tuple[int, ...]
    trailer_ok: bool


@frozen
class Today:
    """`22`: what each head has given today, by hand and by programme; sent as a dose ends."""

    microlitres: tuple[int, ...]
    trailer_ok: bool


@frozen
class LightFan:
    """`0B`: the fan of a Vivid III, revolutions per minute and whole °C."""

    firmware: int
    rpm: int
    celsius: int
    counter: int


@frozen
class FanTelemetry:
    """`25` of the cooling fan: humidity, room and water temperature.

    Humidity in hundredths of a per cent, room in hundredths and water in tenths of a °C.
    """

    firmware: int
    humidity_hundredths: int
    room_hundredths: int
    water_tenths: int


@frozen
class HeaterTelemetry:
    """`25` of the heater: set point and measured temperature in tenths of a °C."""

    set_tenths: int
    measured_tenths: int


class HeaterAlarm(Flag):
    """Alarm bits of a heater."""

    INSUFFICIENT_WATER = 1
    LOW_POWER = 2
    OVER_TEMPERATURE = 4
    NEEDS_CLEANING = 8
    ABOVE_PROTECTION = 16
    HEATING_FAILURE = 32
    SENSOR_FAULT = 64


@frozen
class HeaterStatus:
    """`0A` of the heater, 16 bytes: work hours, firmware, alarms (offsets doubtful)."""

    firmware: int
    work_hours: int
    alarms: HeaterAlarm


type Notification = (
    Status
    | LightSnapshot
    | DoserSnapshot
    | Lifetime
    | Today
    | LightFan
    | FanTelemetry
    | HeaterTelemetry
    | HeaterStatus
)


def decode(data: bytes, family: DeviceFamily) -> Notification | None:
    """Read one notification; None for what is unknown, cut off or not meant for this family.

    Never raises, whatever the bytes are.
    """
    if len(data) < _SHORTEST or data[0] != NOTIFICATION_GROUP:
        return None
    mode = data[5]
    layout = _LAYOUTS.get((mode, family)) or _LAYOUTS.get((mode, None))
    if layout is None or len(data) < layout.size:
        return None
    return layout.read(data)


def _pair(data: bytes, offset: int) -> int:
    """Return two bytes, big endian."""
    return int.from_bytes(data[offset : offset + 2], "big")


def _status(data: bytes) -> Status:
    """Read `0A`."""
    uptime = _pair(data, 11)
    return Status(
        firmware=data[1],
        status_byte=data[10],
        uptime_minutes=uptime,
        saturated=uptime >= UPTIME_LIMIT_MINUTES,
        checksum_ok=checksum(data[1:-1]) == data[-1],
    )


def _heater_status(data: bytes) -> Status | HeaterStatus:
    """Read `0A` of a heater, which is longer than the others'."""
    if len(data) < 16:
        return _status(data)
    return HeaterStatus(
        firmware=_pair(data, 11),
        work_hours=_pair(data, 7),
        alarms=HeaterAlarm(data[14] & _KNOWN_ALARMS),
    )


def _light_snapshot(data: bytes) -> LightSnapshot:
    """Read `FE` of a light and drop unused records."""
    records = (data[offset : offset + 3] for offset in range(25, 49, 3))
    points = tuple(
        SnapshotPoint(hour=hour, minute=minute, level=level)
        for hour, minute, level in records
        if hour or minute or level
    )
    return LightSnapshot(
        firmware=data[1], weekday=data[6], hour=data[7], minute=data[8], points=points
    )


def _doser_snapshot(data: bytes) -> DoserSnapshot:
    """Read `FE` of a doser."""
    heads = tuple(
        _head_snapshot(data[offset : offset + 9])
        for offset in range(9, 9 + 9 * SNAPSHOT_HEADS, 9)
    )
    return DoserSnapshot(
        firmware=data[1],
        weekday=data[6],
        hour=data[7],
        minute=data[8],
        heads=heads,
        daily_target_ml=tuple(data[45 : 45 + SNAPSHOT_HEADS]),
    )


def _head_snapshot(record: bytes) -> HeadSnapshot:
    """Read the nine bytes of a head."""
    mode = ScheduleMode(record[0]) if record[0] in ScheduleMode else None
    return HeadSnapshot(
        mode=mode,
        mode_byte=record[0],
        times=_head_times(mode, record),
        today_microlitres=_pair(record, 7) * TENTH,
    )


def _head_times(
    mode: ScheduleMode | None, record: bytes
) -> tuple[tuple[int, int], ...]:
    """Return the times a mode shows; 00:00 behind the first one of a timer is unused."""
    if mode is None or mode is ScheduleMode.DISABLED:
        return ()
    first, *others = [(record[offset], record[offset + 1]) for offset in (1, 3, 5)]
    if mode is not ScheduleMode.TIMER:
        return (first,)
    return (first, *(moment for moment in others if moment != (0, 0)))


def _totals(data: bytes) -> tuple[tuple[int, ...], bool]:
    """Return as many volumes as there are before the trailer, and whether the trailer holds.

    The trailer covers bytes 1 to (byte 2) only.
    """
    volumes = tuple(
        _pair(data, offset) * TENTH for offset in range(6, len(data) - 2, 2)
    )
    covered = data[2]
    trailer_ok = (
        covered <= len(data) - 2 and checksum(data[1 : covered + 1]) == data[-1]
    )
    return volumes, trailer_ok


def _lifetime(data: bytes) -> Lifetime:
    """Read `1E`."""
    volumes, trailer_ok = _totals(data)
    return Lifetime(microlitres=volumes, trailer_ok=trailer_ok)


def _today(data: bytes) -> Today:
    """Read `22`."""
    volumes, trailer_ok = _totals(data)
    return Today(microlitres=volumes, trailer_ok=trailer_ok)


def _light_fan(data: bytes) -> LightFan:
    """Read `0B`."""
    return LightFan(
        firmware=data[1], rpm=_pair(data, 6), celsius=data[8], counter=data[16]
    )


def _fan_telemetry(data: bytes) -> FanTelemetry:
    """Read `25` of the cooling fan."""
    return FanTelemetry(
        firmware=data[1],
        humidity_hundredths=_pair(data, 6),
        room_hundredths=_pair(data, 8),
        water_tenths=_pair(data, 10),
    )


def _heater_telemetry(data: bytes) -> HeaterTelemetry:
    """Read `25` of the heater."""
    return HeaterTelemetry(set_tenths=_pair(data, 6), measured_tenths=_pair(data, 10))


@frozen
class _Layout:
    """The least size of a notification and the function that reads it."""

    size: int
    read: Callable[[bytes], Notification]


_KNOWN_ALARMS: Final = 0x7F
_LAYOUTS: Final[dict[tuple[int, DeviceFamily | None], _Layout]] = {
    (0x0A, None): _Layout(size=14, read=_status),
    (0x0A, DeviceFamily.HEATER): _Layout(size=14, read=_heater_status),
    (0x0B, DeviceFamily.LIGHT): _Layout(size=18, read=_light_fan),
    (0x1E, DeviceFamily.DOSER): _Layout(size=9, read=_lifetime),
    (0x22, DeviceFamily.DOSER): _Layout(size=9, read=_today),
    (0x25, DeviceFamily.FAN): _Layout(size=13, read=_fan_telemetry),
    (0x25, DeviceFamily.HEATER): _Layout(size=13, read=_heater_telemetry),
    (0xFE, DeviceFamily.LIGHT): _Layout(size=SNAPSHOT_SIZE, read=_light_snapshot),
    (0xFE, DeviceFamily.DOSER): _Layout(size=SNAPSHOT_SIZE, read=_doser_snapshot),
}
