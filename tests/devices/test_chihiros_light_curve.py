"""A course of the day that a Chihiros light runs by itself: written point by point."""

import asyncio
from typing import Any

import pytest

from custom_components.aquarist.chihiros.lights import CurveFamily
from custom_components.aquarist.devices.device import MemoryReport
from custom_components.aquarist.devices.fields import InvalidValue
from tests.fakes.virtual_time import virtual_time

from .chihiros import LightOnAir

ACTION = "set_custom_curve"


def points(*given: tuple[str, int]) -> list[dict[str, Any]]:
    """Return the points of a channel."""
    return [{"time": at, "level": level} for at, level in given]


CURVE = [
    points(("12:00", 0), ("14:00", 90)),
    points(("12:15", 10)),
    points(("12:00", 20)),
    points(("12:00", 30)),
]


@virtual_time
async def test_a_curve_is_written_in_the_order_of_the_app() -> None:
    """Erase, open, then all points of all channels; 90 stays 90 (protocol 3.4)."""
    air = LightOnAir()
    result = await air.device.perform(ACTION, {"channels": CURVE})
    assert air.commands()[-7:] == [
        (0x5A, 0x05, bytes([5, 255, 255])),
        (0x5A, 0x05, bytes([3, 255, 255])),
        (0x5A, 0x06, bytes([0, 12, 0, 0])),
        (0x5A, 0x06, bytes([0, 14, 0, 90])),
        (0x5A, 0x06, bytes([1, 12, 15, 10])),
        (0x5A, 0x06, bytes([2, 12, 0, 20])),
        (0x5A, 0x06, bytes([3, 12, 0, 30])),
    ]
    assert result == {"curve": {"channels": CURVE}}
    assert air.recorder.memories[-1] == MemoryReport(auto=True)
    await asyncio.sleep(3600)
    assert air.model.channels == pytest.approx((45.0, 10.0, 20.0, 30.0), abs=0.1)
    await air.device.close()


@virtual_time
async def test_older_lights_take_half_hours() -> None:
    """The nearest one, a quarter of an hour counting as the next."""
    air = LightOnAir(CurveFamily.BLE)
    await air.device.perform(ACTION, {"channels": CURVE})
    assert (0x5A, 0x06, bytes([1, 25, 10])) in air.commands()
    await air.device.close()


@virtual_time
async def test_a_level_ends_it() -> None:
    """Whoever writes a level takes the light over."""
    air = LightOnAir()
    await air.device.perform(ACTION, {"channels": CURVE})
    await air.device.apply({"light": {"level": 5.0}})
    assert air.model.channels == (5.0, 5.0, 5.0, 5.0)
    assert air.recorder.memories[-1] == MemoryReport(auto=False)
    await air.device.close()


@pytest.mark.parametrize(
    ("channels", "field", "code"),
    [
        (CURVE[:3], "channels", "wrong_count"),
        (
            [points(("12:00", 101)), *CURVE[1:]],
            "channels.0.0.level",
            "value_out_of_bounds",
        ),
        (
            [*CURVE[:3], points(("12:00", 1), ("12:10", 2))],
            "channels.3.1.time",
            "curve_half_hours",
        ),
    ],
)
@virtual_time
async def test_what_the_light_cannot_take(channels: Any, field: str, code: str) -> None:
    """Refused ahead of time, and nothing is written."""
    air = LightOnAir(CurveFamily.BLE)
    with pytest.raises(InvalidValue) as error:
        air.device.check_action(ACTION, {"channels": channels})
    assert (error.value.field, error.value.code) == (field, code)
    with pytest.raises(InvalidValue):
        await air.device.perform(ACTION, {"channels": channels})
    assert air.model.write_log == []
    await air.device.close()


@virtual_time
async def test_a_light_of_which_nobody_knows_how() -> None:
    """Nothing is tried on it."""
    air = LightOnAir(None)
    with pytest.raises(InvalidValue) as error:
        air.device.check_action(ACTION, {"channels": CURVE})
    assert (error.value.field, error.value.code) == ("channels", "curve_unknown")
    await air.device.close()
