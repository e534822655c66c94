"""Who may read and who may change a device (design 7).

Whoever changes a device needs control of all its entities; a call without a user is Home
Assistant's own, such as an automation.
"""

from collections.abc import Iterable

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import (
    CAT_ENTITIES,
    POLICY_CONTROL,
    POLICY_READ,
)
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser

from ..engine.state import DeviceState
from .targets import entities_of


async def require_control(
    hass: HomeAssistant, context: Context, devices: Iterable[DeviceState]
) -> None:
    """Raise Unauthorized unless the caller may change every one of the devices."""
    if context.user_id is None:
        return
    user = await hass.auth.async_get_user(context.user_id)
    if user is None:
        raise UnknownUser(
            context=context, permission=POLICY_CONTROL, user_id=context.user_id
        )
    if not all(_may(hass, user, device, POLICY_CONTROL) for device in devices):
        raise Unauthorized(
            context=context,
            permission=POLICY_CONTROL,
            user_id=context.user_id,
            perm_category=CAT_ENTITIES,
        )


def may_read(hass: HomeAssistant, user: User, device: DeviceState) -> bool:
    """Return whether a user may see a device."""
    return _may(hass, user, device, POLICY_READ)


def _may(hass: HomeAssistant, user: User, device: DeviceState, policy: str) -> bool:
    """Return whether a user has a right on all entities of a device."""
    if user.is_admin or user.permissions.access_all_entities(policy):
        return True
    entities = entities_of(hass, device)
    return bool(entities) and all(
        user.permissions.check_entity(entity, policy) for entity in entities
    )
