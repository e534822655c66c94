"""Real entities of Home Assistant that can fail, hang and lie."""

import asyncio
from typing import Any, override

from homeassistant.components.climate import ClimateEntity
from homeassistant.components.climate.const import ClimateEntityFeature, HVACMode
from homeassistant.components.cover import CoverEntity
from homeassistant.components.cover.const import CoverEntityFeature
from homeassistant.components.fan import FanEntity
from homeassistant.components.fan.const import FanEntityFeature
from homeassistant.components.light import LightEntity
from homeassistant.components.light.const import ColorMode
from homeassistant.components.number import NumberEntity
from homeassistant.components.switch import SwitchEntity
from homeassistant.components.valve.const import ValveEntityFeature
from homeassistant.components.valve.entity import ValveEntity
from homeassistant.const import UnitOfTemperature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import setup_test_component_platform


class Misbehaving(Entity):
    """What all of them can do wrong; ``log`` keeps the calls that arrived."""

    _attr_should_poll = False

    def __init__(self, name: str, *, unique_id: str | None = None) -> None:
        """Take the name that the entity id is made of."""
        self._attr_name = name
        self._attr_unique_id = unique_id
        self.log: list[dict[str, Any]] = []
        self.fails: list[Exception] = []
        self.fails_after: list[Exception] = []
        self.hangs: asyncio.Event | None = None
        self.lies = False

    async def obey(self, **asked: Any) -> bool:
        """Take a call; False when it is to have no effect."""
        self.log.append(asked)
        if self.hangs is not None:
            await self.hangs.wait()
        if self.fails:
            raise self.fails.pop(0)
        return not self.lies

    def show(self, **attributes: Any) -> None:
        """Show other values, as after a change at the thing itself."""
        for name, value in attributes.items():
            setattr(self, f"_attr_{name}", value)
        self.async_write_ha_state()

    def take_effect(self, **attributes: Any) -> None:
        """Show what was asked for, and fail all the same when it is to."""
        self.show(**attributes)
        if self.fails_after:
            raise self.fails_after.pop(0)


class FakeSwitch(Misbehaving, SwitchEntity):
    """A switch."""

    _attr_is_on = False

    def runs(self) -> bool:
        """Return whether it is on."""
        return self._attr_is_on is True

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        if await self.obey(on=True):
            self.take_effect(is_on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        if await self.obey(on=False):
            self.take_effect(is_on=False)


class FakeLight(Misbehaving, LightEntity):
    """A dimmable light, which may keep whole per cents only."""

    _attr_is_on = False
    _attr_color_mode = ColorMode.BRIGHTNESS
    _attr_supported_color_modes = {ColorMode.BRIGHTNESS}
    coarse = False

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on and dim."""
        if await self.obey(on=True, **kwargs):
            brightness = kwargs.get("brightness", self._attr_brightness or 255)
            if self.coarse:
                brightness = round(round(brightness / 255 * 100) / 100 * 255)
            self.take_effect(is_on=True, brightness=brightness)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        if await self.obey(on=False):
            self.take_effect(is_on=False)


class FakeOnOffLight(FakeLight):
    """A light that cannot be dimmed."""

    _attr_color_mode = ColorMode.ONOFF
    _attr_supported_color_modes = {ColorMode.ONOFF}


class FakeFan(Misbehaving, FanEntity):
    """A fan with three speeds."""

    _attr_percentage: int | None = 0
    _attr_speed_count = 3
    _attr_supported_features = (
        FanEntityFeature.SET_SPEED
        | FanEntityFeature.TURN_ON
        | FanEntityFeature.TURN_OFF
    )

    @override
    async def async_set_percentage(self, percentage: int) -> None:
        """Take the speed."""
        if await self.obey(percentage=percentage):
            self.take_effect(percentage=percentage)

    @override
    async def async_turn_on(
        self,
        percentage: int | None = None,
        preset_mode: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Switch on with a speed."""
        if await self.obey(on=True, percentage=percentage):
            self.take_effect(percentage=percentage or 100)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        if await self.obey(on=False):
            self.take_effect(percentage=0)


class FakePlainFan(FakeFan):
    """A fan that is on or off."""

    _attr_percentage = None
    _attr_supported_features = FanEntityFeature.TURN_ON | FanEntityFeature.TURN_OFF
    _attr_on = False

    @property
    @override
    def is_on(self) -> bool:
        """Return whether it runs."""
        return self._attr_on

    @override
    async def async_turn_on(
        self,
        percentage: int | None = None,
        preset_mode: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Switch on."""
        if await self.obey(on=True):
            self.take_effect(on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        if await self.obey(on=False):
            self.take_effect(on=False)


class FakeValve(Misbehaving, ValveEntity):
    """A valve with a position."""

    _attr_reports_position = True
    _attr_current_valve_position = 0
    _attr_supported_features = (
        ValveEntityFeature.OPEN
        | ValveEntityFeature.CLOSE
        | ValveEntityFeature.SET_POSITION
    )

    @override
    async def async_set_valve_position(self, position: int) -> None:
        """Move to a position."""
        if await self.obey(position=position):
            self.take_effect(current_valve_position=position)


class FakeCover(Misbehaving, CoverEntity):
    """A cover that is open or closed."""

    _attr_is_closed = True
    _attr_supported_features = CoverEntityFeature.OPEN | CoverEntityFeature.CLOSE

    @override
    async def async_open_cover(self, **kwargs: Any) -> None:
        """Open."""
        if await self.obey(open=True):
            self.take_effect(is_closed=False)

    @override
    async def async_close_cover(self, **kwargs: Any) -> None:
        """Close."""
        if await self.obey(open=False):
            self.take_effect(is_closed=True)


class FakeNumber(Misbehaving, NumberEntity):
    """A temperature that can be set."""

    _attr_native_value = 25.0
    _attr_native_min_value = 10.0
    _attr_native_max_value = 40.0
    _attr_native_step = 0.5

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Take the value."""
        if await self.obey(value=value):
            self.take_effect(native_value=value)


class FakeClimate(Misbehaving, ClimateEntity):
    """A chiller with a preset that brings its own temperature; off it takes no temperature."""

    _attr_temperature_unit = UnitOfTemperature.CELSIUS
    _attr_hvac_modes = [HVACMode.OFF, HVACMode.HEAT, HVACMode.COOL]
    _attr_hvac_mode = HVACMode.HEAT
    _attr_target_temperature: float | None = 21.0
    _attr_target_temperature_step = 0.1
    _attr_precision = 0.1
    _attr_preset_modes = ["none", "away"]
    _attr_preset_mode: str | None = "none"
    _attr_supported_features = (
        ClimateEntityFeature.TARGET_TEMPERATURE
        | ClimateEntityFeature.PRESET_MODE
        | ClimateEntityFeature.TURN_OFF
    )
    _left: float | None = None

    @override
    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        """Take the mode."""
        if await self.obey(hvac_mode=hvac_mode):
            self.take_effect(hvac_mode=hvac_mode)

    @override
    async def async_set_temperature(self, **kwargs: Any) -> None:
        """Take the temperature."""
        if await self.obey(temperature=kwargs["temperature"]):
            self.take_effect(target_temperature=kwargs["temperature"])

    @override
    async def async_set_preset_mode(self, preset_mode: str) -> None:
        """Take the preset: away means 16 degrees, leaving it brings the former ones back."""
        if not await self.obey(preset_mode=preset_mode):
            return
        if preset_mode == "away":
            self._left = self._attr_target_temperature
            self.take_effect(preset_mode=preset_mode, target_temperature=16.0)
        else:
            self.take_effect(preset_mode=preset_mode, target_temperature=self._left)


async def add(hass: HomeAssistant, domain: str, *entities: Entity) -> None:
    """Load a domain with these entities."""
    setup_test_component_platform(hass, domain, entities)
    assert await async_setup_component(hass, domain, {domain: {"platform": "test"}})
    await hass.async_block_till_done()
