"""Modes of an aquarium as services: start, end, extend."""

from homeassistant.core import ServiceCall, ServiceResponse
import probatio as vol

from ..api.modes import end_mode, extend_mode, start_mode, status_record
from ..api.targets import one_aquarium
from ..const import CONF_AQUARIUM, CONF_MINUTES
from ..data import DATA_ENGINE
from ..errors import translating
from ..runs.mode_definition import minutes
from ..schedules.validation import boolean, text, validated
from .calls import origin

START_MODE = "start_mode"
END_MODE = "end_mode"
EXTEND_MODE = "extend_mode"
MODE = "mode"
AT_ONCE = "at_once"

_AQUARIUM: dict[vol.Marker, object] = {
    vol.Optional(CONF_AQUARIUM, default=None): vol.Maybe(text(100))
}
_START = vol.Schema(
    {
        **_AQUARIUM,
        vol.Required(MODE): text(100),
        vol.Optional(CONF_MINUTES, default=None): vol.Maybe(minutes),
    }
)
_END = vol.Schema({**_AQUARIUM, vol.Optional(AT_ONCE, default=False): boolean})
_EXTEND = vol.Schema({**_AQUARIUM, vol.Required(CONF_MINUTES): minutes})


async def _start_mode(call: ServiceCall) -> ServiceResponse:
    """Start a mode, also in place of the present one."""
    with translating():
        data = validated(_START, dict(call.data), within="")
        aquarium = one_aquarium(call.hass, data[CONF_AQUARIUM])
        status = await start_mode(
            call.hass,
            call.context,
            aquarium,
            data[MODE],
            origin(call),
            minutes=data[CONF_MINUTES],
        )
    return status_record(aquarium, status)


async def _end_mode(call: ServiceCall) -> ServiceResponse:
    """Begin the staged return of a mode; a second time, or at once, everything comes back."""
    with translating():
        data = validated(_END, dict(call.data), within="")
        aquarium = one_aquarium(call.hass, data[CONF_AQUARIUM])
        await end_mode(call.hass, call.context, aquarium, at_once=data[AT_ONCE])
    status = call.hass.data[DATA_ENGINE].modes.status(aquarium)
    return status_record(aquarium, status)


async def _extend_mode(call: ServiceCall) -> ServiceResponse:
    """Let the countdown of a mode last longer."""
    with translating():
        data = validated(_EXTEND, dict(call.data), within="")
        aquarium = one_aquarium(call.hass, data[CONF_AQUARIUM])
        status = await extend_mode(
            call.hass, call.context, aquarium, data[CONF_MINUTES]
        )
    return status_record(aquarium, status)


SERVICES = {
    START_MODE: _start_mode,
    END_MODE: _end_mode,
    EXTEND_MODE: _extend_mode,
}
