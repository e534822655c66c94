"""The notifications of the protocol test vectors: what decodes each of them."""

from collections.abc import Callable, Sequence
from typing import Any

from custom_components.aquarist.chihiros import notifications
from custom_components.aquarist.chihiros.models import DeviceFamily
from scripts.vector_format import MICROLITRES, Args, BadVector, Vector


def read_status(found: notifications.Status) -> Args:
    """Name the fields of a status as the vectors do."""
    return {
        "firmware": found.firmware,
        "status_byte": found.status_byte,
        "uptime_minutes": found.uptime_minutes,
        "saturated": found.saturated,
        "checksum_ok": found.checksum_ok,
    }


def read_clock(found: notifications.Snapshot) -> Args:
    """Name the fields that both snapshots share."""
    return {
        "firmware": found.firmware,
        "weekday": found.weekday,
        "hour": found.hour,
        "minute": found.minute,
    }


def read_light_snapshot(found: notifications.LightSnapshot) -> Args:
    """Name the fields of a light's snapshot."""

    def listed(points: Sequence[notifications.SnapshotPoint]) -> list[list[str | int]]:
        return [[f"{at.hour:02d}:{at.minute:02d}", at.level] for at in points]

    return read_clock(found) | {
        "points": listed(found.points),
        "points_sorted": listed(found.points_sorted),
    }


def read_doser_snapshot(found: notifications.DoserSnapshot) -> Args:
    """Name the fields of a doser's snapshot."""
    heads = [
        {
            "mode": head.mode_byte if head.mode is None else head.mode.name.lower(),
            "times": [f"{hour:02d}:{minute:02d}" for hour, minute in head.times],
            "today_ml": head.today_microlitres / MICROLITRES,
        }
        for head in found.heads
    ]
    return read_clock(found) | {
        "heads": heads,
        "daily_target_ml": list(found.daily_target_ml),
    }


def read_totals(found: notifications.Lifetime | notifications.Today) -> Args:
    """Name the fields of lifetime and today."""
    volumes = [amount / MICROLITRES for amount in found.microlitres]
    return {"ml": volumes, "trailer_ok": found.trailer_ok}


def read_light_fan(found: notifications.LightFan) -> Args:
    """Name the fields of a light's fan."""
    return {"firmware": found.firmware, "rpm": found.rpm, "temp_c": found.celsius}


def read_fan(found: notifications.FanTelemetry) -> Args:
    """Name the fields of the cooling fan."""
    return {
        "firmware": found.firmware,
        "humidity": found.humidity_hundredths / 100,
        "room_c": found.room_hundredths / 100,
        "water_c": found.water_tenths / 10,
    }


def read_heater(found: notifications.HeaterTelemetry) -> Args:
    """Name the fields of the heater."""
    return {"set_c": found.set_tenths / 10, "current_c": found.measured_tenths / 10}


def read_heater_status(found: notifications.HeaterStatus) -> Args:
    """Name the fields of the heater's status."""
    return {
        "firmware": found.firmware,
        "work_hours": found.work_hours,
        "alarms": [str(alarm.name).lower() for alarm in found.alarms],
    }


NOTIFICATIONS: dict[str, tuple[DeviceFamily | None, type, Callable[[Any], Args]]] = {
    "notify.status_0a": (None, notifications.Status, read_status),
    "notify.snapshot_fe_light": (
        DeviceFamily.LIGHT,
        notifications.LightSnapshot,
        read_light_snapshot,
    ),
    "notify.snapshot_fe_doser": (
        DeviceFamily.DOSER,
        notifications.DoserSnapshot,
        read_doser_snapshot,
    ),
    "notify.lifetime_1e": (DeviceFamily.DOSER, notifications.Lifetime, read_totals),
    "notify.today_22": (DeviceFamily.DOSER, notifications.Today, read_totals),
    "notify.fan_0b": (DeviceFamily.LIGHT, notifications.LightFan, read_light_fan),
    "notify.fan_25": (DeviceFamily.FAN, notifications.FanTelemetry, read_fan),
    "notify.heater_25": (
        DeviceFamily.HEATER,
        notifications.HeaterTelemetry,
        read_heater,
    ),
    "notify.heater_status_0a": (
        DeviceFamily.HEATER,
        notifications.HeaterStatus,
        read_heater_status,
    ),
}


def decode(vector: Vector) -> Args:
    """Return the fields that the vector's bytes hold; `result` None when they are ignored."""
    data = bytes.fromhex(vector["hex"])
    command = vector["command"]
    if command == "notify.ignore":
        found = [notifications.decode(data, family) for family in DeviceFamily]
        return {"result": next((one for one in found if one is not None), None)}
    if command not in NOTIFICATIONS:
        raise BadVector(f"unknown notification {command!r}")
    family, kind, read = NOTIFICATIONS[command]
    notification = notifications.decode(data, family or DeviceFamily(vector["device"]))
    if not isinstance(notification, kind):
        return {"result": notification}
    return read(notification)
