"""From what a keeper listed by hand to a device made of Home Assistant's entities.

Apart from `hardware`, and read only where there is such a device: it brings in all the
kinds of entities that can back one.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant

from .const import (
    CONF_AUTOMATIC_OFF_SECONDS,
    CONF_CHANNEL,
    CONF_CHANNELS,
    CONF_FIELDS,
    CONF_FLOW_ENTERED_AT,
    CONF_FLOW_ML_PER_MINUTE,
    CONF_MAXIMUM,
    CONF_MAXIMUM_DOSE_ML,
    CONF_MAXIMUM_ON_SECONDS,
    CONF_MINIMUM,
    CONF_RESPECT_MANUAL_CHANGE,
    CONF_SAFE_VALUE,
    CONF_SHUTDOWN_VALUE,
    CONF_START_VALUE,
    CONF_UNIT,
    SUBENTRY_DOSER,
    SUBENTRY_LIGHT,
    SUBENTRY_PUMP,
)
from .devices.backing_entity import domain_of
from .devices.climate_adapter import HVAC_MODE
from .devices.device import Device, Head
from .devices.doser import Doser
from .devices.dosing_fields import LONGEST_RUN
from .devices.entity import EntityDevice, EntityField
from .devices.fields import LEVEL
from .devices.lamp import LIGHT
from .devices.light import Light
from .devices.pump import Pump
from .devices.references import brought_up_to_date, present_entity_id
from .engine.state import DeviceLimits
from .hardware import (
    MICROLITRES,
    Hardware,
    device_uuid,
    hand_limits,
    head_limits,
    level_limits,
)
from .layers.setting import Setting


def keep_references(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Store the present ids of the entities that an aquarium's devices are made of.

    So that they are found again when they are renamed while nobody looks.
    """
    for subentry in entry.subentries.values():
        hass.config_entries.async_update_subentry(
            entry, subentry, data=brought_up_to_date(hass, subentry.data)
        )


def subentry_hardware(
    hass: HomeAssistant, entry: ConfigEntry[Any], subentry: ConfigSubentry
) -> Hardware:
    """Return the device of a subentry. Raises DeviceError for an entity it cannot be made of."""
    data = subentry.data
    uuid, name = device_uuid(subentry.subentry_id), subentry.title
    device: Device
    limits = DeviceLimits()
    if subentry.subentry_type == SUBENTRY_PUMP:
        device = Pump(
            hass,
            uuid=uuid,
            name=name,
            entity=present_entity_id(hass, data),
            low=data.get(CONF_MINIMUM),
            high=data.get(CONF_MAXIMUM),
        )
        limits = level_limits(LEVEL, data)
    elif subentry.subentry_type == SUBENTRY_LIGHT:
        channels = {
            one[CONF_CHANNEL]: present_entity_id(hass, one)
            for one in data[CONF_CHANNELS]
        }
        device = Light(hass, uuid=uuid, name=name, channels=channels)
        limits = level_limits(LIGHT, data)
    elif subentry.subentry_type == SUBENTRY_DOSER:
        device = _switch_doser(hass, uuid, name, data)
        limits = DeviceLimits(heads={0: head_limits(data)})
    else:
        device = EntityDevice(
            hass,
            uuid=uuid,
            name=name,
            fields=[
                EntityField(
                    name=one[CONF_NAME],
                    entity=present_entity_id(hass, one),
                    unit=one.get(CONF_UNIT),
                )
                for one in data[CONF_FIELDS]
            ],
        )
        limits = replace(
            hand_limits(
                [one[CONF_NAME] for one in data[CONF_FIELDS]],
                data,
                respected=[
                    one[CONF_NAME]
                    for one in data[CONF_FIELDS]
                    if one.get(CONF_RESPECT_MANUAL_CHANGE)
                ],
            ),
            safe=_values(hass, data, CONF_SAFE_VALUE),
            at_start=_values(hass, data, CONF_START_VALUE),
            at_shutdown=_values(hass, data, CONF_SHUTDOWN_VALUE),
        )
    return Hardware(device=device, limits=limits, aquarium=entry.entry_id)


def _values(
    hass: HomeAssistant, data: Mapping[str, Any], key: str
) -> dict[str, Setting]:
    """Return the values that a keeper chose for the fields of a device by name."""
    return {
        one[CONF_NAME]: {_part_of(hass, one): one[key]}
        for one in data[CONF_FIELDS]
        if one.get(key) is not None
    }


def _part_of(hass: HomeAssistant, field: Mapping[str, Any]) -> str:
    """Return the part of a field that a single value means: of a climate it is the mode."""
    if domain_of(hass, present_entity_id(hass, field)) == "climate":
        return HVAC_MODE
    name: str = field[CONF_NAME]
    return name


def _switch_doser(
    hass: HomeAssistant, uuid: str, name: str, data: Mapping[str, Any]
) -> Doser:
    """Return a doser made of a switch and a measured flow rate."""
    flow = data[CONF_FLOW_ML_PER_MINUTE] * MICROLITRES / 60
    entered_at: str | None = data.get(CONF_FLOW_ENTERED_AT)
    return Doser(
        hass,
        uuid=uuid,
        name=name,
        entity=present_entity_id(hass, data),
        maximum_on=data.get(CONF_MAXIMUM_ON_SECONDS, LONGEST_RUN),
        automatic_off=data.get(CONF_AUTOMATIC_OFF_SECONDS),
        head=Head(
            index=0,
            name=name,
            flow=flow,
            minimum=100,
            maximum=round(data[CONF_MAXIMUM_DOSE_ML] * MICROLITRES),
            flow_entered_at=datetime.fromisoformat(entered_at) if entered_at else None,
        ),
    )
