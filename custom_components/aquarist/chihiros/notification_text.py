"""A decoded notification as a plain English sentence."""

from functools import singledispatch

from .notifications import (
    DoserSnapshot,
    FanTelemetry,
    HeadSnapshot,
    HeaterStatus,
    HeaterTelemetry,
    Lifetime,
    LightFan,
    LightSnapshot,
    Notification,
    Snapshot,
    Status,
    Today,
)


@singledispatch
def notification_text(notification: Notification) -> str:
    """Say what a notification tells."""
    raise TypeError(f"not a notification: {notification!r}")


@notification_text.register
def _status(status: Status) -> str:
    """Describe `0A`."""
    more = " or more" if status.saturated else ""
    return (
        f"status, firmware {status.firmware}, on for {status.uptime_minutes} min{more}"
        f"{_remark('checksum', good=status.checksum_ok)}"
    )


@notification_text.register
def _heater_status(status: HeaterStatus) -> str:
    """Describe the long `0A` of a heater."""
    alarms = ", ".join(
        str(alarm.name).lower().replace("_", " ") for alarm in status.alarms
    )
    return f"heater status, {status.work_hours} h of work, alarms: {alarms or 'none'}"


@notification_text.register
def _light_snapshot(snapshot: LightSnapshot) -> str:
    """Describe `FE` of a light."""
    points = ", ".join(
        f"{point.hour:02d}:{point.minute:02d} {point.level} %"
        for point in snapshot.points_sorted
    )
    return f"light snapshot, {_clock(snapshot)}, points: {points or 'none'}"


@notification_text.register
def _doser_snapshot(snapshot: DoserSnapshot) -> str:
    """Describe `FE` of a doser."""
    heads = "; ".join(
        f"head {number} {_head(head)}, target {target} mL"
        for number, (head, target) in enumerate(
            zip(snapshot.heads, snapshot.daily_target_ml, strict=True)
        )
    )
    return f"doser snapshot, {_clock(snapshot)}; {heads}"


@notification_text.register
def _lifetime(totals: Lifetime) -> str:
    """Describe `1E`."""
    return f"lifetime totals {_volumes(totals.microlitres)}{_remark('trailer', good=totals.trailer_ok)}"


@notification_text.register
def _today(totals: Today) -> str:
    """Describe `22`."""
    return f"today's totals {_volumes(totals.microlitres)}{_remark('trailer', good=totals.trailer_ok)}"


@notification_text.register
def _light_fan(fan: LightFan) -> str:
    """Describe `0B`."""
    return f"light fan {fan.rpm} rpm, {fan.celsius} °C, firmware {fan.firmware}"


@notification_text.register
def _fan(fan: FanTelemetry) -> str:
    """Describe `25` of the cooling fan."""
    return (
        f"cooling fan, humidity {fan.humidity_hundredths / 100:.2f} %, "
        f"room {fan.room_hundredths / 100:.2f} °C, water {fan.water_tenths / 10:.1f} °C, "
        f"firmware {fan.firmware}"
    )


@notification_text.register
def _heater(heater: HeaterTelemetry) -> str:
    """Describe `25` of the heater."""
    return (
        f"heater set to {heater.set_tenths / 10:.1f} °C, "
        f"measures {heater.measured_tenths / 10:.1f} °C"
    )


def _remark(what: str, *, good: bool) -> str:
    """Point out a wrong closing byte."""
    return "" if good else f", wrong {what}"


def _clock(snapshot: Snapshot) -> str:
    """Write firmware and clock of a snapshot."""
    clock = f"{snapshot.hour:02d}:{snapshot.minute:02d}"
    return f"firmware {snapshot.firmware}, clock weekday {snapshot.weekday} {clock}"


def _head(head: HeadSnapshot) -> str:
    """Write a head's mode, first times and volume of today."""
    mode = f"mode {head.mode_byte}" if head.mode is None else head.mode.name.lower()
    times = "".join(f" {hour:02d}:{minute:02d}" for hour, minute in head.times)
    return f"{mode}{times}, today {head.today_microlitres / 1000:.1f} mL"


def _volumes(microlitres: tuple[int, ...]) -> str:
    """Write a volume for each head."""
    return ", ".join(f"{volume / 1000:.1f} mL" for volume in microlitres)
