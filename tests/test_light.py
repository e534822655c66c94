"""Lamps as lights: honest colours, a mix that is kept, and a state that is only assumed."""

from pathlib import Path

from homeassistant.components.light.const import ColorMode
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.aquarist.light import color_mode_of

from .aquarium import (
    aquarium,
    call,
    compare_all,
    device_named,
    entities_behind,
    entity_of,
    restart,
    subentry,
)


def lamp(*channels: str) -> dict[str, object]:
    """Return a lamp made of one number for each channel."""
    return {
        "channels": [
            {"entity_id": f"input_number.{channel}", "channel": channel}
            for channel in channels
        ],
        "maximum_level": None,
        "slew": None,
        "safe_level": None,
    }


async def test_the_demo_lamp(
    hass: HomeAssistant, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """A four-channel lamp is one light with red, green, blue and white."""
    async with aquarium(hass, tmp_path, Platform.LIGHT, demo=True) as entry:
        await compare_all(hass, entry, snapshot)


@pytest.mark.parametrize(
    ("channels", "mode"),
    [
        (("red", "green", "blue", "white"), ColorMode.RGBW),
        (("white", "blue", "green", "red"), ColorMode.RGBW),
        (("blue", "red", "green"), ColorMode.RGB),
        (("white",), ColorMode.BRIGHTNESS),
        (("white", "warm"), ColorMode.BRIGHTNESS),
        (("red", "green", "blue", "white", "uv"), ColorMode.BRIGHTNESS),
    ],
)
def test_colour_modes_promise_nothing_false(
    channels: tuple[str, ...], mode: ColorMode
) -> None:
    """A lamp shows colours only when its channels are exactly those of the mode."""
    assert color_mode_of(channels) is mode


async def test_a_chihiros_lamp_is_set_and_its_state_assumed(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """What the lamp acknowledged is what the light shows."""
    async with aquarium(hass, tmp_path, Platform.LIGHT, demo=True):
        light = entity_of(hass, Platform.LIGHT, "Demo light", "light")

        await call(hass, "turn_on", light, rgbw_color=[255, 128, 0, 64], brightness=128)

        state = hass.states.get(light)
        assert state is not None and state.state == "on"
        assert state.attributes["assumed_state"] is True
        assert state.attributes["brightness"] == 128
        assert state.attributes["rgbw_color"] == (255, 128, 0, 64)
        assert device_named(hass, "Demo light").fields["light"].sent == {
            "level": 50.2,
            "mix_red": 100.0,
            "mix_green": pytest.approx(50.2, abs=0.1),
            "mix_blue": 0.0,
            "mix_white": pytest.approx(25.1, abs=0.1),
        }


async def test_off_keeps_the_mix(hass: HomeAssistant, tmp_path: Path) -> None:
    """A lamp that is turned on again comes back as it was."""
    async with aquarium(hass, tmp_path, Platform.LIGHT, demo=True):
        light = entity_of(hass, Platform.LIGHT, "Demo light", "light")
        await call(hass, "turn_on", light, rgbw_color=[0, 0, 255, 0], brightness=51)

        await call(hass, "turn_off", light)
        off = hass.states.get(light)
        await call(hass, "turn_on", light)
        on = hass.states.get(light)

        assert off is not None and off.state == "off"
        assert on is not None and on.attributes["brightness"] == 51
        assert on.attributes["rgbw_color"] == (0, 0, 255, 0)


async def test_a_colour_alone_keeps_the_level(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """And a brightness alone keeps the colour."""
    async with aquarium(hass, tmp_path, Platform.LIGHT, demo=True):
        light = entity_of(hass, Platform.LIGHT, "Demo light", "light")
        await call(hass, "turn_on", light, brightness=102)

        await call(hass, "turn_on", light, rgbw_color=[255, 0, 0, 0])
        colored = hass.states.get(light)
        await call(hass, "turn_on", light, brightness=204)
        brighter = hass.states.get(light)

        assert colored is not None and colored.attributes["brightness"] == 102
        assert brighter is not None and brighter.attributes["brightness"] == 204
        assert brighter.attributes["rgbw_color"] == (255, 0, 0, 0)


async def test_a_lamp_of_three_numbers(hass: HomeAssistant, tmp_path: Path) -> None:
    """Its entities show what it is, so that nothing is assumed."""
    await entities_behind(hass, red=0, green=0, blue=0)
    kept = subentry("light", "Bar", lamp("blue", "green", "red"))
    async with aquarium(hass, tmp_path, Platform.LIGHT, subentries=[kept]):
        light = entity_of(hass, Platform.LIGHT, "Bar", "light")

        await call(hass, "turn_on", light, rgb_color=[255, 0, 51], brightness=255)

        state = hass.states.get(light)
        assert state is not None and "assumed_state" not in state.attributes
        assert state.attributes["rgb_color"] == (255, 0, 51)
        assert [
            hass.states.get(f"input_number.{channel}").state  # type: ignore[union-attr]
            for channel in ("red", "green", "blue")
        ] == ["100.0", "0.0", "20.0"]


async def test_a_lamp_of_one_number_has_a_brightness(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """A lamp that somebody dims by hand shows it."""
    await entities_behind(hass, white=40)
    kept = subentry("light", "Bar", lamp("white"))
    async with aquarium(hass, tmp_path, Platform.LIGHT, subentries=[kept]):
        light = entity_of(hass, Platform.LIGHT, "Bar", "light")
        before = hass.states.get(light)

        await call(hass, "set_value", "input_number.white", value=0)
        await hass.async_block_till_done()

        after = hass.states.get(light)
        assert before is not None and before.attributes["brightness"] == 102
        assert "rgb_color" not in before.attributes
        assert after is not None and after.state == "off"


async def test_a_lamp_is_unavailable_with_its_entity(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """And comes back with it."""
    await entities_behind(hass, white=40)
    kept = subentry("light", "Bar", lamp("white"))
    async with aquarium(hass, tmp_path, Platform.LIGHT, subentries=[kept]):
        light = entity_of(hass, Platform.LIGHT, "Bar", "light")

        hass.states.async_set("input_number.white", "unavailable")
        await hass.async_block_till_done()
        gone = hass.states.get(light)
        hass.states.async_set("input_number.white", "60", {"min": 0, "max": 100})
        await hass.async_block_till_done()
        back = hass.states.get(light)

        assert gone is not None and gone.state == "unavailable"
        assert back is not None and back.attributes["brightness"] == 153


async def test_a_chihiros_lamp_is_restored(hass: HomeAssistant, tmp_path: Path) -> None:
    """After a restart it shows what it was last told, although nothing was read."""
    async with aquarium(hass, tmp_path, Platform.LIGHT, demo=True) as entry:
        light = entity_of(hass, Platform.LIGHT, "Demo light", "light")
        await call(hass, "turn_on", light, rgbw_color=[0, 255, 0, 0], brightness=153)

        await restart(hass, entry)

        state = hass.states.get(light)
        assert state is not None and state.state == "on"
        assert state.attributes["brightness"] == 153
        assert state.attributes["rgbw_color"] == (0, 255, 0, 0)
