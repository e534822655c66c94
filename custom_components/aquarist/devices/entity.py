"""A device made from any entities: each is a field with a chosen name."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import override

from homeassistant.core import HomeAssistant

from ..frozen import frozen
from ..layers.setting import Scalar, Setting, is_number
from .backed_device import BackedDevice
from .backing_entity import CONFIRM_TIME, BackingEntity, domain_of
from .climate_adapter import ClimateAdapter, leaving_preset
from .device import DeviceKind, StopReport
from .entity_adapter import EntityAdapter, RestsAt, Switching
from .errors import DeviceError, FieldErrors
from .fields import DataType, Field, checked_arguments, percent, unknown_action
from .level_actions import FULL, switched
from .observable import only_fields
from .value_adapters import value_adapter


@frozen
class EntityField:
    """A field to be made from an entity.

    ``unit`` is announced instead of the entity's own, where it can be converted; ``safe`` is
    the value that a stop brings the field to.
    """

    name: str
    entity: str
    unit: str | None = None
    safe: Scalar | None = None


class EntityDevice(BackedDevice):
    """Plain fields of numbers, choices, switches, levels and sensors; a climate is composite."""

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        uuid: str,
        name: str,
        fields: Sequence[EntityField],
        confirm_time: float = CONFIRM_TIME,
    ) -> None:
        """Take the entities. Raises DeviceError `unsupported` for a domain without fields."""
        super().__init__(uuid=uuid, kind=DeviceKind.ENTITY, name=name)
        self._safe = {
            field.name: field.safe for field in fields if field.safe is not None
        }
        self._by_field = {
            field.name: BackingEntity(
                hass,
                field.entity,
                _adapter(hass, field),
                self._entity_changed,
                confirm_time=confirm_time,
            )
            for field in fields
        }
        self._last_levels: dict[str, float] = {}
        behind = [one.entity_id for one in self._by_field.values()]
        self._apart = frozenset(
            name
            for name, one in self._by_field.items()
            if len(behind) > 1 and behind.count(one.entity_id) == 1
        )
        self._attach(tuple(self._by_field.values()))

    @property
    @override
    def apart(self) -> frozenset[str]:
        """Return the fields that have an entity for themselves, if there are several."""
        return self._apart

    @override
    def setting_for(
        self, action: str, args: Mapping[str, object], resting: Setting | None
    ) -> tuple[str, Setting]:
        """Translate `turn_on`, `turn_off` and `set_level` for the first field that has them.

        A switch is on or off, a field of 0 to 100 per cent has a level.
        """
        for field in self.fields.values():
            if field.writable and field.data_type is DataType.BOOLEAN:
                if action in ("turn_on", "turn_off"):
                    checked_arguments(action, args)
                    return field.name, {field.name: action == "turn_on"}
            elif _is_level(field):
                last = self._last_levels.get(field.name)
                return field.name, _level_of(field, action, args, resting, last)
        raise unknown_action(action)

    @override
    def check(self, field: str, value: Scalar | Setting) -> Setting:
        """Return the setting that a value asks for; a temperature ends the preset in force."""
        setting = super().check(field, value)
        return leaving_preset(self.fields[self.field_of(field)], setting)

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Bring all named fields to their settings at the same time. Raises DeviceError.

        What keeps one of several fields does not keep the others: FieldErrors tells which.
        """
        writable = (name for name, field in self.fields.items() if field.writable)
        only_fields(settings, *writable)
        async with self._writing(settings):
            if len(settings) == 1:
                for name, setting in settings.items():
                    await self._by_field[name].set(setting)
                return
            errors = await asyncio.gather(
                *(self._not_set(name, setting) for name, setting in settings.items())
            )
        failed = {
            name: error
            for name, error in zip(settings, errors, strict=True)
            if error is not None
        }
        if failed:
            raise FieldErrors(failed)

    async def stop(self) -> StopReport:
        """Bring the fields that have a safe value to it."""
        return await self._to_safe_side(
            {name: self.check(name, value) for name, value in self._safe.items()}
        )

    @override
    def behind(self, field: str) -> BackingEntity | None:
        """Return the entity of a field."""
        return self._by_field.get(field)

    async def _not_set(self, name: str, setting: Setting) -> DeviceError | None:
        """Bring one of several fields to its setting; return why it did not get there."""
        try:
            await self._by_field[name].set(setting)
        except DeviceError as error:
            return error
        return None

    @override
    def _singly_reachable(self) -> frozenset[str]:
        """Return the fields whose entities are there."""
        return frozenset(
            name for name, entity in self._by_field.items() if entity.state is not None
        )

    @override
    def _intended(
        self, entity: BackingEntity, meant: Setting | Switching, rests_at: RestsAt
    ) -> tuple[str, Setting]:
        """Return the entity's field as it is meant."""
        name = next(key for key, one in self._by_field.items() if one is entity)
        if not isinstance(meant, Switching):
            return name, meant
        field, resting = self.fields[name], rests_at(name)
        action = switched(meant, resting, name)
        if field.data_type is DataType.BOOLEAN:
            return name, {name: action == Switching.ON}
        last = self._last_levels.get(name)
        return name, _level_of(field, action, {}, resting, last)

    @override
    def _reachable(self) -> bool:
        """Return whether the entities that can be set are there, or any sensor if none can."""
        writable = [
            self._by_field[name]
            for name, field in self.fields.items()
            if field.writable
        ]
        if writable:
            return all(entity.state is not None for entity in writable)
        return any(entity.state is not None for entity in self._entities)

    @override
    def _describe(self) -> tuple[Field, ...]:
        """Return the fields as the entities are now, or were before they went away.

        An entity that is away tells neither range nor choices.
        """
        return tuple(
            self._fields[name]
            if entity.state is None and name in self._fields
            else entity.field
            for name, entity in self._by_field.items()
        )

    @override
    def _read(self, field: str) -> Setting | None:
        """Return what a field shows."""
        setting = self._by_field[field].reading
        level = (setting or {}).get(field)
        if level is not None and is_number(level) and level > 0:
            self._last_levels[field] = float(level)
        return setting


def _adapter(hass: HomeAssistant, field: EntityField) -> EntityAdapter:
    """Return the adapter for a field's entity. Raises DeviceError `unsupported`."""
    domain = domain_of(hass, field.entity)
    if domain == "climate":
        return ClimateAdapter(
            name=field.name,
            unit=field.unit or hass.config.units.temperature_unit,
            system_unit=lambda: hass.config.units.temperature_unit,
        )
    return value_adapter(domain, field.name, field.unit)


def _is_level(field: Field) -> bool:
    """Return whether a field can be set from 0 to 100 per cent."""
    return (
        field.writable
        and field.data_type is DataType.NUMBER
        and (field.unit, field.minimum, field.maximum) == ("%", 0.0, 100.0)
    )


def _level_of(
    field: Field,
    action: str,
    args: Mapping[str, object],
    resting: Setting | None,
    last: float | None,
) -> Setting:
    """Return the setting of a level action for a field of per cents.

    ``last`` is the last level above 0.
    """
    match action:
        case "turn_on":
            checked_arguments(action, args)
            rests_at = (resting or {}).get(field.name)
            return {field.name: rests_at or last or FULL}
        case "turn_off":
            checked_arguments(action, args)
            return {field.name: 0.0}
        case "set_level":
            asked = checked_arguments(
                action, args, required=[percent("level", values=field.values)]
            )
            return {field.name: asked["level"]}
        case _:
            raise unknown_action(action)
