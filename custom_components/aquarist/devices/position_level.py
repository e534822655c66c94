"""The level of a valve or cover: how far it is open; what goes along with it is the tilt."""

from collections.abc import Mapping
from typing import Any, ClassVar, override

from homeassistant.components.cover.const import CoverEntityFeature
from homeassistant.core import State

from ..frozen import frozen
from .entity_adapter import Meaning, ServiceCall, number_attribute, only_number
from .level import FULL, OFF, RESOLUTION, LevelAdapter, supports

_TILT = "current_tilt_position"


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
    def _beside(self, state: State) -> Mapping[str, Any]:
        """Return the tilt of a cover that can be tilted."""
        tilt = number_attribute(state, _TILT)
        return {_TILT: tilt} if tilt is not None and self._tilts(state) else {}

    @override
    def _calls(
        self, state: State, level: float, kept: Mapping[str, Any]
    ) -> list[ServiceCall]:
        """Return the call for the position; once that is reached, for the tilt it has changed."""
        if self._goes_along(state, kept) or not self._reached(state, level):
            return [self._call(state, level)]
        return [
            ServiceCall(
                domain=self.domain,
                service="set_cover_tilt_position",
                data={"tilt_position": round(kept[_TILT])},
            )
        ]

    @override
    def _goes_along(self, state: State, kept: Mapping[str, Any]) -> bool:
        """Return whether the tilt is as it was."""
        if _TILT not in kept or not self._tilts(state):
            return True
        tilt = number_attribute(state, _TILT)
        return tilt is not None and bool(abs(tilt - kept[_TILT]) <= RESOLUTION)

    def _tilts(self, state: State) -> bool:
        """Return whether it can be tilted."""
        tilts = self.domain == "cover"
        return tilts and supports(state, CoverEntityFeature.SET_TILT_POSITION)

    @override
    def _steps(self, state: State) -> bool:
        """Return whether it can stand between open and closed."""
        return supports(state, self.position)

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
