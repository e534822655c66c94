"""Overrides as services."""

from homeassistant.core import ServiceCall, ServiceResponse
import probatio as vol

from ..api.override_requests import FIELD, OVERRIDE, release_override, set_override
from ..errors import translating
from ..schedules.validation import validated
from .calls import origin

SET_OVERRIDE = "set_override"
RELEASE_OVERRIDE = "release_override"

_SET = vol.Schema(OVERRIDE)
_RELEASE = vol.Schema(FIELD)


async def _set_override(call: ServiceCall) -> ServiceResponse:
    """Let a value win over the plan for a while (R-B111)."""
    with translating():
        asked = validated(_SET, dict(call.data), within="")
        return await set_override(call.hass, asked, origin(call), call.context)


async def _release_override(call: ServiceCall) -> ServiceResponse:
    """Let the plan have a field again."""
    with translating():
        asked = validated(_RELEASE, dict(call.data), within="")
        return await release_override(call.hass, asked, call.context)


SERVICES = {
    SET_OVERRIDE: _set_override,
    RELEASE_OVERRIDE: _release_override,
}
