"""A lamp as one composite field: a level, and the mix of its channels. Pure.

The mix is normalised: its strongest channel is 100. A channel shows level times mix divided by
100, so that off is level 0 and the mix is remembered.
"""

from collections.abc import Mapping, Sequence

from ..frozen import frozen
from ..layers.setting import Scalar, Setting, is_number, plain
from ..schedules.errors import Expected
from .fields import (
    LEVEL,
    Field,
    InvalidValue,
    checked,
    composite,
    percent,
    refuse_unknown,
    whole_number,
    wrong_count,
    wrong_type,
)
from .level_actions import FULL, level_setting

LIGHT = "light"
MIX = "mix_"
_MIX_DIGITS = 4


@frozen
class Lamp:
    """The channels of a lamp, by name in wire order, and the arithmetic of its field."""

    channels: tuple[str, ...]

    @property
    def field(self) -> Field:
        """Return the composite field."""
        return composite(
            LIGHT,
            percent(LEVEL),
            *(percent(MIX + channel) for channel in self.channels),
        )

    @property
    def aliases(self) -> Mapping[str, str]:
        """Return the part that each channel's own name stands for."""
        return {channel: MIX + channel for channel in self.channels}

    def outputs(self, setting: Setting) -> tuple[float, ...]:
        """Return what each channel shows, 0 to 100; parts not named count as 100, level as 0."""
        level = _number(setting.get(LEVEL, 0.0))
        return tuple(
            level * _number(setting.get(MIX + channel, FULL)) / 100
            for channel in self.channels
        )

    def setting(self, outputs: Sequence[float], before: Setting | None) -> Setting:
        """Return the whole setting that these outputs show; dark keeps the mix from before."""
        level = max(outputs)
        if level <= 0:
            return self.whole({LEVEL: 0.0}, before)
        mix = {
            MIX + channel: round(output / level * 100, _MIX_DIGITS)
            for channel, output in zip(self.channels, outputs, strict=True)
        }
        return {LEVEL: level, **mix}

    def whole(self, setting: Setting, before: Setting | None) -> Setting:
        """Return a setting with all its parts, those missing taken from before, else full mix."""
        mix = {MIX + channel: FULL for channel in self.channels}
        return {LEVEL: 0.0, **mix, **plain(before or {}), **plain(setting)}

    def setting_for(
        self,
        action: str,
        args: Mapping[str, object],
        resting: Setting | None,
        known: Setting | None,
        last: float | None,
    ) -> Setting:
        """Return the setting that a level action asks for. Raises InvalidValue.

        Besides on, off and `set_level`: `set_brightness` {brightness 0..100, color} changes one
        channel by its index (R-C43), `set_channels` {levels} all of them (R-C44).
        """
        present = resting if resting is not None else known
        match action:
            case "set_brightness":
                return self.setting(self._one_changed(args, present), present)
            case "set_channels":
                return self.setting(self._all_changed(args), present)
            case _:
                return level_setting(action, args, percent(LEVEL), resting, last)

    def _one_changed(
        self, args: Mapping[str, object], present: Setting | None
    ) -> Sequence[float]:
        """Return the outputs after `set_brightness`."""
        refuse_unknown("set_brightness", args, "brightness", "color")
        needed = ("brightness",) if len(self.channels) == 1 else ("brightness", "color")
        for name in needed:
            if name not in args:
                raise InvalidValue(name, "missing_argument", action="set_brightness")
        brightness = whole_number("brightness", args["brightness"], 0, 100)
        color = whole_number("color", args.get("color", 0), 0, len(self.channels) - 1)
        outputs = list(self.outputs(present or {}))
        outputs[color] = float(brightness)
        return outputs

    def _all_changed(self, args: Mapping[str, object]) -> Sequence[float]:
        """Return the outputs after `set_channels`."""
        refuse_unknown("set_channels", args, "levels")
        if "levels" not in args:
            raise InvalidValue("levels", "missing_argument", action="set_channels")
        levels = args["levels"]
        if not isinstance(levels, list | tuple):
            raise wrong_type("levels", levels, Expected.LIST)
        if len(levels) != len(self.channels):
            raise wrong_count("levels", len(levels), len(self.channels))
        return [
            _number(checked(percent(f"levels[{index}]"), level))
            for index, level in enumerate(levels)
        ]


def _number(value: Scalar) -> float:
    """Return a part's value as a number; parts of a lamp are nothing else."""
    return float(value) if is_number(value) else 0.0
