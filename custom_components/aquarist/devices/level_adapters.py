"""Entities that have a level from 0 to 100 per cent, whatever their domain calls it."""

from collections.abc import Mapping
from typing import override

from homeassistant.components.cover.const import CoverEntityFeature
from homeassistant.components.valve.const import ValveEntityFeature
from homeassistant.core import State

from ..frozen import frozen
from ..layers.setting import Setting
from .entity_adapter import (
    EntityAdapter,
    ServiceCall,
    number_attribute,
    only_number,
    state_number,
)
from .errors import DeviceError
from .fan_level import PercentageLevel
from .fields import Field, percent
from .level import FULL, OFF, ON_OFF, LevelAdapter
from .light_level import BrightnessLevel
from .position_level import PositionLevel


class OnOffLevel(LevelAdapter):
    """A switch or input boolean: off is 0, on is 100, nothing between."""

    @override
    def field(self, state: State | None) -> Field:
        """Describe the level, which is known without a state."""
        return percent(self.name, step=FULL, values=ON_OFF)


@frozen
class RangeLevel(LevelAdapter):
    """A number whose range is 0 to 100 per cent; the entity's own range unless given."""

    low: float | None = None
    high: float | None = None

    @override
    def field(self, state: State | None) -> Field:
        """Describe the level."""
        step = number_attribute(state, "step")
        low, high = self._range(state)
        return percent(self.name, step=step and round(step / (high - low) * 100, 4))

    @override
    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether the number is the one asked for, within half a step."""
        number = state_number(state)
        if number is None:
            return False
        step = number_attribute(state, "step") or 0.0
        return (
            abs(number - self._native(state, self._wanted(wanted))) <= step / 2 + 1e-6
        )

    @override
    def _meant_level(self, state: State, call: ServiceCall) -> float | None:
        """Return where in the range a number is, also beyond its ends."""
        value = only_number(call, self.domain, "set_value", "value")
        low, high = self._range(state)
        return None if value is None else (value - low) / (high - low) * 100

    @override
    def _steps(self, state: State) -> bool:
        """Return that a number has levels between."""
        return True

    @override
    def _level(self, state: State) -> float | None:
        """Return where in the range the number is, cut off at its ends."""
        number = state_number(state)
        if number is None:
            return None
        low, high = self._range(state)
        return min(max((number - low) / (high - low) * 100, OFF), FULL)

    @override
    def _call(self, state: State, level: float) -> ServiceCall:
        """Return the call with the number on the entity's grid."""
        return ServiceCall(
            domain=self.domain,
            service="set_value",
            data={"value": self._native(state, level)},
        )

    def _range(self, state: State | None) -> tuple[float, float]:
        """Return the ends of the range; an empty one counts as 0 to 100."""
        low = self.low if self.low is not None else number_attribute(state, "min")
        high = self.high if self.high is not None else number_attribute(state, "max")
        if low is None or high is None or low >= high:
            return OFF, FULL
        return low, high

    def _native(self, state: State, level: float) -> float:
        """Return the number for a level, on the grid of the entity's steps."""
        low, high = self._range(state)
        number = low + level / 100 * (high - low)
        step = number_attribute(state, "step")
        origin = number_attribute(state, "min")
        if step and origin is not None:
            number = origin + round((number - origin) / step) * step
        return round(min(max(number, low), high), 6)


def level_adapter(
    domain: str, name: str, *, low: float | None = None, high: float | None = None
) -> EntityAdapter:
    """Return the adapter for a domain's level. Raises DeviceError `unsupported` for others.

    ``low`` and ``high`` narrow the range of a number that is 0 to 100 per cent.
    """
    match domain:
        case "switch" | "input_boolean":
            return OnOffLevel(name=name, domain=domain)
        case "number" | "input_number":
            return RangeLevel(name=name, domain=domain, low=low, high=high)
        case "light":
            return BrightnessLevel(name=name, domain=domain)
        case "fan":
            return PercentageLevel(name=name, domain=domain)
        case "valve" | "cover":
            return PositionLevel(name=name, domain=domain, position=_POSITION[domain])
        case _:
            raise DeviceError("unsupported", transient=False, domain=domain)


_POSITION: Mapping[str, int] = {
    "valve": ValveEntityFeature.SET_POSITION,
    "cover": CoverEntityFeature.SET_POSITION,
}
