"""What entities have in common whose level is 0 to 100 per cent."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from homeassistant.const import STATE_ON
from homeassistant.core import State

from ..frozen import frozen
from ..layers.setting import Setting, is_number
from .beside import beside, besides
from .entity_adapter import Meaning, ServiceCall, number_attribute, switching
from .errors import DeviceError
from .fields import Field, percent

OFF = 0.0
FULL = 100.0
ON_OFF: tuple[float, ...] = (OFF, FULL)
# Many dimmers keep whole per cents of a 255-step brightness.
RESOLUTION = 1.0


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

    def beside(self, state: State) -> str | None:
        """Return what goes along with the level that the entity shows."""
        return beside(self._beside(state))

    def calls(self, state: State, wanted: Setting) -> Sequence[ServiceCall]:
        """Return the calls for a level; what lies between off and full needs a dimmable entity."""
        level = self._wanted(wanted)
        if level not in ON_OFF and not self._steps(state):
            raise DeviceError(
                "unsupported",
                transient=False,
                entity_id=state.entity_id,
                value=str(level),
            )
        return self._calls(state, level, besides(wanted))

    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether the level is reached, with what goes along with it."""
        return self._reached(state, self._wanted(wanted)) and self._goes_along(
            state, besides(wanted)
        )

    def meant(self, state: State, call: ServiceCall) -> Meaning:
        """Return what a call asks for: a level, or just on, off or the other of both."""
        level = self._meant_level(state, call)
        if level is not None:
            return {self.name: round(level, 4)}
        return switching(call, self.domain)

    def _meant_level(self, state: State, call: ServiceCall) -> float | None:
        """Return the level that a call gives, None for one that gives none."""
        return None

    def _beside(self, state: State) -> Mapping[str, Any]:
        """Return what a call for another level would lose, by the name of its attribute."""
        return {}

    def _calls(
        self, state: State, level: float, kept: Mapping[str, Any]
    ) -> list[ServiceCall]:
        """Return the calls for a level and what goes along with it."""
        return [self._call(state, level)]

    def _reached(self, state: State, level: float) -> bool:
        """Return whether a level is reached; off is only off."""
        shown = self._level(state)
        if shown is None or (level == OFF) != (shown == OFF):
            return False
        return abs(shown - self._achievable(state, level)) <= RESOLUTION

    def _goes_along(self, state: State, kept: Mapping[str, Any]) -> bool:
        """Return whether what goes along with a level is there."""
        return True

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


def listed(state: State, name: str) -> Sequence[str]:
    """Return a list attribute, empty when there is none."""
    return state.attributes.get(name) or ()


def supports(state: State, feature: int) -> bool:
    """Return whether the entity announces a feature."""
    return bool(int(number_attribute(state, "supported_features") or 0) & feature)
