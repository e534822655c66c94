"""A climate entity as one composite field: mode, temperatures, preset, fan and swing."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from homeassistant.components.climate.const import ClimateEntityFeature
from homeassistant.core import State
from homeassistant.util.unit_conversion import TemperatureConverter

from ..frozen import frozen
from ..layers.setting import Scalar, Setting, is_number
from .entity_adapter import (
    Meaning,
    ServiceCall,
    Switching,
    choices,
    number_attribute,
    switching,
)
from .fields import DataType, Field, composite
from .value_adapters import in_unit

HVAC_MODE = "hvac_mode"
TEMPERATURE = "temperature"
LOW = "target_temp_low"
HIGH = "target_temp_high"
PRESET_MODE = "preset_mode"
FAN_MODE = "fan_mode"
SWING_MODE = "swing_mode"
SWING_HORIZONTAL_MODE = "swing_horizontal_mode"
_AIR = (FAN_MODE, SWING_MODE, SWING_HORIZONTAL_MODE)
_TEMPERATURES = (TEMPERATURE, LOW, HIGH)
_CHOICES = {
    PRESET_MODE: ("preset_modes", ClimateEntityFeature.PRESET_MODE),
    FAN_MODE: ("fan_modes", ClimateEntityFeature.FAN_MODE),
    SWING_MODE: ("swing_modes", ClimateEntityFeature.SWING_MODE),
    SWING_HORIZONTAL_MODE: (
        "swing_horizontal_modes",
        ClimateEntityFeature.SWING_HORIZONTAL_MODE,
    ),
}
_OFF = "off"
_NO_PRESET = "none"


@frozen
class ClimateAdapter:
    """Temperatures are announced in ``unit``; ``system_unit`` tells which one states carry now."""

    settle_time: ClassVar[float] = 0.0
    name: str
    unit: str
    system_unit: Callable[[], str]

    def field(self, state: State | None) -> Field:
        """Describe the parts that the entity has; all of them while it is not known."""
        parts = [
            Field(
                name=HVAC_MODE,
                data_type=DataType.STRING,
                values=choices(state, "hvac_modes"),
            )
        ]
        if _supports(state, ClimateEntityFeature.TARGET_TEMPERATURE):
            parts.append(self._temperature(state, TEMPERATURE))
        if _supports(state, ClimateEntityFeature.TARGET_TEMPERATURE_RANGE):
            parts += [self._temperature(state, LOW), self._temperature(state, HIGH)]
        for name, (listed, feature) in _CHOICES.items():
            if _supports(state, feature):
                values = choices(state, listed)
                parts.append(Field(name=name, data_type=DataType.STRING, values=values))
        return composite(self.name, *parts)

    def read(self, state: State) -> Setting | None:
        """Return the parts that the entity shows."""
        setting: dict[str, Scalar] = {HVAC_MODE: state.state}
        for part in _TEMPERATURES:
            temperature = self._announced(number_attribute(state, part))
            if temperature is not None:
                setting[part] = temperature
        for part in _CHOICES:
            if (chosen := _chosen(state, part)) is not None:
                setting[part] = chosen
        return setting

    def beside(self, state: State) -> str | None:
        """Return that all there is are parts."""
        return None

    def calls(self, state: State, wanted: Setting) -> Sequence[ServiceCall]:
        """Return the calls for the parts that differ, in an order in which none undoes another.

        A preset brings its own temperature, and leaving one brings the former back; an entity
        that is off may refuse a temperature.
        """
        order = [HVAC_MODE, PRESET_MODE, *_TEMPERATURES, *_AIR]
        if not self._leaves_preset(wanted):
            order = [HVAC_MODE, *_TEMPERATURES, PRESET_MODE, *_AIR]
        if wanted.get(HVAC_MODE) == _OFF:
            order = [*order[1:], HVAC_MODE]
        differing = [
            part
            for part in order
            if part in wanted and not self._part_shown(state, part, wanted[part])
        ]
        if PRESET_MODE in differing:
            again = {*differing, *(part for part in _TEMPERATURES if part in wanted)}
            differing = [part for part in order if part in again]
        if LOW in differing and HIGH in differing:
            differing.remove(HIGH)
        return [self._call(state, part, wanted) for part in differing]

    def meant(self, state: State, call: ServiceCall) -> Meaning:
        """Return the parts that a call gives; off is a mode, on is none."""
        if switching(call, "climate") is Switching.OFF:
            return {HVAC_MODE: _OFF}
        part = call.service.removeprefix("set_")
        known = {
            TEMPERATURE: {*_TEMPERATURES, HVAC_MODE},
            HVAC_MODE: {HVAC_MODE},
            PRESET_MODE: {PRESET_MODE},
            **{name: {name} for name in _AIR},
        }.get(part, set())
        if call.domain != "climate" or not call.data or not {*call.data} <= known:
            return None
        return {
            name: self._announced(value)
            if name in _TEMPERATURES and is_number(value)
            else value
            for name, value in call.data.items()
        }

    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether the parts are as wanted; a preset's temperature is its own affair."""
        return all(
            self._part_shown(state, part, value)
            for part, value in wanted.items()
            if part not in _TEMPERATURES or self._temperature_counts(state, wanted)
        )

    def _call(self, state: State, part: str, wanted: Setting) -> ServiceCall:
        """Return the call for a part; the ends of a range are set together."""
        parts = (LOW, HIGH) if part in (LOW, HIGH) else (part,)
        whole = {**(self.read(state) or {}), **wanted}
        return ServiceCall(
            domain="climate",
            service="set_temperature" if part in _TEMPERATURES else f"set_{part}",
            data={one: self._native(one, whole[one]) for one in parts if one in whole},
        )

    def _temperature(self, state: State | None, name: str) -> Field:
        """Describe a temperature that can be set."""
        return Field(
            name=name,
            data_type=DataType.NUMBER,
            unit=self.unit,
            minimum=self._announced(number_attribute(state, "min_temp")),
            maximum=self._announced(number_attribute(state, "max_temp")),
            step=self._step(state),
        )

    def _leaves_preset(self, wanted: Setting) -> bool:
        """Return whether no preset is to be in force."""
        return wanted.get(PRESET_MODE, _NO_PRESET) == _NO_PRESET

    def _temperature_counts(self, state: State, wanted: Setting) -> bool:
        """Return whether the temperature shown is the one that was asked for."""
        if wanted.get(HVAC_MODE) == _OFF and TEMPERATURE not in (
            self.read(state) or {}
        ):
            return False
        return self._leaves_preset(wanted)

    def _part_shown(self, state: State, part: str, value: Scalar) -> bool:
        """Return whether one part is as wanted."""
        if part == HVAC_MODE:
            return state.state == value
        if part in _CHOICES:
            return _chosen(state, part) == value
        shown, wanted = number_attribute(state, part), self._native(part, value)
        if shown is None or not is_number(wanted):
            return False
        step = number_attribute(state, "target_temp_step") or 1.0
        return abs(shown - wanted) <= step / 2 + 1e-6

    def _step(self, state: State | None) -> float | None:
        """Return the step, which is known in the unit of the states only."""
        return (
            number_attribute(state, "target_temp_step")
            if self.unit == self.system_unit()
            else None
        )

    def _announced[T: (float, float | None)](self, temperature: T) -> T:
        """Return a temperature of a state in the announced unit."""
        if temperature is None:
            return temperature
        return in_unit(temperature, self.system_unit(), self.unit, TemperatureConverter)

    def _native(self, part: str, value: Scalar) -> Scalar:
        """Return a part's value as its service takes it."""
        if part in _TEMPERATURES and is_number(value):
            return in_unit(
                float(value), self.unit, self.system_unit(), TemperatureConverter
            )
        return value


def leaving_preset(field: Field, setting: Setting) -> Setting:
    """Return a setting of a climate that asks for a temperature with the end of any preset.

    A preset has a temperature of its own: of two that hold at once neither could be told. One
    that has no word for none keeps its preset.
    """
    presets = (part for part in field.part_fields if part.name == PRESET_MODE)
    can_leave = any(_NO_PRESET in part.values for part in presets)
    asks = not setting.keys().isdisjoint(_TEMPERATURES)
    if not can_leave or not asks or PRESET_MODE in setting:
        return setting
    return {**setting, PRESET_MODE: _NO_PRESET}


def _chosen(state: State, part: str) -> str | None:
    """Return the preset or fan mode in force; no preset is one where it can be chosen."""
    chosen = state.attributes.get(part)
    if isinstance(chosen, str):
        return chosen
    listed = choices(state, _CHOICES[part][0])
    return _NO_PRESET if part == PRESET_MODE and _NO_PRESET in listed else None


def _supports(state: State | None, feature: int) -> bool:
    """Return whether the entity announces a feature; everything while it is not known."""
    if state is None:
        return True
    return bool(int(number_attribute(state, "supported_features") or 0) & feature)
