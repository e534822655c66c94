"""The settings of the whole domain as a service (RES-66)."""

from homeassistant.core import ServiceCall, ServiceResponse

from ..api.fields import plain
from ..api.rights import require_admin
from ..data import DATA_ENGINE
from ..errors import translating

SET_SETTINGS = "set_settings"


async def _set_settings(call: ServiceCall) -> ServiceResponse:
    """Change some settings; answer with all as they are from now on."""
    await require_admin(call.hass, call.context)
    settings = call.hass.data[DATA_ENGINE].live_settings
    with translating():
        return await settings.request(plain(call.data), call.context.user_id)


SERVICES = {
    SET_SETTINGS: _set_settings,
}
