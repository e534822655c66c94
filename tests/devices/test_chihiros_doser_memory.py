"""What a Chihiros doser keeps: programmes written in the app's order, and read back."""

import asyncio
from datetime import time
from itertools import pairwise
from typing import Any, override

import pytest

from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.chihiros.notifications import (
    DoserSnapshot,
    LightSnapshot,
    decode,
)
from custom_components.aquarist.devices.device import HeadMemory, MemoryReport
from custom_components.aquarist.devices.doser_programme import shown_heads
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.dosing.programme import ProgrammeMode
from custom_components.aquarist.simulator.programme import Programme
from tests.fakes.virtual_time import virtual_time

from .chihiros import DoserOnAir, commands

PROGRAMMING = (0x05, 0x14, 0x15, 0x16, 0x17, 0x1B, 0x1F, 0x20)
SCHEDULE = {"head_index": 1, "volume_tenths_ml": 90, "hour": 8, "minute": 30}
TIMES = [f"{hour:02d}:15" for hour in range(14)]


class Stubborn(Programme):
    """A programme that does not take the time it is given."""

    @override
    def set_times(self, mode: int, fields: bytes) -> bool:
        """Take another time."""
        return super().set_times(mode, bytes([3, 0, 0, 0]))


def frames(air: DoserOnAir) -> list[tuple[int, list[int]]]:
    """Return mode and parameters of what was written to program the pump."""
    return [
        (mode, list(parameters))
        for group, mode, parameters in commands(air.model)
        if group == 0xA5 and mode in PROGRAMMING
    ]


def programme(air: DoserOnAir, head: int) -> dict[str, Any]:
    """Return what the pump really keeps for a head."""
    return air.model.heads[head].programme.as_json()


@virtual_time
async def test_a_daily_dose_in_the_order_of_the_app() -> None:
    """Enable, volume and weekdays, then the time, with the app's pauses (protocol 4.2)."""
    air = DoserOnAir()
    result = await air.device.perform(
        "set_schedule", {**SCHEDULE, "weekdays": ["monday", "friday"]}
    )
    assert frames(air) == [
        (0x20, [1, 0, 1]),
        (0x1B, [1, 68, 1, 1, 0, 90]),
        (0x15, [1, 0, 8, 30, 0, 0]),
    ]
    times = [one.at_elapsed for one in air.model.write_log[-3:]]
    assert all(later - sooner >= 0.09 for sooner, later in pairwise(times))
    assert result == {
        "head_index": 1,
        "programme": {
            "mode": "single",
            "hour": 8,
            "minute": 30,
            "volume_tenths_ml": 90,
            "weekdays": ["monday", "friday"],
            "catch_up": False,
        },
    }
    assert programme(air, 1)["doses"] == [[510, 9000]]
    assert air.model.ignored == []
    await air.device.close()


@pytest.mark.parametrize(
    ("args", "written", "doses"),
    [
        (
            {"mode": "every_hour", "volume_tenths_ml": 240, "catch_up": True},
            [
                (0x20, [0, 1, 1]),
                (0x1B, [0, 127, 1, 1, 0, 240]),
                (0x15, [0, 1, *[0] * 4]),
            ],
            24,
        ),
        (
            {
                "mode": "custom_periods",
                "volume_tenths_ml": 40,
                "periods": [{"start": "23:00", "end": "02:00", "doses": 4}],
            },
            [
                (0x20, [0, 0, 1]),
                (0x1B, [0, 127, 1, 1, 0, 40]),
                (0x17, [0, 23, 0, 26, 0, 4]),
            ],
            4,
        ),
        (
            {
                "mode": "timer",
                "timers": [{"time": at, "volume_tenths_ml": 300} for at in TIMES],
            },
            [
                (0x20, [0, 0, 1]),
                (0x1B, [0, 127, 1, 1, 255, 255]),
                (
                    0x15,
                    [0, 3, *[byte for hour in range(13) for byte in (hour, 15, 1, 44)]],
                ),
                (0x15, [0, 3, 13, 15, 1, 44]),
            ],
            14,
        ),
        (
            {"mode": "single", "volume_tenths_ml": 600, "hour": 0, "minute": 0},
            [(0x20, [0, 0, 1]), (0x1B, [0, 127, 1, 1, 2, 88]), (0x15, [0, *[0] * 5])],
            1,
        ),
    ],
)
def test_all_four_modes(
    args: dict[str, Any], written: list[tuple[int, list[int]]], doses: int
) -> None:
    """Long lists take several frames; the pump has all doses of the day (RES-63)."""

    @virtual_time
    async def scenario() -> None:
        """Write one programme."""
        air = DoserOnAir()
        await air.device.perform("set_doser_schedule", {"head_index": 0, **args})
        assert frames(air) == written
        assert len(programme(air, 0)["doses"]) == doses
        assert air.model.ignored == []
        await air.device.close()

    scenario()


@virtual_time
async def test_the_pump_doses_by_it_without_us() -> None:
    """The programme lives in the pump: a day later it has given its volume."""
    air = DoserOnAir()
    await air.device.perform("set_schedule", SCHEDULE)
    await asyncio.sleep(24 * 3600)
    assert air.model.delivered == (0, 9000, 0, 0)
    await air.device.close()


@virtual_time
async def test_a_new_programme_replaces_the_old_one() -> None:
    """Nothing of a longer list is left."""
    air = DoserOnAir()
    timers = [{"time": at, "volume_tenths_ml": 10} for at in TIMES]
    args = {"head_index": 0, "mode": "timer"}
    await air.device.perform("set_doser_schedule", {**args, "timers": timers})
    await air.device.perform("set_doser_schedule", {**args, "timers": timers[:2]})
    assert programme(air, 0)["doses"] == [[15, 1000], [75, 1000]]
    await air.device.close()


# Read back


@virtual_time
async def test_the_snapshot_is_told() -> None:
    """Mode, first times, today and target; at each connect and whenever it is asked."""
    air = DoserOnAir()
    await air.device.perform("set_schedule", SCHEDULE)
    timers = [{"time": at, "volume_tenths_ml": 10} for at in TIMES[:4]]
    await air.device.perform(
        "set_doser_schedule", {"head_index": 2, "mode": "timer", "timers": timers}
    )
    status: Any = await air.device.perform("request_status", {})
    shown = air.recorder.memories[-1]
    assert shown == MemoryReport(
        heads={
            0: HeadMemory(mode=None, times=(), today=0, target_ml=0),
            1: HeadMemory(
                mode=ProgrammeMode.SINGLE, times=(time(8, 30),), today=0, target_ml=9
            ),
            2: HeadMemory(
                mode=ProgrammeMode.TIMER,
                times=(time(0, 15), time(1, 15), time(2, 15)),
                today=0,
                target_ml=4,
            ),
            3: HeadMemory(mode=None, times=(), today=0, target_ml=0),
        }
    )
    assert status["memory"][1] == {
        "head_index": 1,
        "mode": "single",
        "times": ["08:30"],
        "today_ml": 0.0,
        "target_ml": 9,
    }
    await air.device.close()


@virtual_time
async def test_no_snapshot_is_told_as_none() -> None:
    """The rest of the status is there."""
    air = DoserOnAir()
    await air.device.perform("sync_clock", {})
    await asyncio.sleep(1)
    air.model.faults.set("lose_notification", times=None, value=0xFE)
    status = await air.device.perform("request_status", {})
    assert status is not None
    assert status["memory"] is None
    assert status["clock_drift_minutes"] is None
    assert status["firmware"] == 6
    await air.device.close()


def test_what_makes_no_sense_is_left_out() -> None:
    """A mode that nobody has documented, and times that are none."""
    data = bytearray(50)
    data[0], data[5] = 0x5B, 0xFE
    data[9] = 9
    data[18:21] = bytes([0, 77, 99])
    snapshot = decode(bytes(data), DeviceFamily.DOSER)
    assert isinstance(snapshot, DoserSnapshot)
    assert shown_heads(snapshot, 2) == {
        1: HeadMemory(mode=ProgrammeMode.SINGLE, times=(), today=0, target_ml=0)
    }


@virtual_time
async def test_a_snapshot_of_something_else_shows_nothing() -> None:
    """Light and doser are told apart by their family alone."""
    air = DoserOnAir()
    other = LightSnapshot(firmware=1, weekday=1, hour=0, minute=0, points=())
    air.device._read_status(other)
    assert air.recorder.memories == [MemoryReport()]
    await air.device.close()


@virtual_time
async def test_confirm_waits_until_the_pump_shows_it() -> None:
    """The snapshot is compared with what was written (R-C45)."""
    air = DoserOnAir()
    result = await air.device.perform("set_schedule", {**SCHEDULE, "confirm": True})
    assert result is not None
    assert result["confirmed"] is True
    await air.device.close()


@pytest.mark.parametrize("deaf", [True, False])
def test_what_the_pump_does_not_show_is_not_confirmed(deaf: bool) -> None:
    """It shows nothing, or another programme, for as long as is waited."""

    @virtual_time
    async def scenario() -> None:
        """Write, while the pump does not take the time."""
        air = DoserOnAir()
        await air.device.perform("sync_clock", {})
        await asyncio.sleep(1)
        if deaf:
            air.model.faults.set("lose_notification", times=None, value=0xFE)
        else:
            air.model.heads[1].programme = Stubborn()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        with pytest.raises(DeviceError, match="not_confirmed") as error:
            await air.device.perform(
                "set_schedule", {**SCHEDULE, "confirm": True, "wait_seconds": 1.5}
            )
        assert not error.value.transient
        assert 1.5 <= loop.time() - begun <= 3.0
        await air.device.close()

    scenario()


# Cleared


@virtual_time
async def test_removing_switches_off_and_clears() -> None:
    """The pump doses no more, and shows the head as off."""
    air = DoserOnAir()
    await air.device.perform("set_schedule", SCHEDULE)
    await air.device.perform("remove_schedule", {"head_index": 1})
    assert frames(air)[-2:] == [(0x20, [1, 0, 0]), (0x05, [26, 255, 255])]
    await air.device.perform("request_status", {})
    assert air.recorder.memories[-1].heads[1].mode is None
    await asyncio.sleep(24 * 3600)
    assert air.model.delivered == (0, 0, 0, 0)
    await air.device.close()


@virtual_time
async def test_large_pumps_are_not_sent_numbers_of_two_meanings() -> None:
    """What clears head 1 may zero head 5: there a programme is only switched off."""
    air = DoserOnAir(heads=8, lifetime=(*[0] * 4, 7000, 0, 0, 0))
    await air.device.perform("remove_schedule", {"head_index": 0})
    await air.device.perform("remove_schedule", {"head_index": 7})
    await air.device.perform("reset_head", {"head_index": 3})
    assert frames(air) == [
        (0x20, [0, 0, 0]),
        (0x20, [7, 0, 0]),
        (0x05, [32, 255, 255]),
        (0x05, [24, 255, 255]),
    ]
    with pytest.raises(InvalidValue) as error:
        await air.device.perform("reset_head", {"head_index": 4})
    assert (error.value.field, error.value.code) == (
        "head_index",
        "value_out_of_bounds",
    )
    await air.device.close()


@virtual_time
async def test_reset_head_zeroes_the_counter() -> None:
    """The programme stays."""
    air = DoserOnAir(lifetime=(5000, 6000, 0, 0))
    await air.device.perform("set_schedule", SCHEDULE)
    await air.device.perform("reset_head", {"head_index": 1})
    await air.device.perform("request_status", {})
    assert air.recorder.lifetime[-1] == {0: 5000, 1: 0, 2: 0, 3: 0}
    assert programme(air, 1)["active"]
    await air.device.close()


@virtual_time
async def test_factory_reset_clears_all_heads() -> None:
    """Programmes, counters and the pause between heads."""
    air = DoserOnAir(heads=2, lifetime=(5000, 6000))
    await air.device.perform("set_schedule", SCHEDULE)
    await air.device.perform("factory_reset", {})
    assert frames(air)[3:] == [
        (0x20, [0, 0, 0]),
        (0x05, [25, 255, 255]),
        (0x05, [21, 255, 255]),
        (0x20, [1, 0, 0]),
        (0x05, [26, 255, 255]),
        (0x05, [22, 255, 255]),
        (0x1F, [0]),
    ]
    assert air.model.ignored == []
    await air.device.close()


# Runs


@virtual_time
async def test_calibration_runs_and_stores_what_was_measured() -> None:
    """Five seconds, then the volume in hundredths: the pump knows its flow."""
    air = DoserOnAir()
    result = await air.device.perform("calibrate_head", {"head_index": 0, "seconds": 5})
    assert result == {"head_index": 0, "seconds": 5, "expected_ml": 5.0}
    await asyncio.sleep(6)
    assert air.model.delivered[0] == 5000
    result = await air.device.perform(
        "calibrate_head", {"head_index": 0, "measured_ml": 4.55}
    )
    assert result == {"head_index": 0, "measured_ml": 4.55}
    assert frames(air) == [(0x16, [0, 5, 255, 255]), (0x16, [0, 255, 4, 55])]
    assert air.model.heads[0].believed_flow == 910
    await air.device.close()


@virtual_time
async def test_priming_ends_by_itself() -> None:
    """The pump knows the time: it stops although nobody is there any more."""
    air = DoserOnAir()
    result = await air.device.perform("prime_head", {"head_index": 2, "seconds": 70})
    assert result == {"head_index": 2, "seconds": 70, "expected_ml": 70.0}
    assert frames(air) == [(0x14, [1, 10, 255, 255, 1, *[255] * 5])]
    air.model.faults.set("out_of_range", times=None)
    await asyncio.sleep(200)
    assert air.model.delivered[2] == 70_000
    await air.device.close()


@pytest.mark.parametrize("action", ["calibrate_head", "prime_head"])
def test_a_run_is_never_repeated(action: str) -> None:
    """A write whose end nobody knows is final (law 3)."""

    @virtual_time
    async def scenario() -> None:
        """Lose the link after the frame has arrived."""
        air = DoserOnAir()
        await air.device.perform("sync_clock", {})
        air.model.faults.set("write_error_after")
        with pytest.raises(DeviceError) as error:
            await air.device.perform(action, {"head_index": 0, "seconds": 5})
        assert (error.value.code, error.value.transient) == ("write_failed", False)
        await asyncio.sleep(10)
        assert air.model.delivered[0] == 5000
        await air.device.close()

    scenario()


@pytest.mark.parametrize("action", ["calibrate_head", "prime_head"])
def test_a_run_may_be_forbidden_once_the_pump_is_reached(action: str) -> None:
    """The last word comes after the connection, right before the frame."""

    @virtual_time
    async def scenario() -> None:
        """Forbid it once, then let it be."""
        air = DoserOnAir()
        asked: list[bool] = []

        def no() -> None:
            asked.append(air.device.link.connected)
            raise PermissionError

        args = {"head_index": 0, "seconds": 5}
        with pytest.raises(PermissionError):
            await air.device.run(action, args, no)
        assert (asked, frames(air)) == ([True], [])
        result = await air.device.run(action, args, lambda: None)
        assert result == {**args, "expected_ml": 5.0}
        await asyncio.sleep(6)
        assert air.model.delivered[0] == 5000
        await air.device.close()

    scenario()


@virtual_time
async def test_a_programme_may_be_written_again() -> None:
    """A lost link is a passing fault: the whole programme goes out once more."""
    air = DoserOnAir()
    await air.device.perform("sync_clock", {})
    air.model.faults.set("drop_after_write", value=2)
    with pytest.raises(DeviceError) as error:
        await air.device.perform("set_schedule", SCHEDULE)
    assert error.value.transient
    await air.device.perform("set_schedule", SCHEDULE)
    assert programme(air, 1)["doses"] == [[510, 9000]]
    await air.device.close()


# Refused


@pytest.mark.parametrize(
    ("action", "args", "field", "code"),
    [
        (
            "set_schedule",
            {**SCHEDULE, "head_index": 4},
            "head_index",
            "value_out_of_bounds",
        ),
        ("set_schedule", {**SCHEDULE, "hour": 24}, "hour", "value_out_of_bounds"),
        (
            "set_schedule",
            {**SCHEDULE, "weekdays": []},
            "weekdays",
            "schedule_empty",
        ),
        (
            "set_schedule",
            {**SCHEDULE, "volume_tenths_ml": 65_535},
            "volume_tenths_ml",
            "value_out_of_bounds",
        ),
        (
            "set_doser_schedule",
            {
                "head_index": 0,
                "mode": "timer",
                "timers": [{"time": "08:00", "volume_tenths_ml": 40_000}] * 2,
            },
            "timers",
            "value_out_of_bounds",
        ),
        ("remove_schedule", {}, "head_index", "missing_argument"),
        ("calibrate_head", {"head_index": 0}, "args", "schedule_none_of"),
        ("factory_reset", {"head_index": 0}, "head_index", "unknown_argument"),
        ("add_auto_setting", {}, "action", "unknown_action"),
    ],
)
def test_bad_arguments_touch_nothing(
    action: str, args: dict[str, Any], field: str, code: str
) -> None:
    """The error names the field (law 10)."""

    @virtual_time
    async def scenario() -> None:
        """Check and perform."""
        air = DoserOnAir()
        with pytest.raises(InvalidValue) as error:
            air.device.check_action(action, args)
        assert (error.value.field, error.value.code) == (field, code)
        with pytest.raises(InvalidValue):
            await air.device.perform(action, args)
        assert air.model.write_log == []
        await air.device.close()

    scenario()


@virtual_time
async def test_what_cannot_be_shown_cannot_be_confirmed() -> None:
    """The snapshot has four heads."""
    air = DoserOnAir(heads=8)
    with pytest.raises(InvalidValue) as error:
        air.device.check_action(
            "set_schedule", {**SCHEDULE, "head_index": 4, "confirm": True}
        )
    assert error.value.field == "confirm"
    air.device.check_action("set_schedule", {**SCHEDULE, "head_index": 4})
    await air.device.close()
