"""The write actions and overrides that the pages of the documentation speak of."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.simulated import SimulatedPump
from custom_components.aquarist.engine.changes import Change, CommandChanged

from ..aquarium import device_named, heard

ACTION_ID = "7f3b1c1e-7e5d-4b5a-9a0e-2f1d3c4b5a69"
SKIMMER = {"device_id": 4, "field_name": "level"}


async def _create(hass: HomeAssistant, start: datetime) -> None:
    """Take a write action on the skimmer, for ten minutes."""
    data: dict[str, Any] = {
        **SKIMMER,
        "action_id": ACTION_ID,
        "value": 30,
        "start_timestamp": start.isoformat(),
        "end_timestamp": (start + timedelta(minutes=10)).isoformat(),
    }
    await hass.services.async_call(DOMAIN, "create_write_action", data, blocking=True)


async def fail_write_action(hass: HomeAssistant) -> None:
    """Let a write action fail whose time is not over."""

    def failed(change: Change) -> bool:
        """Tell its failure."""
        return isinstance(change, CommandChanged) and (
            change.command.phase is Phase.FAILED
        )

    skimmer = device_named(hass, "Skimmer").device
    assert isinstance(skimmer, SimulatedPump)
    skimmer.fail_next(DeviceError("service_failed", transient=False))
    async with heard(hass, failed):
        await _create(hass, datetime.now(UTC))


async def plan_and_override(hass: HomeAssistant) -> None:
    """Take a write action for later, and let an override hold the skimmer."""

    def holds(change: Change) -> bool:
        """Tell that the override holds."""
        return isinstance(change, CommandChanged) and (
            change.command.phase is Phase.IN_FORCE
        )

    await _create(hass, datetime(2035, 3, 1, 17, tzinfo=UTC))
    async with heard(hass, holds):
        await hass.services.async_call(
            DOMAIN,
            "set_override",
            {**SKIMMER, "value": 0, "seconds": 1800},
            blocking=True,
        )
