"""Sensors of write actions, through their lives (R-T58)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from freezegun import freeze_time
from homeassistant.const import STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError

from .api.http.rest import PUMP, SKIMMER, pump
from .api.http.write_actions import action, in_phase
from .aquarium import NAME, aquarium, device_named, entity_of, heard


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up with the sensors that keepers have to enable."""
    async with aquarium(hass, tmp_path, Platform.SENSOR, demo=True, all_enabled=True):
        yield


def state_of(hass: HomeAssistant, key: str) -> State:
    """Return the state of one of the aquarium's sensors."""
    state = hass.states.get(entity_of(hass, Platform.SENSOR, NAME, key))
    assert state is not None
    return state


def counts(hass: HomeAssistant) -> list[str]:
    """Return how many are planned, active and failed."""
    return [
        state_of(hass, f"write_actions_{word}").state
        for word in ("planned", "active", "failed")
    ]


async def taken(hass: HomeAssistant, name: str, phase: Phase, **more: object) -> str:
    """Take a write action and wait until it is in a phase; return its id."""
    asked = action(hass, name) | more
    async with heard(hass, in_phase(phase, asked["action_id"])):
        await hass.services.async_call(
            "aquarist", "create_write_action", asked, blocking=True
        )
    await hass.async_block_till_done()
    action_id: str = asked["action_id"]
    return action_id


async def test_through_one_full_cycle(hass: HomeAssistant) -> None:
    """Planned, active, and over."""
    assert counts(hass) == ["0", "0", "0"]
    later = action(hass, start=3600)
    await hass.services.async_call(
        "aquarist", "create_write_action", later, blocking=True
    )
    await hass.async_block_till_done()
    assert counts(hass) == ["1", "0", "0"]
    soon = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()
    action_id = await taken(hass, SKIMMER, Phase.IN_FORCE, end_timestamp=soon)
    assert counts(hass) == ["1", "1", "0"]
    async with heard(hass, in_phase(Phase.COMPLETED, action_id)):
        pass
    await hass.async_block_till_done()
    assert counts(hass) == ["1", "0", "0"]
    assert state_of(hass, "write_action_error").state == STATE_UNKNOWN


async def test_a_failure_counts_for_a_day(hass: HomeAssistant) -> None:
    """It says why, and of which; then it is forgotten by itself."""
    pump(hass).fail_next(DeviceError("service_failed", transient=False))
    action_id = await taken(hass, PUMP, Phase.FAILED)
    assert counts(hass) == ["0", "0", "1"]
    error = state_of(hass, "write_action_error")
    assert error.state == "service_failed"
    assert error.attributes["action_id"] == action_id
    assert error.attributes["device_id"] == device_named(hass, PUMP).row.uuid
    assert error.attributes["error_message"].startswith("Not done")

    later = dt_util.utcnow() + timedelta(hours=24, seconds=1)
    with freeze_time(later):
        async_fire_time_changed(hass, later)
        await hass.async_block_till_done()
        assert counts(hass)[2] == "0"
        error = state_of(hass, "write_action_error")
        assert error.state == STATE_UNKNOWN
        assert error.attributes["action_id"] is None
