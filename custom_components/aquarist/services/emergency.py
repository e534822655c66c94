"""The emergency stop as a service."""

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
import probatio as vol

from ..api.rights import require_control
from ..api.targets import aquarium_id
from ..const import CONF_AQUARIUM, DOMAIN
from ..data import DATA_ENGINE
from ..engine.emergency import NO_SAFE_VALUE, DeviceStopped
from ..engine.engine import Engine
from ..errors import translating
from ..schedules.validation import boolean, text, validated

EMERGENCY_STOP = "emergency_stop"

_EMERGENCY_STOP = vol.Schema(
    {
        vol.Optional(CONF_AQUARIUM, default=None): vol.Maybe(text(100)),
        vol.Optional("release", default=False): boolean,
    }
)


async def _emergency_stop(call: ServiceCall) -> ServiceResponse:
    """Stop the devices of an aquarium, or all, until somebody lets go (law 4)."""
    with translating():
        data = validated(_EMERGENCY_STOP, dict(call.data), within="")
        engine = call.hass.data[DATA_ENGINE]
        aquarium = aquarium_id(call.hass, data[CONF_AQUARIUM])
        devices = [
            device
            for device in engine.devices.values()
            if aquarium is None or device.row.aquarium == aquarium
        ]
        await require_control(call.hass, call.context, devices)
        if data["release"]:
            released = engine.emergency.release(aquarium)
            await engine.journal.written()
            return {"released": released}
        reports = await engine.emergency.stop(
            aquarium, user=call.context.user_id, context=call.context.id
        )
    if not call.return_response:
        _require_confirmed(engine, reports)
    return {
        "devices": [
            {
                "device_id": engine.devices[report.device].row.uuid,
                "name": engine.devices[report.device].row.name,
                "confirmed": report.confirmed,
                "detail": report.detail,
            }
            for report in reports
        ]
    }


def _require_confirmed(engine: Engine, reports: list[DeviceStopped]) -> None:
    """Raise an error that names the devices which did not confirm their stop."""
    names = [
        engine.devices[report.device].row.name
        for report in reports
        if not report.confirmed and report.detail != NO_SAFE_VALUE
    ]
    if names:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="emergency_stop_unconfirmed",
            translation_placeholders={"devices": ", ".join(sorted(names))},
        )


SERVICES = {
    EMERGENCY_STOP: _emergency_stop,
}
