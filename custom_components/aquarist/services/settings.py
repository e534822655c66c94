"""The settings of the whole domain as a service (RES-66)."""

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)

from ..api.fields import plain
from ..api.rights import require_admin
from ..const import DOMAIN
from ..data import DATA_ENGINE
from ..errors import translating

SET_SETTINGS = "set_settings"


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the services of this group."""
    hass.services.async_register(
        DOMAIN,
        SET_SETTINGS,
        _set_settings,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _set_settings(call: ServiceCall) -> ServiceResponse:
    """Change some settings; answer with all as they are from now on."""
    await require_admin(call.hass, call.context)
    user = call.context.user_id
    with translating():
        engine = call.hass.data[DATA_ENGINE]
        settings = await engine.live_settings.update(plain(call.data), user)
    return settings.as_json()
