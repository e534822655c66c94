"""Commands as data: what they put on the wire beyond the vectors (protocol sections 3 to 5)."""

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
    ModeSwitch,
    TimerEntry,
    Weekday,
)
from custom_components.aquarist.chihiros.frames import Group, MessageId, Profile

EIGHT = time(8)
TEN = time(10)


@pytest.mark.parametrize(
    ("command", "group", "mode", "parameters"),
    [
        (commands.temperature_protection(on=False), 0x5A, 0x05, [48, 255, 255]),
        (commands.temperature_protection(on=True), 0x5A, 0x05, [49, 255, 255]),
        (commands.indicator_led(on=False), 0x5A, 0x05, [49, 255, 255]),
        (commands.indicator_led(on=True), 0x5A, 0x05, [50, 255, 255]),
        (commands.fan_speed(0), 0x5A, 0x0F, [0]),
        (commands.fan_speed(25), 0x5A, 0x0F, [25]),
        (commands.mode(ModeSwitch.FINISH_EDIT), 0x5A, 0x05, [40, 255, 255]),
        (commands.make_up_dose(1, 59_500), 0xA5, 0x1B, [1, 0, 2, 0x02, 0x53]),
        (
            commands.set_daily(0, 127, 60_000, first=False),
            0xA5,
            0x1B,
            [0, 127, 1, 1, 2, 88],
        ),
        (commands.set_active(3, catch_up=False, active=False), 0xA5, 0x20, [3, 0, 0]),
        (commands.doser_schedule_auto24(2), 0xA5, 0x15, [2, 1, 0, 0, 0, 0]),
        (
            commands.doser_schedule_single(2, EIGHT, 9_000),
            0xA5,
            0x15,
            [2, 0, 8, 0, 0, 90],
        ),
        (commands.calibrate(1, seconds=0), 0xA5, 0x16, [1, 0, 255, 255]),
        (commands.calibrate(1, microlitres=2_995), 0xA5, 0x16, [1, 255, 2, 100]),
        (commands.calibrate(1, microlitres=2_994), 0xA5, 0x16, [1, 255, 2, 99]),
        (commands.calibrate(1, microlitres=255_999), 0xA5, 0x16, [1, 255, 255, 100]),
        (commands.dose_delay(on=False), 0xA5, 0x1F, [0]),
        (commands.channel_color(3, 7), 0xA5, 0x3B, [3, 7]),
        (
            commands.temporary_run({0: True, 7: False}, 15_359),
            0xA5,
            0x14,
            [255, 59, 1, 255, 255, 255, 255, 255, 255, 0],
        ),
        (commands.heater_backlight(on=False), 0xA5, 0x38, [200, 200, 200, 200, 127]),
        (commands.heater_set(3_690, 500, auto=True), 0x5A, 0x2B, [1, 36, 90, 50]),
        (commands.co2_clear(), 0x5A, 0x05, [7, 255, 255]),
        (commands.co2_slot(time(23, 59), Co2State.EMPTY), 0x5A, 0x16, [23, 59, 111]),
        (commands.cooling_fan_query(8), 0xA5, 0x04, [8]),
        (commands.doctor_query(), 0xA5, 0x04, [1]),
        (commands.doctor_duration(600), 0xA5, 0x01, [2, 88]),
        (commands.doctor_switch(DoctorSwitch.QUERY), 0xA5, 0x02, [3]),
    ],
)
def test_wire(
    command: CommandFrame, group: int, mode: int, parameters: list[int]
) -> None:
    """Each command has the group, mode and parameters of the protocol page."""
    found = (command.group, command.mode, list(command.parameters))
    assert found == (group, mode, parameters)


def test_profiles() -> None:
    """Whatever carries a number that a keeper has chosen goes out verbatim."""
    legacy = [
        commands.query_status(),
        commands.manual_on(),
        commands.auto_on_short(),
        commands.set_time(datetime.fromisoformat("2026-06-11T09:08:07")),
        commands.query_today(),
    ]
    verbatim = [
        commands.set_channel(0, 90),
        commands.fan_speed(90),
        commands.add_schedule(EIGHT, TEN, [90], ramp_minutes=90, weekday_mask=127),
        commands.delete_schedule(EIGHT, TEN, ramp_minutes=90, weekday_mask=127),
        commands.dose_now(0, 9_000),
        commands.set_daily(0, 127, 9_000, first=True),
        commands.auto_point(0, 90, 90, CurveFamily.SEA),
        commands.fan_thresholds(38, 33),
        commands.heater_protect(3_690),
        commands.cooling_fan_speed(3),
        commands.reset_channel(0),
        *commands.cooling_fan_automatic(),
    ]
    assert {command.profile for command in legacy} == {Profile.LEGACY}
    assert {command.profile for command in verbatim} == {Profile.VERBATIM}


def test_nine_millilitres_stay_nine() -> None:
    """A dose whose byte is 0x5A is not turned into 8.9 mL."""
    frame = commands.dose_now(0, 9_000).encode(MessageId(0, 6))
    assert frames.parse(frame).parameters == bytes([0, 0, 0, 0, 90])


def test_delete_uses_the_key_of_add() -> None:
    """Both go through the same profile and ramp rule, so that the light finds the window."""
    for ramp in (0, 1, 90, 150):
        add = commands.add_schedule(
            EIGHT, TEN, [90, 10], ramp_minutes=ramp, weekday_mask=90
        ).encode(MessageId(0, 1))
        delete = commands.delete_schedule(
            EIGHT, TEN, ramp_minutes=ramp, weekday_mask=90
        ).encode(MessageId(0, 2))
        added, deleted = frames.parse(add).parameters, frames.parse(delete).parameters
        assert added[:6] == deleted[:6]
        assert deleted[6:] == bytes([255] * 8)
        assert added[4] >= 1


def test_zero_ramp_may_be_kept() -> None:
    """The raw 0 goes out on request, in adding and in deleting."""
    add = commands.add_schedule(
        EIGHT, TEN, [1], ramp_minutes=0, weekday_mask=1, keep_zero_ramp=True
    )
    delete = commands.delete_schedule(
        EIGHT, TEN, ramp_minutes=0, weekday_mask=1, keep_zero_ramp=True
    )
    assert add.parameters[4] == delete.parameters[4] == 0


@pytest.mark.parametrize(
    ("minute", "slot"),
    [(0, 0), (14, 0), (15, 1), (44, 1), (45, 2), (1439, 48), (2880, 96)],
)
@pytest.mark.parametrize("family", [CurveFamily.BLE, CurveFamily.NEWBLE])
def test_ble_curve_slots(minute: int, slot: int, family: CurveFamily) -> None:
    """Half-hour slots, one more from the fifteenth minute on; NewBle counts like Ble."""
    assert commands.auto_point(1, minute, 50, family).parameters == bytes([1, slot, 50])


def test_sea_curve_goes_past_midnight() -> None:
    """The second day of a curve has hours up to 48."""
    parameters = commands.auto_point(0, 2880, 1, CurveFamily.SEA).parameters
    assert parameters == bytes([0, 48, 0, 1])


def test_weekday_masks() -> None:
    """Days join to a mask; ISO numbers find their bit."""
    weekend = commands.weekday_mask([Weekday.SATURDAY, Weekday.SUNDAY])
    assert weekend == 3
    assert commands.weekday_mask([]) == 0
    every_day = commands.weekday_mask(Weekday.from_iso(day) for day in range(1, 8))
    assert every_day == Weekday.EVERY_DAY
    assert [Weekday.from_iso(day) for day in (1, 7)] == [Weekday.MONDAY, Weekday.SUNDAY]


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (1, [6]),
        (12, [50]),
        (13, [54]),
        (14, [54, 6]),
        (24, [54, 46]),
        (27, [54, 54, 6]),
    ],
)
def test_timer_batches(count: int, sizes: list[int]) -> None:
    """A frame takes records until its payload exceeds 50 bytes; each repeats the header."""
    entries = [
        TimerEntry(at=time(number % 24), microlitres=1_000) for number in range(count)
    ]
    built = commands.doser_schedule_timer(1, entries)
    assert [len(one.parameters) for one in built] == sizes
    assert all(one.parameters[:2] == bytes([1, 3]) for one in built)
    records = b"".join(one.parameters[2:] for one in built)
    assert list(records[::4]) == [entry.at.hour for entry in entries]


def test_window_batches() -> None:
    """A frame takes ten windows."""
    window = DoseWindow(start=EIGHT, duration_minutes=60, count=1)
    built = commands.doser_schedule_windows(1, [window] * 11)
    assert [len(one.parameters) for one in built] == [51, 6]
    assert [one.parameters[0] for one in built] == [1, 1]


def test_cooling_fan_sequences() -> None:
    """Automatic is 35 then 34, silent is 34, 35 three times."""
    automatic = [one.parameters[0] for one in commands.cooling_fan_automatic()]
    silent = [one.parameters[0] for one in commands.cooling_fan_silent()]
    assert automatic == [35, 34]
    assert silent == [34, 35] * 3


@given(microlitres=st.integers(0, 6_553_500))
def test_volumes_are_cut_off_not_rounded(microlitres: int) -> None:
    """The wire has whole tenths of a millilitre, never more than was asked."""
    tenths = int.from_bytes(commands.volume_bytes(microlitres), "big")
    assert 0 <= microlitres - tenths * 100 < 100


@given(
    local=st.datetimes(
        datetime.fromisoformat("2000-01-01T00:00:00"),
        datetime.fromisoformat("2255-12-31T23:59:59"),
    ),
)
def test_clock_carries_the_weekday(local: datetime) -> None:
    """Byte 3 is the ISO weekday, not the day of the month."""
    year, month, weekday, *clock = commands.set_time(local).parameters
    assert (year + 2000, month, weekday) == (
        local.year,
        local.month,
        local.isoweekday(),
    )
    assert clock == [local.hour, local.minute, local.second]


def test_short_clock() -> None:
    """The short form has the date alone."""
    parameters = commands.set_time_short(date(2026, 7, 12)).parameters
    assert parameters == bytes([26, 7, 7])


@given(channel=st.integers(0, 7), level=st.integers(0, 100), number=st.integers(1, 89))
def test_every_level_round_trips(channel: int, level: int, number: int) -> None:
    """A level arrives as given, 90 too."""
    frame = commands.set_channel(channel, level).encode(MessageId(0, number))
    sent = frames.parse(frame)
    assert (sent.group, sent.mode) == (Group.COMMON, 0x07)
    assert sent.parameters == bytes([channel, level])
