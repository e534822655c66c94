"""Numbers: levels of pumps and channels, how long they are off, doses and container sizes."""

from collections.abc import Iterator
from typing import override

from homeassistant.components.number import (
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
    RestoreNumber,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfVolume
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .container_sizes import LARGEST_CONTAINER_ML
from .data import AquaristConfigEntry
from .devices.device import DeviceKind
from .devices.fields import LEVEL
from .devices.lamp import LIGHT, MIX
from .dosing.volume import VolumeError, microlitres, millilitres
from .engine.changes import ContainerChanged, DeviceChanged, FieldChanged
from .entity import AquaristEntity, LevelEntity, any_of
from .errors import translated
from .hardware import MICROLITRES
from .light import channels_of
from .manual_dose import DEFAULT_VOLUME, manual_volumes
from .number_values import finite
from .off_for import OffFor
from .subject_entities import with_each
from .subjects import LIGHTS, Device, Head

PARALLEL_UPDATES = 0

PUMP_LEVEL = NumberEntityDescription(
    key="level",
    translation_key="level",
    native_unit_of_measurement=PERCENTAGE,
    native_min_value=0,
    native_max_value=100,
)
CHANNEL = NumberEntityDescription(
    key="channel",
    translation_key="channel",
    native_unit_of_measurement=PERCENTAGE,
    native_min_value=0,
    native_max_value=100,
    native_step=1,
    entity_registry_enabled_default=False,
)
DOSE_VOLUME = NumberEntityDescription(
    key="dose_volume",
    translation_key="dose_volume",
    # Without a device class: a volume in another unit would be another dose.
    native_unit_of_measurement=UnitOfVolume.MILLILITERS,
    native_step=0.1,
    mode=NumberMode.BOX,
)
CONTAINER_SIZE = NumberEntityDescription(
    key="container_size",
    translation_key="container_size",
    native_unit_of_measurement=UnitOfVolume.MILLILITERS,
    native_min_value=1,
    native_max_value=LARGEST_CONTAINER_ML,
    native_step=0.1,
    mode=NumberMode.BOX,
    entity_category=EntityCategory.CONFIG,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the levels of pumps and channels, and the manual doses of heads."""
    with_each(hass, entry, async_add_entities, Device, _numbers)
    with_each(
        hass,
        entry,
        async_add_entities,
        Head,
        lambda head: [DoseVolume(head), ContainerSize(head)],
    )


def _numbers(device: Device) -> Iterator[NumberEntity]:
    """Yield the numbers of a device."""
    if device.kind is DeviceKind.PUMP and not _only_on_and_off(device):
        yield PumpLevel(device)
    elif device.kind in LIGHTS and len(channels := channels_of(device)) > 1:
        for index, channel in enumerate(channels):
            yield ChannelLevel(device, index, channel)
    if device.kind is DeviceKind.PUMP or device.kind in LIGHTS:
        yield OffFor(device)


def _only_on_and_off(device: Device) -> bool:
    """Return whether a pump has no levels between off and on."""
    return bool(device.state.fields[LEVEL].description.values)


class PumpLevel(LevelEntity, NumberEntity):
    """How fast a pump runs."""

    def __init__(self, device: Device) -> None:
        """Take the step that the pump has."""
        super().__init__(device, PUMP_LEVEL, any_of(FieldChanged, DeviceChanged), LEVEL)
        self._attr_native_step = device.state.fields[LEVEL].description.step or 1.0

    @property
    @override
    def native_value(self) -> float | None:
        """Return the level."""
        return None if self.level is None else round(self.level, 1)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Let the pump run at a level."""
        await self.submit("set_level", level=finite(value))


class ChannelLevel(LevelEntity, NumberEntity):
    """What one channel of a lamp shows."""

    def __init__(self, device: Device, index: int, channel: str) -> None:
        """Take the channel's number and name."""
        super().__init__(device, CHANNEL, any_of(FieldChanged, DeviceChanged), LIGHT)
        self._index = index
        self._part = MIX + channel
        self._attr_unique_id = f"{device.key}_channel_{channel}"
        self._attr_translation_placeholders = {"channel": channel}

    @property
    @override
    def native_value(self) -> float | None:
        """Return the channel's output: its share of the lamp's level."""
        share = float(self.setting.get(self._part, 100.0))
        return None if self.level is None else round(self.level * share / 100, 1)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change one channel and keep what the others show."""
        brightness = round(finite(value))
        await self.submit("set_brightness", brightness=brightness, color=self._index)


class DoseVolume(AquaristEntity[Head], RestoreNumber):
    """How much the button beside it gives; it changes nothing at the pump."""

    def __init__(self, head: Head) -> None:
        """Take the bounds of the head."""
        super().__init__(head, DOSE_VOLUME, any_of())
        self._attr_native_min_value = millilitres(head.head.minimum)
        self._attr_native_max_value = millilitres(head.head.maximum)
        self._attr_native_value = min(DEFAULT_VOLUME, self._attr_native_max_value)

    @override
    async def async_added_to_hass(self) -> None:
        """Take up the last volume, if the head can still give it."""
        await super().async_added_to_hass()
        last = await self.async_get_last_number_data()
        volume = last.native_value if last is not None else None
        if (
            volume is not None
            and self.native_min_value <= volume <= self.native_max_value
        ):
            self._attr_native_value = volume
        self._keep(self._attr_native_value or DEFAULT_VOLUME)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Keep a volume that the pump can give. Raises a translated error for a finer one."""
        try:
            microlitres(finite(value))
        except VolumeError as error:
            raise translated(error) from error
        self._keep(value)
        self._show()

    def _keep(self, volume: float) -> None:
        """Show the volume and let the button know it."""
        self._attr_native_value = volume
        manual_volumes(self.hass)[self.subject.key] = volume


class ContainerSize(AquaristEntity[Head], NumberEntity):
    """How much a full container of a head holds; setting it gives the head a container."""

    def __init__(self, head: Head) -> None:
        """Show the size that counts."""
        super().__init__(head, CONTAINER_SIZE, any_of(ContainerChanged))

    @property
    @override
    def native_value(self) -> float | None:
        """Return the size, None without a container."""
        capacity = self.subject.capacity
        return None if capacity is None else millilitres(capacity)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Ask for another size."""
        head, capacity = self.subject, round(finite(value) * MICROLITRES)
        await self.answered(
            self.engine.containers.resize(
                head.state, head.head.index, capacity, user=self.origin.user
            )
        )
