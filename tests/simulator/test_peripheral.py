"""What every simulated device does: radio, link, power, clock, faults."""

import json

import pytest

from custom_components.aquarist.simulator import peripheral
from custom_components.aquarist.simulator.clock import ManualClock
from custom_components.aquarist.simulator.doser import DoserModel
from custom_components.aquarist.simulator.errors import (
    ConnectError,
    ConnectUnanswered,
    HeldByApp,
    InUse,
    LinkLost,
    OutOfRange,
    OutOfSlots,
    PoweredOff,
    Refused,
    WriteFailed,
    WriteUnanswered,
)
from custom_components.aquarist.simulator.light import LightModel
from custom_components.aquarist.simulator.peripheral import Peripheral

from .central import ADDRESS, Central, captured, host_frame

STATUS, SNAPSHOT = 0x0A, 0xFE


def advertises(device: Peripheral) -> bool:
    """Say whether a scanner hears the device now."""
    return device.advertising


def has_power(device: Peripheral) -> bool:
    """Say whether the device has power now."""
    return device.powered


def ask(central: Central) -> None:
    """Ask for status and snapshot."""
    central.send(0x5A, 0x04, 1)


# Radio and link


def test_the_name_is_the_prefix_and_the_address(
    light: LightModel, doser: DoserModel
) -> None:
    """As on air (protocol section 1.2), unless another is given."""
    assert light.name == "DYU1000E43AD53AD802"
    assert doser.name == "DYDOSEE43AD53AD802"
    given = LightModel(ManualClock(), address=ADDRESS, name="DYWPRO60ABC", rssi=-81)
    assert (given.name, given.rssi) == ("DYWPRO60ABC", -81)


def test_it_advertises_only_while_no_central_holds_it(light: LightModel) -> None:
    """One central at a time (section 1.3)."""
    assert advertises(light)
    central = Central(light)
    assert light.connected
    assert not advertises(light)
    with pytest.raises(InUse):
        Central(light)
    central.link.disconnect()
    assert advertises(light)
    Central(light)


def test_the_own_disconnect_is_not_reported_as_a_loss(light: LightModel) -> None:
    """Disconnecting twice does no harm, not even to the next central."""
    central = Central(light)
    central.link.disconnect()
    assert central.dropped == []
    following = Central(light)
    central.link.disconnect()
    assert following.link.connected
    assert light.connected


def test_without_a_link_nothing_can_be_done(light: LightModel) -> None:
    """Write, subscribe and unsubscribe fail after the end."""
    central = Central(light)
    central.link.disconnect()
    with pytest.raises(LinkLost, match="link lost"):
        ask(central)
    with pytest.raises(LinkLost):
        central.link.subscribe()
    with pytest.raises(LinkLost):
        central.link.unsubscribe()
    assert light.write_log == []


def test_everything_that_arrives_is_logged(
    light: LightModel, clock: ManualClock
) -> None:
    """With its time and write type, garbage included."""
    central = Central(light)
    clock.advance(2)
    ask(central)
    clock.advance(1)
    central.link.write(b"hello", response=False)
    assert [
        (item.at_elapsed, item.data, item.response) for item in light.write_log
    ] == [
        (2, captured("c023"), True),
        (3, b"hello", False),
    ]
    assert light.ignored == [b"hello"]


def test_what_came_long_ago_is_not_kept(
    light: LightModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A demo that runs for years needs no more memory than one that runs for days."""
    monkeypatch.setattr(peripheral, "MOST_KEPT", 3)
    central = Central(light)
    for number in range(5):
        central.link.write(bytes([number]), response=False)
    last = [b"\2", b"\3", b"\4"]
    assert [written.data for written in light.write_log] == last
    assert light.ignored == last


@pytest.mark.parametrize(
    "frame",
    [
        host_frame(0x5A, 0x04, 2),
        host_frame(0x5A, 0x09, 26, 7, 3),
        host_frame(0x5A, 0x09, 26, 7, 3, 24, 0, 0),
        host_frame(0x5F, 0x01, 1),
        host_frame(0x5A, 0x04, 1)[:-1] + b"\xff",
    ],
)
def test_what_it_does_not_understand_is_put_aside(
    light: LightModel, doser: DoserModel, clock: ManualClock, frame: bytes
) -> None:
    """Nothing happens, and a test can see it."""
    for device in (light, doser):
        central = Central(device)
        central.link.write(frame, response=True)
        clock.advance(2)
        assert device.ignored == [frame]
        assert central.notifications == []


# The answers


def test_it_answers_the_device_query_soon(
    light: LightModel, clock: ManualClock
) -> None:
    """Status and snapshot come 50 to 80 ms later (section 1.3)."""
    central = Central(light)
    ask(central)
    clock.advance(0.049)
    assert central.notifications == []
    clock.advance(0.031)
    assert [data[5] for data in central.notifications] == [STATUS, SNAPSHOT]


def test_without_subscription_nothing_is_notified(
    light: LightModel, clock: ManualClock
) -> None:
    """Also after it was taken back."""
    central = Central(light)
    central.link.unsubscribe()
    ask(central)
    clock.advance(1)
    assert central.notifications == []


def test_an_answer_belongs_to_the_link_on_which_it_was_asked(
    light: LightModel, clock: ManualClock
) -> None:
    """A later central does not get it."""
    central = Central(light)
    ask(central)
    central.link.disconnect()
    following = Central(light)
    clock.advance(1)
    assert central.notifications == following.notifications == []


@pytest.mark.parametrize(
    ("identity", "firmware", "minutes"),
    [("c244", 24, 9999), ("c245", 21, 1173), ("c247", 21, 5000)],
)
def test_the_status_of_a_light_is_as_captured(
    clock: ManualClock, identity: str, firmware: int, minutes: int
) -> None:
    """Byte for byte; the uptime stops at 5000 minutes (section 3.5)."""
    central = Central(LightModel(clock, address=ADDRESS, firmware=firmware))
    clock.advance(minutes * 60)
    ask(central)
    clock.advance(1)
    assert central.of_mode(STATUS) == [captured(identity)]


@pytest.mark.parametrize(("identity", "minutes"), [("c249", 4866), ("c250", 4871)])
def test_the_status_of_a_doser_is_as_captured(
    doser: DoserModel, clock: ManualClock, identity: str, minutes: int
) -> None:
    """With its own status byte."""
    central = Central(doser)
    clock.advance(minutes * 60)
    ask(central)
    clock.advance(1)
    assert central.of_mode(STATUS) == [captured(identity)]


@pytest.mark.parametrize(
    ("identity", "weekday", "minute"),
    [("c032", 5, 22 * 60 + 33), ("c034", 4, 23 * 60 + 8)],
)
def test_a_captured_time_frame_sets_the_clock(
    doser: DoserModel, identity: str, weekday: int, minute: int
) -> None:
    """Byte 3 is the weekday."""
    Central(doser).link.write(captured(identity), response=True)
    hour, minute = divmod(minute, 60)
    assert doser.state()["clock"] == {
        "is_set": True,
        "weekday": weekday,
        "hour": hour,
        "minute": minute,
    }


# Power and clock


def test_a_power_cut_takes_the_link_and_the_clock(
    light: LightModel, clock: ManualClock
) -> None:
    """Uptime restarts, and the clock begins on Monday at 00:00."""
    central = Central(light)
    central.set_clock(5, 12, 0)
    clock.advance(600)
    light.power_cut()
    light.power_cut()
    assert central.dropped == ["power_cut"]
    assert not advertises(light)
    with pytest.raises(PoweredOff, match="powered off"):
        central.connect()
    clock.advance(60)
    light.power_on()
    clock.advance(120)
    light.power_on()
    assert advertises(light)
    assert light.uptime_minutes == 2
    assert light.state()["clock"] == {
        "is_set": False,
        "weekday": 1,
        "hour": 0,
        "minute": 2,
    }


def test_the_power_can_be_cut_for_a_while(
    light: LightModel, clock: ManualClock
) -> None:
    """As a fault, with the seconds until it is back; without them it stays away."""
    light.faults.set("power_cut", value=5)
    assert not has_power(light)
    clock.advance(5)
    assert has_power(light)
    light.faults.set("power_cut")
    clock.advance(1000)
    assert not has_power(light)


def test_a_wrong_clock_is_put_right_by_the_next_time_frame(light: LightModel) -> None:
    """The snapshot shows the wrong time meanwhile."""
    central = Central(light)
    central.set_clock(3, 12, 0)
    light.faults.set("wrong_clock", value=-25)
    assert light.state()["clock"] == {
        "is_set": True,
        "weekday": 3,
        "hour": 11,
        "minute": 35,
    }
    central.set_clock(3, 12, 0)
    assert light.state()["clock"] == {
        "is_set": True,
        "weekday": 3,
        "hour": 12,
        "minute": 0,
    }


def test_the_clock_can_drift(clock: ManualClock) -> None:
    """One that is one per mille slow loses 86 seconds a day."""
    light = LightModel(clock, address=ADDRESS, clock_rate=0.999)
    Central(light).set_clock(3, 12, 0)
    clock.advance(86_400)
    assert light.state()["clock"] == {
        "is_set": True,
        "weekday": 4,
        "hour": 11,
        "minute": 58,
    }


# Faults of the connection


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        ("refuse", Refused, "refused"),
        ("out_of_slots", OutOfSlots, "out_of_slots"),
        ("out_of_range", OutOfRange, "out_of_range"),
        ("app_holds_link", HeldByApp, "held_by_app"),
        ("mute_connect", ConnectUnanswered, "connect_unanswered"),
    ],
)
def test_a_connect_fails_as_often_as_asked(
    light: LightModel, fault: str, error: type[ConnectError], reason: str
) -> None:
    """Each way has an error of its own; then it works again."""
    light.faults.set(fault, times=2)
    for _ in range(2):
        with pytest.raises(error) as failed:
            Central(light)
        assert type(failed.value) is error
        assert failed.value.reason == reason
    assert Central(light).link.connected


def test_a_transport_can_see_that_a_connect_will_hang(light: LightModel) -> None:
    """Looking does not use the fault up."""
    seen = [light.mute_connect]
    light.faults.set("mute_connect")
    seen += [light.mute_connect, light.mute_connect]
    assert seen == [False, True, True]


def test_out_of_range_it_is_silent_and_the_link_drops(light: LightModel) -> None:
    """Until the fault is cleared."""
    central = Central(light)
    light.faults.set("out_of_range", times=None)
    assert central.dropped == ["out_of_range"]
    assert not advertises(light)
    light.faults.clear("out_of_range")
    assert advertises(light)
    central.connect()


def test_the_app_holds_the_link(light: LightModel) -> None:
    """No advertisement and no connection; a link that is open stays, until it ends."""
    central = Central(light)
    light.faults.set("app_holds_link", times=None)
    assert central.link.connected
    central.link.disconnect()
    assert not advertises(light)
    with pytest.raises(HeldByApp):
        central.connect()


# Faults of the write


def test_a_write_error_has_no_effect_and_keeps_the_link(light: LightModel) -> None:
    """With response it is reported, without response it goes unnoticed."""
    central = Central(light)
    light.faults.set("write_error", times=2)
    with pytest.raises(WriteFailed):
        central.send(0x5A, 0x07, 0, 50)
    central.send(0x5A, 0x07, 0, 50, response=False)
    assert light.channels[0] == 0
    assert len(light.write_log) == 2
    central.send(0x5A, 0x07, 0, 50)
    assert light.channels[0] == 50


@pytest.mark.parametrize(
    ("fault", "error"),
    [("write_error_after", WriteFailed), ("mute_write", WriteUnanswered)],
)
def test_a_write_can_take_effect_and_fail_all_the_same(
    light: LightModel, fault: str, error: type[WriteFailed]
) -> None:
    """The response says so or never comes; a write without response waits for none."""
    central = Central(light)
    light.faults.set(fault)
    central.send(0x5A, 0x07, 1, 30, response=False)
    with pytest.raises(error) as failed:
        central.send(0x5A, 0x07, 0, 50)
    assert type(failed.value) is error
    assert light.channels[:2] == (50, 30)
    assert central.link.connected


@pytest.mark.parametrize("response", [True, False])
@pytest.mark.parametrize(
    ("fault", "level", "logged"),
    [("drop_before_write", 0, 1), ("drop_after_write", 50, 2)],
)
def test_the_link_drops_at_a_write(
    light: LightModel, *, response: bool, fault: str, level: int, logged: int
) -> None:
    """Before the frame arrives or after it took effect; only a write with response notices."""
    central = Central(light)
    light.faults.set(fault, value=2)
    central.send(0x5A, 0x05, 11, 255, 255, response=response)
    if response:
        with pytest.raises(LinkLost):
            central.send(0x5A, 0x07, 0, 50)
    else:
        central.send(0x5A, 0x07, 0, 50, response=False)
    assert central.dropped == ["link_lost"]
    assert not central.link.connected
    assert light.channels[0] == level
    assert len(light.write_log) == logged


@pytest.mark.parametrize("arriving", range(1, 10))
def test_the_link_drops_at_any_byte(light: LightModel, arriving: int) -> None:
    """Counted over all writes; a frame counts only when all its nine bytes have arrived."""
    frame = host_frame(0x5A, 0x07, 0, 50)
    central = Central(light)
    light.faults.set("drop_at_byte", value=len(frame) + arriving)
    central.send(0x5A, 0x07, 1, 20)
    with pytest.raises(LinkLost):
        central.link.write(frame, response=True)
    assert light.write_log[-1].data == frame[:arriving]
    assert light.channels[:2] == (50 if arriving == len(frame) else 0, 20)
    assert central.dropped == ["link_lost"]


def test_the_link_can_drop_before_the_first_byte(light: LightModel) -> None:
    """Then nothing has arrived and nothing is logged."""
    central = Central(light)
    light.faults.set("drop_at_byte", value=0)
    with pytest.raises(LinkLost):
        ask(central)
    assert light.write_log == []
    assert light.ignored == []


# Faults of the notifications


def test_a_mute_device_takes_writes_and_says_nothing(
    light: LightModel, clock: ManualClock
) -> None:
    """As many notifications as asked are swallowed."""
    central = Central(light)
    light.faults.set("mute", times=3)
    central.send(0x5A, 0x07, 0, 50)
    ask(central)
    ask(central)
    clock.advance(1)
    assert light.channels[0] == 50
    assert [data[5] for data in central.notifications] == [SNAPSHOT]


def test_one_kind_of_notification_can_be_lost(
    light: LightModel, clock: ManualClock
) -> None:
    """Others come through."""
    central = Central(light)
    light.faults.set("lose_notification", value=STATUS)
    ask(central)
    ask(central)
    clock.advance(1)
    assert [data[5] for data in central.notifications] == [STATUS, SNAPSHOT, SNAPSHOT]


def test_garbage_comes_before_the_notification(
    light: LightModel, clock: ManualClock
) -> None:
    """Always the same for the same seed, and another each time."""
    heard = []
    for seed in (7, 7, 8):
        central = Central(light)
        light.faults.set("garbage", times=2, value=seed)
        ask(central)
        clock.advance(1)
        central.link.disconnect()
        first, status, second, snapshot = central.notifications
        assert (status[5], snapshot[5]) == (STATUS, SNAPSHOT)
        heard.append((first, second))
    assert heard[0] == heard[1] != heard[2]
    assert heard[0][0] != heard[0][1]


def test_a_snapshot_can_be_cut_short(light: LightModel, clock: ManualClock) -> None:
    """To its first 16 bytes, as one published log shows; the next one is whole."""
    central = Central(light)
    light.faults.set("truncated_snapshot")
    ask(central)
    ask(central)
    clock.advance(1)
    assert [len(data) for data in central.of_mode(SNAPSHOT)] == [16, 50]
    assert len(central.of_mode(STATUS)) == 2


def test_the_state_is_json(light: LightModel, doser: DoserModel) -> None:
    """A control port can hand it out."""
    for device in (light, doser):
        central = Central(device)
        central.link.write(b"\x00", response=True)
        device.faults.set("mute")
        state = json.loads(json.dumps(device.state()))
        assert state["address"] == ADDRESS
        assert state["name"] == device.name
        assert state["rssi"] == -60
        assert state["powered"] is True
        assert state["advertising"] is False
        assert state["connected"] is True
        assert state["uptime_minutes"] == 0
        assert state["writes"] == 1
        assert state["ignored"] == ["00"]
        assert state["faults"] == {"mute": {"times": 1, "value": None}}
