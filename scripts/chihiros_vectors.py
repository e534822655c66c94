#!/usr/bin/env python3
"""Run protocol test vectors against the encoder and the decoder.

A vector is an object with `command`, `direction` (encode, decode or reject), `args`,
`message_id`, `profile` and `hex`. The commands are those of `COMMANDS` and `NOTIFICATIONS`.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
import json
from math import isfinite
from pathlib import Path
import sys
from typing import Any

from custom_components.aquarist.chihiros import commands, frames, notifications
from custom_components.aquarist.chihiros.commands import CommandFrame, OutOfRange
from custom_components.aquarist.chihiros.frames import MessageId, Profile
from custom_components.aquarist.chihiros.models import DeviceFamily

type Args = dict[str, Any]
type Vector = Mapping[str, Any]

MICROLITRES = 1000
MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class BadVector(LookupError):
    """A vector that does not follow the format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one vector wanted and what came out of it."""

    passed: bool
    expected: str
    got: str


def microlitres(ml: float | None) -> int | None:
    """Convert millilitres as written in the file, without float arithmetic."""
    return None if ml is None else volume(ml)


def volume(ml: float) -> int:
    """Convert millilitres to whole microlitres; what is below is cut off."""
    return scaled("ml", ml, MICROLITRES)


def clock(text: str) -> time:
    """Read HH:MM; raises ValueError for what is no time of day."""
    hour, minute = text.split(":")
    return time(int(hour), int(minute))


def hundredths(temperature: float) -> int:
    """Convert degrees as written in the file to hundredths."""
    return scaled("temp_c", temperature, 100)


def scaled(field: str, number: float, factor: int) -> int:
    """Multiply without float arithmetic; raises OutOfRange for what is no finite number."""
    if type(number) not in (int, float) or not isfinite(number):
        raise OutOfRange(field, number, 0, "the limit of the command")
    return int(Decimal(str(number)) * factor)


def days(names: Iterable[str]) -> bytes:
    """Return the mask of day names; `everyday` is all of them."""
    by_name = {day.name: day for day in commands.Weekday}
    by_name["EVERYDAY"] = commands.Weekday.EVERY_DAY
    return bytes([commands.weekday_mask(by_name[name.upper()] for name in names)])


def add_schedule(args: Args) -> CommandFrame:
    """Build a window; in the vectors a ramp of 0 is kept unless they say otherwise."""
    return commands.add_schedule(
        clock(args["on"]),
        clock(args["off"]),
        args["levels"],
        ramp_minutes=args["ramp_min"],
        weekday_mask=args["weekday_mask"],
        keep_zero_ramp=not args.get("normalise_zero_ramp", False),
    )


def delete_schedule(args: Args) -> CommandFrame:
    """Build the deletion of a window."""
    return commands.delete_schedule(
        clock(args["on"]),
        clock(args["off"]),
        ramp_minutes=args["ramp_min"],
        weekday_mask=args["weekday_mask"],
        keep_zero_ramp=not args.get("normalise_zero_ramp", False),
    )


def auto_point(args: Args) -> CommandFrame:
    """Build a point of a custom curve."""
    family = commands.CurveFamily(args["family"])
    return commands.auto_point(
        args["channel"], args["minute_of_day"], args["level"], family
    )


def point_volume(point: Args) -> int:
    """Read the volume of a point: millilitres, or the wire's tenths as they are."""
    if "raw_tenths" in point:
        return int(point["raw_tenths"]) * 100
    return volume(point["ml"])


def doser_schedule(args: Args) -> CommandFrame:
    """Build a programme; `frame_index` picks one frame of several."""
    head, points = args["channel"], args["points"]
    match args["mode"]:
        case "timer":
            built = commands.doser_schedule_timer(
                head,
                [
                    commands.TimerEntry(
                        at=clock(point["time"]), microlitres=point_volume(point)
                    )
                    for point in points
                ],
            )
        case "windows":
            built = commands.doser_schedule_windows(
                head,
                [
                    commands.DoseWindow(
                        start=clock(point["start"]),
                        duration_minutes=point["duration_min"],
                        count=point["count"],
                    )
                    for point in points
                ],
            )
        case "single" | "auto24" as mode:
            if len(points) != 1:
                raise OutOfRange("points", len(points), 1, 1)
            build = {
                "single": commands.doser_schedule_single,
                "auto24": commands.doser_schedule_auto24,
            }[mode]
            built = (build(head, clock(points[0]["time"]), point_volume(points[0])),)
        case mode:
            raise BadVector(f"unknown programme mode {mode!r}")
    return built[args.get("frame_index", 0)]


def temporary_run(args: Args) -> CommandFrame:
    """Build a temporary run; JSON has the heads as text."""
    states = {int(head): run for head, run in args["states"].items()}
    return commands.temporary_run(states, args["seconds"])


COMMANDS: dict[str, Callable[[Args], CommandFrame]] = {
    "light.query_status": lambda args: commands.query_status(),
    "light.set_time": lambda args: commands.set_time(
        datetime.fromisoformat(args["local_time"])
    ),
    "light.set_time_short": lambda args: commands.set_time_short(
        date.fromisoformat(args["local_date"])
    ),
    "light.set_channel": lambda args: commands.set_channel(
        args["channel"], args["level"]
    ),
    "light.reset_schedules": lambda args: commands.reset_schedules(),
    "light.auto_on": lambda args: commands.auto_on(),
    "light.manual_on": lambda args: commands.manual_on(),
    "light.fan_auto": lambda args: commands.fan_auto(),
    "light.auto_on_short": lambda args: commands.auto_on_short(),
    "light.mode": lambda args: commands.mode(args["sub"]),
    "light.add_schedule": add_schedule,
    "light.delete_schedule": delete_schedule,
    "light.auto_point": auto_point,
    "light.fan_speed": lambda args: commands.fan_speed(args["percent"]),
    "light.fan_thresholds": lambda args: commands.fan_thresholds(
        args["start_c"], args["stop_c"]
    ),
    "light.temp_protect": lambda args: commands.temperature_protection(on=args["on"]),
    "light.bt_led": lambda args: commands.indicator_led(on=args["on"]),
    "doser.query_lifetime": lambda args: commands.query_lifetime(),
    "doser.query_today": lambda args: commands.query_today(),
    "doser.dose_now": lambda args: commands.dose_now(
        args["channel"], volume(args["ml"])
    ),
    "doser.make_up_dose": lambda args: commands.make_up_dose(
        args["channel"], volume(args["ml"])
    ),
    "doser.set_daily": lambda args: commands.set_daily(
        args["channel"],
        args["weekday_mask"],
        microlitres(args["ml"]),
        first=args["first"],
    ),
    "doser.set_active": lambda args: commands.set_active(
        args["channel"], catch_up=args["catch_up"], active=args["active"]
    ),
    "doser.schedule": doser_schedule,
    "doser.reset_channel": lambda args: commands.reset_channel(args["channel"]),
    "doser.reset_lifetime": lambda args: commands.reset_lifetime(args["channel"]),
    "doser.calibrate": lambda args: commands.calibrate(
        args["channel"], seconds=args["seconds"], microlitres=microlitres(args["ml"])
    ),
    "doser.dose_delay": lambda args: commands.dose_delay(on=args["on"]),
    "doser.channel_color": lambda args: commands.channel_color(
        args["channel"], args["color"]
    ),
    "temp_run": temporary_run,
    "stirrer.pre_run": lambda args: commands.stirrer_pre_run(
        args["channel"], args["seconds"], args["speed"]
    ),
    "heater.set": lambda args: commands.heater_set(
        hundredths(args["temp_c"]), args["watts"], auto=args["auto"]
    ),
    "heater.protect_temp": lambda args: commands.heater_protect(
        hundredths(args["temp_c"])
    ),
    "heater.calibrate": lambda args: commands.heater_calibrate(
        hundredths(args["temp_c"])
    ),
    "heater.backlight": lambda args: commands.heater_backlight(on=args["on"]),
    "co2.slot": lambda args: commands.co2_slot(
        clock(args["time"]), commands.Co2State(args["state"])
    ),
    "fan.query": lambda args: commands.cooling_fan_query(args["stage"]),
    "fan.thresholds": lambda args: commands.cooling_fan_thresholds(
        args["start_c"], args["max_c"]
    ),
    "fan.speed": lambda args: commands.cooling_fan_speed(args["level"]),
    "doctor.setting": lambda args: commands.doctor_mate_setting(args["value"]),
}


def encode(vector: Vector) -> bytes:
    """Return the bytes that the vector's command gives."""
    args: Args = vector["args"]
    match vector["command"]:
        case "msgid.next":
            return bytes(frames.next_message_id(MessageId(*args["current"])))
        case "weekday.mask":
            return days(args["days"])
        case "dose.volume_bytes":
            return commands.volume_bytes(volume(args["ml"]))
    message_id = MessageId(*vector["message_id"])
    if vector["command"] == "frame.build":
        profile = Profile.LEGACY if args["escape"] else Profile.VERBATIM
        parameters = bytes(args["params"])
        return frames.build(args["cmd"], args["mode"], parameters, message_id, profile)
    if vector["command"] not in COMMANDS:
        raise BadVector(f"unknown command {vector['command']!r}")
    command = COMMANDS[vector["command"]](args)
    if vector["profile"] != "n/a":
        command = replace(command, profile=Profile(vector["profile"]))
    return command.encode(message_id)


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


def run(vector: Vector) -> Outcome:
    """Run one vector; a vector that breaks the format fails."""
    try:
        return DIRECTIONS[vector["direction"]](vector)
    except MALFORMED as error:
        return Outcome(
            passed=False,
            expected=str(vector.get("hex") or vector.get("args")),
            got=f"{type(error).__name__}: {error}",
        )


def run_encode(vector: Vector) -> Outcome:
    """Run a vector whose arguments give bytes."""
    got = encode(vector).hex()
    expected = vector["hex"].lower()
    return Outcome(passed=got == expected, expected=expected, got=got)


def run_decode(vector: Vector) -> Outcome:
    """Run a vector whose bytes hold fields; fields that it does not name may be there."""
    fields = decode(vector)
    wanted = vector["args"]
    return Outcome(
        passed=all(
            key in fields and fields[key] == value for key, value in wanted.items()
        ),
        expected=str(wanted),
        got=str(fields),
    )


def run_refusal(vector: Vector) -> Outcome:
    """Run a vector whose arguments must be refused, by the encoder or by its value types."""
    try:
        got = encode(vector).hex()
    except ValueError as error:
        return Outcome(passed=True, expected="a refusal", got=str(error))
    return Outcome(passed=False, expected="a refusal", got=got)


DIRECTIONS: dict[str, Callable[[Vector], Outcome]] = {
    "encode": run_encode,
    "decode": run_decode,
    "reject": run_refusal,
}


def load(path: Path) -> list[Vector]:
    """Read a file of vectors; raises BadVector when it holds no list of objects."""
    try:
        vectors = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadVector(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise BadVector(f"{path}: not JSON: {error}") from error
    if not isinstance(vectors, list) or not all(isinstance(v, dict) for v in vectors):
        raise BadVector(f"{path}: not a list of vectors")
    return vectors


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all files, print what fails and the sums; 1 when anything failed, 2 when unread."""
    parser = argparse.ArgumentParser(description="Run protocol test vectors.")
    parser.add_argument("file", nargs="+", type=Path, help="a JSON file of vectors")
    passed = failed = 0
    try:
        vectors = [
            vector
            for path in parser.parse_args(arguments).file
            for vector in load(path)
        ]
    except BadVector as error:
        print(error, file=sys.stderr)
        return 2
    for vector in vectors:
        outcome = run(vector)
        if outcome.passed:
            passed += 1
            continue
        failed += 1
        print(f"{vector.get('id', '?')} {vector.get('command', '?')}")
        print(f"  expected {outcome.expected}")
        print(f"  got      {outcome.got}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
