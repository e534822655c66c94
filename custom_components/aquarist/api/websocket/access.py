"""What every WebSocket command that reads needs: the device that is meant, and the right."""

from typing import Any

from homeassistant.auth.permissions.const import CAT_ENTITIES, POLICY_READ
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import Unauthorized
import probatio as vol

from ...engine.state import DeviceState
from ..rights import may_read, sees
from ..targets import target

DEVICE = vol.Any(vol.All(str, vol.Length(min=1)), vol.All(int, vol.Range(min=1)))

ONE_DEVICE: dict[str | vol.Marker, Any] = {
    vol.Exclusive("device_id", "device"): DEVICE,
    vol.Exclusive("address", "device"): DEVICE,
}
"""A device may be named, in either word (R-C22)."""


def wanted_device(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> DeviceState | None:
    """Return the device that a message names, None when it names none.

    Raises EngineError for an unknown one, Unauthorized for one that the user may not see.
    """
    reference = msg.get("device_id", msg.get("address"))
    if reference is None:
        return None
    device = target(hass, reference)
    if not may_read(hass, connection.user, device):
        raise Unauthorized(
            context=connection.context(msg),
            permission=POLICY_READ,
            user_id=connection.user.id,
            perm_category=CAT_ENTITIES,
        )
    return device


def readable(hass: HomeAssistant, connection: ActiveConnection, number: int) -> bool:
    """Return whether the user may see a device by its number."""
    return sees(hass, connection.user, number)
