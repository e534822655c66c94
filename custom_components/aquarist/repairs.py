"""What Home Assistant asks for the way out of a repair issue; read in when it does."""

from typing import Any

from homeassistant.components.repairs import RepairsFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers.importlib import async_import_module


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the way out of an issue."""
    flows = await async_import_module(hass, f"{__package__}.repair_flows")
    flow: RepairsFlow = flows.flow_for(issue_id)
    return flow
