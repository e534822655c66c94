"""The button that doses with a head, and its volume: kept by the number, read by the button."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

DOSE_NOW = "dose_now"
"""The key of the button."""
DEFAULT_VOLUME = 1.0

_VOLUMES: HassKey[dict[str, float]] = HassKey(f"{DOMAIN}_manual_volumes")


@callback
def manual_volumes(hass: HomeAssistant) -> dict[str, float]:
    """Return the volumes in mL by the key of the head; without one it is the default."""
    return hass.data.setdefault(_VOLUMES, {})


def head_of_button(unique_id: str) -> tuple[str, str, int] | None:
    """Return the key, the device's UUID and the index of the head that a button doses with.

    None for the unique id of another entity.
    """
    key = unique_id.removesuffix(f"_{DOSE_NOW}")
    if key == unique_id:
        return None
    uuid, _, head = key.rpartition("_")
    return key, uuid, int(head)
