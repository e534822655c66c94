"""Entities come with the subjects that they show, and with containers, and go with those."""

from collections.abc import Callable, Container, Iterable

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .data import AquaristConfigEntry
from .engine.changes import Change, ContainerChanged
from .subjects import Head, Subject, of_device, subjects


@callback
def with_each[S: Subject](
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    add: AddConfigEntryEntitiesCallback,
    kind: type[S],
    entities: Callable[[S], Iterable[Entity]],
) -> None:
    """Add the entities of each subject of exactly this kind, as soon as it is there."""

    def found(subject: S) -> None:
        """Add what it has, if it has any."""
        if some := list(entities(subject)):
            add(some, config_subentry_id=subject.subentry)

    _follow(hass, entry, kind, found)


def _follow[S: Subject](
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    kind: type[S],
    found: Callable[[S], None],
) -> None:
    """Hand over the subjects of a kind, also those that come while the entry is loaded."""
    for subject in subjects(hass, entry, kind):
        found(subject)

    @callback
    def came(key: str) -> None:
        """Hand over what a device that came brings."""
        for subject in of_device(hass, entry, key):
            if type(subject) is kind:
                found(subject)

    entry.async_on_unload(async_dispatcher_connect(hass, _signal(entry), came))


@callback
def tell_of_device(hass: HomeAssistant, entry: AquaristConfigEntry, key: str) -> None:
    """Tell those who follow the entry's subjects that a device came."""
    async_dispatcher_send(hass, _signal(entry), key)


def _signal(entry: AquaristConfigEntry) -> str:
    """Return the name of the signal that a device came."""
    return f"{DOMAIN}_{entry.entry_id}_device"


@callback
def with_container(
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    add: AddConfigEntryEntitiesCallback,
    entities: Callable[[Head], Iterable[Entity]],
) -> None:
    """Add the entities of each head that has a container, as long as it has one."""
    added: dict[str, list[Entity]] = {}

    def look(head: Head) -> None:
        """Add what is lacking, or forget what is left over."""
        if (head.capacity is not None) == (head.key in added):
            return
        if head.key not in added:
            added[head.key] = list(entities(head))
            add(added[head.key], config_subentry_id=head.subentry)
            return
        gone = {entity.unique_id for entity in added.pop(head.key)}
        # The entities hear of the same change: they go when it has been told.
        hass.loop.call_soon(_forget_entities, hass, entry, gone)

    heads: list[Head] = []

    def came(head: Head) -> None:
        """Look at a head from now on."""
        heads.append(head)
        look(head)

    _follow(hass, entry, Head, came)

    @callback
    def changed(change: Change) -> None:
        """Look whether a head has its first container, or none any more."""
        for head in heads:
            if head.concerns(change):
                look(head)

    engine = entry.runtime_data.engine
    entry.async_on_unload(engine.announcer.listen(changed, ContainerChanged))


def _forget_entities(
    hass: HomeAssistant, entry: AquaristConfigEntry, gone: Container[str | None]
) -> None:
    """Remove the entities with some unique ids."""
    registry = er.async_get(hass)
    for one in er.async_entries_for_config_entry(registry, entry.entry_id):
        if one.unique_id in gone:
            registry.async_remove(one.entity_id)
