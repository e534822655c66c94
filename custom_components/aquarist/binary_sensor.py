"""Binary sensors: what is wrong with a device or an aquarium, what is low, what is in step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_time_interval

from .data import AquaristConfigEntry
from .devices.device import DeviceKind
from .devices.lamp import LIGHT
from .engine.changes import (
    Change,
    CommandChanged,
    ContainerChanged,
    DeviceChanged,
    DoseChanged,
    FieldChanged,
    MacroChanged,
    MemoryChanged,
    ModeChanged,
    SafetyChanged,
    ScheduleChanged,
    StoreChanged,
)
from .engine.claims import is_passing
from .engine.emergency import ACTION as EMERGENCY_STOP
from .entity import AquaristEntity, Hears, any_of
from .layers.claims import Layer
from .subject_entities import with_container, with_each
from .subjects import LIGHTS, Aquarium, Device, Head, Subject

PARALLEL_UPDATES = 0

LOW_AGAIN: Final = timedelta(hours=1)
"""After so long it is looked at again whether a container is low."""

PROBLEM_KINDS = frozenset({DeviceKind.PUMP, DeviceKind.ENTITY})


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class AquaristBinarySensorDescription[S: Subject](BinarySensorEntityDescription):
    """A binary sensor of a kind of subject."""

    value: Callable[[S], bool | None]
    hears: Hears
    exists: Callable[[S], bool] = lambda _: True
    attributes: Callable[[S], Mapping[str, Any]] | None = None


def _device_reasons(device: Device) -> list[str]:
    """Return what is wrong with a device, in words for automations."""
    fields = device.state.fields.values()
    held = any(
        claim.layer is Layer.SAFETY
        and not is_passing(device.engine.records.current(key))
        for field in fields
        for key, claim in field.claims.items()
    )
    return [
        reason
        for reason, wrong in (
            ("unavailable", not device.available),
            ("held_by_safety", held),
            ("not_written", any(field.tries for field in fields)),
        )
        if wrong
    ]


def _aquarium_reasons(aquarium: Aquarium) -> list[str]:
    """Return what is wrong with an aquarium, in words for automations."""
    stopped = aquarium.engine.emergency.stopped
    latched = any(device.row.number in stopped for device in aquarium.devices)
    trouble = aquarium.engine.store_trouble
    return [
        *([trouble] if trouble is not None else []),
        *(["emergency_stop"] if latched else []),
        *(["device_unavailable"] if _unavailable(aquarium) else []),
        *(["mode_incomplete"] if aquarium.mode and aquarium.mode.troubles else []),
        *sorted(
            {reason for _, reason in aquarium.engine.safety.doubts(aquarium.entry_id)}
        ),
    ]


def _unavailable(aquarium: Aquarium) -> list[str]:
    """Return the names of the devices that cannot be reached."""
    return sorted(one.row.name for one in aquarium.devices if not one.available)


def _in_step(device: Device) -> bool | None:
    """Return whether a lamp shows what it should; None before anything was sent to it."""
    field = device.state.fields[LIGHT]
    if field.sent is None:
        return None
    return not (field.dirty or field.tries or field.waiting)


def _container_low(head: Head) -> bool | None:
    """Return whether the head's container should be refilled soon."""
    status = head.container
    return None if status is None else status.low


def _of_stops(change: Change) -> bool:
    """Tell whether devices, the store, a sensor, a mode or an emergency stop changed."""
    if isinstance(change, CommandChanged):
        return change.command.action == EMERGENCY_STOP
    return isinstance(
        change, DeviceChanged | ModeChanged | SafetyChanged | StoreChanged
    )


CONTAINER_LOW: AquaristBinarySensorDescription[Head] = AquaristBinarySensorDescription(
    key="container_low",
    translation_key="container_low",
    device_class=BinarySensorDeviceClass.PROBLEM,
    value=_container_low,
    hears=any_of(
        DoseChanged, ContainerChanged, ScheduleChanged, MacroChanged, MemoryChanged
    ),
)
DEVICE_SENSORS: tuple[AquaristBinarySensorDescription[Device], ...] = (
    AquaristBinarySensorDescription(
        key="problem",
        translation_key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists=lambda device: device.kind in PROBLEM_KINDS,
        value=lambda device: bool(_device_reasons(device)),
        attributes=lambda device: {"reasons": _device_reasons(device)},
        hears=any_of(CommandChanged, FieldChanged, DeviceChanged),
    ),
    AquaristBinarySensorDescription(
        key="in_step",
        translation_key="in_step",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists=lambda device: device.kind in LIGHTS,
        value=_in_step,
        hears=any_of(CommandChanged, FieldChanged, DeviceChanged),
    ),
)
AQUARIUM_SENSORS: tuple[AquaristBinarySensorDescription[Aquarium], ...] = (
    AquaristBinarySensorDescription(
        key="problem",
        translation_key="aquarium_problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda aquarium: bool(_aquarium_reasons(aquarium)),
        attributes=lambda aquarium: {
            "reasons": _aquarium_reasons(aquarium),
            "unavailable": _unavailable(aquarium),
        },
        hears=_of_stops,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of devices and the aquarium."""
    with_each(
        hass,
        entry,
        async_add_entities,
        Device,
        lambda device: [
            AquaristBinarySensor(device, one)
            for one in DEVICE_SENSORS
            if one.exists(device)
        ],
    )
    with_container(
        hass,
        entry,
        async_add_entities,
        lambda head: [ContainerLow(head, CONTAINER_LOW)],
    )
    with_each(
        hass,
        entry,
        async_add_entities,
        Aquarium,
        lambda aquarium: [
            AquaristBinarySensor(aquarium, one) for one in AQUARIUM_SENSORS
        ],
    )


class AquaristBinarySensor[S: Subject](AquaristEntity[S], BinarySensorEntity):
    """Shows what a description reads from its subject."""

    entity_description: AquaristBinarySensorDescription[S]

    def __init__(
        self, subject: S, description: AquaristBinarySensorDescription[S]
    ) -> None:
        """Take the description."""
        super().__init__(subject, description, description.hears)

    @property
    @override
    def is_on(self) -> bool | None:
        """Return the value now."""
        return self.entity_description.value(self.subject)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what belongs to the value."""
        attributes = self.entity_description.attributes
        return None if attributes is None else attributes(self.subject)


class ContainerLow(AquaristBinarySensor[Head]):
    """Shows whether a container is low: its days pass also while nothing is dosed."""

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to hear of changes, and to look again and again."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_track_time_interval(self.hass, self._time_passed, LOW_AGAIN)
        )

    @callback
    def _time_passed(self, _: datetime) -> None:
        """Show what holds by now."""
        self._show()
