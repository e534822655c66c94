"""Actions on a level: on, off and so many per cent. Pure."""

from collections.abc import Mapping

from ..layers.setting import Setting, is_number
from .fields import LEVEL, Field, checked_arguments, unknown_action

FULL = 100.0


def level_setting(
    action: str,
    args: Mapping[str, object],
    level: Field,
    resting: Setting | None,
    last: float | None,
) -> Setting:
    """Return the setting of `turn_on`, `turn_off` and `set_level` {level}.

    ``last`` is the last level above 0. Raises InvalidValue.
    """
    match action:
        case "turn_on":
            checked_arguments(action, args)
            return {LEVEL: on_level(resting, last)}
        case "turn_off":
            checked_arguments(action, args)
            return {LEVEL: 0.0}
        case "set_level":
            return checked_arguments(action, args, required=[level])
        case _:
            raise unknown_action(action)


def switched(action: str, resting: Setting | None, part: str = LEVEL) -> str:
    """Return on or off, also for `toggle`: the other of what a part rests on."""
    if action != "toggle":
        return action
    return "turn_off" if (resting or {}).get(part) else "turn_on"


def on_level(resting: Setting | None, last: float | None) -> float:
    """Return the level to switch on to: the resting one, else the last one above 0, else all."""
    rests_at = (resting or {}).get(LEVEL, 0.0)
    if is_number(rests_at) and rests_at > 0:
        return rests_at
    return last or FULL
