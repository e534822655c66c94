"""The size of a head's container beside the head's limits, wherever it was changed or removed.

The engine knows what is in force; here it is only kept with what else the keeper entered, so
that it holds again after the next start.
"""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback

from .const import CONF_CONTAINER_ML, CONF_HEADS, CONF_KIND, KIND_CHIHIROS
from .data import AquaristConfigEntry
from .device_options import WITHOUT_CONTAINER
from .dosing.volume import millilitres
from .engine.changes import ContainerChanged
from .hardware import known_heads

LARGEST_CONTAINER_ML: Final = 100_000


@callback
def async_keep_sizes(hass: HomeAssistant, entry: AquaristConfigEntry) -> None:
    """Keep the sizes of an entry's containers until it is unloaded."""
    devices, engine = entry.runtime_data.devices, entry.runtime_data.engine

    @callback
    def changed(change: ContainerChanged) -> None:
        """Look which device has a container of another size, or none any more."""
        for key, device in devices.items():
            if device.row.number == change.device:
                capacity = engine.containers.capacity(change.device, change.head)
                size = None if capacity is None else millilitres(capacity)
                _keep(hass, entry, key, change.head, size)

    entry.async_on_unload(engine.announcer.listen(changed, ContainerChanged))


def _keep(
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    key: str,
    head: int,
    size: float | None,
) -> None:
    """Keep a size in mL where it is another one."""
    if entry.data[CONF_KIND] == KIND_CHIHIROS:
        heads = [dict(one) for one in known_heads(entry.data, entry.options)]
        if head < len(heads) and heads[head].get(CONF_CONTAINER_ML) != size:
            heads[head] = _with_size(heads[head], size)
            options = {**entry.options, CONF_HEADS: heads}
            hass.config_entries.async_update_entry(entry, options=options)
    elif (subentry := entry.subentries.get(key)) is not None:
        if subentry.data.get(CONF_CONTAINER_ML) != size:
            data = _with_size(subentry.data, size)
            # Known before the entry's listener hears of it: nothing has to be attached anew.
            entry.runtime_data.listing[key] = (subentry.title, data)
            hass.config_entries.async_update_subentry(entry, subentry, data=data)


def _with_size(head: Mapping[str, Any], size: float | None) -> dict[str, Any]:
    """Return a head with the size of its container; without one nothing is asked of it."""
    if size is None:
        return {**head, **WITHOUT_CONTAINER}
    return {**head, CONF_CONTAINER_ML: size}
