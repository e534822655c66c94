"""Actions on a level."""

import pytest

from custom_components.aquarist.devices.fields import InvalidValue, percent
from custom_components.aquarist.devices.level_actions import level_setting

SWITCH = percent("level", step=100.0, values=(0.0, 100.0))


@pytest.mark.parametrize(
    ("resting", "last", "level"),
    [
        ({"level": 40.0}, 70.0, 40.0),
        ({"level": 0.0}, 70.0, 70.0),
        ({}, 70.0, 70.0),
        (None, None, 100.0),
        ({"level": 0.0}, None, 100.0),
    ],
)
def test_turn_on_finds_the_level_to_come_back_to(
    resting: dict[str, float] | None, last: float | None, level: float
) -> None:
    """Resting first, then the last level above 0, then full."""
    assert level_setting("turn_on", {}, SWITCH, resting, last) == {"level": level}


def test_switch_takes_no_level_between() -> None:
    """A plan that dims a switch is refused when it is made."""
    with pytest.raises(InvalidValue) as refusal:
        level_setting("set_level", {"level": 50}, SWITCH, None, None)
    assert refusal.value.field == "level"
    assert level_setting("set_level", {"level": 100}, SWITCH, None, None) == {
        "level": 100
    }


@pytest.mark.parametrize("action", ["set_brightness", "set_channels", "dose", ""])
def test_other_actions_are_unknown(action: str) -> None:
    """A pump has a level and nothing more."""
    with pytest.raises(InvalidValue, match="unknown_action"):
        level_setting(action, {}, SWITCH, None, None)
