"""The services: schema in, engine call, answer out; one module for each group.

They are registered once, whether an entry is loaded or not. Every request is validated
before anything is stored; an error names the field that is wrong (law 10).
"""

from homeassistant.core import HomeAssistant, callback

from . import (
    calibration,
    commands,
    configurations,
    dosing,
    emergency,
    macros,
    modes,
    overrides,
    schedules,
    settings,
    write_actions,
)

GROUPS = (
    commands,
    configurations,
    macros,
    calibration,
    dosing,
    schedules,
    write_actions,
    overrides,
    modes,
    emergency,
    settings,
)


@callback
def async_register_services(hass: HomeAssistant) -> None:
    """Register every service."""
    for group in GROUPS:
        group.async_register(hass)
