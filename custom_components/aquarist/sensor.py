"""Sensors of heads, devices and the aquarium: what comes next, since when a pump runs, and more."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.const import (
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
    UnitOfTime,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import AquaristConfigEntry
from .devices.chihiros_device import ChihirosDevice
from .devices.device import DeviceKind
from .devices.fields import LEVEL
from .engine.changes import (
    DeviceChanged,
    FieldChanged,
    MacroChanged,
    ModeChanged,
    ScheduleChanged,
)
from .entity import AquaristEntity, any_of
from .head_sensors import CONTAINER_SENSORS, HEAD_SENSORS
from .last_command import LastCommandSensor
from .outlook import of_aquarium, upcoming
from .sensor_description import AquaristSensorDescription
from .subject_entities import with_container, with_each
from .subjects import CHIHIROS, Aquarium, Device, Head, Subject
from .write_action_sensors import WRITE_ACTION_SENSORS

PARALLEL_UPDATES = 0

SIGNAL_AGAIN: Final = timedelta(minutes=5)
"""After so long the strength of a signal is looked at again."""


def _next_action(aquarium: Aquarium) -> datetime | None:
    """Return when a schedule of the aquarium acts next."""
    entry = upcoming(aquarium.engine, of_aquarium(aquarium.engine, aquarium.entry_id))
    return None if entry is None else entry.start


def _next_schedule(aquarium: Aquarium) -> Mapping[str, Any]:
    """Return the name of the schedule that acts next."""
    entry = upcoming(aquarium.engine, of_aquarium(aquarium.engine, aquarium.entry_id))
    return {"schedule": None if entry is None else entry.name}


def _mode_ends(aquarium: Aquarium) -> datetime | None:
    """Return when the countdown of the aquarium's mode is over, None without one."""
    status = aquarium.mode
    return None if status is None else status.ends_at


def _on_since(device: Device) -> datetime | None:
    """Return since when a pump has been on, None while it is off or nobody knows."""
    since = device.state.fields[LEVEL].on_since
    return None if since is None else since.wall


def _firmware(device: Device) -> float | None:
    """Return the version of a device's firmware, as last read."""
    return None if device.state.status is None else device.state.status.firmware


def _uptime(device: Device) -> float | None:
    """Return the minutes since a device was switched on, as last read."""
    return None if device.state.status is None else device.state.status.uptime_minutes


def _signal(device: Device) -> float | None:
    """Return how strong the device was heard last."""
    port = cast(ChihirosDevice | None, device.state.device)
    return None if port is None else port.signal


DEVICE_SENSORS: tuple[AquaristSensorDescription[Device], ...] = (
    AquaristSensorDescription(
        key="on_since",
        translation_key="on_since",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists=lambda device: device.kind is DeviceKind.PUMP,
        value=_on_since,
        hears=any_of(FieldChanged, DeviceChanged),
    ),
    AquaristSensorDescription(
        key="firmware",
        translation_key="firmware",
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists=lambda device: device.kind in CHIHIROS,
        value=_firmware,
        hears=any_of(DeviceChanged),
    ),
    AquaristSensorDescription(
        key="uptime",
        translation_key="uptime",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists=lambda device: device.kind in CHIHIROS,
        value=_uptime,
        hears=any_of(DeviceChanged),
    ),
    AquaristSensorDescription(
        key="signal",
        translation_key="signal",
        device_class=SensorDeviceClass.SIGNAL_STRENGTH,
        native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists=lambda device: device.kind in CHIHIROS,
        value=_signal,
        hears=any_of(DeviceChanged),
        expires=lambda device: device.now + SIGNAL_AGAIN,
    ),
)
AQUARIUM_SENSORS: tuple[AquaristSensorDescription[Aquarium], ...] = (
    AquaristSensorDescription(
        key="next_action",
        translation_key="next_action",
        device_class=SensorDeviceClass.TIMESTAMP,
        value=_next_action,
        attributes=_next_schedule,
        hears=any_of(ScheduleChanged, MacroChanged, DeviceChanged),
    ),
    AquaristSensorDescription(
        key="mode_ends",
        translation_key="mode_ends",
        device_class=SensorDeviceClass.TIMESTAMP,
        value=_mode_ends,
        hears=any_of(ModeChanged),
    ),
    *WRITE_ACTION_SENSORS,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of heads, devices and the aquarium."""
    with_each(
        hass,
        entry,
        async_add_entities,
        Head,
        lambda head: [
            AquaristSensor(head, one) for one in HEAD_SENSORS if one.exists(head)
        ],
    )
    with_container(
        hass,
        entry,
        async_add_entities,
        lambda head: [AquaristSensor(head, one) for one in CONTAINER_SENSORS],
    )
    with_each(
        hass,
        entry,
        async_add_entities,
        Device,
        lambda device: [
            *(
                AquaristSensor(device, one)
                for one in DEVICE_SENSORS
                if one.exists(device)
            ),
            LastCommandSensor(device),
        ],
    )
    with_each(
        hass,
        entry,
        async_add_entities,
        Aquarium,
        lambda aquarium: [AquaristSensor(aquarium, one) for one in AQUARIUM_SENSORS],
    )


class AquaristSensor[S: Subject](AquaristEntity[S], SensorEntity):
    """Shows what a description reads from its subject."""

    entity_description: AquaristSensorDescription[S]

    def __init__(self, subject: S, description: AquaristSensorDescription[S]) -> None:
        """Take the description."""
        super().__init__(subject, description, description.hears)
        self._expiry: CALLBACK_TYPE | None = None

    @property
    @override
    def native_value(self) -> float | str | datetime | None:
        """Return the value now."""
        return self.entity_description.value(self.subject)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what belongs to the value."""
        attributes = self.entity_description.attributes
        return None if attributes is None else attributes(self.subject)

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to hear of changes and to wait for the expiry."""
        await super().async_added_to_hass()
        self.async_on_remove(self._forget_expiry)
        self._await_expiry()

    @callback
    @override
    def _show(self) -> None:
        """Show the value, and again when it expires."""
        super()._show()
        self._await_expiry()

    @callback
    def _await_expiry(self) -> None:
        """Wait for the instant at which the value becomes another one."""
        self._forget_expiry()
        expires = self.entity_description.expires
        if expires is None or (instant := expires(self.subject)) is None:
            return
        # A wall time that comes twice may lie behind us the second time.
        if instant > self.engine.clock.now():
            self._expiry = self.engine.clock.call_at(instant, self._expired)

    @callback
    def _expired(self) -> None:
        """Show the value that holds from now on."""
        self._expiry = None
        self._show()

    @callback
    def _forget_expiry(self) -> None:
        """Wait no longer."""
        if self._expiry is not None:
            self._expiry()
            self._expiry = None
