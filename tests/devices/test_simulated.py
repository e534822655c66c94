"""The pump of the demo aquarium."""

import pytest

from custom_components.aquarist.devices.device import StopReport
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.devices.simulated import SimulatedPump

from .listening import Recorder, is_available


def pump() -> tuple[SimulatedPump, Recorder]:
    """Return a running pump and its listener."""
    device, recorder = (
        SimulatedPump(uuid="u", name="Return pump", level=60.0),
        Recorder(),
    )
    device.listen(recorder)
    return device, recorder


async def test_it_keeps_the_level_it_is_given() -> None:
    """A level that is news is told once."""
    device, recorder = pump()
    assert device.observed("level") == {"level": 60.0}
    await device.apply({"level": {"level": 30.0}})
    await device.apply({"level": {"level": 30.0}})
    assert device.observed("level") == {"level": 30.0}
    assert recorder.settings == [{"level": 30.0}]


async def test_it_comes_back_to_its_last_level() -> None:
    """Switched off and on again it pumps as before."""
    device, _ = pump()
    await device.apply({"level": {"level": 0.0}})
    assert device.setting_for("turn_on", {}, {"level": 0.0}) == (
        "level",
        {"level": 60.0},
    )


async def test_it_fails_when_told_to() -> None:
    """Errors come in the order given, and change nothing."""
    device, recorder = pump()
    device.fail_next(DeviceError("write_failed", transient=True))
    device.fail_next(DeviceError("link_lost", transient=True))
    with pytest.raises(DeviceError, match="write_failed"):
        await device.apply({"level": {"level": 1.0}})
    assert await device.stop() == StopReport(confirmed=False, detail="link_lost")
    assert recorder.observations == []
    assert await device.stop() == StopReport(confirmed=True, detail="stopped")
    assert device.observed("level") == {"level": 0.0}


async def test_it_goes_away_and_comes_back() -> None:
    """Out of range it takes nothing; each change is told once."""
    device, recorder = pump()
    assert is_available(device)
    device.available = False
    device.available = False
    assert not is_available(device)
    with pytest.raises(DeviceError, match="out_of_range"):
        await device.apply({"level": {"level": 1.0}})
    device.available = True
    assert recorder.availability == [False, True]


def test_a_hand_at_the_pump_is_an_observation() -> None:
    """The user's id comes with it."""
    device, recorder = pump()
    device.turn_by_hand(10.0, user_id="keeper")
    assert recorder.observations[0].user_id == "keeper"
    assert recorder.settings == [{"level": 10.0}]


@pytest.mark.parametrize(
    "settings", [{"flow": {"flow": 1.0}}, {"level": {"level": True}}]
)
async def test_it_has_only_a_level(settings: dict[str, dict[str, float]]) -> None:
    """Anything else cannot be sent."""
    device, _ = pump()
    with pytest.raises(DeviceError, match="unsupported"):
        await device.apply(settings)


async def test_status_is_what_it_shows() -> None:
    """Other actions are unknown."""
    device, _ = pump()
    assert await device.perform("request_status", {}) == {
        "available": True,
        "fields": {"level": {"level": 60.0}},
    }
    with pytest.raises(InvalidValue, match="unknown_action"):
        await device.perform("dance", {})
    with pytest.raises(InvalidValue, match="unknown_argument"):
        await device.perform("request_status", {"deep": True})
