"""A switch is switched off until it is seen to be off."""

import asyncio

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.aquarist.devices import switch_off
from custom_components.aquarist.devices.backing_entity import BackingEntity
from custom_components.aquarist.devices.level_adapters import level_adapter
from custom_components.aquarist.devices.switch_off import SwitchOff

from .entities import FakeSwitch, add


@pytest.fixture
async def switch(hass: HomeAssistant) -> FakeSwitch:
    """Return a switch that is on."""
    entity = FakeSwitch("dosing")
    await add(hass, "switch", entity)
    entity.show(is_on=True)
    return entity


@pytest.fixture
def off(hass: HomeAssistant, switch: FakeSwitch) -> SwitchOff:
    """Return its way to off."""
    adapter = level_adapter("switch", "level")
    return SwitchOff(
        hass,
        BackingEntity(
            hass, "switch.dosing", adapter, lambda context: None, confirm_time=0.02
        ),
    )


async def test_it_is_off_at_the_first_try(off: SwitchOff, switch: FakeSwitch) -> None:
    """And may be switched off again."""
    hanging = switch.hangs = asyncio.Event()
    running = [off.running]
    off.start()
    running.append(off.running)
    hanging.set()
    assert await off.done() == 1
    running.append(off.running)
    assert running == [False, True, False]
    assert not switch.runs()
    assert await off.attempted(1) is None
    assert switch.log == [{"on": False}, {"on": False}]


async def test_pauses_grow(
    off: SwitchOff, switch: FakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bridge that is down is not flooded with calls."""
    monkeypatch.setattr(switch_off, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(switch_off, "LONGEST_PAUSE", 0.04)
    switch.fails = [HomeAssistantError("down")] * 3
    began = asyncio.get_running_loop().time()
    assert await off.done() == 4
    assert asyncio.get_running_loop().time() - began >= 0.1


async def test_who_comes_later_joins(off: SwitchOff, switch: FakeSwitch) -> None:
    """One off at a time."""
    hanging = switch.hangs = asyncio.Event()
    both = [asyncio.ensure_future(off.done()) for _ in range(2)]
    while not switch.log:
        await asyncio.sleep(0)
    hanging.set()
    assert await asyncio.gather(*both) == [1, 1]
    assert switch.log == [{"on": False}]


async def test_first_failure_is_told_and_trying_goes_on(
    off: SwitchOff, switch: FakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report is quick and honest."""
    monkeypatch.setattr(switch_off, "FIRST_PAUSE", 0.01)
    switch.fails = [HomeAssistantError("down")]
    assert await off.attempted(5) == "service_failed"
    assert off.running
    assert await off.done() == 2
    assert not switch.runs()


async def test_attempt_is_bounded(off: SwitchOff, switch: FakeSwitch) -> None:
    """A switch that hangs gives no answer."""
    hanging = switch.hangs = asyncio.Event()
    assert await off.attempted(0.02) == "no_answer"
    hanging.set()
    await off.done()


async def test_hanging_call_is_tried_again(
    off: SwitchOff, switch: FakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time."""
    monkeypatch.setattr(switch_off, "OFF_TIME", 0.02)
    monkeypatch.setattr(switch_off, "FIRST_PAUSE", 0.01)
    switch.hangs = asyncio.Event()
    assert await off.attempted(5) == "no_answer"
    switch.hangs = None
    assert await off.done() >= 2


async def test_switch_that_was_away_is_tried_when_it_is_back(
    off: SwitchOff, switch: FakeSwitch
) -> None:
    """Whatever is left of the pause; nothing is called while it is away."""
    switch.show(available=False)
    assert await off.attempted(5) == "entity_unavailable"
    assert switch.log == []
    switch.show(available=True)
    async with asyncio.timeout(0.5):
        assert await off.done() == 2
    assert not switch.runs()


async def test_switch_that_lies_is_tried_again_when_it_shows_off(
    off: SwitchOff, switch: FakeSwitch
) -> None:
    """Off by hand ends the pause; the last word is a call that went well."""
    switch.lies = True
    assert await off.attempted(5) == "not_confirmed"
    switch.lies = False
    switch.show(is_on=False)
    async with asyncio.timeout(0.5):
        assert await off.done() == 2


async def test_off_that_raises_is_no_off_even_when_it_shows_off(
    off: SwitchOff, switch: FakeSwitch
) -> None:
    """What a dead bridge shows may be old: a call must have gone well."""
    switch.show(is_on=False)
    switch.fails = [HomeAssistantError("down")]
    assert await off.done() == 2
    assert switch.log == [{"on": False}, {"on": False}]


async def test_it_can_be_given_up(off: SwitchOff, switch: FakeSwitch) -> None:
    """For a device that is taken away; before there is anything to give up, too."""
    await off.cancel()
    switch.show(available=False)
    off.start()
    await off.cancel()
    assert not off.running
