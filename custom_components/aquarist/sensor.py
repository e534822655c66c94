"""Sensors: what heads gave, may give and have left, what comes next, since when a pump runs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
    UnitOfTime,
    UnitOfVolume,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import AquaristConfigEntry
from .devices.chihiros_device import ChihirosDevice
from .devices.device import DeviceKind
from .devices.fields import LEVEL
from .dosing.budget import WINDOW
from .dosing.volume import millilitres
from .engine.changes import (
    ContainerChanged,
    DeviceChanged,
    DoseChanged,
    FieldChanged,
    MemoryChanged,
    ModeChanged,
    ScheduleChanged,
)
from .entity import AquaristEntity, any_of
from .outlook import of_aquarium, of_head, upcoming
from .sensor_description import AquaristSensorDescription
from .subjects import (
    CHIHIROS,
    Aquarium,
    Device,
    Head,
    Subject,
    subjects,
    with_container,
)
from .write_action_sensors import WRITE_ACTION_SENSORS

PARALLEL_UPDATES = 0

SIGNAL_AGAIN: Final = timedelta(minutes=5)
"""After so long the strength of a signal is looked at again."""


def _given(head: Head) -> int:
    """Return the microlitres that count in the head's 24 hours."""
    return head.engine.gate.given(head.state.row.number, head.head.index, head.now)


def _budget_left(head: Head) -> float | None:
    """Return the millilitres that the head may still give now."""
    budget = head.state.limits.head(head.head.index).budget
    return None if budget is None else millilitres(max(budget - _given(head), 0))


def _rolls_out(head: Head) -> datetime | None:
    """Return when the oldest dose that counts leaves the 24 hours."""
    now = head.now
    doses = head.engine.gate.doses(head.state.row.number, head.head.index)
    leave = (dose.at + WINDOW for dose in doses if dose.counted)
    return min((instant for instant in leave if instant > now), default=None)


def _lifetime(head: Head) -> float | None:
    """Return the millilitres that the pump counted in its life, as last read."""
    counter = head.engine.counters.get((head.state.row.number, head.head.index))
    return None if counter is None else millilitres(counter.lifetime)


def _next_dose(head: Head) -> datetime | None:
    """Return when a schedule, or the pump by itself, doses with the head next."""
    wanted = of_head(head.state.row.number, head.head.index)
    entry = upcoming(head.engine, wanted)
    moments = (None if entry is None else entry.start, _next_by_itself(head))
    return min((moment for moment in moments if moment is not None), default=None)


def _next_by_itself(head: Head) -> datetime | None:
    """Return when the pump doses with the head next by the programme in its memory."""
    memory, now = head.engine.device_memory.content, head.engine.clock.local_now()
    found = memory.next_dose(head.state.row.number, head.head.index, now)
    return None if found is None else found[0]


def _delivered(head: Head) -> float | None:
    """Return how much of what was asked for the head gives, in per cent, once that can be told."""
    drift = head.engine.calibrations.delivery(head.state, head.head.index).drift
    return None if drift is None else 100 + drift


def _container_left(head: Head) -> float | None:
    """Return the millilitres that are left in the head's container."""
    number, index = head.state.row.number, head.head.index
    remaining = head.engine.containers.remaining(number, index)
    return None if remaining is None else millilitres(remaining)


def _days_left(head: Head) -> float | None:
    """Return for how many days the head's container lasts; None when nothing is planned."""
    status = head.container
    return None if status is None else status.days_left


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


HEAD_SENSORS: tuple[AquaristSensorDescription[Head], ...] = (
    AquaristSensorDescription(
        key="dosed_today",
        translation_key="dosed_today",
        native_unit_of_measurement=UnitOfVolume.MILLILITERS,
        # The sum of a rolling day goes up and down, which no device class of volumes allows.
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        value=lambda head: millilitres(_given(head)),
        hears=any_of(DoseChanged, DeviceChanged),
        expires=_rolls_out,
    ),
    AquaristSensorDescription(
        key="budget_left",
        translation_key="budget_left",
        native_unit_of_measurement=UnitOfVolume.MILLILITERS,
        device_class=SensorDeviceClass.VOLUME_STORAGE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists=lambda head: head.state.limits.head(head.head.index).budget is not None,
        value=_budget_left,
        hears=any_of(DoseChanged, DeviceChanged),
        expires=_rolls_out,
    ),
    AquaristSensorDescription(
        key="lifetime",
        translation_key="lifetime",
        native_unit_of_measurement=UnitOfVolume.MILLILITERS,
        device_class=SensorDeviceClass.VOLUME,
        state_class=SensorStateClass.TOTAL_INCREASING,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        # Only a pump with a counter of its own tells.
        exists=lambda head: head.state.row.address is not None,
        value=_lifetime,
        hears=any_of(DeviceChanged),
    ),
    AquaristSensorDescription(
        key="next_dose",
        translation_key="next_dose",
        device_class=SensorDeviceClass.TIMESTAMP,
        value=_next_dose,
        hears=any_of(ScheduleChanged, DeviceChanged, MemoryChanged),
        expires=_next_by_itself,
    ),
    AquaristSensorDescription(
        key="delivered",
        translation_key="delivered",
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        # Only a pump with a counter of its own tells.
        exists=lambda head: head.state.row.address is not None,
        value=_delivered,
        hears=any_of(DoseChanged, DeviceChanged),
    ),
)
CONTAINER_SENSORS: tuple[AquaristSensorDescription[Head], ...] = (
    AquaristSensorDescription(
        key="container_left",
        translation_key="container_left",
        native_unit_of_measurement=UnitOfVolume.MILLILITERS,
        device_class=SensorDeviceClass.VOLUME_STORAGE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        value=_container_left,
        hears=any_of(DoseChanged, ContainerChanged),
    ),
    AquaristSensorDescription(
        key="days_left",
        translation_key="days_left",
        native_unit_of_measurement=UnitOfTime.DAYS,
        device_class=SensorDeviceClass.DURATION,
        suggested_display_precision=0,
        value=_days_left,
        hears=any_of(DoseChanged, ContainerChanged, ScheduleChanged, MemoryChanged),
    ),
)
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
        hears=any_of(ScheduleChanged, DeviceChanged),
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
    for head in subjects(hass, entry, Head):
        async_add_entities(
            (AquaristSensor(head, one) for one in HEAD_SENSORS if one.exists(head)),
            config_subentry_id=head.subentry,
        )
    with_container(
        hass,
        entry,
        lambda head: async_add_entities(
            (AquaristSensor(head, one) for one in CONTAINER_SENSORS),
            config_subentry_id=head.subentry,
        ),
    )
    for device in subjects(hass, entry, Device):
        async_add_entities(
            (
                AquaristSensor(device, one)
                for one in DEVICE_SENSORS
                if one.exists(device)
            ),
            config_subentry_id=device.subentry,
        )
    for aquarium in subjects(hass, entry, Aquarium):
        async_add_entities(AquaristSensor(aquarium, one) for one in AQUARIUM_SENSORS)


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
