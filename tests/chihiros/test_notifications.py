"""Reading what devices send (protocol sections 2.4, 3.5, 4.3, 5.2, 5.3)."""

from datetime import datetime

from hypothesis import given, strategies as st
import pytest

from custom_components.aquarist.chihiros.dosers import ScheduleMode
from custom_components.aquarist.chihiros.frames import checksum
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.chihiros.notifications import (
    DoserSnapshot,
    FanTelemetry,
    HeaterAlarm,
    HeaterStatus,
    HeaterTelemetry,
    Lifetime,
    LightFan,
    LightSnapshot,
    SnapshotPoint,
    Status,
    Today,
    decode,
)
from tests.chihiros import captures

LIGHT, DOSER = DeviceFamily.LIGHT, DeviceFamily.DOSER


def changed(data: bytes, **at: int) -> bytes:
    """Replace bytes; `b7=3` sets byte 7 to 3."""
    copy = bytearray(data)
    for name, value in at.items():
        copy[int(name[1:])] = value
    return bytes(copy)


@pytest.mark.parametrize("family", list(DeviceFamily))
def test_status_of_any_family(family: DeviceFamily) -> None:
    """`0A` means the same everywhere, on heaters as long as it is short."""
    assert decode(captures.STATUS, family) == Status(
        firmware=6,
        status_byte=200,
        uptime_minutes=4866,
        saturated=False,
        checksum_ok=True,
    )


def test_status_with_a_wrong_checksum_is_reported_not_dropped() -> None:
    """The trailer is a remark."""
    status = decode(changed(captures.STATUS, b13=0), LIGHT)
    assert isinstance(status, Status)
    assert status.firmware == 6
    assert not status.checksum_ok


@pytest.mark.parametrize(("minutes", "saturated"), [(4999, False), (5000, True)])
def test_uptime_stops_at_5000(minutes: int, saturated: bool) -> None:
    """5000 minutes are "or more"."""
    high, low = divmod(minutes, 256)
    status = decode(changed(captures.STATUS, b11=high, b12=low), DOSER)
    assert isinstance(status, Status)
    assert (status.uptime_minutes, status.saturated) == (minutes, saturated)


def test_light_snapshot_keeps_the_wire_order() -> None:
    """Points come as sent; the sorted view orders them by time; 00:00 at 0 is unused."""
    records = bytes([22, 0, 0, 0, 0, 0, 12, 30, 65, 0, 0, 5, *bytes(12)])
    snapshot = decode(captures.LIGHT[:25] + records + b"\x00", LIGHT)
    assert isinstance(snapshot, LightSnapshot)
    late = SnapshotPoint(hour=22, minute=0, level=0)
    noon = SnapshotPoint(hour=12, minute=30, level=65)
    midnight = SnapshotPoint(hour=0, minute=0, level=5)
    assert snapshot.points == (late, noon, midnight)
    assert snapshot.points_sorted == (midnight, noon, late)


def test_doser_snapshot() -> None:
    """Mode, first times, today's volume and target of each head."""
    snapshot = decode(captures.DOSER, DOSER)
    assert isinstance(snapshot, DoserSnapshot)
    assert [head.mode for head in snapshot.heads] == [
        ScheduleMode.SINGLE,
        ScheduleMode.DISABLED,
        ScheduleMode.AUTO24,
        ScheduleMode.TIMER,
    ]
    assert [head.times for head in snapshot.heads] == [
        ((22, 35),),
        (),
        ((0, 0),),
        ((14, 49), (15, 34), (16, 19)),
    ]
    today = [head.today_microlitres for head in snapshot.heads]
    assert today == [60_000, 205_200, 35_500, 22_500]
    assert snapshot.daily_target_ml == (60, 7, 37, 24)


@pytest.mark.parametrize(
    ("record", "mode", "times"),
    [
        ([3, 8, 0, 20, 30, 0, 0], ScheduleMode.TIMER, ((8, 0), (20, 30))),
        ([3, 0, 0, 0, 0, 0, 0], ScheduleMode.TIMER, ((0, 0),)),
        ([2, 8, 15, 9, 9, 9, 9], ScheduleMode.WINDOWS, ((8, 15),)),
        ([4, 8, 15, 0, 0, 0, 0], ScheduleMode.DISABLED, ()),
        ([9, 8, 15, 0, 0, 0, 0], None, ()),
    ],
)
def test_head_modes(
    record: list[int],
    mode: ScheduleMode | None,
    times: tuple[tuple[int, int], ...],
) -> None:
    """Each mode shows its times; an undocumented one keeps its byte."""
    data = captures.DOSER[:9] + bytes(record) + captures.DOSER[16:]
    snapshot = decode(data, DOSER)
    assert isinstance(snapshot, DoserSnapshot)
    head = snapshot.heads[0]
    assert (head.mode, head.mode_byte, head.times) == (mode, record[0], times)


def test_snapshots_are_told_apart_by_family() -> None:
    """The same bytes are a light's or a doser's; for others they mean nothing."""
    assert isinstance(decode(captures.DOSER, LIGHT), LightSnapshot)
    assert isinstance(decode(captures.DOSER, DOSER), DoserSnapshot)
    assert decode(captures.DOSER, DeviceFamily.HEATER) is None
    assert decode(captures.DOSER, DeviceFamily.UNKNOWN) is None


@pytest.mark.parametrize("size", [16, 49])
@pytest.mark.parametrize("family", [LIGHT, DOSER])
def test_a_cut_off_snapshot_is_ignored(size: int, family: DeviceFamily) -> None:
    """Half a snapshot would look like half a programme."""
    assert decode(captures.DOSER[:size], family) is None


@pytest.mark.parametrize(
    ("local", "drift"),
    [
        (datetime.fromisoformat("2025-10-16T23:08:59"), 0),
        (datetime.fromisoformat("2025-10-16T23:05:00"), 3),
        (datetime.fromisoformat("2025-10-17T00:08:00"), -60),
        (datetime.fromisoformat("2025-10-16T22:08:00"), 60),
        (datetime.fromisoformat("2025-10-20T10:00:00"), -(3 * 24 * 60 + 10 * 60 + 52)),
        (datetime.fromisoformat("2025-10-20T12:00:00"), 3 * 24 * 60 + 11 * 60 + 8),
    ],
)
def test_clock_drift(local: datetime, drift: int) -> None:
    """Minutes the device (Thursday 23:08) is ahead, by the shorter way round the week."""
    snapshot = decode(captures.DOSER, DOSER)
    assert isinstance(snapshot, DoserSnapshot)
    assert snapshot.drift_minutes(local) == drift


def test_clock_drift_over_the_end_of_the_week() -> None:
    """Sunday night and Monday morning are neighbours."""
    sunday = decode(changed(captures.DOSER, b6=7, b7=23, b8=59), DOSER)
    assert isinstance(sunday, DoserSnapshot)
    assert sunday.drift_minutes(datetime.fromisoformat("2025-10-20T00:01:00")) == -2


@pytest.mark.parametrize("at", [{"b6": 0}, {"b6": 8}, {"b7": 24}, {"b8": 60}])
def test_a_clock_that_makes_no_sense_has_no_drift(at: dict[str, int]) -> None:
    """A clock never set, or garbage, is not compared."""
    snapshot = decode(changed(captures.LIGHT, **at), LIGHT)
    assert isinstance(snapshot, LightSnapshot)
    assert snapshot.drift_minutes(datetime.fromisoformat("2025-10-17T16:05:00")) is None


def test_totals() -> None:
    """`1E` and `22` hold tenths of a millilitre for each head."""
    assert decode(captures.LIFETIME, DOSER) == Lifetime(
        microlitres=(3_029_500, 1_003_000, 2_522_000, 2_163_500), trailer_ok=True
    )
    assert decode(captures.TODAY, DOSER) == Today(
        microlitres=(60_000, 205_200, 35_500, 22_500), trailer_ok=True
    )


def test_totals_with_a_wrong_trailer() -> None:
    """The trailer is a remark, and a length field beyond the frame makes it wrong."""
    broken = decode(changed(captures.TODAY, b14=0), DOSER)
    too_long = decode(changed(captures.TODAY, b2=14), DOSER)
    assert isinstance(broken, Today)
    assert isinstance(too_long, Today)
    assert not broken.trailer_ok
    assert not too_long.trailer_ok
    assert broken.microlitres[0] == 60_000


@pytest.mark.parametrize("heads", [1, 2, 8])
def test_totals_of_other_pumps(heads: int) -> None:
    """As many heads as the length allows: the layout of other pumps is open."""
    body = bytes([1, 10, 0, 1, 0x22])
    pairs = b"".join((10 * (head + 1)).to_bytes(2, "big") for head in range(heads))
    covered = (body + pairs)[:10]
    frame = b"\x5b" + body + pairs + bytes([checksum(covered)])
    totals = decode(frame, DOSER)
    assert isinstance(totals, Today)
    assert totals.microlitres == tuple(1_000 * (head + 1) for head in range(heads))
    assert totals.trailer_ok is (heads >= 3)


def test_totals_are_for_dosers() -> None:
    """No other family counts volumes."""
    assert decode(captures.TODAY, LIGHT) is None


def test_light_fan() -> None:
    """`0B` of a Vivid III."""
    assert decode(captures.LIGHT_FAN, LIGHT) == LightFan(
        firmware=27, rpm=600, celsius=25, counter=0x48
    )
    assert decode(captures.LIGHT_FAN[:17], LIGHT) is None


def test_telemetry_by_family() -> None:
    """`25` is read by the family: cooling fan or heater, and by nobody else."""
    assert decode(captures.COOLING_FAN, DeviceFamily.FAN) == FanTelemetry(
        firmware=3, humidity_hundredths=5080, room_hundredths=2447, water_tenths=261
    )
    assert decode(captures.HEATER, DeviceFamily.HEATER) == HeaterTelemetry(
        set_tenths=266, measured_tenths=258
    )
    assert decode(captures.HEATER, LIGHT) is None
    assert decode(captures.HEATER[:12], DeviceFamily.HEATER) is None


def test_heater_status() -> None:
    """Work hours and alarms of the long status; unknown alarm bits are left out."""
    status = decode(changed(captures.HEATER_STATUS, b14=0x89), DeviceFamily.HEATER)
    assert status == HeaterStatus(
        firmware=3867,
        work_hours=1994,
        alarms=HeaterAlarm.INSUFFICIENT_WATER | HeaterAlarm.NEEDS_CLEANING,
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x5b",
        captures.STATUS[:6],
        captures.STATUS[:13],
        b"\x00" + captures.STATUS[1:],
        b"\xb5" + captures.STATUS[1:],
        changed(captures.STATUS, b5=0x36),
    ],
)
@pytest.mark.parametrize("family", list(DeviceFamily))
def test_ignored(data: bytes, family: DeviceFamily) -> None:
    """Short frames, other headers and unknown modes give nothing."""
    assert decode(data, family) is None


FAMILIES = st.sampled_from(DeviceFamily)
KINDS = (
    Status,
    LightSnapshot,
    DoserSnapshot,
    Lifetime,
    Today,
    LightFan,
    FanTelemetry,
    HeaterTelemetry,
    HeaterStatus,
)


@given(data=st.binary(max_size=80), family=FAMILIES)
def test_any_bytes(data: bytes, family: DeviceFamily) -> None:
    """Whatever arrives, nothing is raised, and only notifications are read."""
    notification = decode(data, family)
    if notification is not None:
        assert data[0] == 0x5B
        assert isinstance(notification, KINDS)


@st.composite
def mutated_captures(draw: st.DrawFn) -> bytes:
    """Take a captured notification and change, cut off or append bytes."""
    data = bytearray(draw(st.sampled_from(captures.NOTIFICATIONS)))
    for _ in range(draw(st.integers(0, 6))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) + draw(st.binary(max_size=9))


@given(data=mutated_captures(), family=FAMILIES)
def test_mutated_captures(data: bytes, family: DeviceFamily) -> None:
    """Damaged notifications are read or ignored, and all values stay within their bytes."""
    notification = decode(data, family)
    match notification:
        case None:
            return
        case Lifetime() | Today():
            assert len(notification.microlitres) == (len(data) - 7) // 2
            assert all(0 <= one <= 6_553_500 for one in notification.microlitres)
        case LightSnapshot():
            assert len(notification.points) <= 8
        case DoserSnapshot():
            assert len(notification.heads) == len(notification.daily_target_ml) == 4
        case _:
            assert isinstance(notification, KINDS)
