"""Sensors of a dosing head: what it gave, may give and has left, and what comes next."""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTime, UnitOfVolume

from .dosing.budget import WINDOW
from .dosing.volume import millilitres
from .engine.changes import (
    ContainerChanged,
    DeviceChanged,
    DoseChanged,
    MacroChanged,
    MemoryChanged,
    ScheduleChanged,
)
from .entity import any_of
from .outlook import of_head, upcoming
from .sensor_description import AquaristSensorDescription
from .subjects import Head

DAYS_AGAIN: Final = timedelta(days=1)
"""After so long it is looked again for how many days a container lasts."""


def _given(head: Head) -> int:
    """Return the microlitres that count in the head's 24 hours."""
    return head.engine.gate.given(head.state.row.number, head.head.index, head.now)


def _budget_left(head: Head) -> float | None:
    """Return the millilitres that the head may still give now."""
    budget = head.state.limits.head(head.head.index).budget
    if budget is None:
        return None
    taken = head.engine.gate.taken(head.state, head.head.index, head.now)
    return millilitres(max(budget - taken, 0))


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
    wanted = of_head(head.engine, head.state.row.number, head.head.index)
    entry = upcoming(head.engine, wanted)
    moments = (None if entry is None else entry.start, _next_by_itself(head))
    return min((moment for moment in moments if moment is not None), default=None)


def _next_by_itself(head: Head) -> datetime | None:
    """Return when the pump doses with the head next by the programme in its memory."""
    memory, now = head.engine.device_memory.content, head.engine.clock.local_now()
    found = memory.next_dose(head.state.row.number, head.head.index, now)
    return None if found is None else found[0]


def _calibrated(head: Head) -> datetime | None:
    """Return when the head was calibrated last, None if never."""
    age = head.engine.calibrations.age(head.state, head.head.index)
    return None if age is None else age.at


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
    days = None if status is None else status.days_left
    # They run out with each look: a tenth of a day spares the recorder.
    return None if days is None else round(days, 1)


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
        suggested_unit_of_measurement=UnitOfVolume.MILLILITERS,
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
        suggested_unit_of_measurement=UnitOfVolume.MILLILITERS,
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
        hears=any_of(ScheduleChanged, MacroChanged, DeviceChanged, MemoryChanged),
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
        value=_delivered,
        hears=any_of(DoseChanged, DeviceChanged, ContainerChanged),
    ),
    AquaristSensorDescription(
        key="calibrated",
        translation_key="calibrated",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=_calibrated,
        hears=any_of(DeviceChanged),
    ),
)
CONTAINER_SENSORS: tuple[AquaristSensorDescription[Head], ...] = (
    AquaristSensorDescription(
        key="container_left",
        translation_key="container_left",
        native_unit_of_measurement=UnitOfVolume.MILLILITERS,
        suggested_unit_of_measurement=UnitOfVolume.MILLILITERS,
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
        hears=any_of(
            DoseChanged, ContainerChanged, ScheduleChanged, MacroChanged, MemoryChanged
        ),
        expires=lambda head: head.now + DAYS_AGAIN,
    ),
)
