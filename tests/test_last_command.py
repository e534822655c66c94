"""The sensor of a device's last command: what was asked, and what became of it (R-C35)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.const import (
    EVENT_STATE_CHANGED,
    STATE_UNKNOWN,
    EntityCategory,
    Platform,
)
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist.api.serializers import COMMAND_STATUSES
from custom_components.aquarist.commands.command import Command, Source, changed
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.changes import CommandChanged
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.last_command import ATTRIBUTES_LIMIT, SHOWN

from .api.http.rest import PUMP, SKIMMER, pump
from .aquarium import aquarium, device_named, engine_of, entity_of, restart
from .package_source import english


@pytest.fixture(autouse=True)
async def entry(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[MockConfigEntry]:
    """Set the demo aquarium up with the sensors that keepers have to enable."""
    async with aquarium(
        hass, tmp_path, Platform.SENSOR, demo=True, all_enabled=True
    ) as made:
        yield made


def shown(hass: HomeAssistant, device: str = PUMP) -> State:
    """Return the state of a device's sensor."""
    state = hass.states.get(entity_of(hass, Platform.SENSOR, device, "last_command"))
    assert state is not None
    return state


async def sent(hass: HomeAssistant, id: str, action: str, **more: Any) -> None:
    """Have the pump do something and wait for its end."""
    state = device_named(hass, PUMP)
    asked = {"device_id": state.row.uuid, "id": id, "action": action} | more
    await hass.services.async_call(
        "aquarist",
        "send_command",
        {"execution": "sync"} | asked,
        blocking=True,
        return_response=True,
    )
    await hass.async_block_till_done()


async def test_nothing_was_asked_yet(hass: HomeAssistant) -> None:
    """It is unknown, and knows nothing else."""
    assert shown(hass).state == STATE_UNKNOWN
    assert not set(shown(hass).attributes) & set(SHOWN)


async def test_what_was_done(hass: HomeAssistant) -> None:
    """The status is the state; what was asked, when and by whom are its attributes."""
    await sent(hass, "one", "set_level", args={"level": 40})
    found = shown(hass)
    assert found.state == "success"
    told = {name: found.attributes[name] for name in SHOWN}
    assert told.pop("created_at") <= told.pop("completed_at")
    assert told == {
        "command_id": "one",
        "action": "set_level",
        "args": {"level": 40},
        "source": "service",
        "error": None,
        "error_code": None,
    }
    assert shown(hass, SKIMMER).state == STATE_UNKNOWN


async def test_each_status_is_told_once(hass: HomeAssistant) -> None:
    """So that a command costs the recorder two rows, and three when it has to wait."""
    heard: list[str] = []

    def listen(event: Event[EventStateChangedData]) -> None:
        """Keep the states of the sensor."""
        new = event.data["new_state"]
        if new is not None and new.entity_id == shown(hass).entity_id:
            heard.append(new.state)

    hass.bus.async_listen(EVENT_STATE_CHANGED, listen)
    engine, queue = engine_of(hass), device_named(hass, PUMP).queue
    queue.hold()
    await sent(hass, "one", "turn_off", execution="queued")
    (command,) = engine.records.open
    queue.release()
    await engine.finished(command)
    await hass.async_block_till_done()
    assert heard == ["pending", "running", "success"]


async def test_why_it_failed(hass: HomeAssistant) -> None:
    """The reason and its kind are there."""
    pump(hass).fail_next(DeviceError("service_failed", transient=False))
    with pytest.raises(HomeAssistantError):
        await sent(hass, "one", "turn_on")
    await hass.async_block_till_done()
    found = shown(hass)
    assert found.state == "failed"
    assert found.attributes["error"] == "service_failed"
    assert found.attributes["error_code"] == "command_failed"


async def test_one_that_ends_late_is_not_the_last(hass: HomeAssistant) -> None:
    """What was asked for later stays the last, whenever an older one ends."""
    await sent(
        hass,
        "later",
        "turn_on",
        execution="queued",
        scheduled_at=(dt_util.utcnow() + timedelta(hours=1)).isoformat(),
    )
    assert (shown(hass).state, shown(hass).attributes["command_id"]) == (
        "pending",
        "later",
    )
    await sent(hass, "now", "turn_off")
    await hass.services.async_call(
        "aquarist",
        "cancel_command",
        {"device_id": device_named(hass, PUMP).row.uuid, "id": "later"},
        blocking=True,
    )
    await hass.async_block_till_done()
    assert (shown(hass).state, shown(hass).attributes["command_id"]) == (
        "success",
        "now",
    )


async def test_what_aquarist_asks_for_by_itself_is_none(hass: HomeAssistant) -> None:
    """Nobody asked for it."""
    engine, state = engine_of(hass), device_named(hass, PUMP)
    command = await engine.send(state, "turn_on", {}, Origin(source=Source.ENGINE))
    await engine.finished(command)
    await hass.async_block_till_done()
    assert shown(hass).state == STATE_UNKNOWN


async def test_it_is_there_after_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The records know it."""
    await sent(hass, "one", "turn_on")
    await restart(hass, entry)
    assert shown(hass).state == "success"
    assert shown(hass).attributes["command_id"] == "one"


async def test_a_store_that_cannot_be_read_leaves_it_unknown(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the next command."""
    await sent(hass, "one", "turn_on")
    assert await hass.config_entries.async_unload(entry.entry_id)
    monkeypatch.setattr(engine_of(hass).history, "_database", None)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert shown(hass).state == STATE_UNKNOWN
    await sent(hass, "two", "turn_off")
    assert shown(hass).attributes["command_id"] == "two"


async def test_large_arguments_are_left_out(hass: HomeAssistant) -> None:
    """What is shown has its bounds (R-C56)."""
    await sent(hass, "one", "turn_on")
    engine = engine_of(hass)
    command = await engine.history.command(device_named(hass, PUMP), "one")
    assert command is not None
    large = changed(
        command,
        id="two",
        order=command.order + 1,
        args={"note": "x" * ATTRIBUTES_LIMIT},
    )
    engine.announcer.announce(CommandChanged(command=large))
    found = shown(hass).attributes
    assert (found["command_id"], found["args"], found["truncated"]) == (
        "two",
        None,
        True,
    )


def test_it_has_to_be_enabled(hass: HomeAssistant) -> None:
    """Only for those who look for something."""
    registry = er.async_get(hass)
    entity = registry.async_get(entity_of(hass, Platform.SENSOR, PUMP, "last_command"))
    assert entity is not None
    assert entity.entity_category is EntityCategory.DIAGNOSTIC


def test_every_status_has_its_words() -> None:
    """In the language of whoever looks."""
    texts = english()["entity"]["sensor"]["last_command"]
    assert set(texts["state"]) == set(COMMAND_STATUSES)
    assert set(texts["state_attributes"]) == set(SHOWN)


async def test_what_ends_while_it_is_looked_for_is_shown_as_ended(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """What was read before it ended does not count any more."""
    await sent(hass, "one", "turn_off")
    engine, state = engine_of(hass), device_named(hass, PUMP)
    (ended,) = await engine.history.recent(state, 1)
    before = changed(ended, phase=Phase.APPLYING)

    async def recent(device: DeviceState, _: int) -> list[Command]:
        """Answer with what was on disk just before the command ended."""
        if device is not state:
            return []
        engine.announcer.announce(CommandChanged(command=ended))
        return [before]

    with patch.object(engine.history, "recent", recent):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
    assert shown(hass).state == "success"
