"""The level of a fan: its speed; what goes along is preset, oscillation and direction."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.fan.const import FanEntityFeature
from homeassistant.const import STATE_ON
from homeassistant.core import State

from ..layers.setting import Setting
from .beside import besides
from .entity_adapter import ServiceCall, number_attribute, only_number
from .level import FULL, OFF, LevelAdapter, listed, supports

PRESET = "preset_mode"
_SERVICES: Mapping[str, str] = {
    PRESET: "set_preset_mode",
    "oscillating": "oscillate",
    "direction": "set_direction",
}


class PercentageLevel(LevelAdapter):
    """A fan: its speed, or on and off where it has none."""

    @override
    def _meant_level(self, state: State, call: ServiceCall) -> float | None:
        """Return the speed of a call that gives nothing but that."""
        for service in ("set_percentage", "turn_on"):
            speed = only_number(call, self.domain, service, "percentage")
            if speed is not None:
                return speed
        return None

    @override
    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether the fan is as wanted; the speed of a preset is its own affair."""
        kept = besides(wanted)
        if self._wanted(wanted) > OFF and _has_preset(state, kept):
            return state.state == STATE_ON and self._goes_along(state, kept)
        return super().shows(state, wanted)

    @override
    def _beside(self, state: State) -> Mapping[str, Any]:
        """Return preset, oscillation and direction of a fan that runs."""
        if state.state != STATE_ON:
            return {}
        known = ((name, state.attributes.get(name)) for name in _SERVICES)
        return {name: value for name, value in known if value is not None}

    @override
    def _calls(
        self, state: State, level: float, kept: Mapping[str, Any]
    ) -> list[ServiceCall]:
        """Return the calls: a preset in place of its speed, then the rest that differs."""
        if level == OFF:
            return [self._call(state, level)]
        preset = _has_preset(state, kept)
        beside = [
            ServiceCall(domain=self.domain, service=_SERVICES[name], data={name: value})
            for name, value in kept.items()
            if state.attributes.get(name) != value and (preset or name != PRESET)
        ]
        return beside if preset else [self._call(state, level), *beside]

    @override
    def _goes_along(self, state: State, kept: Mapping[str, Any]) -> bool:
        """Return whether everything is there that the fan still has."""
        preset = _has_preset(state, kept)
        return all(
            state.attributes.get(name) == value
            for name, value in kept.items()
            if preset or name != PRESET
        )

    @override
    def _steps(self, state: State) -> bool:
        """Return whether the fan has speeds."""
        return supports(state, FanEntityFeature.SET_SPEED)

    @override
    def _level(self, state: State) -> float | None:
        """Return the speed; on without a speed is full."""
        if state.state != STATE_ON:
            return OFF
        percentage = number_attribute(state, "percentage")
        return FULL if percentage is None else percentage

    @override
    def _achievable(self, state: State, level: float) -> float:
        """Return the nearest speed that the fan has; above 0 it is at least the lowest."""
        step = number_attribute(state, "percentage_step")
        if not step or level == OFF:
            return level
        return min(max(1, round(level / step)) * step, FULL)

    @override
    def _call(self, state: State, level: float) -> ServiceCall:
        """Return the call; a fan that is off is switched on with its speed."""
        if level == OFF or not self._steps(state):
            return super()._call(state, level)
        percentage = {"percentage": max(1, int(self._achievable(state, level)))}
        if state.state != STATE_ON and supports(state, FanEntityFeature.TURN_ON):
            return ServiceCall(domain=self.domain, service="turn_on", data=percentage)
        return ServiceCall(
            domain=self.domain, service="set_percentage", data=percentage
        )


def _has_preset(state: State, kept: Mapping[str, Any]) -> bool:
    """Return whether a preset goes along that the fan has."""
    return kept.get(PRESET) in listed(state, "preset_modes")
