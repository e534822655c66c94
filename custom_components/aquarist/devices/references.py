"""Which entity a keeper chose, whatever it is called now.

Entities are stored by id and, where the registry knows them, by the id of their registry
entry, which stays when they are renamed. The latter counts first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from homeassistant.const import CONF_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from ..const import (
    CONF_CHANNELS,
    CONF_FIELDS,
    CONF_REGISTRY_ID,
    CONF_SECOND,
    DOMAIN,
    SUBENTRY_NO_DEVICE,
)

_LISTS = (CONF_CHANNELS, CONF_FIELDS)


def stored_reference(hass: HomeAssistant, entity_id: str) -> dict[str, str]:
    """Return how an entity is stored."""
    registered = er.async_get(hass).async_get(entity_id)
    if registered is None:
        return {CONF_ENTITY_ID: entity_id}
    return {CONF_ENTITY_ID: entity_id, CONF_REGISTRY_ID: registered.id}


def present_entity_id(hass: HomeAssistant, stored: Mapping[str, Any]) -> str:
    """Return the present id of a stored entity; the stored one when it is not registered."""
    registry = er.async_get(hass)
    entity_id: str = stored[CONF_ENTITY_ID]
    registry_id: str | None = stored.get(CONF_REGISTRY_ID)
    found = registry_id and er.async_resolve_entity_id(registry, registry_id)
    return found or er.async_resolve_entity_id(registry, entity_id) or entity_id


def backing_entities(
    hass: HomeAssistant, *, disabled: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield each listed device's subentry id with each entity behind it, by present ids.

    Also of what is not loaded at the moment; of entries that their keeper disabled only if
    those are asked for.
    """
    entries = hass.config_entries.async_entries(DOMAIN, include_disabled=disabled)
    for entry in entries:
        for subentry_id, subentry in entry.subentries.items():
            if subentry.subentry_type not in SUBENTRY_NO_DEVICE:
                for stored in _entities_of(subentry.data):
                    yield subentry_id, present_entity_id(hass, stored)


def _entities_of(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a subentry stores of its entities."""
    if CONF_ENTITY_ID in data:
        yield data
    for key in _LISTS:
        yield from data.get(key, ())


def brought_up_to_date(hass: HomeAssistant, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored of a device with the present ids of all its entities."""
    present = dict(data)
    if CONF_ENTITY_ID in data:
        present |= stored_reference(hass, present_entity_id(hass, data))
    for key in _LISTS:
        if key in data:
            present[key] = [brought_up_to_date(hass, part) for part in data[key]]
    if (second := data.get(CONF_SECOND)) is not None:
        present[CONF_SECOND] = brought_up_to_date(hass, second)
    return present
