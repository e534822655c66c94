"""The services: schema in, engine call, answer out; one file for each group.

They are registered once, whether an entry is loaded or not; a file is read in at its first
call. Every request is validated before anything is stored; an error names the field that is
wrong (law 10).
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers.importlib import async_import_module

from ..const import DOMAIN

# A stop does not wait for the disk.
from . import emergency as emergency

FILES: Final[Mapping[str, Mapping[str, SupportsResponse]]] = {
    "commands": {
        "send_command": SupportsResponse.OPTIONAL,
        "cancel_command": SupportsResponse.OPTIONAL,
        "rerun_command": SupportsResponse.OPTIONAL,
        "dose": SupportsResponse.OPTIONAL,
        "export_audit": SupportsResponse.ONLY,
    },
    "configurations": {
        "save_configuration": SupportsResponse.OPTIONAL,
        "apply_configuration": SupportsResponse.OPTIONAL,
        "export_configuration": SupportsResponse.ONLY,
    },
    "macros": {"run_macro": SupportsResponse.OPTIONAL},
    "calibration": {"calibrate_head": SupportsResponse.OPTIONAL},
    "dosing": {
        "refill_container": SupportsResponse.OPTIONAL,
        "remove_container": SupportsResponse.NONE,
    },
    "schedules": {
        "create_schedule": SupportsResponse.OPTIONAL,
        "delete_schedule": SupportsResponse.NONE,
    },
    "write_actions": {
        "create_write_action": SupportsResponse.OPTIONAL,
        "cancel_write_action": SupportsResponse.OPTIONAL,
        "retry_write_action": SupportsResponse.OPTIONAL,
    },
    "overrides": {
        "set_override": SupportsResponse.OPTIONAL,
        "release_override": SupportsResponse.OPTIONAL,
    },
    "modes": {
        "start_mode": SupportsResponse.OPTIONAL,
        "end_mode": SupportsResponse.OPTIONAL,
        "extend_mode": SupportsResponse.OPTIONAL,
    },
    "emergency": {"emergency_stop": SupportsResponse.OPTIONAL},
    "settings": {"set_settings": SupportsResponse.OPTIONAL},
}
"""The services of each file, and whether they answer."""


@callback
def async_register_services(hass: HomeAssistant) -> None:
    """Register every service."""
    for file, services in FILES.items():
        for service, response in services.items():
            hass.services.async_register(
                DOMAIN, service, partial(_serve, file), supports_response=response
            )


async def _serve(file: str, call: ServiceCall) -> ServiceResponse:
    """Have the file of a service answer a call."""
    module = await async_import_module(call.hass, f"{__package__}.{file}")
    answer: ServiceResponse = await module.SERVICES[call.service](call)
    return answer
