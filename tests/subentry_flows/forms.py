"""Opens, fills in and reads the forms of subentry flows."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigSubentry, SubentryFlowResult
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.flow_forms import NO_REST, USUAL_HAND

USED_PUMP = {
    "entity_id": "switch.used",
    "minimum": None,
    "maximum": None,
    "safe_level": 0,
    **NO_REST,
    "maximum_on_minutes": None,
    "slew": None,
    **USUAL_HAND,
}


async def add(
    hass: HomeAssistant, aquarium: MockConfigEntry, kind: str
) -> SubentryFlowResult:
    """Open the form for a new device."""
    return await hass.config_entries.subentries.async_init(
        (aquarium.entry_id, kind), context={"source": SOURCE_USER}
    )


async def change(
    hass: HomeAssistant, aquarium: MockConfigEntry, device: ConfigSubentry
) -> SubentryFlowResult:
    """Open the form for a device that is there."""
    return await hass.config_entries.subentries.async_init(
        (aquarium.entry_id, device.subentry_type),
        context={"source": "reconfigure", "subentry_id": device.subentry_id},
    )


async def submit(
    hass: HomeAssistant, result: SubentryFlowResult, user_input: Mapping[str, Any]
) -> SubentryFlowResult:
    """Fill in the form and send it."""
    return await hass.config_entries.subentries.async_configure(
        result["flow_id"], dict(user_input)
    )


def listed(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    kind: str,
    title: str,
    data: Mapping[str, Any],
) -> ConfigSubentry:
    """List a device in the aquarium, as a flow did before."""
    device = ConfigSubentry(
        data=MappingProxyType(dict(data)),
        subentry_type=kind,
        title=title,
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(aquarium, device)
    return device


def devices(aquarium: MockConfigEntry) -> list[tuple[str, str, dict[str, Any]]]:
    """Return kind, name and data of the aquarium's devices."""
    return [
        (device.subentry_type, device.title, dict(device.data))
        for device in aquarium.subentries.values()
    ]
