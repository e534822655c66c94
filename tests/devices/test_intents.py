"""Law 1: what somebody's call asks of an entity behind a device, in fields of that device."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.devices.backed_device import BackedDevice
from custom_components.aquarist.devices.device import Head
from custom_components.aquarist.devices.doser import Doser
from custom_components.aquarist.devices.entity import EntityDevice, EntityField
from custom_components.aquarist.devices.entity_adapter import ServiceCall
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.devices.light import Light
from custom_components.aquarist.devices.pump import Pump

SHOWN: Mapping[str, tuple[str, dict[str, Any]]] = {
    "switch.pump": ("on", {}),
    "light.pump": ("on", {"brightness": 51, "supported_color_modes": ["brightness"]}),
    "number.pump": ("12", {"min": 10, "max": 20, "step": 1}),
    "fan.pump": ("off", {"supported_features": 1, "percentage": 0}),
    "valve.pump": ("open", {"supported_features": 4, "current_position": 40}),
    "cover.pump": ("closed", {"supported_features": 3}),
    "input_boolean.heater": ("off", {}),
    "number.target": ("25", {"min": 18, "max": 30, "unit_of_measurement": "°C"}),
    "select.program": ("eco", {"options": ["eco", "boost"]}),
    "text.note": ("calm", {}),
    "input_datetime.dawn": ("06:00:00", {"has_date": False, "has_time": True}),
    "input_datetime.day": ("2026-03-01", {"has_date": True, "has_time": False}),
    "input_datetime.both": ("2026-03-01 06:00:00", {}),
    "sensor.water": ("24.8", {"unit_of_measurement": "°C"}),
    "fan.surface": ("on", {"supported_features": 1, "percentage": 30}),
    "climate.chiller": (
        "cool",
        {
            "temperature": 25.0,
            "hvac_modes": ["off", "cool"],
            "preset_modes": ["none", "away"],
            "fan_modes": ["low"],
            "supported_features": 1 | 8 | 16,
        },
    ),
}
NAMES = {
    "heater": "input_boolean.heater",
    "target": "number.target",
    "program": "select.program",
    "note": "text.note",
    "dawn": "input_datetime.dawn",
    "day": "input_datetime.day",
    "both": "input_datetime.both",
    "water": "sensor.water",
    "surface": "fan.surface",
    "chiller": "climate.chiller",
}


@pytest.fixture(autouse=True)
def states(hass: HomeAssistant) -> None:
    """Let all entities show something."""
    for entity_id, (state, attributes) in SHOWN.items():
        hass.states.async_set(entity_id, state, attributes)


def call(name: str, **data: Any) -> ServiceCall:
    """Return the call of a service."""
    domain, _, service = name.partition(".")
    return ServiceCall(domain=domain, service=service, data=data)


def meant(
    device: BackedDevice, entity_id: str, asked: ServiceCall, rests_at: Any = None
) -> tuple[str, Mapping[str, Any]]:
    """Return field and setting that a call means."""
    return device.intent(entity_id, asked, lambda field: rests_at)


@pytest.mark.parametrize(
    ("entity_id", "asked", "level"),
    [
        ("switch.pump", call("switch.turn_on"), 100),
        ("switch.pump", call("switch.turn_off"), 0),
        ("switch.pump", call("switch.toggle"), 100),
        ("switch.pump", call("homeassistant.turn_off"), 0),
        ("light.pump", call("light.turn_on"), 20),
        ("light.pump", call("light.turn_on", brightness=255), 100),
        ("light.pump", call("light.turn_on", brightness_pct=35), 35),
        ("number.pump", call("number.set_value", value=15), 50),
        ("number.pump", call("number.set_value", value=25), 150),
        ("fan.pump", call("fan.turn_on"), 100),
        ("fan.pump", call("fan.turn_on", percentage=60), 60),
        ("fan.pump", call("fan.set_percentage", percentage=0), 0),
        ("valve.pump", call("valve.set_valve_position", position=70), 70),
        ("valve.pump", call("valve.close_valve"), 0),
        ("valve.pump", call("valve.toggle"), 40),
        ("cover.pump", call("cover.open_cover"), 100),
    ],
)
async def test_a_pump(
    hass: HomeAssistant, entity_id: str, asked: ServiceCall, level: float
) -> None:
    """Its level; on is the last one, the other of nothing is on."""
    pump = Pump(hass, uuid="u", name="Pump", entity=entity_id)
    assert meant(pump, entity_id, asked) == ("level", {"level": pytest.approx(level)})
    await pump.close()


async def test_toggle_is_the_other_of_what_it_rests_on(hass: HomeAssistant) -> None:
    """Whatever shows at the moment."""
    pump = Pump(hass, uuid="u", name="Pump", entity="light.pump")
    toggle = call("light.toggle")
    assert meant(pump, "light.pump", toggle, {"level": 30.0})[1] == {"level": 0.0}
    assert meant(pump, "light.pump", toggle, {"level": 0.0})[1] == {"level": 20.0}
    await pump.close()


@pytest.mark.parametrize(
    ("entity_id", "asked"),
    [
        ("switch.pump", call("light.turn_on")),
        ("switch.pump", call("switch.turn_on", transition=1)),
        ("switch.pump", call("switch.reload")),
        ("light.pump", call("light.turn_on", color_name="blue")),
        ("light.pump", call("light.turn_on", brightness=10, transition=5)),
        ("light.pump", call("light.turn_on", brightness="10")),
        ("light.pump", call("light.turn_on", brightness=True)),
        ("number.pump", call("number.set_value")),
        ("fan.pump", call("fan.oscillate", oscillating=True)),
        ("cover.pump", call("cover.stop_cover")),
    ],
)
async def test_what_a_level_cannot_hold(
    hass: HomeAssistant, entity_id: str, asked: ServiceCall
) -> None:
    """It is refused: half of a call would be another call."""
    pump = Pump(hass, uuid="u", name="Pump", entity=entity_id)
    with pytest.raises(InvalidValue) as refused:
        meant(pump, entity_id, asked)
    assert refused.value.code == "service_not_for_device"
    assert refused.value.placeholders == {
        "field": "service",
        "service": f"{asked.domain}.{asked.service}",
        "entity_id": entity_id,
        "name": "Pump",
    }
    await pump.close()


def everything(hass: HomeAssistant) -> EntityDevice:
    """Return a device that has a field of each kind."""
    fields = [EntityField(name=name, entity=entity) for name, entity in NAMES.items()]
    return EntityDevice(hass, uuid="u", name="Tank", fields=fields)


@pytest.mark.parametrize(
    ("name", "asked", "value"),
    [
        ("heater", call("input_boolean.turn_on"), True),
        ("heater", call("input_boolean.toggle"), True),
        ("heater", call("homeassistant.turn_off"), False),
        ("target", call("number.set_value", value=26.5), 26.5),
        ("program", call("select.select_option", option="boost"), "boost"),
        ("note", call("text.set_value", value="rough"), "rough"),
        ("dawn", call("input_datetime.set_datetime", time="07:00:00"), "07:00:00"),
        ("day", call("input_datetime.set_datetime", date="2026-04-01"), "2026-04-01"),
        ("both", call("input_datetime.set_datetime", datetime="x"), "x"),
        ("surface", call("fan.turn_off"), 0.0),
        ("surface", call("fan.turn_on"), 30.0),
        ("surface", call("fan.set_percentage", percentage=70), 70.0),
    ],
)
async def test_fields_of_other_devices(
    hass: HomeAssistant, name: str, asked: ServiceCall, value: Any
) -> None:
    """Each entity is a field of its own."""
    device = everything(hass)
    assert meant(device, NAMES[name], asked) == (name, {name: value})
    await device.close()


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        (call("climate.set_temperature", temperature=24.5), {"temperature": 24.5}),
        (
            call("climate.set_temperature", temperature=24, hvac_mode="cool"),
            {"temperature": 24, "hvac_mode": "cool"},
        ),
        (call("climate.set_temperature", temperature="x"), {"temperature": "x"}),
        (call("climate.set_hvac_mode", hvac_mode="off"), {"hvac_mode": "off"}),
        (call("climate.set_preset_mode", preset_mode="away"), {"preset_mode": "away"}),
        (call("climate.set_fan_mode", fan_mode="low"), {"fan_mode": "low"}),
        (call("climate.turn_off"), {"hvac_mode": "off"}),
    ],
)
async def test_a_climate(
    hass: HomeAssistant, asked: ServiceCall, parts: dict[str, Any]
) -> None:
    """It is one composite field; whether it takes the parts is checked as ever."""
    device = everything(hass)
    assert meant(device, "climate.chiller", asked) == ("chiller", parts)
    await device.close()


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("heater", call("input_boolean.reload")),
        ("target", call("number.set_value", value="warm")),
        ("program", call("select.select_next")),
        ("program", call("select.select_option", option="boost", cycle=True)),
        ("dawn", call("input_datetime.set_datetime", date="2026-04-01")),
        ("water", call("sensor.turn_on")),
        ("chiller", call("climate.turn_on")),
        ("chiller", call("climate.set_hvac_mode")),
        ("chiller", call("climate.set_humidity", humidity=50)),
        ("chiller", call("fan.set_preset_mode", preset_mode="away")),
    ],
)
async def test_what_no_field_can_hold(
    hass: HomeAssistant, name: str, asked: ServiceCall
) -> None:
    """It is refused."""
    device = everything(hass)
    with pytest.raises(InvalidValue) as refused:
        meant(device, NAMES[name], asked)
    assert refused.value.code == "service_not_for_device"
    await device.close()


async def test_a_lamp_of_several_channels(hass: HomeAssistant) -> None:
    """One channel changes, the others stay."""
    for name, brightness in (("blue", 255), ("white", 51)):
        hass.states.async_set(
            f"light.{name}",
            "on",
            {"brightness": brightness, "supported_color_modes": ["brightness"]},
        )
    channels = {"blue": "light.blue", "white": "light.white"}
    lamp = Light(hass, uuid="u", name="Lamp", channels=channels)
    rests = {"level": 100.0, "mix_blue": 100.0, "mix_white": 20.0}
    for asked, wanted in (
        (call("light.turn_on", brightness_pct=50), (100, 50)),
        (call("light.turn_off"), (100, 0)),
        (call("light.turn_on"), (100, 20)),
        (call("light.toggle"), (100, 0)),
    ):
        field, setting = meant(lamp, "light.white", asked, rests)
        assert field == "light"
        assert lamp.lamp.outputs(setting) == pytest.approx(wanted)
    dark = {"level": 0.0, "mix_blue": 100.0, "mix_white": 20.0}
    _, setting = meant(lamp, "light.white", call("light.turn_on"), dark)
    assert lamp.lamp.outputs(setting) == (0, 100)
    _, setting = meant(lamp, "light.blue", call("light.turn_on"))
    assert lamp.lamp.outputs(setting) == (100, 0)
    await lamp.close()


async def test_a_lamp_of_one_channel(hass: HomeAssistant) -> None:
    """It is a level, and on is the last one."""
    lamp = Light(hass, uuid="u", name="Lamp", channels={"white": "light.pump"})
    bright = call("light.turn_on", brightness_pct=50)
    assert meant(lamp, "light.pump", bright) == ("light", {"level": 50.0})
    rests = {"level": 20.0, "mix_white": 100.0}
    off = meant(lamp, "light.pump", call("light.toggle"), rests)
    assert off == ("light", {"level": 0.0})
    on = meant(lamp, "light.pump", call("light.turn_on"), rests)
    assert on == ("light", {"level": 20.0})
    await lamp.close()


async def test_the_switch_of_a_dosing_pump(hass: HomeAssistant) -> None:
    """It is never passed on: a dose has a volume, and is for the ledger."""
    head = Head(index=0, name="Iron", flow=100, minimum=100, maximum=9000)
    doser = Doser(hass, uuid="u", name="Doser", entity="switch.pump", head=head)
    for asked in (call("switch.turn_on"), call("switch.turn_off")):
        with pytest.raises(InvalidValue) as refused:
            meant(doser, "switch.pump", asked)
        assert refused.value.code == "service_not_for_device"
    await doser.close()


async def test_an_entity_that_is_away(hass: HomeAssistant) -> None:
    """What it would mean is not known."""
    pump = Pump(hass, uuid="u", name="Pump", entity="switch.gone")
    with pytest.raises(DeviceError) as error:
        meant(pump, "switch.gone", call("switch.turn_on"))
    assert error.value.code == "entity_missing"
    await pump.close()
