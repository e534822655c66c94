"""Entities that have a level from 0 to 100 per cent, whatever their domain calls it."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, override

from homeassistant.components.cover.const import CoverEntityFeature
from homeassistant.components.fan.const import FanEntityFeature
from homeassistant.components.valve.const import ValveEntityFeature
from homeassistant.const import STATE_ON
from homeassistant.core import State

from ..frozen import frozen
from ..layers.setting import Setting, is_number
from .entity_adapter import (
    EntityAdapter,
    Meaning,
    ServiceCall,
    number_attribute,
    only_number,
    state_number,
    switching,
)
from .errors import DeviceError
from .fields import Field, percent

OFF = 0.0
FULL = 100.0
ON_OFF: tuple[float, ...] = (OFF, FULL)
# Many dimmers keep whole per cents of a 255-step brightness.
RESOLUTION = 1.0
_BRIGHTNESS = 255


@frozen
class LevelAdapter:
    """What the levels of all domains share; ``name`` is the field's name."""

    settle_time: ClassVar[float] = 0.0
    name: str
    domain: str

    def field(self, state: State | None) -> Field:
        """Describe the level."""
        if state is not None and not self._steps(state):
            return percent(self.name, step=FULL, values=ON_OFF)
        return percent(self.name)

    def read(self, state: State) -> Setting | None:
        """Return the level that the entity shows."""
        level = self._level(state)
        return None if level is None else {self.name: round(level, 2)}

    def calls(self, state: State, wanted: Setting) -> Sequence[ServiceCall]:
        """Return the call for a level; what lies between off and full needs a dimmable entity."""
        level = self._wanted(wanted)
        if level not in ON_OFF and not self._steps(state):
            raise DeviceError(
                "unsupported",
                transient=False,
                entity_id=state.entity_id,
                value=str(level),
            )
        return [self._call(state, level)]

    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether the level is reached; off is only off."""
        level, shown = self._wanted(wanted), self._level(state)
        if shown is None or (level == OFF) != (shown == OFF):
            return False
        return abs(shown - self._achievable(state, level)) <= RESOLUTION

    def meant(self, state: State, call: ServiceCall) -> Meaning:
        """Return what a call asks for: a level, or just on, off or the other of both."""
        level = self._meant_level(state, call)
        if level is not None:
            return {self.name: round(level, 4)}
        return switching(call, self.domain)

    def _meant_level(self, state: State, call: ServiceCall) -> float | None:
        """Return the level that a call gives, None for one that gives none."""
        return None

    def _wanted(self, wanted: Setting) -> float:
        """Return the level asked for."""
        level = wanted[self.name]
        return float(level) if is_number(level) else OFF

    def _steps(self, state: State) -> bool:
        """Return whether levels between off and full are possible."""
        return False

    def _level(self, state: State) -> float | None:
        """Return the level shown; on is full for what has no steps."""
        return FULL if state.state == STATE_ON else OFF

    def _achievable(self, state: State, level: float) -> float:
        """Return the level that the entity can come nearest with."""
        return level

    def _call(self, state: State, level: float) -> ServiceCall:
        """Return the call that brings the entity to a level that it has."""
        return ServiceCall(
            domain=self.domain, service="turn_on" if level > OFF else "turn_off"
        )


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
    def _steps(self, state: State) -> bool:
        """Return whether the fan has speeds."""
        return _supports(state, FanEntityFeature.SET_SPEED)

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
        if state.state != STATE_ON and _supports(state, FanEntityFeature.TURN_ON):
            return ServiceCall(domain=self.domain, service="turn_on", data=percentage)
        return ServiceCall(
            domain=self.domain, service="set_percentage", data=percentage
        )


@frozen
class PositionLevel(LevelAdapter):
    """A valve or cover: 100 is open, 0 is closed."""

    settle_time: ClassVar[float] = 20.0
    position: int

    @override
    def meant(self, state: State, call: ServiceCall) -> Meaning:
        """Return what a call asks for; open and closed are levels here."""
        words = {f"open_{self.domain}": FULL, f"close_{self.domain}": OFF}
        if call.domain == self.domain and call.service in words and not call.data:
            return {self.name: words[call.service]}
        return super().meant(state, call)

    @override
    def _meant_level(self, state: State, call: ServiceCall) -> float | None:
        """Return the position that a call gives."""
        service = f"set_{self.domain}_position"
        return only_number(call, self.domain, service, "position")

    @override
    def _steps(self, state: State) -> bool:
        """Return whether it can stand between open and closed."""
        return _supports(state, self.position)

    @override
    def _level(self, state: State) -> float | None:
        """Return the position; while it moves only a reported position counts."""
        position = number_attribute(state, "current_position")
        if position is not None:
            return position
        return {"open": FULL, "closed": OFF}.get(state.state)

    @override
    def _call(self, state: State, level: float) -> ServiceCall:
        """Return the call of this domain."""
        if self._steps(state):
            return ServiceCall(
                domain=self.domain,
                service=f"set_{self.domain}_position",
                data={"position": round(level)},
            )
        verb = "open" if level > OFF else "close"
        return ServiceCall(domain=self.domain, service=f"{verb}_{self.domain}")


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


def _supports(state: State, feature: int) -> bool:
    """Return whether the entity announces a feature."""
    return bool(int(number_attribute(state, "supported_features") or 0) & feature)
