"""The composite field of a lamp."""

from hypothesis import given, strategies as st
import pytest

from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.devices.lamp import Lamp

WRGB = Lamp(channels=("red", "green", "blue", "white"))
WHITE = Lamp(channels=("white",))
PURPLE = {
    "level": 50.0,
    "mix_red": 100.0,
    "mix_green": 0.0,
    "mix_blue": 50.0,
    "mix_white": 0.0,
}


def test_field_has_the_level_first_and_a_mix_for_each_channel() -> None:
    """Parts are per cents in the order of the channels."""
    assert WRGB.field.name == "light"
    assert WRGB.field.parts == (
        "level",
        "mix_red",
        "mix_green",
        "mix_blue",
        "mix_white",
    )
    assert {part.unit for part in WRGB.field.part_fields} == {"%"}


def test_output_is_level_times_mix() -> None:
    """Every channel follows the level."""
    assert WRGB.outputs(PURPLE) == (50.0, 0.0, 25.0, 0.0)


def test_output_of_parts_not_named() -> None:
    """A mix that nobody set is full, a level that nobody set is off."""
    assert WRGB.outputs({"level": 30.0}) == (30.0, 30.0, 30.0, 30.0)
    assert WRGB.outputs({"mix_red": 30.0}) == (0.0, 0.0, 0.0, 0.0)


def test_mix_is_normalised_to_its_strongest_channel() -> None:
    """The strongest channel is 100 and gives the level."""
    assert WRGB.setting((50.0, 0.0, 25.0, 0.0), None) == PURPLE


def test_dark_lamp_remembers_its_mix() -> None:
    """Off is level 0, the mix from before stays."""
    assert WRGB.setting((0.0, 0.0, 0.0, 0.0), PURPLE) == {**PURPLE, "level": 0.0}


def test_dark_lamp_without_a_past_has_a_full_mix() -> None:
    """Nothing is known, so all channels count alike."""
    assert WHITE.setting((0.0,), None) == {"level": 0.0, "mix_white": 100.0}


@given(st.lists(st.integers(0, 100), min_size=4, max_size=4))
def test_whole_per_cents_survive_the_way_there_and_back(outputs: list[int]) -> None:
    """Rounding never changes what a channel shows."""
    setting = WRGB.setting([float(output) for output in outputs], PURPLE)
    assert [round(output) for output in WRGB.outputs(setting)] == outputs
    assert any(outputs) == (
        max(value for part, value in setting.items() if part != "level") == 100
        and setting["level"] != 0
    )


def test_turn_on_of_a_lamp_that_is_on_keeps_its_level() -> None:
    """The resting level counts first."""
    assert WRGB.setting_for("turn_on", {}, PURPLE, None, 80.0) == {"level": 50.0}


def test_turn_on_of_a_lamp_that_is_off_brings_the_last_level_back() -> None:
    """The last level above 0 is remembered."""
    off = {**PURPLE, "level": 0.0}
    assert WRGB.setting_for("turn_on", {}, off, None, 80.0) == {"level": 80.0}


def test_turn_on_without_a_past_is_full() -> None:
    """Nothing is remembered."""
    assert WRGB.setting_for("turn_on", {}, None, None, None) == {"level": 100.0}


def test_turn_off_says_nothing_about_the_mix() -> None:
    """The mix of a lower claim or of resting shows through."""
    assert WRGB.setting_for("turn_off", {}, PURPLE, None, None) == {"level": 0.0}


def test_set_level_dims_all_channels() -> None:
    """The mix stays as it is."""
    assert WRGB.setting_for("set_level", {"level": 12.5}, PURPLE, None, None) == {
        "level": 12.5
    }


def test_set_brightness_changes_one_channel_and_keeps_the_outputs_of_the_others() -> (
    None
):
    """A stronger channel raises the level and lowers the others' mix (R-C43)."""
    setting = WRGB.setting_for(
        "set_brightness", {"brightness": 100, "color": 3}, PURPLE, None, None
    )
    assert WRGB.outputs(setting) == (50.0, 0.0, 25.0, 100.0)
    assert setting["level"] == 100.0


def test_set_brightness_without_a_resting_setting_starts_from_what_is_known() -> None:
    """The last acknowledged setting counts."""
    setting = WRGB.setting_for(
        "set_brightness", {"brightness": 10, "color": 1}, None, PURPLE, None
    )
    assert WRGB.outputs(setting) == (50.0, 10.0, 25.0, 0.0)


def test_set_brightness_of_the_only_channel_needs_no_color() -> None:
    """Color 0 is the default there."""
    assert WHITE.setting_for(
        "set_brightness", {"brightness": 40}, None, None, None
    ) == {
        "level": 40.0,
        "mix_white": 100.0,
    }


def test_set_channels_sets_all_of_them() -> None:
    """The list is in channel order (R-C44)."""
    setting = WRGB.setting_for(
        "set_channels", {"levels": [10, 20, 0, 0]}, PURPLE, None, None
    )
    assert WRGB.outputs(setting) == (10.0, 20.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("action", "args", "field", "code"),
    [
        ("turn_on", {"level": 5}, "level", "unknown_argument"),
        ("turn_off", {"now": True}, "now", "unknown_argument"),
        ("set_level", {}, "level", "missing_argument"),
        ("set_level", {"level": 101}, "level", "value_out_of_bounds"),
        ("set_brightness", {"color": 0}, "brightness", "missing_argument"),
        ("set_brightness", {"brightness": 5}, "color", "missing_argument"),
        (
            "set_brightness",
            {"brightness": 5.5, "color": 0},
            "brightness",
            "wrong_type",
        ),
        (
            "set_brightness",
            {"brightness": 101, "color": 0},
            "brightness",
            "value_out_of_bounds",
        ),
        (
            "set_brightness",
            {"brightness": 5, "color": 4},
            "color",
            "value_out_of_bounds",
        ),
        (
            "set_brightness",
            {"brightness": 5, "color": 0, "x": 1},
            "x",
            "unknown_argument",
        ),
        ("set_channels", {}, "levels", "missing_argument"),
        ("set_channels", {"levels": 5}, "levels", "wrong_type"),
        ("set_channels", {"levels": [1, 2, 3]}, "levels", "wrong_count"),
        (
            "set_channels",
            {"levels": [1, 2, 3, 101]},
            "levels[3]",
            "value_out_of_bounds",
        ),
        ("set_channels", {"levels": [1, True, 3, 4]}, "levels[1]", "wrong_type"),
        ("set_channels", {"levels": [1, 2, 3, 4], "x": 1}, "x", "unknown_argument"),
        ("dance", {}, "action", "unknown_action"),
    ],
)
def test_bad_actions_are_refused(
    action: str, args: dict[str, object], field: str, code: str
) -> None:
    """The refusal names the argument at fault."""
    with pytest.raises(InvalidValue) as refusal:
        WRGB.setting_for(action, args, PURPLE, None, None)
    assert (refusal.value.field, refusal.value.code) == (field, code)
