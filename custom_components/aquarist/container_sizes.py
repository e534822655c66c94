"""The size of a head's container beside the head's limits, wherever it was changed.

The engine knows what is in force; here it is only kept with what else the keeper entered, so
that it holds again after the next start.
"""

from homeassistant.core import HomeAssistant, callback

from .const import CONF_CONTAINER_ML, CONF_HEADS, CONF_KIND, KIND_CHIHIROS
from .data import AquaristConfigEntry
from .dosing.volume import millilitres
from .engine.changes import Change, ContainerChanged
from .hardware import known_heads


@callback
def async_keep_sizes(hass: HomeAssistant, entry: AquaristConfigEntry) -> None:
    """Keep the sizes of an entry's containers until it is unloaded."""
    devices, engine = entry.runtime_data.devices, entry.runtime_data.engine

    @callback
    def changed(change: Change) -> None:
        """Look which device has a container of another size."""
        if not isinstance(change, ContainerChanged):
            return
        for key, device in devices.items():
            if device.row.number == change.device:
                status = engine.containers.status(device, change.head)
                if status is not None:
                    size = millilitres(status.capacity)
                    _keep(hass, entry, key, change.head, size)

    entry.async_on_unload(engine.listen(changed))


def _keep(
    hass: HomeAssistant, entry: AquaristConfigEntry, key: str, head: int, size: float
) -> None:
    """Keep a size in mL where it is another one."""
    if entry.data[CONF_KIND] == KIND_CHIHIROS:
        heads = [dict(one) for one in known_heads(entry.data, entry.options)]
        if heads[head].get(CONF_CONTAINER_ML) != size:
            heads[head][CONF_CONTAINER_ML] = size
            options = {**entry.options, CONF_HEADS: heads}
            hass.config_entries.async_update_entry(entry, options=options)
    elif (subentry := entry.subentries.get(key)) is not None:
        if subentry.data.get(CONF_CONTAINER_ML) != size:
            data = {**subentry.data, CONF_CONTAINER_ML: size}
            # Known before the entry's listener hears of it: nothing has to be attached anew.
            entry.runtime_data.listing[key] = (subentry.title, data)
            hass.config_entries.async_update_subentry(entry, subentry, data=data)
