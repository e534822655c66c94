"""A device made from any entities."""

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.aquarist.devices.device import DeviceKind, StopReport
from custom_components.aquarist.devices.entity import EntityDevice, EntityField
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue

from .entities import FakeFan, FakeSwitch, add
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
