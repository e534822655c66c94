"""A device made from any entities."""

import asyncio

from homeassistant.components.number import NumberDeviceClass
from homeassistant.const import UnitOfTemperature
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import pytest

from custom_components.aquarist.devices.device import DeviceKind, StopReport
from custom_components.aquarist.devices.entity import EntityDevice, EntityField
from custom_components.aquarist.devices.errors import DeviceError, FieldErrors
from custom_components.aquarist.devices.fields import InvalidValue

from .entities import FakeFan, FakeNumber, FakeSwitch, FakeValve, add
from .listening import Recorder, is_available

HELPERS = {
    "input_boolean": {"heater": {"initial": False}},
    "input_number": {"target": {"min": 18, "max": 30, "step": 0.5, "initial": 25}},
    "input_select": {"program": {"options": ["eco", "boost"], "initial": "eco"}},
}


@pytest.fixture
async def tank(hass: HomeAssistant) -> EntityDevice:
    """Return a device of three helpers and a thermometer."""
    for domain, config in HELPERS.items():
        assert await async_setup_component(hass, domain, {domain: config})
    hass.states.async_set("sensor.water", "24.8", {"unit_of_measurement": "°C"})
    await hass.async_block_till_done()
    return EntityDevice(
        hass,
        uuid="u",
        name="Tank",
        fields=[
            EntityField(name="heater", entity="input_boolean.heater", safe=False),
            EntityField(name="target", entity="input_number.target"),
            EntityField(name="program", entity="input_select.program"),
            EntityField(name="water", entity="sensor.water"),
        ],
        confirm_time=0.05,
    )


async def test_fields_have_the_chosen_names(tank: EntityDevice) -> None:
    """Each entity is a field of its own type."""
    assert tank.kind is DeviceKind.ENTITY
    assert {name: field.data_type.value for name, field in tank.fields.items()} == {
        "heater": "boolean",
        "target": "number",
        "program": "string",
        "water": "number",
    }
    assert [name for name, field in tank.fields.items() if not field.writable] == [
        "water"
    ]
    assert {name: tank.observed(name) for name in tank.fields} == {
        "heater": {"heater": False},
        "target": {"target": 25.0},
        "program": {"program": "eco"},
        "water": {"water": 24.8},
    }


async def test_all_named_fields_are_set_in_one_go(
    hass: HomeAssistant, tank: EntityDevice
) -> None:
    """Each change is observed with its field."""
    recorder = Recorder()
    tank.listen(recorder)
    await tank.apply(
        {
            "heater": {"heater": True},
            "target": {"target": 26.5},
            "program": {"program": "boost"},
        }
    )
    assert {
        observation.field: observation.setting for observation in recorder.observations
    } == {
        "heater": {"heater": True},
        "target": {"target": 26.5},
        "program": {"program": "boost"},
    }
    state = hass.states.get("input_number.target")
    assert state is not None
    assert state.state == "26.5"


async def test_checks_know_the_entities_bounds(tank: EntityDevice) -> None:
    """Refused before anything is called (R-T25)."""
    assert tank.check("target", 18) == {"target": 18}
    for field, value, code in (
        ("target", 31, "value_out_of_bounds"),
        ("program", "turbo", "value_out_of_bounds"),
        ("heater", 1, "wrong_type"),
        ("water", 25.0, "field_not_writable"),
        ("NOPE", 1, "field_not_found"),
    ):
        with pytest.raises(InvalidValue) as refusal:
            tank.check(field, value)
        assert (refusal.value.field, refusal.value.code) == (field, code)


async def test_refusal_of_the_service_is_final(tank: EntityDevice) -> None:
    """The bounds changed after the check: nothing that another try would help (RES-73)."""
    with pytest.raises(DeviceError) as error:
        await tank.apply({"target": {"target": 99.0}})
    assert (error.value.code, error.value.transient) == ("service_failed", False)


async def test_sensor_cannot_be_applied(tank: EntityDevice) -> None:
    """It is read-only."""
    with pytest.raises(DeviceError, match="unsupported"):
        await tank.apply({"water": {"water": 20.0}})


async def test_sensor_without_a_value_does_not_make_the_device_unavailable(
    hass: HomeAssistant, tank: EntityDevice
) -> None:
    """Its last value stays, and the device can still be set."""
    recorder = Recorder()
    tank.listen(recorder)
    for text in ("unavailable", "unknown"):
        hass.states.async_set("sensor.water", text)
        await hass.async_block_till_done()
    assert tank.available
    assert tank.observed("water") == {"water": 24.8}
    assert recorder.observations == []
    assert recorder.availability == []


async def test_missing_writable_entity_makes_the_device_unavailable(
    hass: HomeAssistant, tank: EntityDevice
) -> None:
    """It could not be set as a whole."""
    recorder = Recorder()
    tank.listen(recorder)
    hass.states.async_remove("input_number.target")
    await hass.async_block_till_done()
    assert recorder.availability == [False]
    with pytest.raises(DeviceError, match="entity_missing"):
        await tank.apply({"target": {"target": 20.0}})


async def test_a_field_is_within_reach_by_itself(
    hass: HomeAssistant, tank: EntityDevice
) -> None:
    """R-T14: also while others of the device are away, from the start or since."""
    recorder = Recorder()
    leave = tank.listen(recorder)
    hass.states.async_set("input_boolean.heater", "unavailable")
    hass.states.async_set("input_number.target", "unavailable")
    await hass.async_block_till_done()
    assert tank.within_reach == {"program", "water"}
    assert recorder.came == []
    hass.states.async_set("input_number.target", "25", {"min": 18, "max": 30})
    await hass.async_block_till_done()
    assert recorder.came == ["target"]
    assert recorder.availability == [False]
    late = EntityDevice(
        hass,
        uuid="late",
        name="Late",
        fields=[
            EntityField(name="heater", entity="input_boolean.heater"),
            EntityField(name="target", entity="input_number.target"),
        ],
    )
    assert not is_available(late)
    assert late.within_reach == {"target"}
    hass.states.async_set("input_boolean.heater", "off")
    await hass.async_block_till_done()
    assert recorder.availability == [False, True]
    assert recorder.came == ["target"]
    leave()
    await late.close()


async def test_one_of_several_fields_does_not_keep_the_others(
    hass: HomeAssistant,
) -> None:
    """One raises, one lies, one is away: the error names them, and the rest is set."""
    good, bad, slow = FakeSwitch("Good"), FakeSwitch("Bad"), FakeSwitch("Slow")
    bad.fails = [HomeAssistantError("no"), HomeAssistantError("no")]
    slow.lies = True
    await add(hass, "switch", good, bad, slow)
    names = ("good", "bad", "slow", "gone")
    device = EntityDevice(
        hass,
        uuid="u",
        name="Strip",
        fields=[EntityField(name=name, entity=f"switch.{name}") for name in names],
        confirm_time=0.01,
    )
    with pytest.raises(FieldErrors) as caught:
        await device.apply({name: {name: True} for name in names})
    assert good.runs()
    found = {name: error.code for name, error in caught.value.by_field.items()}
    assert found == {
        "bad": "service_failed",
        "slow": "not_confirmed",
        "gone": "entity_missing",
    }
    with pytest.raises(DeviceError) as alone:
        await device.apply({"bad": {"bad": True}})
    assert not isinstance(alone.value, FieldErrors)
    await device.apply({"good": {"good": False}, "slow": {"slow": False}})
    assert not good.runs()


async def test_a_field_that_hangs_holds_no_other_back(hass: HomeAssistant) -> None:
    """Each may be written by itself, and shows by itself what it came to."""
    quick, slow = FakeSwitch("Quick"), FakeSwitch("Slow")
    slow.hangs = asyncio.Event()
    await add(hass, "switch", quick, slow)
    device = EntityDevice(
        hass,
        uuid="u",
        name="Strip",
        fields=[
            EntityField(name=name, entity=f"switch.{name}")
            for name in ("quick", "slow")
        ],
    )
    assert device.apart == {"quick", "slow"}
    recorder = Recorder()
    device.listen(recorder)
    hanging = hass.async_create_task(device.apply({"slow": {"slow": True}}))
    await asyncio.sleep(0)
    await device.apply({"quick": {"quick": True}})
    assert [one.field for one in recorder.observations] == ["quick"]
    assert not hanging.done()
    slow.hangs.set()
    await hanging
    assert recorder.observations[-1].field == "slow"


async def test_what_a_field_passes_by_is_held_back_until_its_last_write(
    hass: HomeAssistant,
) -> None:
    """A write that was left behind may still go on when the next one has ended."""
    slow = FakeSwitch("Slow")
    slow.hangs = asyncio.Event()
    await add(hass, "switch", slow)
    device = EntityDevice(
        hass,
        uuid="u",
        name="Strip",
        fields=[EntityField(name="slow", entity="switch.slow")],
    )
    recorder = Recorder()
    device.listen(recorder)
    left = hass.async_create_task(device.apply({"slow": {"slow": True}}))
    await asyncio.sleep(0)
    hanging, slow.hangs = slow.hangs, None
    await device.apply({"slow": {"slow": True}})
    assert recorder.observations == []
    hanging.set()
    await left
    assert recorder.settings == [{"slow": True}]


def test_fields_of_one_entity_go_together(hass: HomeAssistant) -> None:
    """So does the only field of a device, which has none beside it."""

    def of(*entities: str) -> EntityDevice:
        return EntityDevice(
            hass,
            uuid="u",
            name="Strip",
            fields=[
                EntityField(name=f"f{number}", entity=entity)
                for number, entity in enumerate(entities)
            ],
        )

    assert of("switch.one").apart == frozenset()
    assert of("switch.one", "switch.one", "switch.two").apart == {"f2"}


async def test_device_of_sensors_is_available_while_any_is(hass: HomeAssistant) -> None:
    """Nothing of it can be set."""
    hass.states.async_set("sensor.a", "1")
    device = EntityDevice(
        hass,
        uuid="u",
        name="Probes",
        fields=[
            EntityField(name="a", entity="sensor.a"),
            EntityField(name="b", entity="binary_sensor.b"),
        ],
    )
    assert is_available(device)
    hass.states.async_set("sensor.a", "unavailable")
    await hass.async_block_till_done()
    assert not is_available(device)
    hass.states.async_set("binary_sensor.b", "on")
    await hass.async_block_till_done()
    assert is_available(device)
    assert device.observed("b") == {"b": True}


async def test_switch_takes_on_and_off(tank: EntityDevice) -> None:
    """Level actions go to the first field that has them."""
    assert tank.setting_for("turn_on", {}, None) == ("heater", {"heater": True})
    assert tank.setting_for("turn_off", {}, None) == ("heater", {"heater": False})
    for action in ("set_level", "dance"):
        with pytest.raises(InvalidValue, match="unknown_action"):
            tank.setting_for(action, {"level": 5}, None)
    with pytest.raises(InvalidValue, match="unknown_argument"):
        tank.setting_for("turn_on", {"level": 5}, None)


async def test_fan_takes_levels(hass: HomeAssistant) -> None:
    """On comes back to the resting level."""
    await add(hass, "fan", FakeFan("cooling"))
    device = EntityDevice(
        hass,
        uuid="u",
        name="Fan",
        fields=[EntityField(name="speed", entity="fan.cooling")],
        confirm_time=0.05,
    )
    assert device.setting_for("turn_on", {}, {"speed": 66.0}) == (
        "speed",
        {"speed": 66.0},
    )
    assert device.setting_for("turn_on", {}, {"speed": 0.0}) == (
        "speed",
        {"speed": 100.0},
    )
    assert device.setting_for("turn_on", {}, None) == ("speed", {"speed": 100.0})
    assert device.setting_for("turn_off", {}, None) == ("speed", {"speed": 0.0})
    assert device.setting_for("set_level", {"level": 40}, None) == (
        "speed",
        {"speed": 40},
    )
    with pytest.raises(InvalidValue, match="unknown_action"):
        device.setting_for("set_channels", {}, None)
    await device.apply({"speed": {"speed": 66.0}})
    assert device.observed("speed") == {"speed": 66.0}


async def test_stop_brings_safe_values(tank: EntityDevice) -> None:
    """Fields without one stay as they are."""
    await tank.apply({"heater": {"heater": True}})
    assert await tank.stop() == StopReport(confirmed=True, detail="stopped")
    assert tank.observed("heater") == {"heater": False}
    assert tank.observed("target") == {"target": 25.0}


async def test_nothing_to_stop(hass: HomeAssistant) -> None:
    """Without safe values a stop has nothing to do."""
    await add(hass, "switch", FakeSwitch("plain"))
    device = EntityDevice(
        hass,
        uuid="u",
        name="Plain",
        fields=[EntityField(name="power", entity="switch.plain")],
    )
    assert await device.stop() == StopReport(confirmed=True, detail="nothing_to_stop")


class Thermostat(FakeNumber):
    """A temperature in degrees Celsius, whatever Home Assistant shows."""

    _attr_device_class = NumberDeviceClass.TEMPERATURE
    _attr_native_unit_of_measurement = UnitOfTemperature.CELSIUS


async def test_announced_unit_holds_in_imperial_units(hass: HomeAssistant) -> None:
    """Set to 17 °C it shows 62.6 °F, and what it was comes back exactly (R-T62)."""
    hass.config.units = US_CUSTOMARY_SYSTEM
    thermostat = Thermostat("target")
    await add(hass, "number", thermostat)
    device = EntityDevice(
        hass,
        uuid="u",
        name="Heater",
        fields=[EntityField(name="target", entity="number.target", unit="°C")],
        confirm_time=0.05,
    )
    state = hass.states.get("number.target")
    assert state is not None
    assert state.attributes["unit_of_measurement"] == "°F"
    field = device.fields["target"]
    assert (field.unit, field.minimum, field.maximum) == ("°C", 10.0, 40.0)
    before = device.observed("target")
    assert before == {"target": 25.0}
    await device.apply({"target": device.check("target", 17)})
    state = hass.states.get("number.target")
    assert state is not None
    assert float(state.state) == pytest.approx(62.6, abs=0.5)
    assert thermostat.native_value == pytest.approx(17, abs=0.3)
    assert device.observed("target") == {"target": 17}
    await device.apply({"target": before})
    assert thermostat.native_value == pytest.approx(25.0)
    assert device.observed("target") == before


async def test_texts_and_times_come_back_as_they_were(hass: HomeAssistant) -> None:
    """They are fields like any other."""
    helpers = {
        "input_text": {"note": {"initial": "quiet"}},
        "input_datetime": {
            "feeding": {"has_date": False, "has_time": True, "initial": "08:00:00"}
        },
    }
    for domain, config in helpers.items():
        assert await async_setup_component(hass, domain, {domain: config})
    await hass.async_block_till_done()
    device = EntityDevice(
        hass,
        uuid="u",
        name="Notes",
        fields=[
            EntityField(name="note", entity="input_text.note"),
            EntityField(name="feeding", entity="input_datetime.feeding"),
        ],
        confirm_time=0.05,
    )
    before = {name: device.observed(name) for name in device.fields}
    assert before == {"note": {"note": "quiet"}, "feeding": {"feeding": "08:00:00"}}
    asked = {"note": {"note": "loud"}, "feeding": {"feeding": "19:30:00"}}
    await device.apply(asked)
    assert {name: device.observed(name) for name in device.fields} == asked
    await device.apply({name: value for name, value in before.items() if value})
    assert {name: device.observed(name) for name in device.fields} == before


async def test_valve_may_take_its_time(hass: HomeAssistant) -> None:
    """A motor needs longer than a report does."""
    valve = FakeValve("drain")
    await add(hass, "valve", valve)
    device = EntityDevice(
        hass,
        uuid="u",
        name="Drain",
        fields=[EntityField(name="drain", entity="valve.drain")],
        confirm_time=0.01,
    )
    valve.lies = True
    opening = asyncio.ensure_future(device.apply({"drain": {"drain": 60.0}}))
    while not valve.log:
        await asyncio.sleep(0)
    valve.show(current_valve_position=20)
    await asyncio.sleep(0.05)
    assert not opening.done()
    valve.show(current_valve_position=60)
    await opening
    assert device.observed("drain") == {"drain": 60.0}


async def test_entity_that_takes_effect_and_then_raises_is_set(
    hass: HomeAssistant,
) -> None:
    """It is seen where it was to go."""
    number = FakeNumber("target")
    await add(hass, "number", number)
    device = EntityDevice(
        hass,
        uuid="u",
        name="Heater",
        fields=[EntityField(name="target", entity="number.target")],
        confirm_time=0.05,
    )
    number.fails_after = [HomeAssistantError("no answer")]
    await device.apply({"target": {"target": 30.0}})
    assert device.observed("target") == {"target": 30.0}
    number.fails = [HomeAssistantError("no answer")]
    with pytest.raises(DeviceError, match="service_failed"):
        await device.apply({"target": {"target": 20.0}})
    assert device.observed("target") == {"target": 30.0}


@pytest.fixture
async def dimmed(hass: HomeAssistant) -> EntityDevice:
    """Return a device with a level at 40 per cent."""
    dimmer = {"min": 0, "max": 100, "initial": 40, "unit_of_measurement": "%"}
    assert await async_setup_component(
        hass, "input_number", {"input_number": {"dimmer": dimmer}}
    )
    await hass.async_block_till_done()
    return EntityDevice(
        hass,
        uuid="u",
        name="Spots",
        fields=[EntityField(name="spots", entity="input_number.dimmer")],
        confirm_time=1.0,
    )


async def test_on_is_the_level_that_it_had_last(dimmed: EntityDevice) -> None:
    """What was dimmed does not jump to full over livestock."""
    dark = {"spots": 0.0}
    await dimmed.apply({"spots": dark})
    assert dimmed.setting_for("turn_on", {}, dark) == ("spots", {"spots": 40.0})


async def test_while_an_entity_is_away_its_field_is_what_it_was(
    hass: HomeAssistant, dimmed: EntityDevice
) -> None:
    """What is asked of it fails for being away, not for being unknown."""
    before = dict(dimmed.fields)
    hass.states.async_set("input_number.dimmer", "unavailable")
    await hass.async_block_till_done()
    assert not is_available(dimmed)
    assert dimmed.fields == before
    assert dimmed.setting_for("turn_off", {}, None) == ("spots", {"spots": 0.0})
    with pytest.raises(DeviceError) as failed:
        await dimmed.apply({"spots": {"spots": 0.0}})
    assert failed.value.code == "entity_unavailable"
