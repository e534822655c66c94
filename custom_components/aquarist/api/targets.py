"""Which device or aquarium a request means, and which entities stand for a device."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import CONF_AQUARIUM, CONF_KIND, DOMAIN, KIND_AQUARIUM
from ..data import DATA_ENGINE
from ..engine.errors import EngineError
from ..engine.state import DeviceState

LONGEST_NUMBER = 20
"""Digits of what may be the number of a device."""


def target(
    hass: HomeAssistant, reference: str | int, *, field: str = "device_id"
) -> DeviceState:
    """Return the device of a UUID, Bluetooth address, number or Home Assistant device id.

    A channel or head of a device stands for the device. Raises EngineError naming the field.
    """
    known: str | int = reference
    if isinstance(reference, str):
        number = reference.isdecimal() and len(reference) <= LONGEST_NUMBER
        known = int(reference) if number else reference.lower()
    try:
        return hass.data[DATA_ENGINE].device(known)
    except EngineError as error:
        found = _registered(hass, reference) if isinstance(reference, str) else None
        if found is None:
            raise EngineError(error.code, field=field, id=reference) from error
        return found


def aquarium_ids(hass: HomeAssistant) -> list[str]:
    """Return the entry ids of all aquariums."""
    return [
        entry.entry_id
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        if entry.data[CONF_KIND] == KIND_AQUARIUM
    ]


def aquarium_id(hass: HomeAssistant, reference: str | None) -> str | None:
    """Return the entry id of an aquarium, given by that or by its short name.

    Raises EngineError.
    """
    if reference is None:
        return None
    for known in aquarium_ids(hass):
        entry = hass.config_entries.async_get_known_entry(known)
        if reference in (entry.entry_id, entry.unique_id):
            return known
    raise EngineError("aquarium_not_found", field=CONF_AQUARIUM, id=reference)


def one_aquarium(hass: HomeAssistant, reference: str | None) -> str:
    """Return the entry id of an aquarium; it need not be named where it is the only one.

    Raises EngineError.
    """
    named = aquarium_id(hass, reference)
    if named is not None:
        return named
    known = aquarium_ids(hass)
    if len(known) != 1:
        raise EngineError("aquarium_needed", field=CONF_AQUARIUM)
    return known[0]


def entities_of(hass: HomeAssistant, device: DeviceState) -> list[str]:
    """Return the ids of our entities that belong to a device, disabled ones too."""
    owners: dict[str, DeviceState | None] = {}
    found = []
    for entry in er.async_get(hass).entities.values():
        if entry.platform != DOMAIN or entry.device_id is None:
            continue
        if entry.device_id not in owners:
            owners[entry.device_id] = _registered(hass, entry.device_id)
        if owners[entry.device_id] is device:
            found.append(entry.entity_id)
    return found


def _registered(hass: HomeAssistant, device_id: str) -> DeviceState | None:
    """Return the device behind an id of Home Assistant's device registry."""
    registry = dr.async_get(hass)
    entry = registry.async_get(device_id)
    if isinstance(entry, dr.ChildDeviceEntry):
        entry = registry.async_get(entry.parent_device_id)
    if not isinstance(entry, dr.DeviceEntry):
        return None
    engine = hass.data[DATA_ENGINE]
    for domain, identifier in entry.identifiers:
        if domain == DOMAIN:
            try:
                return engine.device(identifier)
            except EngineError:
                continue
    return None
