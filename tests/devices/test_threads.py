"""R-C51: what Home Assistant does in a thread has ended before something else begins."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event
from typing import Any, override

from homeassistant.components.number import NumberEntity
from homeassistant.components.switch import SwitchEntity
from homeassistant.core import HomeAssistant, ServiceCall as Called
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices import backed_device
from custom_components.aquarist.devices.entity_adapter import ServiceCall
from custom_components.aquarist.devices.threads import runs_in_thread
from custom_components.aquarist.engine.intake import Origin
from tests.aquarium import aquarium, device_named, engine_of, subentry

from .entities import FakeNumber, FakeSwitch, add

PATIENCE = 10.0


class BlockingSwitch(SwitchEntity):
    """A switch of an integration that blocks a thread while it works."""

    _attr_name = "pump"
    _attr_should_poll = False
    _attr_is_on = False

    def __init__(self) -> None:
        """Go on at once until told otherwise."""
        self.log: list[str] = []
        self.begun = Event()
        self.go_on = Event()
        self.go_on.set()
        self.fails: Exception | None = None

    def _work(self, name: str) -> None:
        self.log.append(f"{name} begins")
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        self.log.append(f"{name} ends")
        if self.fails is not None:
            raise self.fails
        self._attr_is_on = name == "on"
        self.schedule_update_ha_state()

    @override
    def turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        self._work("on")

    @override
    def turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        self._work("off")


class BlockingNumber(NumberEntity):
    """A number that is set in a thread."""

    _attr_name = "flow"
    _attr_should_poll = False

    @override
    def set_native_value(self, value: float) -> None:
        """Take the value."""


@pytest.fixture
async def switch(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[BlockingSwitch]:
    """Set up a pump that is made of a blocking switch."""
    entity = BlockingSwitch()
    await add(hass, "switch", entity)
    async with aquarium(
        hass,
        tmp_path,
        subentries=[subentry("pump", "Pump", {"entity_id": "switch.pump"})],
    ):
        yield entity
        entity.go_on.set()


async def sent(hass: HomeAssistant, action: str, timeout: float = 10) -> Command:
    """Send a command to the pump."""
    return await engine_of(hass).send(
        device_named(hass, "Pump"),
        action,
        {},
        Origin(source=Source.REST),
        timeout=timeout,
    )


async def ended(hass: HomeAssistant, command: Command) -> Command:
    """Return a command as it ended."""
    async with asyncio.timeout(PATIENCE):
        return await engine_of(hass).finished(command)


async def test_the_next_command_waits_for_the_thread(
    hass: HomeAssistant, switch: BlockingSwitch
) -> None:
    """The record has ended in time; the thread has not, and nobody can end it."""
    switch.go_on.clear()
    late = await ended(hass, await sent(hass, "turn_on", timeout=1))
    assert late.phase is Phase.TIMED_OUT
    queue = device_named(hass, "Pump").queue
    assert not queue.idle
    following = await sent(hass, "turn_off")
    assert following.phase is Phase.PLANNED

    switch.go_on.set()
    assert (await ended(hass, following)).phase is Phase.COMPLETED
    assert switch.log[:4] == ["on begins", "on ends", "off begins", "off ends"]


async def test_the_error_of_a_thread_that_was_given_up_is_taken(
    hass: HomeAssistant, switch: BlockingSwitch
) -> None:
    """Nobody waits for it any more; the queue goes on."""
    switch.go_on.clear()
    switch.fails = HomeAssistantError("too late")
    await ended(hass, await sent(hass, "turn_on", timeout=1))
    following = await sent(hass, "turn_off")
    switch.go_on.set()
    assert (await ended(hass, following)).error == "service_failed"


async def test_nobody_waits_for_ever(
    hass: HomeAssistant, switch: BlockingSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that never ends does not block the pump for good."""
    monkeypatch.setattr(backed_device, "LONGEST_LATE", 0.05)
    switch.go_on.clear()
    await ended(hass, await sent(hass, "turn_on", timeout=1))
    assert (await ended(hass, await sent(hass, "turn_off", timeout=1))).final
    assert switch.log == ["on begins", "off begins"]


async def test_a_stop_does_not_wait(
    hass: HomeAssistant, switch: BlockingSwitch
) -> None:
    """Design 5: it goes out beside what hangs."""
    switch.go_on.clear()
    await sent(hass, "turn_on", timeout=30)
    await hass.async_add_executor_job(switch.begun.wait, PATIENCE)
    queue = device_named(hass, "Pump").queue

    async def stopped() -> str:
        return "out"

    assert await queue.stop(stopped) == "out"
    assert switch.log == ["on begins"]


async def test_which_calls_run_in_threads(hass: HomeAssistant) -> None:
    """By how the entity was written, or the service itself."""

    def block(call: Called) -> None:
        """Do nothing."""

    async def wait(call: Called) -> None:
        """Do nothing."""

    hass.services.async_register("test", "block", block)
    hass.services.async_register("test", "wait", wait)
    await add(hass, "switch", BlockingSwitch(), FakeSwitch("other"))
    await add(hass, "number", BlockingNumber(), FakeNumber("depth"))

    def threaded(name: str, entity_id: str) -> bool:
        domain, _, service = name.partition(".")
        return runs_in_thread(
            hass, entity_id, ServiceCall(domain=domain, service=service)
        )

    assert threaded("switch.turn_on", "switch.pump")
    assert not threaded("switch.turn_on", "switch.other")
    assert not threaded("homeassistant.update_entity", "switch.pump")
    assert threaded("number.set_value", "number.flow")
    assert not threaded("number.set_value", "number.depth")
    assert not threaded("switch.turn_on", "switch.gone")
    assert not threaded("nobody.home", "nobody.home")
    assert threaded("test.block", "nobody.home")
    assert not threaded("test.wait", "nobody.home")
