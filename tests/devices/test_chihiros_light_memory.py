"""What a Chihiros light keeps: windows added, erased, and shown; and level 90."""

import asyncio
from typing import Any

import pytest

from custom_components.aquarist.chihiros.notifications import DoserSnapshot
from custom_components.aquarist.devices.device import LightPoint, MemoryReport
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from tests.fakes.virtual_time import virtual_time

from .chihiros import LightOnAir

SETTING = {"sunrise": "13:00", "sunset": "17:00", "channels": [90, 40, 65, 50]}
MORNING = {"sunrise": "09:00", "sunset": "13:00", "brightness": 40}


@virtual_time
async def test_level_90_is_90() -> None:
    """The profile of the app carries every level as it is (protocol 2.3)."""
    air = LightOnAir()
    await air.device.apply({"light": {"level": 90.0}})
    assert air.model.channels == (90.0, 90.0, 90.0, 90.0)
    await air.device.close()


@virtual_time
async def test_a_setting_is_written_and_told() -> None:
    """One frame with a level for each channel; ramp 0 is stored as 1 (protocol 3.3)."""
    air = LightOnAir()
    result = await air.device.perform(
        "add_auto_setting",
        {**SETTING, "ramp_up_minutes": 90, "weekdays": ["monday"], "label": "Noon"},
    )
    assert air.commands()[-1] == (
        0xA5,
        0x19,
        bytes([13, 0, 17, 0, 90, 64, 90, 40, 65, 50, *[255] * 4]),
    )
    assert result == {
        "setting": {
            **SETTING,
            "ramp_up_minutes": 90,
            "weekdays": ["monday"],
            "label": "Noon",
        }
    }
    await air.device.close()


@virtual_time
async def test_the_light_follows_its_memory_in_auto_mode() -> None:
    """Without us: dark before, bright inside of the window."""
    air = LightOnAir()
    await air.device.perform("add_auto_setting", SETTING)
    await air.device.perform("enable_auto_mode", {})
    assert air.model.channels == (0.0, 0.0, 0.0, 0.0)
    await asyncio.sleep(2 * 3600)
    assert air.model.channels == (90.0, 40.0, 65.0, 50.0)
    await air.device.close()


@virtual_time
async def test_who_decides_is_told() -> None:
    """Auto when it was enabled, not any more when a level is written."""
    air = LightOnAir()
    await air.device.perform("enable_auto_mode", {})
    assert MemoryReport(auto=True) in air.recorder.memories
    await air.device.apply({"light": {"level": 10.0}})
    assert air.recorder.memories[-1] == MemoryReport(auto=False)
    await air.device.close()


@virtual_time
async def test_the_points_are_told_in_their_order() -> None:
    """One level for all channels, in the order of time."""
    air = LightOnAir()
    await air.device.perform("add_auto_setting", {**SETTING, "ramp_up_minutes": 60})
    await air.device.perform("add_auto_setting", MORNING)
    status: Any = await air.device.perform("request_status", {})
    assert {"at": "14:00", "level": 90} in status["memory"]
    assert [point["at"] for point in status["memory"]] == sorted(
        point["at"] for point in status["memory"]
    )
    shown = air.recorder.memories[-1]
    assert shown.points is not None
    assert LightPoint(hour=14, minute=0, level=90) in shown.points
    await air.device.close()


@virtual_time
async def test_a_light_without_snapshot_still_tells_its_status() -> None:
    """Some firmwares answer with the status alone (protocol 3.5)."""
    air = LightOnAir()
    air.model.faults.set("lose_notification", times=None, value=0xFE)
    status = await air.device.perform("request_status", {})
    assert status is not None
    assert (status["firmware"], status["memory"]) == (21, None)
    await air.device.close()


@pytest.mark.parametrize("action", ["reset_auto_settings", "factory_reset"])
def test_erasing(action: str) -> None:
    """Nothing is left in the memory."""

    @virtual_time
    async def scenario() -> None:
        """Erase two settings."""
        air = LightOnAir()
        await air.device.perform("add_auto_setting", SETTING)
        await air.device.perform("add_auto_setting", MORNING)
        await air.device.perform(action, {})
        assert air.commands()[-1] == (0x5A, 0x05, bytes([5, 255, 255]))
        assert air.model.state()["windows"] == []
        await air.device.close()

    scenario()


@pytest.mark.parametrize(
    ("args", "field", "code"),
    [
        ({**SETTING, "channels": [1, 2, 3]}, "channels", "wrong_count"),
        ({**SETTING, "sunset": "12:59"}, "sunset", "value_out_of_bounds"),
        ({**SETTING, "ramp_up_minutes": 151}, "ramp_up_minutes", "value_out_of_bounds"),
        ({**SETTING, "brightness": 5}, "channels", "schedule_not_together"),
        ({"sunrise": "08:00", "sunset": "09:00"}, "args", "schedule_none_of"),
    ],
)
def test_bad_settings_touch_nothing(
    args: dict[str, Any], field: str, code: str
) -> None:
    """The error names the field (R-C46)."""

    @virtual_time
    async def scenario() -> None:
        """Check and perform."""
        air = LightOnAir()
        with pytest.raises(InvalidValue) as error:
            air.device.check_action("add_auto_setting", args)
        assert (error.value.field, error.value.code) == (field, code)
        with pytest.raises(InvalidValue):
            await air.device.perform("add_auto_setting", args)
        assert air.model.write_log == []
        await air.device.close()

    scenario()


@virtual_time
async def test_a_lost_link_may_be_tried_again() -> None:
    """Writing a window twice leaves one."""
    air = LightOnAir()
    await air.device.perform("sync_clock", {})
    air.model.faults.set("write_error_after")
    with pytest.raises(DeviceError) as error:
        await air.device.perform("add_auto_setting", SETTING)
    assert error.value.transient
    await air.device.perform("add_auto_setting", SETTING)
    windows = air.model.state()["windows"]
    assert isinstance(windows, list)
    assert len(windows) == 1
    await air.device.close()


@virtual_time
async def test_a_snapshot_of_something_else_shows_nothing() -> None:
    """Light and doser are told apart by their family alone."""
    air = LightOnAir()
    other = DoserSnapshot(
        firmware=1, weekday=1, hour=0, minute=0, heads=(), daily_target_ml=()
    )
    air.device._read_status(other)
    assert air.recorder.memories == [MemoryReport()]
    await air.device.close()
