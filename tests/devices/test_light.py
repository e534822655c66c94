"""A lamp made from dimmable entities."""

import asyncio

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.aquarist.devices.device import DeviceKind, StopReport
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.devices.light import Light

from .entities import FakeLight, add
from .listening import Recorder

PURPLE = {"level": 50.0, "mix_red": 100.0, "mix_blue": 20.0}


class Lamp:
    """A lamp of two channels, the entities behind it and its listener."""

    def __init__(self, hass: HomeAssistant, red: FakeLight, blue: FakeLight) -> None:
        """Make the lamp from the entities."""
        self.red, self.blue = red, blue
        self.device = Light(
            hass,
            uuid="u",
            name="Main light",
            channels={"red": red.entity_id, "blue": blue.entity_id},
            confirm_time=0.05,
        )
        self.recorder = Recorder()
        self.device.listen(self.recorder)


@pytest.fixture
async def lamp(hass: HomeAssistant) -> Lamp:
    """Return a lamp that is off."""
    red, blue = FakeLight("red"), FakeLight("blue")
    await add(hass, "light", red, blue)
    return Lamp(hass, red, blue)


async def test_lamp_has_one_composite_field(lamp: Lamp) -> None:
    """Off is level 0, and a mix that nobody set is full."""
    assert lamp.device.kind is DeviceKind.LIGHT
    assert lamp.device.fields["light"].parts == ("level", "mix_red", "mix_blue")
    assert lamp.device.observed("light") == {
        "level": 0.0,
        "mix_red": 100.0,
        "mix_blue": 100.0,
    }


async def test_all_channels_get_their_output(lamp: Lamp) -> None:
    """What was asked is what is observed, whatever the dimmers round."""
    await lamp.device.apply({"light": PURPLE})
    assert lamp.red.log == [{"on": True, "brightness": 128}]
    assert lamp.blue.log == [{"on": True, "brightness": 26}]
    assert lamp.recorder.settings == [PURPLE]


async def test_mix_survives_the_lowest_levels(lamp: Lamp) -> None:
    """A ramp through 1 per cent does not change the colour."""
    await lamp.device.apply({"light": PURPLE})
    await lamp.device.apply({"light": {"level": 1.0}})
    assert lamp.device.observed("light") == {**PURPLE, "level": 1.0}
    await lamp.device.apply({"light": {"level": 100.0}})
    assert lamp.blue.log[-1] == {"on": True, "brightness": 51}


async def test_mix_survives_off(lamp: Lamp) -> None:
    """Switched off and on again it has its colour (R-T60)."""
    await lamp.device.apply({"light": PURPLE})
    await lamp.device.apply({"light": {"level": 0.0}})
    assert lamp.device.observed("light") == {**PURPLE, "level": 0.0}
    field, setting = lamp.device.setting_for(
        "turn_on", {}, lamp.device.observed("light")
    )
    assert (field, setting) == ("light", {"level": 50.0})
    await lamp.device.apply({field: setting})
    assert lamp.device.observed("light") == PURPLE


async def test_change_by_hand_is_a_new_mix(hass: HomeAssistant, lamp: Lamp) -> None:
    """One channel moved: level and mix follow."""
    await lamp.device.apply({"light": PURPLE})
    lamp.blue.show(is_on=True, brightness=255)
    await hass.async_block_till_done()
    setting = lamp.device.observed("light")
    assert setting is not None
    assert setting["level"] == 100.0
    assert setting["mix_blue"] == 100.0
    assert setting["mix_red"] == pytest.approx(50.0, abs=0.5)


async def test_channel_can_be_named_in_a_write_action(lamp: Lamp) -> None:
    """The name of a channel means its share in the mix."""
    assert lamp.device.check("red", 40) == {"mix_red": 40}
    assert lamp.device.check("light", 40) == {"level": 40}
    with pytest.raises(InvalidValue, match="field_not_found"):
        lamp.device.check("green", 40)


async def test_failing_channel_does_not_keep_the_others_back(lamp: Lamp) -> None:
    """All channels are tried, then the error is raised."""
    lamp.red.fails = [HomeAssistantError("down")]
    with pytest.raises(DeviceError, match="service_failed"):
        await lamp.device.apply({"light": PURPLE})
    assert lamp.blue.log == [{"on": True, "brightness": 26}]
    setting = lamp.device.observed("light")
    assert setting is not None
    assert setting["mix_red"] == 0.0


async def test_hung_channel_can_be_given_up(lamp: Lamp) -> None:
    """The other one shows its value by then."""
    lamp.red.hangs = asyncio.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await lamp.device.apply({"light": PURPLE})
    assert lamp.blue.log == [{"on": True, "brightness": 26}]


async def test_lamp_with_a_missing_channel_is_unavailable(
    hass: HomeAssistant, lamp: Lamp
) -> None:
    """Half a lamp is no reading; what was known stays."""
    await lamp.device.apply({"light": PURPLE})
    lamp.red.show(available=False)
    lamp.blue.show(is_on=False)
    await hass.async_block_till_done()
    assert not lamp.device.available
    assert lamp.device.observed("light") == PURPLE
    with pytest.raises(DeviceError, match="entity_unavailable"):
        await lamp.device.apply({"light": PURPLE})


async def test_stop_is_dark(lamp: Lamp) -> None:
    """The mix is remembered."""
    await lamp.device.apply({"light": PURPLE})
    assert await lamp.device.stop() == StopReport(confirmed=True, detail="stopped")
    assert lamp.device.observed("light") == {**PURPLE, "level": 0.0}


async def test_other_fields_cannot_be_sent(lamp: Lamp) -> None:
    """A lamp is one field."""
    with pytest.raises(DeviceError, match="unsupported"):
        await lamp.device.apply({"level": {"level": 1.0}})
