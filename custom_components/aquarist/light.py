"""Lamps: one light each, in the colour mode that its channels can honestly show."""

from collections.abc import Mapping
from typing import Any, cast, override

from homeassistant.components.light import LightEntity, LightEntityDescription
from homeassistant.components.light.const import (
    ATTR_BRIGHTNESS,
    ATTR_RGB_COLOR,
    ATTR_RGBW_COLOR,
    ColorMode,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import AquaristConfigEntry
from .devices.device import DeviceKind
from .devices.lamp import LIGHT, MIX
from .engine.changes import DeviceChanged, FieldChanged
from .entity import LevelEntity, any_of
from .subject_entities import with_each
from .subjects import LIGHTS, Device

PARALLEL_UPDATES = 0

RGB = ("red", "green", "blue")
RGBW = (*RGB, "white")
FULL = 100.0
BYTE = 255


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a light for each lamp of the entry."""

    def lights(device: Device) -> list[AquaristLight]:
        return [AquaristLight(device)] if device.kind in LIGHTS else []

    with_each(hass, entry, async_add_entities, Device, lights)


def color_mode_of(channels: tuple[str, ...]) -> ColorMode:
    """Return the mode that shows all channels; what has other ones shows its level alone.

    White beside warm white is no colour temperature while nobody knows those of the diodes.
    """
    if set(channels) == set(RGBW):
        return ColorMode.RGBW
    if set(channels) == set(RGB):
        return ColorMode.RGB
    return ColorMode.BRIGHTNESS


class AquaristLight(LevelEntity, LightEntity):
    """A lamp. Off is level 0, so that the mix of its channels is kept."""

    _attr_name = None
    # Home Assistant leaves it out; the history of the level is read from it (R-T50).
    _entity_component_unrecorded_attributes = (
        LightEntity._entity_component_unrecorded_attributes  # noqa: SLF001
        - {ATTR_BRIGHTNESS}
    )

    def __init__(self, device: Device) -> None:
        """Take the colour mode of the lamp's channels."""
        super().__init__(
            device,
            LightEntityDescription(key="light", translation_key="lamp"),
            any_of(FieldChanged, DeviceChanged),
            LIGHT,
        )
        self._channels = channels_of(device)
        mode = color_mode_of(self._channels)
        self._attr_color_mode = mode
        self._attr_supported_color_modes = {mode}
        # A Chihiros lamp has no read-back: what is shown was acknowledged, not seen.
        self._attr_assumed_state = device.kind is DeviceKind.CHIHIROS_LIGHT

    @property
    @override
    def brightness(self) -> int:
        """Return the level as a byte; a lamp that is on never shows 0."""
        level = self.level or 0.0
        return max(round(level / FULL * BYTE), int(level > 0))

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, float]:
        """Return the mix, also while off: Home Assistant records it, colours it does not."""
        return {
            part: round(float(share), 1)
            for part, share in self.setting.items()
            if part.startswith(MIX)
        }

    @property
    @override
    def rgb_color(self) -> tuple[int, int, int]:
        """Return the mix of these three channels."""
        return cast(tuple[int, int, int], self._mix(RGB))

    @property
    @override
    def rgbw_color(self) -> tuple[int, int, int, int]:
        """Return the mix of these four channels."""
        return cast(tuple[int, int, int, int], self._mix(RGBW))

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Turn on, at a level, in a mix, or as it last was."""
        level = percent(kwargs[ATTR_BRIGHTNESS]) if ATTR_BRIGHTNESS in kwargs else None
        color = kwargs.get(ATTR_RGBW_COLOR) or kwargs.get(ATTR_RGB_COLOR)
        if color is not None:
            shares = dict(zip(RGBW, color, strict=False))
            await self.submit("set_channels", levels=self._levels(shares, level))
        elif level is not None:
            await self.submit("set_level", level=level)
        else:
            await self.submit("turn_on")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Go dark and keep the mix."""
        await self.submit("turn_off")

    def _mix(self, order: tuple[str, ...]) -> tuple[int, ...]:
        """Return the channels' shares as bytes; one that is not named is full."""
        shares = (self.setting.get(MIX + channel, FULL) for channel in order)
        return tuple(round(float(share) / FULL * BYTE) for share in shares)

    def _levels(self, shares: Mapping[str, int], level: float | None) -> list[float]:
        """Return the channels' levels for a mix; the strongest is at the lamp's level."""
        strongest = max(*shares.values(), 1)
        top = level if level is not None else self.level or FULL
        return [
            round(shares[channel] / strongest * top, 1) for channel in self._channels
        ]


def channels_of(device: Device) -> tuple[str, ...]:
    """Return the names of a lamp's channels in the order of its numbers."""
    parts = device.state.fields[LIGHT].description.parts
    return tuple(part.removeprefix(MIX) for part in parts if part.startswith(MIX))


def percent(brightness: int) -> float:
    """Return per cent from a byte, as fine as the byte is."""
    return round(brightness / BYTE * FULL, 1)
