"""The custom curve of the simulated light (protocol 3.4)."""

import pytest

from custom_components.aquarist.simulator.clock import ManualClock
from custom_components.aquarist.simulator.light import LightMode, LightModel
from custom_components.aquarist.simulator.light_curve import LightCurve

from .central import ADDRESS, Central

MANUAL, AUTO, CURVE, ERASE = 11, 18, 3, 5


def light_at(
    clock: ManualClock, *, keeps_memory: bool = True
) -> tuple[LightModel, Central]:
    """Return a light of two channels whose clock shows noon, and a central."""
    light = LightModel(clock, address=ADDRESS, channels=2, keeps_memory=keeps_memory)
    central = Central(light)
    central.send(0x5A, 0x09, 26, 6, 1, 12, 0, 0)
    return light, central


def switch(central: Central, sub: int) -> None:
    """Switch the mode."""
    central.send(0x5A, 0x05, sub, 255, 255)


def test_a_light_runs_its_curve(clock: ManualClock) -> None:
    """From point to point, and flat before the first and after the last."""
    light, central = light_at(clock)
    switch(central, CURVE)
    assert light.channels == (0.0, 0.0)
    for point in ((0, 12, 0, 20), (0, 14, 0, 60), (1, 13, 0, 50)):
        central.send(0x5A, 0x06, *point)
    assert light.mode is LightMode.CURVE
    assert light.channels == (20.0, 50.0)
    clock.advance(3600)
    assert light.channels == (40.0, 50.0)
    clock.advance(3 * 3600)
    assert light.channels == (60.0, 50.0)
    assert light.state()["curve"] == {"0": [[720, 20], [840, 60]], "1": [[780, 50]]}


def test_a_channel_without_points_is_dark(clock: ManualClock) -> None:
    """The others run."""
    light, central = light_at(clock)
    switch(central, CURVE)
    central.send(0x5A, 0x06, 0, 12, 0, 20)
    assert light.channels == (20.0, 0.0)


def test_who_decides(clock: ManualClock) -> None:
    """Manual holds, auto runs the windows, and the curve again by its own switch."""
    light, central = light_at(clock)
    switch(central, CURVE)
    central.send(0x5A, 0x06, 0, 12, 0, 20)
    switch(central, MANUAL)
    central.send(0x5A, 0x07, 0, 70)
    assert light.channels == (70.0, 0.0)
    switch(central, AUTO)
    assert light.mode is LightMode.AUTO
    switch(central, CURVE)
    assert light.channels == (20.0, 0.0)
    switch(central, ERASE)
    assert light.state()["curve"] == {}


@pytest.mark.parametrize("keeps", [True, False])
def test_power_cut(clock: ManualClock, keeps: bool) -> None:
    """Kept like the windows (assumed); the light comes back in auto."""
    light, central = light_at(clock, keeps_memory=keeps)
    switch(central, CURVE)
    central.send(0x5A, 0x06, 0, 12, 0, 20)
    light.power_cut()
    light.power_on()
    assert bool(light.curve) is keeps
    assert light.mode is LightMode.AUTO


@pytest.mark.parametrize(
    "point", [(2, 12, 0, 20), (0, 49, 0, 20), (0, 12, 60, 20), (0, 12, 0, 101)]
)
def test_what_is_no_point_is_ignored(
    clock: ManualClock, point: tuple[int, int, int, int]
) -> None:
    """Nothing changes."""
    light, central = light_at(clock)
    central.send(0x5A, 0x06, *point)
    assert not light.curve
    assert len(light.ignored) == 1


def test_a_point_is_replaced() -> None:
    """There is one at a time of the day."""
    curve = LightCurve()
    assert curve.write(0, 12, 0, 20)
    assert curve.write(0, 12, 0, 30)
    assert curve.as_json() == {"0": [[720, 30]]}
    curve.clear()
    assert not curve
