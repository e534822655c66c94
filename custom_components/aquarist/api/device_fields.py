"""The fields of devices one by one, as programs see them: names, values, where they are recorded.

A composite field is taken apart; its parts are written, and told, by themselves, and what
a window captures and restores is the whole.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

from homeassistant.const import ATTR_FRIENDLY_NAME, STATE_ON, Platform
from homeassistant.core import HomeAssistant, State, split_entity_id
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..devices.backed_device import BackedDevice
from ..devices.climate_adapter import HVAC_MODE
from ..devices.device import DeviceKind
from ..devices.fields import LEVEL, Field
from ..engine.announced import announced
from ..engine.state import DeviceState
from ..frozen import frozen
from ..layers.setting import Scalar
from ..subjects import DOSERS, LIGHTS

BRIGHTNESS = 255
PERCENT = 100.0

_IN_ATTRIBUTES = frozenset(
    {
        Platform.CLIMATE,
        Platform.COVER,
        Platform.FAN,
        Platform.LIGHT,
        Platform.VALVE,
    }
)

type Reader = Callable[[State], Scalar | None]


@frozen
class SingleField:
    """One value of a device: ``name`` to programs, a part or all of the field ``whole``."""

    name: str
    whole: str
    description: Field


@frozen
class Source:
    """The entity that shows a field to Home Assistant, and how its states are read.

    ``behind`` is true for the entity that the field is made of, ``in_attributes`` where
    attributes tell the value, which change without the state.
    """

    entity_id: str
    read: Reader
    behind: bool = False
    in_attributes: bool = False


@frozen
class Latest:
    """What a field shows, and since when; None while that is not known."""

    value: Scalar | None = None
    at: datetime | None = None


def single_fields(device: DeviceState) -> Mapping[str, SingleField]:
    """Return the fields of a device by their names; parts of the same name are told apart."""
    port = device.device
    known = {name: state.description for name, state in device.fields.items()}
    fields = dict(port.fields) if port is not None else known
    shared = Counter(
        part.name for field in fields.values() for part in field.part_fields
    )
    found = {}
    for name, field in fields.items():
        for part in field.part_fields or (field,):
            taken = shared[part.name] > 1 or part.name in fields
            told = f"{name}.{part.name}" if field.part_fields and taken else part.name
            described = announced(device, name, part)
            found[told] = SingleField(name=told, whole=name, description=described)
    return found


def latest(hass: HomeAssistant, device: DeviceState, field: SingleField) -> Latest:
    """Return what a field shows now (R-T49)."""
    source, backed = source_of(hass, device, field), _backed(device)
    state = hass.states.get(source.entity_id) if source is not None else None
    value = _shown(device, field)
    if backed is not None and not backed.available:
        value = None
    if source is not None and source.behind:
        value = source.read(state) if state is not None else None
    if value is None:
        return Latest()
    return Latest(value=value, at=state.last_updated if state is not None else None)


def source_of(
    hass: HomeAssistant, device: DeviceState, field: SingleField
) -> Source | None:
    """Return the entity that stands for a field: the one behind it, or one of our own.

    Of a light it is ours: how bright others are, and in which mix, is not recorded.
    """
    backed, part = _backed(device), field.description.name
    entity = backed.behind(field.whole) if backed is not None else None
    platform, key, reader = _our_own(device, part)
    unique_id = f"{device.row.uuid}_{key}"
    entity_id = er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id)
    own = None
    if entity_id is not None:
        shines = platform == Platform.LIGHT
        own = Source(entity_id=entity_id, read=reader, in_attributes=shines)
    if entity is None or (own is not None and _shines(device, entity.entity_id)):
        return own

    def read(state: State) -> Scalar | None:
        return (entity.shown_by(state) or {}).get(part)

    return Source(
        entity_id=entity.entity_id,
        read=read,
        behind=True,
        in_attributes=part != HVAC_MODE
        and split_entity_id(entity.entity_id)[0] in _IN_ATTRIBUTES,
    )


def name_behind(
    hass: HomeAssistant, device: DeviceState, field: SingleField
) -> str | None:
    """Return how the entity behind a field is called, None where there is none of its own."""
    backed = _backed(device)
    entity = backed.behind(field.whole) if backed is not None else None
    if entity is None:
        return None
    state = hass.states.get(entity.entity_id)
    name = state.attributes.get(ATTR_FRIENDLY_NAME) if state is not None else None
    return str(name or entity.entity_id)


def _shines(device: DeviceState, behind: str) -> bool:
    """Return whether a device is a lamp, or made of a light."""
    lamp = DeviceKind(device.row.kind) in LIGHTS
    return lamp or split_entity_id(behind)[0] == Platform.LIGHT


def _backed(device: DeviceState) -> BackedDevice | None:
    """Return a device that is made of entities."""
    port: object = device.device
    return port if isinstance(port, BackedDevice) else None


def _shown(device: DeviceState, field: SingleField) -> Scalar | None:
    """Return what a device shows or was last sent, None while nobody knows."""
    known, port = device.fields.get(field.whole), device.device
    setting = port.observed(field.whole) if port is not None else None
    if setting is None and known is not None:
        setting = known.sent
    return (setting or {}).get(field.description.name)


def _our_own(device: DeviceState, part: str) -> tuple[Platform, str, Reader]:
    """Return platform, key and reader of our own entity that shows a field."""
    kind = DeviceKind(device.row.kind)
    if kind in DOSERS:
        return Platform.SWITCH, f"{part.rpartition('_')[2]}_enabled", _on
    if kind in LIGHTS:
        reader = _brightness if part == LEVEL else _attribute(part)
        return Platform.LIGHT, "light", reader
    return Platform.NUMBER, LEVEL, _number


def _on(state: State) -> Scalar | None:
    """Return whether an entity is on, None while nobody knows."""
    return {STATE_ON: True, "off": False}.get(state.state)


def _brightness(state: State) -> Scalar | None:
    """Return the level of a light in per cent."""
    if state.state == STATE_ON:
        byte = state.attributes.get("brightness") or 0
        return round(byte / BRIGHTNESS * PERCENT, 1)
    return 0.0 if _on(state) is False else None


def _attribute(name: str) -> Reader:
    """Return what reads a number among the attributes of an entity."""

    def read(state: State) -> Scalar | None:
        value: object = state.attributes.get(name)
        return float(value) if isinstance(value, int | float) else None

    return read


def _number(state: State) -> Scalar | None:
    """Return the number that an entity shows, None where it shows none."""
    try:
        return float(state.state)
    except ValueError:
        return None
