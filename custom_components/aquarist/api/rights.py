"""Who may read and who may change a device (design 7).

Whoever changes a device needs control of all its entities; a call without a user is Home
Assistant's own, such as an automation.
"""

from collections.abc import Callable, Iterable

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import (
    CAT_ENTITIES,
    POLICY_CONTROL,
    POLICY_READ,
)
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser

from ..data import DATA_ENGINE
from ..engine.state import DeviceState
from .targets import entities_of


async def require_control(
    hass: HomeAssistant,
    context: Context,
    devices: Iterable[DeviceState],
    entities: Iterable[str] = (),
) -> None:
    """Raise Unauthorized unless the caller may change every one of the devices.

    So with ``entities`` that are none of ours.
    """
    user = await _user(hass, context, POLICY_CONTROL)
    if user is not None and not (
        all(_may(hass, user, device, POLICY_CONTROL) for device in devices)
        and all(
            user.is_admin or user.permissions.check_entity(one, POLICY_CONTROL)
            for one in entities
        )
    ):
        raise Unauthorized(
            context=context,
            permission=POLICY_CONTROL,
            user_id=context.user_id,
            perm_category=CAT_ENTITIES,
        )


async def require_control_of_everything(hass: HomeAssistant, context: Context) -> None:
    """Raise Unauthorized unless the caller may change all devices, those out of use included."""
    user = await _user(hass, context, POLICY_CONTROL)
    if user is not None and not (
        user.is_admin or user.permissions.access_all_entities(POLICY_CONTROL)
    ):
        raise Unauthorized(
            context=context, permission=POLICY_CONTROL, user_id=context.user_id
        )


async def require_admin(hass: HomeAssistant, context: Context) -> None:
    """Raise Unauthorized unless the caller is an administrator, or Home Assistant itself."""
    user = await _user(hass, context, POLICY_CONTROL)
    if user is not None and not user.is_admin:
        raise Unauthorized(context=context, user_id=context.user_id)


async def seer(hass: HomeAssistant, context: Context) -> Callable[[int], bool]:
    """Return what tells whether the caller may see a device by its number."""
    user = await _user(hass, context, POLICY_READ)
    return lambda number: user is None or sees(hass, user, number)


def sees_everything(user: User) -> bool:
    """Return whether a user may see all devices, those out of use included."""
    return user.is_admin or user.permissions.access_all_entities(POLICY_READ)


def may_read(hass: HomeAssistant, user: User, device: DeviceState) -> bool:
    """Return whether a user may see a device."""
    return _may(hass, user, device, POLICY_READ)


def sees(hass: HomeAssistant, user: User, number: int) -> bool:
    """Return whether a user may see a device by its number.

    One that is out of use is for those who may see everything.
    """
    if sees_everything(user):
        return True
    device = hass.data[DATA_ENGINE].devices.get(number)
    return device is not None and may_read(hass, user, device)


async def _user(hass: HomeAssistant, context: Context, policy: str) -> User | None:
    """Return who calls; None is Home Assistant itself. Raises UnknownUser for one who is gone."""
    if context.user_id is None:
        return None
    user = await hass.auth.async_get_user(context.user_id)
    if user is None:
        raise UnknownUser(context=context, permission=policy, user_id=context.user_id)
    return user


def _may(hass: HomeAssistant, user: User, device: DeviceState, policy: str) -> bool:
    """Return whether a user has a right on all entities of a device."""
    if user.is_admin or user.permissions.access_all_entities(policy):
        return True
    entities = entities_of(hass, device)
    return bool(entities) and all(
        user.permissions.check_entity(entity, policy) for entity in entities
    )
