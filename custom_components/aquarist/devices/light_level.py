"""The level of a light: its brightness; what goes along with it is effect and colour."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override

from homeassistant.const import STATE_ON
from homeassistant.core import State

from .entity_adapter import ServiceCall, number_attribute, only_number
from .level import FULL, OFF, LevelAdapter, listed

_BRIGHTNESS = 255
_EFFECT = "effect"
_EFFECTS = "effect_list"
_WHITE = "white"
_NO_EFFECT = frozenset({"off", "none", "None"})
# How far each number of a colour may be off: lights round, and convert.
_NEARLY: Mapping[str, float] = {
    "color_temp_kelvin": 150,
    "hs_color": 6,
    "rgb_color": 12,
    "rgbw_color": 12,
    "rgbww_color": 12,
    "xy_color": 0.03,
}
_COLOURS: Mapping[str, str] = {
    "color_temp": "color_temp_kelvin",
    "hs": "hs_color",
    "rgb": "rgb_color",
    "rgbw": "rgbw_color",
    "rgbww": "rgbww_color",
    "xy": "xy_color",
}


class BrightnessLevel(LevelAdapter):
    """A light: its brightness, or on and off where it cannot be dimmed."""

    @override
    def _meant_level(self, state: State, call: ServiceCall) -> float | None:
        """Return the brightness of a call that gives nothing but that."""
        brightness = only_number(call, self.domain, "turn_on", "brightness")
        if brightness is not None:
            return brightness / _BRIGHTNESS * 100
        return only_number(call, self.domain, "turn_on", "brightness_pct")

    @override
    def _beside(self, state: State) -> Mapping[str, Any]:
        """Return the effect of a light that is on, and its colour."""
        if state.state != STATE_ON:
            return {}
        kept: dict[str, Any] = {}
        effect = state.attributes.get(_EFFECT)
        if effect in listed(state, _EFFECTS) and effect not in _NO_EFFECT:
            kept[_EFFECT] = effect
        colour = _COLOURS.get(str(state.attributes.get("color_mode")))
        if _is_white(state):
            kept[_WHITE] = True
        elif colour is not None and state.attributes.get(colour) is not None:
            kept[colour] = state.attributes[colour]
        return kept

    @override
    def _calls(
        self, state: State, level: float, kept: Mapping[str, Any]
    ) -> list[ServiceCall]:
        """Return the call, with what is not there any more of effect and colour."""
        call = self._call(state, level)
        if level == OFF:
            return [call]
        lost = {
            name: value
            for name, value in kept.items()
            if not _is_there(state, name, value)
        }
        return [replace(call, data={**call.data, **lost})]

    @override
    def _goes_along(self, state: State, kept: Mapping[str, Any]) -> bool:
        """Return whether effect and colour are there; of an effect the colour is its own affair."""
        effect = {name: value for name, value in kept.items() if name == _EFFECT}
        return all(
            _is_there(state, name, value) for name, value in (effect or kept).items()
        )

    @override
    def _steps(self, state: State) -> bool:
        """Return whether the light can be dimmed."""
        modes = state.attributes.get("supported_color_modes") or ()
        return any(mode not in ("onoff", "unknown") for mode in modes)

    @override
    def _level(self, state: State) -> float | None:
        """Return the brightness; on without a brightness is full."""
        if state.state != STATE_ON:
            return OFF
        brightness = number_attribute(state, "brightness")
        return FULL if brightness is None else brightness / _BRIGHTNESS * 100

    @override
    def _call(self, state: State, level: float) -> ServiceCall:
        """Return the call; a level above 0 never rounds to off."""
        if level == OFF or not self._steps(state):
            return super()._call(state, level)
        brightness = max(1, round(level / 100 * _BRIGHTNESS))
        return ServiceCall(
            domain=self.domain, service="turn_on", data={"brightness": brightness}
        )


def _is_there(state: State, name: str, value: Any) -> bool:
    """Return whether a light shows an effect, while it has such, or a colour, nearly."""
    shown = state.attributes.get(name)
    if name == _EFFECT:
        return shown == value or value not in listed(state, _EFFECTS)
    if name == _WHITE:
        return _is_white(state)
    if shown is None:
        return False
    wanted, found = (one if _is_list(one) else [one] for one in (value, shown))
    return len(wanted) == len(found) and all(
        abs(one - other) <= _NEARLY[name]
        for one, other in zip(wanted, found, strict=True)
    )


def _is_white(state: State) -> bool:
    """Return whether a light shines with its white alone, which is a mode and no colour."""
    return state.attributes.get("color_mode") == _WHITE


def _is_list(value: object) -> bool:
    """Return whether a colour has several numbers."""
    return isinstance(value, list | tuple)
