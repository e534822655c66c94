"""What a level does not say of lights, fans and covers: kept, called for and read back (R-T60)."""

from typing import Any

from homeassistant.components.cover.const import CoverEntityFeature
from homeassistant.components.fan.const import FanEntityFeature
from homeassistant.core import State
import pytest

from custom_components.aquarist.devices.beside import beside, besides, with_beside
from custom_components.aquarist.devices.entity_adapter import ServiceCall
from custom_components.aquarist.devices.level_adapters import level_adapter
from custom_components.aquarist.layers.setting import Setting

LIGHT = level_adapter("light", "level")
FAN = level_adapter("fan", "level")
COVER = level_adapter("cover", "level")
VALVE = level_adapter("valve", "level")
DIMS = {"supported_color_modes": ["hs", "color_temp"]}
EFFECTS = {"effect_list": ["off", "storm"]}
SPEEDS = {
    "supported_features": FanEntityFeature.SET_SPEED | FanEntityFeature.TURN_ON,
    "percentage_step": 1,
}
TILTS = {
    "supported_features": CoverEntityFeature.SET_POSITION
    | CoverEntityFeature.SET_TILT_POSITION
}


def light(state: str = "on", **attributes: Any) -> State:
    """Return a light."""
    return State("light.x", state, {**DIMS, **EFFECTS, **attributes})


def fan(state: str = "on", **attributes: Any) -> State:
    """Return a fan."""
    return State("fan.x", state, {**SPEEDS, **attributes})


def cover(**attributes: Any) -> State:
    """Return a cover."""
    return State("cover.x", "open", {**TILTS, **attributes})


def wanted(level: float, **kept: Any) -> Setting:
    """Return a level with what goes along with it."""
    return with_beside({"level": level}, beside(kept))


@pytest.mark.parametrize(
    ("shown", "kept"),
    [
        ({"effect": "storm"}, {"effect": "storm"}),
        ({"effect": "off"}, {}),
        ({"effect": "gone"}, {}),
        ({"effect": None}, {}),
        (
            {"color_mode": "hs", "hs_color": (10.0, 50.0), "xy_color": (0.1, 0.1)},
            {"hs_color": [10.0, 50.0]},
        ),
        (
            {"color_mode": "color_temp", "color_temp_kelvin": 4000},
            {"color_temp_kelvin": 4000},
        ),
        ({"color_mode": "rgbw", "rgbw_color": None}, {}),
        ({"color_mode": "brightness"}, {}),
        ({"color_mode": "white", "hs_color": None}, {"white": True}),
    ],
)
def test_a_light_has_its_effect_and_colour(
    shown: dict[str, Any], kept: dict[str, Any]
) -> None:
    """Of one that is off nothing is kept: nothing of it shows."""
    assert besides(with_beside({}, LIGHT.beside(light(**shown)))) == kept
    assert LIGHT.beside(light("off", **shown)) is None


@pytest.mark.parametrize(
    ("state", "kept", "data"),
    [
        (light("off"), {"effect": "storm"}, {"effect": "storm"}),
        (light(effect="storm"), {"effect": "storm"}, {}),
        (light("off"), {"effect": "gone"}, {}),
        (light("off"), {"hs_color": [10, 50]}, {"hs_color": [10, 50]}),
        (light(hs_color=(12, 48)), {"hs_color": [10, 50]}, {}),
        (light(hs_color=(30, 48)), {"hs_color": [10, 50]}, {"hs_color": [10, 50]}),
        (
            light(color_temp_kelvin=2700),
            {"color_temp_kelvin": 4000},
            {"color_temp_kelvin": 4000},
        ),
        (light(color_temp_kelvin=4050), {"color_temp_kelvin": 4000}, {}),
        (light(color_mode="white"), {"white": True}, {}),
        (light("off"), {"white": True}, {"white": True}),
        (light(color_mode="hs", hs_color=(1, 2)), {"white": True}, {"white": True}),
    ],
)
def test_a_light_is_called_for_what_is_not_there(
    state: State, kept: dict[str, Any], data: dict[str, Any]
) -> None:
    """In one call with its brightness; read back, colours nearly."""
    asked = wanted(50, **kept)
    (call,) = LIGHT.calls(state, asked)
    assert call == ServiceCall(
        domain="light", service="turn_on", data={"brightness": 128, **data}
    )
    there = State("light.x", "on", {**state.attributes, "brightness": 128})
    assert LIGHT.shows(there, asked) is (not data)
    (off,) = LIGHT.calls(state, wanted(0, **kept))
    assert off == ServiceCall(domain="light", service="turn_off")


def test_of_an_effect_the_colour_is_its_own_affair() -> None:
    """It may go through all of them."""
    asked = wanted(50, effect="storm", hs_color=[10, 50])
    assert LIGHT.shows(light(effect="storm", brightness=128, hs_color=(90, 90)), asked)
    assert not LIGHT.shows(light(effect="off", brightness=128), asked)


def test_a_fan_has_preset_swing_and_direction() -> None:
    """While it runs."""
    shown: dict[str, Any] = {
        "preset_mode": "auto",
        "oscillating": False,
        "direction": "forward",
    }
    assert besides(with_beside({}, FAN.beside(fan(**shown)))) == shown
    assert FAN.beside(fan("off", **shown)) is None
    assert FAN.beside(fan(percentage=40, preset_mode=None)) is None


def test_a_preset_takes_the_place_of_a_speed() -> None:
    """Where the fan still has it."""
    presets: dict[str, Any] = {"preset_modes": ["auto"], "preset_mode": None}
    asked = wanted(100, preset_mode="auto", oscillating=True)
    calls = FAN.calls(fan(percentage=30, oscillating=False, **presets), asked)
    assert [(one.service, dict(one.data)) for one in calls] == [
        ("oscillate", {"oscillating": True}),
        ("set_preset_mode", {"preset_mode": "auto"}),
    ]
    assert not FAN.shows(fan(percentage=100, oscillating=True, **presets), asked)
    at_work = {**presets, "preset_mode": "auto"}
    assert FAN.shows(fan(percentage=12, oscillating=True, **at_work), asked)
    assert not FAN.shows(fan(percentage=12, oscillating=False, **at_work), asked)
    calls = FAN.calls(fan(percentage=30, oscillating=True), asked)
    assert [(one.service, dict(one.data)) for one in calls] == [
        ("set_percentage", {"percentage": 100})
    ]
    assert FAN.shows(fan(percentage=100, oscillating=True), asked)
    assert FAN.calls(fan(percentage=30), wanted(0, preset_mode="auto")) == [
        ServiceCall(domain="fan", service="turn_off")
    ]


def test_a_cover_is_tilted_once_it_stands() -> None:
    """Moving changes the tilt."""
    assert besides(with_beside({}, COVER.beside(cover(current_tilt_position=35)))) == {
        "current_tilt_position": 35
    }
    asked = wanted(80, current_tilt_position=35)
    moving = cover(current_position=20, current_tilt_position=35)
    assert [one.service for one in COVER.calls(moving, asked)] == ["set_cover_position"]
    standing = cover(current_position=80, current_tilt_position=100)
    assert not COVER.shows(standing, asked)
    assert COVER.calls(standing, asked) == [
        ServiceCall(
            domain="cover",
            service="set_cover_tilt_position",
            data={"tilt_position": 35},
        )
    ]
    assert COVER.shows(cover(current_position=80, current_tilt_position=35), asked)
    assert not COVER.shows(cover(current_position=80), asked)


def test_what_cannot_be_tilted_has_nothing_along() -> None:
    """Nor a valve."""
    plain = State("cover.x", "open", {"current_tilt_position": 35})
    assert COVER.beside(plain) is None
    assert COVER.shows(plain, wanted(100, current_tilt_position=80))
    assert VALVE.beside(State("valve.x", "open", TILTS)) is None
