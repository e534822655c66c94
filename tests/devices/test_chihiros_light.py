"""A Chihiros light over a simulated link."""

import asyncio

import pytest

from custom_components.aquarist.devices.device import DeviceKind, StopReport
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from tests.fakes.virtual_time import virtual_time

from .chihiros import LightOnAir
from .listening import is_available

PURPLE = {
    "level": 50.0,
    "mix_red": 100.0,
    "mix_green": 0.0,
    "mix_blue": 50.0,
    "mix_white": 0.0,
}
MANUAL = (0x5A, 0x05, bytes([11, 255, 255]))


def channel(number: int, level: int) -> tuple[int, int, bytes]:
    """Return the frame that sets a channel."""
    return 0x5A, 0x07, bytes([number, level])


@virtual_time
async def test_all_channels_are_written_in_manual_mode() -> None:
    """One connection: the prelude, manual, every channel; then the state is assumed."""
    air = LightOnAir()
    assert air.device.kind is DeviceKind.CHIHIROS_LIGHT
    assert air.device.observed("light") is None
    await air.device.apply({"light": PURPLE})
    assert air.commands()[3:] == [
        MANUAL,
        channel(0, 50),
        channel(1, 0),
        channel(2, 25),
        channel(3, 0),
    ]
    assert air.model.state()["mode"] == "manual"
    assert air.model.channels == (50.0, 0.0, 25.0, 0.0)
    assert air.device.observed("light") == PURPLE
    (echo,) = air.recorder.observations
    assert (echo.setting, echo.at, echo.user_id) == (PURPLE, None, None)
    await air.device.close()


@virtual_time
async def test_what_it_says_of_itself_is_told() -> None:
    """The prelude asks on each connection (protocol 3.5)."""
    air = LightOnAir()
    await air.device.perform("request_status", {})
    assert air.recorder.statuses
    assert {status.firmware for status in air.recorder.statuses} == {21}
    assert air.recorder.statuses[0].uptime_minutes == 0
    await air.device.close()


@virtual_time
async def test_only_channels_that_change_are_written_again() -> None:
    """Within one connection what was acknowledged holds; manual is written once."""
    air = LightOnAir()
    await air.device.apply({"light": PURPLE})
    written = len(air.commands())
    await air.device.apply({"light": {"level": 52.0}})
    assert air.commands()[written:] == [channel(0, 52), channel(2, 26)]
    await air.device.apply({"light": {"level": 52.0}})
    assert len(air.commands()) == written + 2
    assert air.recorder.settings == [PURPLE, {**PURPLE, "level": 52.0}]
    await air.device.close()


@virtual_time
async def test_new_connection_takes_nothing_for_granted() -> None:
    """After a power cut the light is in auto and dark: everything is written again."""
    air = LightOnAir()
    await air.device.apply({"light": PURPLE})
    air.model.power_cut()
    air.model.power_on()
    await asyncio.sleep(5)
    await air.device.apply({"light": PURPLE})
    assert air.model.state()["mode"] == "manual"
    assert air.model.channels == (50.0, 0.0, 25.0, 0.0)
    assert len(air.recorder.observations) == 1
    await air.device.close()


@virtual_time
async def test_mix_is_remembered_over_off() -> None:
    """Off is level 0; on comes back to the last level and colour."""
    air = LightOnAir()
    await air.device.apply({"light": PURPLE})
    await air.device.apply({"light": {"level": 0.0}})
    assert air.model.channels == (0.0, 0.0, 0.0, 0.0)
    field, setting = air.device.setting_for("turn_on", {}, air.device.observed("light"))
    await air.device.apply({field: setting})
    assert air.model.channels == (50.0, 0.0, 25.0, 0.0)
    await air.device.close()


@virtual_time
async def test_assumed_state_is_taken_over_after_a_restart() -> None:
    """On comes back to the level before it, and nobody is told."""
    air = LightOnAir()
    air.device.assume(PURPLE)
    assert air.device.observed("light") == PURPLE
    assert air.recorder.observations == []
    await air.device.apply({"light": {"level": 10.0}})
    assert air.model.channels == (10.0, 0.0, 5.0, 0.0)
    await air.device.close()


@virtual_time
async def test_channels_can_be_named() -> None:
    """By their own name or as a part of the mix."""
    air = LightOnAir()
    assert air.device.check("white", 10) == {"mix_white": 10}
    assert air.device.setting_for("set_channels", {"levels": [0, 0, 0, 20]}, None) == (
        "light",
        {
            "level": 20.0,
            "mix_red": 0.0,
            "mix_green": 0.0,
            "mix_blue": 0.0,
            "mix_white": 100.0,
        },
    )
    with pytest.raises(DeviceError, match="unsupported"):
        await air.device.apply({"level": {"level": 1.0}})
    await air.device.close()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("out_of_range", "out_of_range"),
        ("out_of_slots", "no_free_slot"),
        ("app_holds_link", "held_by_app"),
        ("mute_connect", "no_answer"),
        ("write_error", "write_failed"),
        ("mute_write", "no_answer"),
    ],
)
def test_failure_of_the_link_is_an_error_of_the_device(fault: str, code: str) -> None:
    """All of these may pass; nothing is assumed."""

    @virtual_time
    async def scenario() -> None:
        """Let every attempt fail in the same way."""
        air = LightOnAir()
        air.model.faults.set(fault, times=None)
        with pytest.raises(DeviceError) as error:
            await air.device.apply({"light": PURPLE})
        assert (error.value.code, error.value.transient) == (code, True)
        assert air.device.observed("light") is None
        assert air.recorder.observations == []
        await air.device.close()

    scenario()


@virtual_time
async def test_link_lost_between_channels_writes_all_of_them_again() -> None:
    """The half that arrived is no setting; the next try is complete."""
    air = LightOnAir()
    await air.device.apply({"light": PURPLE})
    air.model.faults.set("drop_after_write", value=1)
    with pytest.raises(DeviceError, match="link_lost"):
        await air.device.apply({"light": {**PURPLE, "level": 80.0}})
    assert air.device.observed("light") == PURPLE
    written = len(air.commands())
    await air.device.apply({"light": {**PURPLE, "level": 80.0}})
    assert air.commands()[written + 3 :] == [
        MANUAL,
        channel(0, 80),
        channel(1, 0),
        channel(2, 40),
        channel(3, 0),
    ]
    await air.device.close()


@virtual_time
async def test_failed_channel_is_written_again_on_the_same_connection() -> None:
    """A write that was refused is not taken for acknowledged."""
    air = LightOnAir()
    await air.device.apply({"light": PURPLE})
    air.model.faults.set("write_error")
    with pytest.raises(DeviceError, match="write_failed"):
        await air.device.apply({"light": {"level": 60.0}})
    await air.device.apply({"light": {"level": 60.0}})
    assert air.model.channels == (60.0, 0.0, 30.0, 0.0)
    await air.device.close()


@virtual_time
async def test_auto_mode_gives_the_light_to_its_own_schedule() -> None:
    """The time after it makes the light evaluate at once; a later level takes it back."""
    air = LightOnAir()
    await air.device.apply({"light": PURPLE})
    await air.device.perform("enable_auto_mode", {})
    modes = [air.device.auto]
    assert air.model.state()["mode"] == "auto"
    assert [(group, mode) for group, mode, _ in air.commands()[-2:]] == [
        (0x5A, 0x05),
        (0x5A, 0x09),
    ]
    await air.device.apply({"light": PURPLE})
    modes.append(air.device.auto)
    assert modes == [True, False]
    assert air.model.state()["mode"] == "manual"
    await air.device.close()


@virtual_time
async def test_manual_mode_shows_the_last_levels_again() -> None:
    """What is assumed becomes true."""
    air = LightOnAir()
    await air.device.perform("set_manual_mode", {})
    assert air.commands()[3:] == [MANUAL]
    await air.device.apply({"light": PURPLE})
    await air.device.perform("enable_auto_mode", {})
    await air.device.perform("set_manual_mode", {})
    assert air.commands()[-5:] == [
        MANUAL,
        channel(0, 50),
        channel(1, 0),
        channel(2, 25),
        channel(3, 0),
    ]
    await air.device.close()


@virtual_time
async def test_status_tells_firmware_and_uptime() -> None:
    """Asked freshly."""
    air = LightOnAir()
    await asyncio.sleep(120)
    assert await air.device.perform("request_status", {}) == {
        "firmware": 21,
        "uptime_minutes": 2,
        "uptime_saturated": False,
        "clock_drift_minutes": 0,
        "memory": [],
    }
    await air.device.close()


@virtual_time
async def test_light_that_does_not_answer_has_no_status() -> None:
    """The oldest lights never notify; they can still be set."""
    air = LightOnAir()
    air.model.faults.set("mute", times=None)
    with pytest.raises(DeviceError) as error:
        await air.device.perform("request_status", {})
    assert (error.value.code, error.value.transient) == ("no_answer", True)
    await air.device.apply({"light": PURPLE})
    assert air.model.channels == (50.0, 0.0, 25.0, 0.0)
    await air.device.close()


@virtual_time
async def test_clock_is_set_on_request() -> None:
    """To local wall-clock time."""
    air = LightOnAir()
    await air.device.perform("request_status", {})
    air.model.faults.set("wrong_clock", value=90)
    await air.device.perform("sync_clock", {})
    assert air.model.state()["clock"] == {
        "is_set": True,
        "weekday": 1,
        "hour": 12,
        "minute": 0,
    }
    await air.device.close()


@virtual_time
async def test_light_is_left_to_the_app_on_request() -> None:
    """For so long it is not connected to."""
    air = LightOnAir()
    await air.device.apply({"light": PURPLE})
    assert await air.device.perform("release_for_app", {"seconds": 60}) == {
        "seconds": 60
    }
    assert not air.model.connected
    with pytest.raises(DeviceError, match="held_by_app"):
        await air.device.apply({"light": PURPLE})
    await asyncio.sleep(60)
    await air.device.apply({"light": PURPLE})
    await air.device.close()


@pytest.mark.parametrize(
    ("action", "args", "field", "code"),
    [
        ("dance", {}, "action", "unknown_action"),
        ("request_status", {"x": 1}, "x", "unknown_argument"),
        ("sync_clock", {"x": 1}, "x", "unknown_argument"),
        ("enable_auto_mode", {"x": 1}, "x", "unknown_argument"),
        ("set_manual_mode", {"x": 1}, "x", "unknown_argument"),
        ("release_for_app", {"x": 1}, "x", "unknown_argument"),
        ("release_for_app", {"seconds": 0}, "seconds", "value_out_of_bounds"),
        ("release_for_app", {"seconds": 1.5}, "seconds", "wrong_type"),
    ],
)
def test_bad_actions_are_refused_without_a_connection(
    action: str, args: dict[str, object], field: str, code: str
) -> None:
    """The argument at fault is named (R-C42, R-C48)."""

    @virtual_time
    async def scenario() -> None:
        """Ask for the action."""
        air = LightOnAir()
        with pytest.raises(InvalidValue) as refusal:
            await air.device.perform(action, args)
        assert (refusal.value.field, refusal.value.code) == (field, code)
        assert air.model.write_log == []
        await air.device.close()

    scenario()


@virtual_time
async def test_stop_writes_dark_to_all_channels() -> None:
    """Whatever was acknowledged; the mix is remembered."""
    air = LightOnAir()
    await air.device.apply({"light": PURPLE})
    written = len(air.commands())
    assert await air.device.stop() == StopReport(confirmed=True, detail="stopped")
    assert air.commands()[written:] == [channel(number, 0) for number in range(4)]
    assert air.device.observed("light") == {**PURPLE, "level": 0.0}
    await air.device.close()


@virtual_time
async def test_stop_takes_the_link_from_a_hung_write() -> None:
    """The write has 2 s of grace, then the stop has a connection of its own."""
    air = LightOnAir()
    await air.device.apply({"light": PURPLE})
    air.model.faults.set("mute_write")
    hung = asyncio.ensure_future(air.device.apply({"light": {"level": 90.0}}))
    await asyncio.sleep(0.1)
    began = asyncio.get_running_loop().time()
    assert (await air.device.stop()).confirmed
    assert 1.9 < asyncio.get_running_loop().time() - began < 3
    assert air.model.channels == (0.0, 0.0, 0.0, 0.0)
    with pytest.raises(DeviceError, match="link_lost"):
        await hung
    await air.device.close()


@virtual_time
async def test_stop_breaks_off_a_hung_connect() -> None:
    """Nobody waits for a connect that another one began."""
    air = LightOnAir()
    air.model.faults.set("mute_connect")
    hung = asyncio.ensure_future(air.device.apply({"light": PURPLE}))
    await asyncio.sleep(0.1)
    began = asyncio.get_running_loop().time()
    assert (await air.device.stop()).confirmed
    assert asyncio.get_running_loop().time() - began < 1
    with pytest.raises(DeviceError, match="link_lost"):
        await hung
    await air.device.close()


@virtual_time
async def test_stop_tries_again_on_a_new_connection() -> None:
    """One lost link does not end a stop."""
    air = LightOnAir()
    await air.device.apply({"light": PURPLE})
    air.model.faults.set("drop_before_write", value=2)
    assert (await air.device.stop()).confirmed
    assert air.model.channels == (0.0, 0.0, 0.0, 0.0)
    await air.device.close()


@pytest.mark.parametrize(
    ("fault", "detail"),
    [("out_of_range", "out_of_range"), ("mute_connect", "no_answer")],
)
def test_stop_that_cannot_be_confirmed_says_so(fault: str, detail: str) -> None:
    """It ends within a bounded time and never raises."""

    @virtual_time
    async def scenario() -> None:
        """Let every connect fail."""
        air = LightOnAir()
        air.model.faults.set(fault, times=None)
        began = asyncio.get_running_loop().time()
        assert await air.device.stop() == StopReport(confirmed=False, detail=detail)
        assert asyncio.get_running_loop().time() - began < 30
        await air.device.close()

    scenario()


@virtual_time
async def test_light_that_is_not_heard_is_unavailable() -> None:
    """Each change is told once; a silent connection is none."""
    air = LightOnAir()
    assert is_available(air.device)
    await air.device.apply({"light": PURPLE})
    await asyncio.sleep(20)
    assert is_available(air.device)
    air.model.power_cut()
    await asyncio.sleep(5)
    assert not is_available(air.device)
    air.model.power_on()
    await asyncio.sleep(5)
    assert is_available(air.device)
    assert air.recorder.availability == [False, True]
    await air.device.close()


@virtual_time
async def test_closed_light_is_left_alone() -> None:
    """The connection is closed and nothing opens another one."""
    air = LightOnAir()
    await air.device.apply({"light": PURPLE})
    await air.device.close()
    assert not air.model.connected
    with pytest.raises(DeviceError) as error:
        await air.device.apply({"light": {"level": 1.0}})
    assert (error.value.code, error.value.transient) == ("stopping", False)
