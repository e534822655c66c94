"""Frames in plain English, for people who read logs."""

from datetime import date, datetime, time

from hypothesis import given, strategies as st
import pytest

from custom_components.aquarist.chihiros import commands, frames
from custom_components.aquarist.chihiros.commands import (
    Co2State,
    CommandFrame,
    CurveFamily,
    DoctorSwitch,
    DoseWindow,
    TimerEntry,
    Weekday,
)
from custom_components.aquarist.chihiros.description import describe
from custom_components.aquarist.chihiros.frames import Group, MessageId, Profile
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.chihiros.notification_text import notification_text
from tests.chihiros import captures
from tests.chihiros.test_notifications import mutated_captures

EIGHT, TEN = time(8), time(10, 30)
WEEKEND = Weekday.SATURDAY | Weekday.SUNDAY
ONE_FRAME = 0


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (commands.query_status(), "ask for the status"),
        (
            commands.set_time(datetime.fromisoformat("2026-06-11T09:08:07")),
            "set the clock to 2026-06, weekday 4, 09:08:07",
        ),
        (
            commands.set_time_short(date(2026, 7, 12)),
            "set the date to 2026-07, weekday 7",
        ),
        (commands.set_channel(1, 50), "set channel 1 to 50 %"),
        (commands.manual_on(), "manual mode"),
        (commands.auto_on(), "automatic mode, run the stored schedules"),
        (commands.auto_on_short(), "automatic mode, run the stored schedules"),
        (commands.reset_schedules(), "erase all schedules"),
        (
            commands.temperature_protection(on=True),
            "temperature protection on (or indicator off)",
        ),
        (
            commands.add_schedule(
                EIGHT, TEN, [10, 20], ramp_minutes=15, weekday_mask=WEEKEND
            ),
            "add window 08:00–10:30, ramp 15 min, Sat Sun, levels 10/20 %",
        ),
        (
            commands.delete_schedule(EIGHT, TEN, ramp_minutes=15, weekday_mask=127),
            "delete window 08:00–10:30, ramp 15 min, every day",
        ),
        (
            commands.auto_point(3, 1439, 80, CurveFamily.SEA),
            "curve point of channel 3: 23:59 80 %",
        ),
        (
            commands.auto_point(1, 44, 30, CurveFamily.BLE),
            "curve point of channel 1: 00:30 30 %",
        ),
        (commands.fan_speed(53), "fan speed 53 %"),
        (commands.fan_thresholds(38, 33), "fan starts at 38 °C, stops at 33 °C"),
        (commands.query_lifetime(), "ask for the lifetime totals"),
        (commands.query_today(), "ask for today's totals"),
        (commands.dose_now(0, 9_000), "dose now: head 0, 9.0 mL"),
        (commands.make_up_dose(1, 59_500), "make-up dose: head 1, 59.5 mL"),
        (
            commands.set_daily(2, 127, 60_000, first=False),
            "head 2: 60.0 mL a day, every day",
        ),
        (
            commands.set_daily(2, 64, None, first=True),
            "head 2: no volume a day, Mon, first programming",
        ),
        (
            commands.set_active(0, catch_up=True, active=False),
            "head 0: programme off, catch-up on",
        ),
        (commands.doser_schedule_single(1, EIGHT), "head 1: dose daily at 08:00"),
        (
            commands.doser_schedule_single(1, EIGHT, 5_000),
            "head 1: dose daily at 08:00, 5.0 mL",
        ),
        (commands.doser_schedule_auto24(1), "head 1: a 24th of the volume every hour"),
        (
            commands.doser_schedule_timer(
                0,
                [
                    TimerEntry(at=EIGHT, microlitres=5_000),
                    TimerEntry(at=TEN, microlitres=30_000),
                ],
            )[ONE_FRAME],
            "head 0: timer 08:00 5.0 mL, 10:30 30.0 mL",
        ),
        (
            commands.doser_schedule_windows(
                1, [DoseWindow(start=time(23), duration_minutes=180, count=4)]
            )[ONE_FRAME],
            "head 1: windows 23:00–26:00 in 4 doses",
        ),
        (commands.reset_lifetime(1), "zero the lifetime counter of head 1"),
        (
            commands.reset_channel(0),
            "zero the lifetime counter of head 4 or clear the programme of head 0",
        ),
        (commands.reset_channel(7), "clear the programme of head 7"),
        (commands.calibrate(0, seconds=10), "calibrate head 0: run 10 s"),
        (
            commands.calibrate(0, microlitres=2_500),
            "calibrate head 0: measured 2.50 mL",
        ),
        (
            commands.calibrate(0, seconds=5, microlitres=8_000),
            "calibrate head 0: run 5 s, measured 8.00 mL",
        ),
        (commands.dose_delay(on=True), "stagger the heads: on"),
        (commands.channel_color(3, 7), "head 3: colour 7"),
        (
            commands.temporary_run({0: True, 2: False}),
            "temporary run without limit: run 0, stop 2",
        ),
        (commands.temporary_run({1: True}, 90), "temporary run for 90 s: run 1"),
        (
            commands.stirrer_pre_run(3, 999, 40),
            "stirrer 3: 999 s before the dose at speed 40",
        ),
        (
            commands.heater_set(3_690, 500, auto=True),
            "heater automatic, 36.90 °C, 500 W",
        ),
        (commands.heater_set(2_500, 200, auto=False), "heater manual, 25.00 °C, 200 W"),
        (commands.heater_protect(3_650), "over-temperature limit 36.50 °C"),
        (commands.heater_calibrate(2_300), "calibrate the heater to 23.00 °C"),
        (commands.heater_backlight(on=True), "backlight on"),
        (commands.heater_backlight(on=False), "backlight off"),
        (commands.co2_slot(EIGHT, Co2State.ON), "CO2 slot 08:00 on"),
        (commands.cooling_fan_query(6), "ask the cooling fan, stage 6"),
        (
            commands.cooling_fan_thresholds(24, 28),
            "cooling fan from 24 °C, full speed at 28 °C",
        ),
        (commands.cooling_fan_speed(10), "cooling fan speed 10 of 20"),
        (commands.doctor_query(), "begin a Doctor session"),
        (commands.doctor_mate_setting(100), "Doctor setting 100"),
        (commands.doctor_switch(DoctorSwitch.OFF), "Doctor off"),
    ],
)
def test_commands(command: CommandFrame, text: str) -> None:
    """Each command says what it does, its mode and its id."""
    mode = f"{command.group:02X}/{command.mode:02X}"
    frame = command.encode(MessageId(1, 2))
    assert describe(frame) == f"host → device: {text} ({mode}, id 0x0102)"


@given(head=st.integers(0, 7), microlitres=st.integers(200, 999_900))
def test_every_dose_is_described(head: int, microlitres: int) -> None:
    """Head and volume come back out of the bytes, cut off at tenths."""
    frame = commands.dose_now(head, microlitres).encode(MessageId(0, 1))
    millilitres = f"{microlitres // 100 / 10:.1f}"
    assert describe(frame).startswith(
        f"host → device: dose now: head {head}, {millilitres} mL"
    )


KNOWN_MODES = [
    *((Group.COMMON, mode) for mode in (4, 5, 6, 7, 9, 0x0F, 0x16, 0x2B, 0x2F, 0x30)),
    *(
        (Group.SCHEDULE, mode)
        for mode in (
            *(1, 2, 4, 5, 0x14, 0x15, 0x16, 0x17, 0x19, 0x1B, 0x1F, 0x20),
            *(0x21, 0x2A, 0x2D, 0x38, 0x3B),
        )
    ),
]


@pytest.mark.parametrize(("group", "mode"), KNOWN_MODES)
def test_malformed_parameters(group: Group, mode: int) -> None:
    """A known mode with parameters that fit nothing shows them as they are."""
    parameters = bytes([200] * 9)
    frame = frames.build(group, mode, parameters, MessageId(0, 1), Profile.VERBATIM)
    listed = ", ".join(["200"] * 9)
    expected = f"unknown command [{listed}] ({group:02X}/{mode:02X}, id 0x0001)"
    assert describe(frame) == f"host → device: {expected}"


@pytest.mark.parametrize(
    ("group", "mode", "parameters", "text"),
    [
        (Group.SCHEDULE, 0x14, [0, 5, *[255] * 8], "temporary run for 5 s: nothing"),
        (Group.SCHEDULE, 0x16, [1, 255, 255, 255], "calibrate head 1: nothing"),
        (
            Group.SCHEDULE,
            0x19,
            [8, 0, 9, 0, 1, 0, *[255] * 8],
            "delete window 08:00–09:00, ramp 1 min, never",
        ),
        (Group.COMMON, 0x05, [], "unknown command []"),
        (Group.APP_ONLY, 0x01, [1], "unknown command [1]"),
        (Group.SCHEDULE, 0x42, [], "unknown command []"),
    ],
)
def test_odd_frames(group: Group, mode: int, parameters: list[int], text: str) -> None:
    """Frames that no builder makes are described as well."""
    data = frames.build(
        group, mode, bytes(parameters), MessageId(0, 1), Profile.VERBATIM
    )
    assert (
        describe(data) == f"host → device: {text} ({group:02X}/{mode:02X}, id 0x0001)"
    )


@pytest.mark.parametrize(
    ("data", "family", "text"),
    [
        (captures.STATUS, None, "status, firmware 6, on for 4866 min"),
        (
            captures.STATUS[:11] + b"\x13\x88\x00",
            None,
            "status, firmware 6, on for 5000 min or more, wrong checksum",
        ),
        (
            captures.LIGHT,
            DeviceFamily.LIGHT,
            (
                "light snapshot, firmware 21, clock weekday 5 16:05, points: 05:00 0 %, "
                "05:01 10 %, 08:59 10 %, 09:00 0 %, 10:00 30 %, 12:00 30 %, 13:00 0 %, "
                "13:01 60 %"
            ),
        ),
        (
            captures.LIGHT[:25] + bytes(25),
            DeviceFamily.LIGHT,
            "light snapshot, firmware 21, clock weekday 5 16:05, points: none",
        ),
        (
            captures.DOSER[:18] + b"\x09" + captures.DOSER[19:],
            DeviceFamily.DOSER,
            (
                "doser snapshot, firmware 6, clock weekday 4 23:08; "
                "head 0 single 22:35, today 60.0 mL, target 60 mL; "
                "head 1 mode 9, today 205.2 mL, target 7 mL; "
                "head 2 auto24 00:00, today 35.5 mL, target 37 mL; "
                "head 3 timer 14:49 15:34 16:19, today 22.5 mL, target 24 mL"
            ),
        ),
        (
            captures.LIFETIME,
            None,
            "lifetime totals 3029.5 mL, 1003.0 mL, 2522.0 mL, 2163.5 mL",
        ),
        (
            captures.TODAY[:-1] + b"\x00",
            None,
            "today's totals 60.0 mL, 205.2 mL, 35.5 mL, 22.5 mL, wrong trailer",
        ),
        (captures.LIGHT_FAN, None, "light fan 600 rpm, 25 °C, firmware 27"),
        (
            captures.COOLING_FAN,
            DeviceFamily.FAN,
            "cooling fan, humidity 50.80 %, room 24.47 °C, water 26.1 °C, firmware 3",
        ),
        (
            captures.HEATER,
            DeviceFamily.HEATER,
            "heater set to 26.6 °C, measures 25.8 °C",
        ),
        (
            captures.HEATER_STATUS,
            DeviceFamily.HEATER,
            "heater status, 1994 h of work, alarms: insufficient water, needs cleaning",
        ),
        (
            captures.HEATER_STATUS[:14] + bytes(2),
            DeviceFamily.HEATER,
            "heater status, 1994 h of work, alarms: none",
        ),
        (captures.STATUS[:9], None, "unknown or cut off"),
        (captures.TODAY, DeviceFamily.LIGHT, "unknown or cut off"),
    ],
)
def test_notifications(data: bytes, family: DeviceFamily | None, text: str) -> None:
    """Each notification says what it tells."""
    assert describe(data, family) == f"device → host: {text}"


def test_all_readings_without_a_family() -> None:
    """Where the family decides, both readings are given and named."""
    text = describe(captures.DOSER)
    assert "as a light: light snapshot" in text
    assert "; or as a doser: doser snapshot" in text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too short"),
        (b"\x5a\x01\x06\x00\x01\x04\x01\x04", "wrong checksum"),
        (b"\x16\x01\x06\x00\x01\x04\x01\x03", "wrong group"),
    ],
)
def test_unreadable(data: bytes, reason: str) -> None:
    """What is neither direction says why."""
    assert describe(data) == f"unreadable: {reason}"


def test_only_notifications_have_a_text() -> None:
    """Anything else is a mistake of the caller."""
    with pytest.raises(TypeError, match="not a notification"):
        notification_text(b"\x5b")  # type: ignore[arg-type]


@pytest.mark.parametrize("frame", captures.HOST_FRAMES, ids=bytes.hex)
def test_every_known_host_frame_is_described(frame: bytes) -> None:
    """No command of the vectors is unknown."""
    text = describe(frame)
    assert text.startswith("host → device: ")
    assert "unknown command" not in text


@given(data=st.binary(max_size=80), family=st.sampled_from([None, *DeviceFamily]))
def test_any_bytes(data: bytes, family: DeviceFamily | None) -> None:
    """Whatever the bytes are, there is a sentence."""
    assert describe(data, family)


@given(data=mutated_captures())
def test_mutated_captures(data: bytes) -> None:
    """Damaged notifications have a sentence, too."""
    assert describe(data)


@given(known=st.sampled_from(KNOWN_MODES), parameters=st.binary(max_size=20))
def test_any_parameters(known: tuple[Group, int], parameters: bytes) -> None:
    """Known modes never stumble over their parameters, whatever these are."""
    group, mode = known
    data = frames.build(group, mode, parameters, MessageId(0, 1), Profile.VERBATIM)
    assert describe(data).startswith("host → device: ")
