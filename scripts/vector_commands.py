"""The commands of the protocol test vectors: what encodes each of them."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite

from custom_components.aquarist.chihiros import commands, frames
from custom_components.aquarist.chihiros.commands import CommandFrame, OutOfRange
from custom_components.aquarist.chihiros.frames import MessageId, Profile
from scripts.vector_format import MICROLITRES, Args, BadVector, Vector


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
