"""The volume that a head's button gives: kept by the number, read by the button."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

DEFAULT_VOLUME = 1.0

_VOLUMES: HassKey[dict[str, float]] = HassKey(f"{DOMAIN}_manual_volumes")


@callback
def manual_volumes(hass: HomeAssistant) -> dict[str, float]:
    """Return the volumes in mL by the key of the head; without one it is the default."""
    return hass.data.setdefault(_VOLUMES, {})
