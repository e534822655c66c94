"""A pump made from an entity."""

import asyncio

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest

from custom_components.aquarist.devices import backed_device
from custom_components.aquarist.devices.device import DeviceKind, StopReport
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.devices.pump import Pump

from .entities import FakeLight, FakeNumber, FakeSwitch, add
from .listening import Recorder, is_available


@pytest.fixture
async def switch(hass: HomeAssistant) -> FakeSwitch:
    """Return a switch that is off."""
    entity = FakeSwitch("return_pump")
    await add(hass, "switch", entity)
    return entity


def pump_at(
    hass: HomeAssistant, entity: str, *, safe_level: float = 0.0
) -> tuple[Pump, Recorder]:
    """Return a pump and its listener."""
    pump = Pump(
        hass,
        uuid="u",
        name="Return pump",
        entity=entity,
        safe_level=safe_level,
        confirm_time=0.05,
    )
    recorder = Recorder()
    pump.listen(recorder)
    return pump, recorder


async def test_pump_tells_what_it_is(hass: HomeAssistant, switch: FakeSwitch) -> None:
    """One field, one entity behind it."""
    pump, _ = pump_at(hass, "switch.return_pump")
    assert pump.kind is DeviceKind.PUMP
    assert list(pump.fields) == ["level"]
    assert pump.entity_ids == ("switch.return_pump",)
    assert is_available(pump)
    assert pump.address is None
    assert pump.observed("level") == {"level": 0.0}


async def test_applied_level_is_observed_once(
    hass: HomeAssistant, switch: FakeSwitch
) -> None:
    """The echo comes when the write has ended, without a user."""
    pump, recorder = pump_at(hass, "switch.return_pump")
    await pump.apply({"level": {"level": 100.0}})
    (echo,) = recorder.observations
    assert echo.setting == {"level": 100.0}
    assert echo.user_id is None
    assert echo.at is not None
    assert echo.at.tzinfo is not None


async def test_values_on_the_way_are_not_reported(hass: HomeAssistant) -> None:
    """A dimmer that fades passes by values that nobody asked for."""
    light = FakeLight("fading")
    await add(hass, "light", light)
    pump, recorder = pump_at(hass, "light.fading")
    light.lies = True
    applying = asyncio.ensure_future(pump.apply({"level": {"level": 100.0}}))
    while not light.log:
        await asyncio.sleep(0)
    for brightness in (80, 160, 255):
        light.show(is_on=True, brightness=brightness)
    await applying
    assert recorder.settings == [{"level": 100.0}]


async def test_user_is_heard_while_we_write(
    hass: HomeAssistant, switch: FakeSwitch
) -> None:
    """A hand is never taken for our own echo."""
    pump, recorder = pump_at(hass, "switch.return_pump")
    await pump.apply({"level": {"level": 100.0}})
    switch.lies = True
    applying = asyncio.ensure_future(pump.apply({"level": {"level": 100.0}}))
    while len(switch.log) < 2:
        await asyncio.sleep(0)
    switch.async_set_context(Context(user_id="keeper", parent_id="parent"))
    switch.show(is_on=False)
    await applying
    last = recorder.observations[-1]
    assert last.setting == {"level": 0.0}
    assert (last.user_id, last.parent_id) == ("keeper", "parent")
    assert last.context_id


async def test_outside_change_is_an_observation(
    hass: HomeAssistant, switch: FakeSwitch
) -> None:
    """A change at the device has neither user nor parent."""
    _, recorder = pump_at(hass, "switch.return_pump")
    switch.show(is_on=True)
    await hass.async_block_till_done()
    (seen,) = recorder.observations
    assert seen.setting == {"level": 100.0}
    assert (seen.user_id, seen.parent_id) == (None, None)


async def test_failed_write_leaves_what_is_shown(
    hass: HomeAssistant, switch: FakeSwitch
) -> None:
    """Nothing is assumed, nothing is told."""
    pump, recorder = pump_at(hass, "switch.return_pump")
    switch.fails = [HomeAssistantError("down")]
    with pytest.raises(DeviceError, match="service_failed"):
        await pump.apply({"level": {"level": 100.0}})
    assert pump.observed("level") == {"level": 0.0}
    assert recorder.observations == []


async def test_write_that_took_effect_and_then_failed_is_told(
    hass: HomeAssistant, switch: FakeSwitch
) -> None:
    """The engine must know what the device did all the same (R-T16)."""
    pump, recorder = pump_at(hass, "switch.return_pump")
    switch.hangs = asyncio.Event()
    applying = asyncio.ensure_future(pump.apply({"level": {"level": 100.0}}))
    while not switch.log:
        await asyncio.sleep(0)
    switch.show(is_on=True)
    applying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await applying
    assert recorder.settings == [{"level": 100.0}]


async def test_stop_during_a_write(hass: HomeAssistant, switch: FakeSwitch) -> None:
    """What is shown in the end is told once, when both have ended."""
    pump, recorder = pump_at(hass, "switch.return_pump")
    switch.show(is_on=True)
    switch.hangs = asyncio.Event()
    applying = asyncio.ensure_future(pump.apply({"level": {"level": 100.0}}))
    while not switch.log:
        await asyncio.sleep(0)
    hanging, switch.hangs = switch.hangs, None
    assert (await pump.stop()).confirmed
    assert recorder.settings == [{"level": 100.0}]
    applying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await applying
    assert recorder.settings == [{"level": 100.0}, {"level": 0.0}]
    hanging.set()


async def test_entity_that_comes_and_goes(
    hass: HomeAssistant, switch: FakeSwitch
) -> None:
    """Coming back with the same value is told as availability only (R-T55)."""
    pump, recorder = pump_at(hass, "switch.return_pump")
    await pump.apply({"level": {"level": 100.0}})
    switch.show(available=False)
    assert not is_available(pump)
    assert pump.observed("level") == {"level": 100.0}
    switch.show(available=True)
    switch.show(available=False)
    switch.show(available=True, is_on=False)
    await hass.async_block_till_done()
    assert recorder.availability == [False, True, False, True]
    assert recorder.settings == [{"level": 100.0}, {"level": 0.0}]


async def test_entity_loaded_later_is_taken_up(hass: HomeAssistant) -> None:
    """The pump becomes available with its value and its bounds."""
    pump, recorder = pump_at(hass, "number.speed")
    assert not is_available(pump)
    assert pump.observed("level") is None
    assert pump.fields["level"].step is None
    await add(hass, "number", FakeNumber("speed"))
    assert recorder.availability == [True]
    assert pump.observed("level") == {"level": 50.0}
    assert pump.fields["level"].step == pytest.approx(1.6667)


async def test_unknown_is_available_without_a_value(
    hass: HomeAssistant, switch: FakeSwitch
) -> None:
    """It can be set, but the word is not a value."""
    switch.show(is_on=None)
    pump, recorder = pump_at(hass, "switch.return_pump")
    assert is_available(pump)
    assert pump.observed("level") is None
    await pump.apply({"level": {"level": 100.0}})
    assert recorder.settings == [{"level": 100.0}]


async def test_turn_on_comes_back_to_the_last_level(hass: HomeAssistant) -> None:
    """A pump that was regulated by hand is remembered."""
    number = FakeNumber("speed")
    await add(hass, "number", number)
    pump, _ = pump_at(hass, "number.speed")
    number.show(native_value=34.0)
    number.show(native_value=10.0)
    await hass.async_block_till_done()
    assert pump.setting_for("turn_on", {}, None) == ("level", {"level": 80.0})


async def test_level_between_is_refused_for_a_switch(
    hass: HomeAssistant, switch: FakeSwitch
) -> None:
    """Both roads refuse it before the device is touched."""
    pump, _ = pump_at(hass, "switch.return_pump")
    with pytest.raises(InvalidValue, match="value_out_of_bounds"):
        pump.setting_for("set_level", {"level": 50}, None)
    with pytest.raises(InvalidValue, match="value_out_of_bounds"):
        pump.check("level", 50)
    with pytest.raises(DeviceError, match="unsupported"):
        await pump.apply({"flow": {"flow": 1.0}})
    assert switch.log == []


async def test_stop_goes_to_the_safe_level(hass: HomeAssistant) -> None:
    """Some pumps must never stand still."""
    number = FakeNumber("speed")
    await add(hass, "number", number)
    pump, _ = pump_at(hass, "number.speed", safe_level=20.0)
    assert await pump.stop() == StopReport(confirmed=True, detail="stopped")
    assert number.log == [{"value": 16.0}]


async def test_stop_tells_why_it_failed(
    hass: HomeAssistant, switch: FakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never raises, and never waits without end."""
    pump, _ = pump_at(hass, "switch.return_pump")
    switch.fails = [HomeAssistantError("down")]
    assert await pump.stop() == StopReport(confirmed=False, detail="service_failed")
    switch.hangs = asyncio.Event()
    monkeypatch.setattr(backed_device, "STOP_TIME", 0.02)
    assert await pump.stop() == StopReport(confirmed=False, detail="no_answer")


async def test_request_status_asks_the_entity_to_update(
    hass: HomeAssistant, switch: FakeSwitch
) -> None:
    """The answer is what it shows (R-C12)."""
    assert await async_setup_component(hass, "homeassistant", {})
    pump, _ = pump_at(hass, "switch.return_pump")
    assert await pump.perform("request_status", {}) == {
        "available": True,
        "fields": {"level": {"level": 0.0}},
    }
    switch.show(available=False)
    assert await pump.perform("request_status", {}) == {
        "available": False,
        "fields": {"level": None},
    }


async def test_other_actions_are_refused(
    hass: HomeAssistant, switch: FakeSwitch
) -> None:
    """The argument or action at fault is named."""
    pump, _ = pump_at(hass, "switch.return_pump")
    with pytest.raises(InvalidValue, match="unknown_action"):
        await pump.perform("enable_auto_mode", {})
    with pytest.raises(InvalidValue, match="unknown_argument"):
        await pump.perform("request_status", {"now": 1})


async def test_closed_pump_hears_nothing(
    hass: HomeAssistant, switch: FakeSwitch
) -> None:
    """Its entity lives on without it."""
    pump, recorder = pump_at(hass, "switch.return_pump")
    await pump.close()
    switch.show(is_on=True)
    await hass.async_block_till_done()
    assert recorder.observations == []
    assert pump.observed("level") == {"level": 0.0}
