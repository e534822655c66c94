"""From what a keeper entered to a device with its limits: the only reader of entry data."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant

from .ble.link import Link
from .ble.session import LinkSettings
from .ble.transport import Transport
from .chihiros.models import DeviceFamily, model_for
from .const import (
    CONF_ADDITIVE,
    CONF_ADDITIVE_BUDGETS,
    CONF_AQUARIUM,
    CONF_BUDGET_ML,
    CONF_CALIBRATION_DAYS,
    CONF_CHANNELS,
    CONF_CONTAINER_ML,
    CONF_ENABLED,
    CONF_FAMILY,
    CONF_FIRST,
    CONF_HAND,
    CONF_HAND_MINUTES,
    CONF_HEADS,
    CONF_IDLE_HOLD,
    CONF_LOCAL_NAME,
    CONF_LOW_DAYS,
    CONF_MAXIMUM_DOSE_ML,
    CONF_MAXIMUM_LEVEL,
    CONF_MAXIMUM_ON_MINUTES,
    CONF_MINIMUM_INTERVAL_MINUTES,
    CONF_MINUTES,
    CONF_ONLY_CALIBRATED,
    CONF_ONLY_IF_FITS,
    CONF_RESPECT_MANUAL_CHANGE,
    CONF_RESTORE_MEMORY,
    CONF_SAFE_LEVEL,
    CONF_SECOND,
    CONF_SHUTDOWN_LEVEL,
    CONF_SLEW,
    CONF_SPACING,
    CONF_START_LEVEL,
    DEFAULT_BUDGET_ML,
    DEFAULT_IDLE_HOLD,
)
from .devices.chihiros_doser import ChihirosDoser
from .devices.chihiros_light import ChihirosLight
from .devices.device import Device
from .devices.fields import LEVEL
from .devices.lamp import LIGHT
from .dosing.calibration import REMINDER_DAYS
from .dosing.spacing import Spacing
from .engine.state import AquariumLimits, DeviceLimits, HeadLimits
from .frozen import frozen
from .layers.hand import HandPolicy, HandRule
from .layers.setting import Setting
from .limits.bounds import Bounds
from .limits.slew import Slew

type LocalTime = Callable[[], datetime]

NAMESPACE = UUID("6f1c1e7e-5d0b-5a52-9a0e-2f1d3c4b5a69")
MICROLITRES = 1000


@frozen
class Hardware:
    """A device ready to be attached, and what its keeper allows."""

    device: Device
    limits: DeviceLimits
    aquarium: str | None
    assumed: Mapping[str, Setting] = field(default_factory=dict)


def device_uuid(identity: str) -> str:
    """Return the UUID of a Bluetooth address or subentry id, the same for ever."""
    return str(uuid5(NAMESPACE, identity))


def chihiros_device(
    transport: Transport,
    *,
    address: str,
    name: str,
    data: Mapping[str, Any],
    options: Mapping[str, Any],
    aquarium: str | None,
    local_time: LocalTime,
) -> Hardware:
    """Return a Chihiros device over a transport."""
    family = DeviceFamily(data[CONF_FAMILY])
    hold = float(options.get(CONF_IDLE_HOLD, DEFAULT_IDLE_HOLD))
    link = Link(transport, family, local_time, LinkSettings(idle_hold=hold), name=name)
    if family is DeviceFamily.DOSER:
        heads = known_heads(data, options)
        doser = ChihirosDoser(
            link,
            uuid=device_uuid(address),
            name=name,
            address=address,
            head_names=[head[CONF_NAME] for head in heads],
            local_time=local_time,
        )
        return Hardware(
            device=doser,
            aquarium=aquarium,
            limits=DeviceLimits(
                heads={index: head_limits(head) for index, head in enumerate(heads)},
                restore_memory=bool(options.get(CONF_RESTORE_MEMORY, False)),
            ),
        )
    channels: list[str] = data[CONF_CHANNELS]
    model = model_for(data.get(CONF_LOCAL_NAME, ""))
    lamp = ChihirosLight(
        link,
        uuid=device_uuid(address),
        name=name,
        address=address,
        channels={channel: index for index, channel in enumerate(channels)},
        local_time=local_time,
        curve=model.curve if model is not None else None,
    )
    return Hardware(
        device=lamp,
        aquarium=aquarium,
        limits=replace(
            level_limits(LIGHT, options),
            restore_memory=bool(options.get(CONF_RESTORE_MEMORY, False)),
        ),
        assumed={LIGHT: lamp.lamp.whole({LEVEL: 0.0}, None)},
    )


def aquarium_of(hass: HomeAssistant, entry: ConfigEntry[Any]) -> str | None:
    """Return the aquarium that a device belongs to; None when that was removed."""
    aquarium: str | None = entry.options.get(CONF_AQUARIUM)
    if aquarium is None or hass.config_entries.async_get_entry(aquarium) is None:
        return None
    return aquarium


def known_heads(
    data: Mapping[str, Any], options: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Return what is known of each head; names are for people and count from 1."""
    known: list[Mapping[str, Any]] = list(options.get(CONF_HEADS, ()))
    return [
        {
            CONF_NAME: f"Head {index + 1}",
            CONF_ENABLED: True,
            CONF_BUDGET_ML: DEFAULT_BUDGET_ML,
            **(known[index] if index < len(known) else {}),
        }
        for index in range(data[CONF_HEADS])
    ]


def head_limits(head: Mapping[str, Any]) -> HeadLimits:
    """Return what a pump head may do by what its keeper entered; what is absent is no limit."""
    minutes = head.get(CONF_MINIMUM_INTERVAL_MINUTES)
    days = head.get(CONF_LOW_DAYS)
    return HeadLimits(
        additive=head.get(CONF_ADDITIVE) or None,
        budget=_volume(head.get(CONF_BUDGET_ML)),
        minimum_interval=None if minutes is None else minutes * 60.0,
        maximum_volume=_volume(head.get(CONF_MAXIMUM_DOSE_ML)),
        only_calibrated=bool(head.get(CONF_ONLY_CALIBRATED, False)),
        calibration_days=int(head.get(CONF_CALIBRATION_DAYS, REMINDER_DAYS)),
        only_if_fits=bool(head.get(CONF_ONLY_IF_FITS, False)),
        container=_volume(head.get(CONF_CONTAINER_ML)),
        low_days=None if days is None else int(days),
        enabled=bool(head.get(CONF_ENABLED, True)),
    )


def aquarium_limits(options: Mapping[str, Any]) -> AquariumLimits:
    """Return what all devices of an aquarium together may do, by its options."""
    return AquariumLimits(
        budget=_volume(options.get(CONF_BUDGET_ML)),
        additive_budget={
            one[CONF_ADDITIVE]: round(one[CONF_BUDGET_ML] * MICROLITRES)
            for one in options.get(CONF_ADDITIVE_BUDGETS, ())
        },
        spacing=tuple(
            Spacing(
                first=one[CONF_FIRST],
                second=one[CONF_SECOND],
                seconds=one[CONF_MINUTES] * 60.0,
            )
            for one in options.get(CONF_SPACING, ())
        ),
    )


def _volume(milliliters: float | None) -> int | None:
    """Return a volume in microlitres; None is no limit."""
    return None if milliliters is None else round(milliliters * MICROLITRES)


def level_limits(field_name: str, data: Mapping[str, Any]) -> DeviceLimits:
    """Return the limits of a device with a level, and what a change of it by hand means."""
    maximum = data.get(CONF_MAXIMUM_LEVEL)
    slew = data.get(CONF_SLEW)
    minutes = data.get(CONF_MAXIMUM_ON_MINUTES)
    return replace(
        hand_limits([field_name], data),
        bounds={} if maximum is None else {field_name: Bounds(maximum=maximum)},
        slew={} if slew is None else {field_name: Slew(per_second=slew)},
        maximum_on={} if minutes is None else {field_name: minutes * 60},
        safe=_level(field_name, data.get(CONF_SAFE_LEVEL)),
        at_start=_level(field_name, data.get(CONF_START_LEVEL)),
        at_shutdown=_level(field_name, data.get(CONF_SHUTDOWN_LEVEL)),
    )


def hand_limits(
    field_names: Collection[str],
    data: Mapping[str, Any],
    *,
    respected: Collection[str] = (),
) -> DeviceLimits:
    """Return what a change of these fields by hand means, and no other limit.

    ``respected`` are those that keep it after a window, unless all of them do (RES-28).
    """
    all_of_them = bool(data.get(CONF_RESPECT_MANUAL_CHANGE, False))
    return DeviceLimits(
        hand=hand_policy(data),
        respect_manual_change=frozenset(field_names if all_of_them else respected),
    )


def _level(field_name: str, level: float | None) -> Mapping[str, Setting]:
    """Return the level that a keeper chose for a field; nothing where none was chosen."""
    return {} if level is None else {field_name: {LEVEL: float(level)}}


def hand_policy(data: Mapping[str, Any]) -> HandPolicy:
    """Return how long a change by hand wins; what was never asked is the usual rule."""
    minutes = data.get(CONF_HAND_MINUTES)
    return HandPolicy(
        rule=HandRule(data.get(CONF_HAND, HandRule.UNTIL_NEXT_EVENT)),
        seconds=None if minutes is None else minutes * 60.0,
    )
