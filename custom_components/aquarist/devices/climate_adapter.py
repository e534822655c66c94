"""A climate entity as one composite field: mode, temperature and preset."""

from collections.abc import Sequence
from dataclasses import dataclass

from homeassistant.components.climate.const import ClimateEntityFeature
from homeassistant.core import State

from ..layers.setting import Scalar, Setting, is_number
from .entity_adapter import ServiceCall, choices, number_attribute
from .fields import DataType, Field, composite
from .value_adapters import in_unit

HVAC_MODE = "hvac_mode"
TEMPERATURE = "temperature"
PRESET_MODE = "preset_mode"
_OFF = "off"
_NO_PRESET = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClimateAdapter:
    """Temperatures are announced in ``unit``; ``system_unit`` is the one that states carry."""

    name: str
    unit: str
    system_unit: str

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
            parts.append(
                Field(
                    name=TEMPERATURE,
                    data_type=DataType.NUMBER,
                    unit=self.unit,
                    minimum=self._announced(number_attribute(state, "min_temp")),
                    maximum=self._announced(number_attribute(state, "max_temp")),
                    step=self._step(state),
                )
            )
        if _supports(state, ClimateEntityFeature.PRESET_MODE):
            parts.append(
                Field(
                    name=PRESET_MODE,
                    data_type=DataType.STRING,
                    values=choices(state, "preset_modes"),
                )
            )
        return composite(self.name, *parts)

    def read(self, state: State) -> Setting | None:
        """Return the parts that the entity shows."""
        setting: dict[str, Scalar] = {HVAC_MODE: state.state}
        temperature = self._announced(number_attribute(state, TEMPERATURE))
        if temperature is not None:
            setting[TEMPERATURE] = temperature
        preset = state.attributes.get(PRESET_MODE)
        if isinstance(preset, str):
            setting[PRESET_MODE] = preset
        return setting

    def calls(self, state: State, wanted: Setting) -> Sequence[ServiceCall]:
        """Return the calls for the parts that differ, in an order in which none undoes another.

        A preset brings its own temperature, and leaving one brings the former back; an entity
        that is off may refuse a temperature.
        """
        order = [HVAC_MODE, PRESET_MODE, TEMPERATURE]
        if not self._leaves_preset(wanted):
            order = [HVAC_MODE, TEMPERATURE, PRESET_MODE]
        if wanted.get(HVAC_MODE) == _OFF:
            order = [*order[1:], HVAC_MODE]
        differing = [
            part
            for part in order
            if part in wanted and not self._part_shown(state, part, wanted[part])
        ]
        if PRESET_MODE in differing and TEMPERATURE in wanted:
            differing = [part for part in order if part in {*differing, TEMPERATURE}]
        return [
            ServiceCall(
                domain="climate",
                service=f"set_{part}",
                data={part: self._native(part, wanted[part])},
            )
            for part in differing
        ]

    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether the parts are as wanted; a preset's temperature is its own affair."""
        return all(
            self._part_shown(state, part, value)
            for part, value in wanted.items()
            if part != TEMPERATURE or self._temperature_counts(state, wanted)
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
        if part == PRESET_MODE:
            return state.attributes.get(PRESET_MODE) == value
        shown, wanted = number_attribute(state, TEMPERATURE), self._native(part, value)
        if shown is None or not is_number(wanted):
            return False
        step = number_attribute(state, "target_temp_step") or 1.0
        return abs(shown - wanted) <= step / 2 + 1e-6

    def _step(self, state: State | None) -> float | None:
        """Return the step, which is known in the unit of the states only."""
        return (
            number_attribute(state, "target_temp_step")
            if self.unit == self.system_unit
            else None
        )

    def _announced(self, temperature: float | None) -> float | None:
        """Return a temperature of a state in the announced unit."""
        return (
            None
            if temperature is None
            else in_unit(temperature, self.system_unit, self.unit)
        )

    def _native(self, part: str, value: Scalar) -> Scalar:
        """Return a part's value as its service takes it."""
        if part == TEMPERATURE and is_number(value):
            return in_unit(float(value), self.unit, self.system_unit)
        return value


def _supports(state: State | None, feature: int) -> bool:
    """Return whether the entity announces a feature; everything while it is not known."""
    if state is None:
        return True
    return bool(int(number_attribute(state, "supported_features") or 0) & feature)
