"""Which calls Home Assistant carries out in a thread: those, nobody can end (R-C51)."""

from collections.abc import Callable
from functools import cache
from typing import Any

from homeassistant.core import HassJobType, HomeAssistant
from homeassistant.helpers.entity_component import DATA_INSTANCES

from .entity_adapter import ServiceCall

_METHODS = {"set_value": "set_native_value", "update_entity": "update"}
"""What services call that are not named like what they call."""


def runs_in_thread(hass: HomeAssistant, entity_id: str, call: ServiceCall) -> bool:
    """Return whether a call for an entity may go on in a thread after it was given up."""
    service = hass.services.async_services_for_domain(call.domain).get(call.service)
    if service is not None and service.job.job_type is HassJobType.Executor:
        return True
    domain = entity_id.partition(".")[0]
    component = hass.data.get(DATA_INSTANCES, {}).get(domain)
    entity = component.get_entity(entity_id) if component is not None else None
    return entity is not None and _blocks(type(entity), domain, call.service)


@cache
def _blocks(entity: type[Any], domain: str, service: str) -> bool:
    """Return whether a kind of entity does what a service asks by a function that blocks."""
    return any(
        _is_own(getattr(entity, name, None), domain)
        and not _is_own(getattr(entity, f"async_{name}", None), domain)
        for name in (service, _METHODS.get(service, service))
    )


def _is_own(method: Callable[..., object] | None, domain: str) -> bool:
    """Return whether a method is of the integration, not one that all of a domain have."""
    module = getattr(method, "__module__", None)
    if module is None:
        return False
    base = f"homeassistant.components.{domain}"
    return not (
        module == base or module.startswith((f"{base}.", "homeassistant.helpers."))
    )
