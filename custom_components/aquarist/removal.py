"""What an aquarium that is removed leaves behind (design 3).

Its devices made of entities go with it. Those of Bluetooth stay and belong to no aquarium;
its modes stay stored, out of use. A repair issue tells the keeper.
"""

from collections.abc import Mapping
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import CONF_AQUARIUM, DOMAIN
from .data import DATA_ENGINE
from .engine.engine import Engine
from .store.errors import StoreError

AQUARIUM_REMOVED = "aquarium_removed"

_LOGGER = logging.getLogger(__name__)


async def leave_behind(
    hass: HomeAssistant, entry: ConfigEntry[Any], engine: Engine
) -> None:
    """Take what belonged to an aquarium out of its hands, and tell the keeper."""
    devices = _unassign(hass, entry.entry_id)
    definitions = engine.modes.definitions
    try:
        await definitions.disable(entry.entry_id)
    except StoreError as error:
        _LOGGER.warning("The modes of %s stay as they are: %s", entry.title, error)
    modes = [
        mode.name for mode in definitions.all(entry.entry_id) if mode.row is not None
    ]
    if not (devices or modes):
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{AQUARIUM_REMOVED}_{entry.entry_id}",
        data={CONF_AQUARIUM: entry.entry_id},
        is_fixable=True,
        is_persistent=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=AQUARIUM_REMOVED,
        translation_placeholders={
            "name": entry.title,
            "devices": ", ".join(devices) or "-",
            "modes": ", ".join(modes) or "-",
        },
    )


async def delete_modes(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Delete the modes of an aquarium that was removed."""
    definitions = hass.data[DATA_ENGINE].modes.definitions
    aquarium: str = data[CONF_AQUARIUM]
    for mode in definitions.all(aquarium):
        if mode.row is not None:
            await definitions.delete(aquarium, mode.name, user=None)


@callback
def _unassign(hass: HomeAssistant, aquarium: str) -> list[str]:
    """Let the devices of an aquarium belong to none from now on; return their names."""
    names = []
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        if entry.options.get(CONF_AQUARIUM) != aquarium:
            continue
        names.append(entry.title)
        hass.config_entries.async_update_entry(
            entry, options={**entry.options, CONF_AQUARIUM: None}
        )
        if entry.state is ConfigEntryState.LOADED:
            hass.config_entries.async_schedule_reload(entry.entry_id)
    return names
