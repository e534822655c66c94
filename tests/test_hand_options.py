"""What a keeper chose for changes by hand is what happens under a window (RES-54)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import (
    Context,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.changes import Change, CommandChanged
from custom_components.aquarist.engine.claims import LASTS
from custom_components.aquarist.layers.claims import Layer

from .aquarium import PATIENCE, aquarium, device_named, entities_behind, heard, subentry

BEHIND = "input_number.wave"
PUMP = {
    "entity_id": BEHIND,
    "minimum": None,
    "maximum": None,
    "safe_level": None,
    "maximum_on_minutes": None,
    "slew": None,
}


@asynccontextmanager
async def arrival(hass: HomeAssistant, *levels: float) -> AsyncIterator[None]:
    """Wait, at the end of the block, until the entity has shown these levels in this order."""
    awaited, arrived = list(levels), asyncio.Event()

    @callback
    def listen(event: Event[EventStateChangedData]) -> None:
        """Tick off the level that is next."""
        state = event.data["new_state"]
        if awaited and state is not None and float(state.state) == awaited[0]:
            awaited.pop(0)
        if not awaited:
            arrived.set()

    leave = async_track_state_change_event(hass, BEHIND, listen)
    try:
        yield
        async with asyncio.timeout(PATIENCE):
            await arrived.wait()
    finally:
        leave()


async def open_window(
    hass: HomeAssistant, value: float, lasting: timedelta = timedelta(hours=1)
) -> None:
    """Set the pump to a level from now on, and wait until it is there."""
    now = dt_util.utcnow()
    async with arrival(hass, value):
        await hass.services.async_call(
            DOMAIN,
            "create_write_action",
            {
                "action_id": str(uuid4()),
                "device_id": device_named(hass, "Wave").row.uuid,
                "field_name": "level",
                "value": value,
                "start_timestamp": now.isoformat(),
                "end_timestamp": (now + lasting).isoformat(),
            },
            blocking=True,
        )
    await hass.async_block_till_done()


def is_override(change: Change) -> bool:
    """Tell that a change by hand has become an override."""
    return isinstance(change, CommandChanged) and change.command.layer is Layer.OVERRIDE


def is_window_that_ended(change: Change) -> bool:
    """Tell that a window is over, and what shows after it has been set."""
    return (
        isinstance(change, CommandChanged)
        and change.command.layer is Layer.WINDOW
        and change.command.final
    )


async def set_by_hand(hass: HomeAssistant, user: MockUser, level: float) -> None:
    """Set the pump's own entity, past Aquarist, as somebody at the dashboard does."""
    await hass.services.async_call(
        "input_number",
        "set_value",
        {ATTR_ENTITY_ID: BEHIND, "value": level},
        blocking=True,
        context=Context(user_id=user.id),
    )


async def test_enforce_undoes_a_change_by_hand(
    hass: HomeAssistant, tmp_path: Path, hass_admin_user: MockUser
) -> None:
    """The window's level comes back at once."""
    await entities_behind(hass, wave=80)
    kept = subentry("pump", "Wave", {**PUMP, "hand": "enforce"})
    async with aquarium(hass, tmp_path, subentries=[kept]):
        await open_window(hass, 40)

        async with arrival(hass, 90, 40):
            await set_by_hand(hass, hass_admin_user, 90)


async def test_otherwise_a_change_by_hand_wins_for_the_time_chosen(
    hass: HomeAssistant, tmp_path: Path, hass_admin_user: MockUser
) -> None:
    """Minutes: the pump stays where it was set, and the override lasts as long as chosen."""
    await entities_behind(hass, wave=80)
    rule = {"hand": "minutes", "hand_minutes": 5}
    kept = subentry("pump", "Wave", {**PUMP, **rule})
    async with aquarium(hass, tmp_path, subentries=[kept]):
        await open_window(hass, 40)

        async with heard(hass, is_override) as override:
            await set_by_hand(hass, hass_admin_user, 90)
        await hass.async_block_till_done()

        state = hass.states.get(BEHIND)
        assert state is not None and float(state.state) == 90
        change = override.result()
        assert isinstance(change, CommandChanged)
        assert change.command.args[LASTS]["seconds"] == 300


@pytest.mark.parametrize(("respects", "afterwards"), [(False, 80), (True, 90)])
async def test_what_shows_when_the_window_is_over(
    hass: HomeAssistant,
    tmp_path: Path,
    hass_admin_user: MockUser,
    respects: bool,
    afterwards: float,
) -> None:
    """What was there before the window, or what was set by hand meanwhile."""
    await entities_behind(hass, wave=80)
    kept = subentry("pump", "Wave", {**PUMP, "respect_manual_change": respects})
    async with aquarium(hass, tmp_path, subentries=[kept]):
        async with heard(hass, is_window_that_ended):
            await open_window(hass, 40, lasting=timedelta(seconds=3))
            async with heard(hass, is_override):
                await set_by_hand(hass, hass_admin_user, 90)
        await hass.async_block_till_done()

        state = hass.states.get(BEHIND)
        assert state is not None and float(state.state) == afterwards
