"""What a light does day by day: fixed levels, a curve, or programs of its own. Pure (R-C59)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from ..frozen import frozen
from .auto_setting import AutoSetting, auto_setting_from
from .custom_curve import CustomCurve, custom_curve_from

MOST_PROGRAMS: Final = 7


class ProfileMode(StrEnum):
    """The kinds of profiles."""

    MANUAL = "manual"
    CUSTOM = "custom"
    AUTO = "auto"


@frozen
class LightProfile:
    """A profile: ``levels`` by channel, a ``curve``, or ``programs``, as its mode has it."""

    mode: ProfileMode
    levels: tuple[float, ...] = ()
    curve: CustomCurve | None = None
    programs: tuple[AutoSetting, ...] = ()

    @classmethod
    def manual(cls, *levels: float) -> LightProfile:
        """Return the profile of a light that is held at levels of 0 to 100."""
        return cls(mode=ProfileMode.MANUAL, levels=levels)

    @classmethod
    def custom(cls, curve: CustomCurve) -> LightProfile:
        """Return the profile of a light that runs a curve."""
        return cls(mode=ProfileMode.CUSTOM, curve=curve)

    @classmethod
    def auto(cls, *programs: AutoSetting) -> LightProfile:
        """Return the profile of a light that runs programs from sunrise to sunset."""
        return cls(mode=ProfileMode.AUTO, programs=programs)

    def as_json(self) -> dict[str, Any]:
        """Write the profile as JSON values."""
        written: dict[str, Any] = {"mode": self.mode.value}
        if self.mode is ProfileMode.MANUAL:
            return written | {"levels": list(self.levels)}
        if self.curve is not None:
            return written | self.curve.as_json()
        return written | {"programs": [one.as_json() for one in self.programs]}


def profile_from(data: Mapping[str, Any], channels: int) -> LightProfile:
    """Return the profile of valid JSON values, for a light of so many channels."""
    match ProfileMode(data["mode"]):
        case ProfileMode.MANUAL:
            return LightProfile.manual(*data["levels"])
        case ProfileMode.CUSTOM:
            return LightProfile.custom(custom_curve_from(data))
    return LightProfile.auto(
        *(auto_setting_from(one, channels) for one in data["programs"])
    )
