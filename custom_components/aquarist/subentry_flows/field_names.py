"""What the fields of devices are called in forms: what the entities that show them are called."""

from collections.abc import Mapping
from typing import cast

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..api.device_fields import SingleField
from ..const import DOMAIN
from ..devices.device import DeviceKind, DoserDevice
from ..devices.dosing_fields import DOSING_ALLOWED
from ..devices.fields import LEVEL
from ..devices.lamp import MIX
from ..engine.state import DeviceState

type Words = Mapping[str, str]

_ENTITY_NAMES = {LEVEL: "number.level"}
_HEAD_ENABLED = "switch.head_enabled"


async def words_of(hass: HomeAssistant) -> Words:
    """Return the names of entities and fields, in the language of the house."""
    found: dict[str, str] = {}
    for category in ("entity", "selector"):
        found |= await async_get_translations(
            hass, hass.config.language, category, {DOMAIN}
        )
    return found


def name_of(device: DeviceState, field: SingleField, words: Words) -> str:
    """Return what a field is called; a name that the keeper chose stays as it is."""
    name = field.description.name
    if device.row.kind != DeviceKind.ENTITY:
        return _named(device, name, words)
    if name == field.whole:
        return name
    return f"{field.whole}: {_named(device, name, words)}"


def _named(device: DeviceState, name: str, words: Words) -> str:
    """Return the name of a field that is ours, or of a part of one."""
    if name.startswith(DOSING_ALLOWED):
        index = int(name.removeprefix(DOSING_ALLOWED))
        enabled = _entity(words, _HEAD_ENABLED, name)
        return f"{_head(device, index)}: {enabled}"
    if name.startswith(MIX):
        text = words.get(_selector("mix"), name)
        return text.format(channel=name.removeprefix(MIX))
    if name in _ENTITY_NAMES:
        return _entity(words, _ENTITY_NAMES[name], name)
    return words.get(_selector(name), name)


def _head(device: DeviceState, index: int) -> str:
    """Return the name of a head of a doser, its number where the doser is not there."""
    if device.device is None:
        return str(index + 1)
    return cast(DoserDevice, device.device).heads[index].name


def _entity(words: Words, key: str, name: str) -> str:
    """Return the name of an entity of ours."""
    return words.get(f"component.{DOMAIN}.entity.{key}.name", name)


def _selector(name: str) -> str:
    """Return the key of the name of what no entity of ours shows by itself."""
    return f"component.{DOMAIN}.selector.field_name.options.{name}"
