"""The level of entities of every domain."""

from typing import Any

from homeassistant.components.light.const import ColorMode
from homeassistant.core import HomeAssistant, State
from homeassistant.setup import async_setup_component
import pytest

from custom_components.aquarist.devices.entity_adapter import ServiceCall
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.level_adapters import level_adapter
from custom_components.aquarist.devices.pump import Pump

from .entities import (
    FakeCover,
    FakeFan,
    FakeLight,
    FakeNumber,
    FakeOnOffLight,
    FakePlainFan,
    FakeSwitch,
    FakeValve,
    Misbehaving,
    add,
)


async def pump_of(hass: HomeAssistant, domain: str, entity: Misbehaving) -> Pump:
    """Return a pump made from this entity."""
    await add(hass, domain, entity)
    return Pump(hass, uuid="u", name="p", entity=entity.entity_id, confirm_time=0.05)


@pytest.mark.parametrize(
    ("domain", "entity", "level", "call"),
    [
        ("switch", FakeSwitch, 100, {"on": True}),
        ("light", FakeLight, 37, {"on": True, "brightness": 94}),
        ("light", FakeLight, 0.1, {"on": True, "brightness": 1}),
        ("light", FakeOnOffLight, 100, {"on": True}),
        ("fan", FakeFan, 66, {"on": True, "percentage": 66}),
        ("fan", FakeFan, 70, {"on": True, "percentage": 66}),
        ("fan", FakeFan, 1, {"on": True, "percentage": 33}),
        ("fan", FakePlainFan, 100, {"on": True}),
        ("valve", FakeValve, 42, {"position": 42}),
        ("cover", FakeCover, 100, {"open": True}),
        ("number", FakeNumber, 50, {"value": 25.0}),
        ("number", FakeNumber, 51, {"value": 25.5}),
    ],
)
async def test_level_reaches_the_entity_and_is_confirmed(
    hass: HomeAssistant,
    domain: str,
    entity: type[Misbehaving],
    level: float,
    call: dict[str, Any],
) -> None:
    """Each domain gets its own service; the entity's rounding is no difference."""
    thing = entity("thing")
    pump = await pump_of(hass, domain, thing)
    await pump.apply({"level": {"level": level}})
    assert thing.log[-1] == call
    assert pump.observed("level") == {"level": level}


@pytest.mark.parametrize(
    ("domain", "entity", "call"),
    [
        ("switch", FakeSwitch, {"on": False}),
        ("light", FakeLight, {"on": False}),
        ("fan", FakeFan, {"on": False}),
        ("fan", FakePlainFan, {"on": False}),
        ("valve", FakeValve, {"position": 0}),
        ("cover", FakeCover, {"open": False}),
        ("number", FakeNumber, {"value": 10.0}),
    ],
)
async def test_off_reaches_the_entity(
    hass: HomeAssistant,
    domain: str,
    entity: type[Misbehaving],
    call: dict[str, Any],
) -> None:
    """From full to off."""
    thing = entity("thing")
    pump = await pump_of(hass, domain, thing)
    await pump.apply({"level": {"level": 100.0}})
    await pump.apply({"level": {"level": 0.0}})
    assert thing.log[-1] == call
    assert pump.observed("level") == {"level": 0.0}


@pytest.mark.parametrize(
    ("domain", "entity"),
    [
        ("switch", FakeSwitch),
        ("light", FakeOnOffLight),
        ("fan", FakePlainFan),
        ("cover", FakeCover),
    ],
)
async def test_entity_without_steps_takes_off_and_full_only(
    hass: HomeAssistant, domain: str, entity: type[Misbehaving]
) -> None:
    """The field says so, and anything between is refused."""
    thing = entity("thing")
    pump = await pump_of(hass, domain, thing)
    assert pump.fields["level"].values == (0.0, 100.0)
    assert pump.fields["level"].step == 100.0
    with pytest.raises(DeviceError) as error:
        await pump.apply({"level": {"level": 50.0}})
    assert (error.value.code, error.value.transient) == ("unsupported", False)
    assert thing.log == []


async def test_running_fan_changes_its_speed(hass: HomeAssistant) -> None:
    """It is not switched on again."""
    fan = FakeFan("thing")
    pump = await pump_of(hass, "fan", fan)
    fan.show(percentage=33)
    await pump.apply({"level": {"level": 100.0}})
    assert fan.log == [{"percentage": 100}]


async def test_light_that_keeps_whole_per_cents_is_confirmed(
    hass: HomeAssistant,
) -> None:
    """A brightness of 94 comes back as 94.35 rounded to a per cent."""
    light = FakeLight("thing")
    light.coarse = True
    pump = await pump_of(hass, "light", light)
    for level in (1.0, 33.3, 50.6, 99.4):
        await pump.apply({"level": {"level": level}})
        assert pump.observed("level") == {"level": level}


async def test_input_number_with_a_range_of_its_own(hass: HomeAssistant) -> None:
    """0 to 100 per cent is 20 to 60 here; what lies outside is cut off."""
    config = {
        "input_number": {"flow": {"min": 0, "max": 100, "step": 1, "initial": 40}}
    }
    assert await async_setup_component(hass, "input_number", config)
    pump = Pump(hass, uuid="u", name="p", entity="input_number.flow", low=20, high=60)
    assert pump.observed("level") == {"level": 50.0}
    assert pump.fields["level"].step == 2.5
    await pump.apply({"level": {"level": 100.0}})
    state = hass.states.get("input_number.flow")
    assert state is not None
    assert float(state.state) == 60
    for number, level in ((100, 100.0), (0, 0.0)):
        await hass.services.async_call(
            "input_number",
            "set_value",
            {"entity_id": "input_number.flow", "value": number},
            blocking=True,
        )
        assert pump.observed("level") == {"level": level}


@pytest.mark.parametrize(
    ("domain", "text", "attributes", "reading"),
    [
        ("number", "nonsense", {"min": 0, "max": 10}, None),
        ("number", "5", {}, {"level": 5.0}),
        ("number", "5", {"min": 10, "max": 10}, {"level": 5.0}),
        ("number", "5", {"min": 0, "max": "much"}, {"level": 5.0}),
        ("valve", "opening", {}, None),
        ("valve", "opening", {"current_position": 30}, {"level": 30}),
        ("valve", "open", {}, {"level": 100.0}),
        ("cover", "closed", {}, {"level": 0.0}),
        ("light", "on", {}, {"level": 100.0}),
        ("light", "off", {"brightness": 255}, {"level": 0.0}),
        ("fan", "on", {"percentage": None}, {"level": 100.0}),
        ("fan", "on", {"percentage": True}, {"level": 100.0}),
    ],
)
def test_reading_of_odd_states(
    domain: str,
    text: str,
    attributes: dict[str, Any],
    reading: dict[str, float] | None,
) -> None:
    """What cannot be understood is no reading."""
    state = State(f"{domain}.thing", text, attributes)
    assert level_adapter(domain, "level").read(state) == reading


@pytest.mark.parametrize(
    ("domain", "text"), [("number", "nonsense"), ("valve", "opening")]
)
def test_what_cannot_be_understood_shows_nothing(domain: str, text: str) -> None:
    """It confirms no value."""
    state = State(f"{domain}.thing", text)
    assert not level_adapter(domain, "level").shows(state, {"level": 0.0})


def test_almost_off_is_not_off() -> None:
    """A dimmed lamp does not confirm that it was switched off."""
    adapter = level_adapter("light", "level")
    state = State("light.thing", "on", {"brightness": 2})
    assert not adapter.shows(state, {"level": 0.0})
    assert adapter.shows(state, {"level": 1.0})


def test_number_without_a_grid_takes_any_value() -> None:
    """Without a step the value is sent as it is."""
    state = State("number.thing", "0", {"min": 0, "max": 3})
    assert level_adapter("number", "level").calls(state, {"level": 50.0}) == [
        ServiceCall(domain="number", service="set_value", data={"value": 1.5})
    ]


def test_fan_that_cannot_be_switched_on_gets_its_speed() -> None:
    """Without the feature the speed is all there is."""
    state = State(
        "fan.thing", "off", {"supported_features": 1, "percentage_step": 33.3333}
    )
    assert level_adapter("fan", "level").calls(state, {"level": 33.0}) == [
        ServiceCall(domain="fan", service="set_percentage", data={"percentage": 33})
    ]


def test_fan_that_does_not_tell_its_steps_gets_the_level() -> None:
    """Every per cent may be a speed."""
    state = State("fan.thing", "on", {"supported_features": 1})
    assert level_adapter("fan", "level").calls(state, {"level": 42.0}) == [
        ServiceCall(domain="fan", service="set_percentage", data={"percentage": 42})
    ]


def test_value_that_is_no_number_is_off() -> None:
    """The safe reading of a setting that no check would let pass."""
    state = State("switch.thing", "on")
    assert level_adapter("switch", "level").calls(state, {"level": "much"}) == [
        ServiceCall(domain="switch", service="turn_off")
    ]


def test_colour_modes_tell_whether_a_light_can_be_dimmed() -> None:
    """Any mode but on and off has a brightness."""
    adapter = level_adapter("light", "level")
    dimmable = State("light.a", "on", {"supported_color_modes": [ColorMode.HS]})
    plain = State("light.a", "on", {"supported_color_modes": [ColorMode.ONOFF]})
    assert adapter.field(dimmable).values == ()
    assert adapter.field(plain).values == (0.0, 100.0)
    assert adapter.field(None).values == ()


def test_other_domains_have_no_level() -> None:
    """A vacuum is no pump."""
    with pytest.raises(DeviceError) as error:
        level_adapter("vacuum", "level")
    assert (error.value.code, error.value.transient) == ("unsupported", False)
    assert error.value.placeholders == {"domain": "vacuum"}
