"""How Aquarist is, on Home Assistant's page of system information."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .data import DATA_ENGINE


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register what is shown."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the state of the store and how much there is to do."""
    engine = hass.data[DATA_ENGINE]
    devices = [one for one in engine.devices.values() if one.row.retired_at is None]
    return {
        "store": engine.store_trouble or "ok",
        "devices": len(devices),
        "devices_unavailable": sum(not one.available for one in devices),
        "schedules": len(engine.planner.schedules),
        "open_commands": len(engine.records.open),
        "kept_outcomes": engine.journal.kept,
        "unknown_doses": len(engine.gate.unknown),
        "missed_doses": len(engine.missed.waiting),
        "containers_low": sum(
            status.low
            for device in devices
            for head in device.limits.heads
            if (status := engine.containers.status(device, head)) is not None
        ),
    }
