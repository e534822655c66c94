"""Which entities may back a device (law 1: each backs at most one)."""

from collections.abc import Collection, Iterator

from homeassistant.core import HomeAssistant, split_entity_id
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..devices.references import backing_entities


def entity_problem(
    hass: HomeAssistant,
    entity_id: str,
    domains: Collection[str],
    subentry_id: str | None,
) -> str | None:
    """Return the key of what is wrong with an entity, None when it can back a device.

    ``subentry_id`` is the subentry being changed: its own entities are free to it.
    """
    if not _exists(hass, entity_id):
        return "entity_missing"
    if split_entity_id(entity_id)[0] not in domains:
        return "wrong_domain"
    registered = er.async_get(hass).async_get(entity_id)
    if registered is not None and registered.platform == DOMAIN:
        return "own_entity"
    if entity_id in set(_used(hass, subentry_id)):
        return "entity_in_use"
    return None


def _exists(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether an entity has a state or will have one again: it is registered and enabled."""
    if hass.states.get(entity_id) is not None:
        return True
    registered = er.async_get(hass).async_get(entity_id)
    return registered is not None and not registered.disabled


def _used(hass: HomeAssistant, except_subentry: str | None) -> Iterator[str]:
    """Yield the entities that back devices, those of one subentry left out."""
    for subentry_id, entity_id in backing_entities(hass, disabled=True):
        if subentry_id != except_subentry:
            yield entity_id
