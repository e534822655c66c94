"""Windows on real entities of every kind, Home Assistant's own demonstration ones (R-T47, R-T60)."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aquarist.commands.phases import Phase
from tests.aquarium import aquarium, engine_of, heard, subentry

from .rest import Rest
from .write_actions import PATH, action, in_phase, one

DEVICE = "Everything"
PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.CLIMATE,
    Platform.COVER,
    Platform.FAN,
    Platform.LIGHT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.TEXT,
    Platform.VALVE,
]
HELPERS = {
    "input_boolean": {"pause": {"initial": False}},
    "input_datetime": {
        "sunrise": {"has_time": True, "has_date": False, "initial": "07:30:00"}
    },
    "input_number": {"flow": {"min": 0, "max": 40, "step": 0.5, "initial": 12.5}},
    "input_select": {"season": {"options": ["wet", "dry"], "initial": "dry"}},
    "input_text": {"note": {"initial": "quiet"}},
}


@pytest.fixture
async def kinds(hass: HomeAssistant) -> None:
    """Have entities of every kind."""
    assert await async_setup_component(hass, "homeassistant", {})
    for domain, content in HELPERS.items():
        assert await async_setup_component(hass, domain, {domain: content})
    entry = MockConfigEntry(domain="demo")
    entry.add_to_hass(hass)
    where = "homeassistant.components.demo.COMPONENTS_WITH_CONFIG_ENTRY_DEMO_PLATFORM"
    with patch(where, PLATFORMS):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()


def shown(hass: HomeAssistant, entity_id: str) -> tuple[str, dict[str, Any]]:
    """Return all that an entity shows; a number is the same with and without a point.

    A fan that is off tells its speed as 0 or not at all.
    """
    state = hass.states.get(entity_id)
    assert state is not None
    attributes = dict(state.attributes)
    if "percentage" in attributes:
        attributes["percentage"] = attributes["percentage"] or 0
    return state.state.removesuffix(".0"), attributes


WRITABLE = [
    ("number.volume", "it", 17, "17"),
    ("number.temperature_setting", "it", 17, "17"),
    ("input_number.flow", "it", 3.5, "3.5"),
    ("select.speed", "it", "light_speed", "light_speed"),
    ("input_select.season", "it", "wet", "wet"),
    ("switch.ac", "it", True, "on"),
    ("switch.decorative_lights", "it", False, "off"),
    ("input_boolean.pause", "it", True, "on"),
    ("input_text.note", "it", "loud", "loud"),
    ("text.text", "it", "loud", "loud"),
    ("input_datetime.sunrise", "it", "09:15:00", "09:15:00"),
    ("light.bed_light", "it", 40, "on"),
    ("light.ceiling_lights", "it", 40, "on"),
    ("light.kitchen_lights", "it", 0, "off"),
    ("light.office_rgbw_lights", "it", 0, "off"),
    ("fan.living_room_fan", "it", 66, "on"),
    ("fan.percentage_limited_fan", "it", 66, "on"),
    ("cover.hall_window", "it", 20, "open"),
    ("valve.back_garden", "it", 60, "open"),
    ("valve.front_garden", "it", 0, "closed"),
    ("climate.heatpump", "temperature", 21, "heat"),
    ("climate.heatpump", "hvac_mode", "off", "off"),
    ("climate.hvac", "temperature", 19, "cool"),
    ("climate.hvac", "fan_mode", "on_low", "cool"),
    ("climate.hvac", "swing_mode", "auto", "cool"),
    ("climate.hvac", "swing_horizontal_mode", "rangefull", "cool"),
    ("climate.hvac", "hvac_mode", "heat", "heat"),
    ("climate.ecobee", "hvac_mode", "off", "off"),
    ("climate.ecobee", "target_temp_low", 20, "heat_cool"),
    ("climate.ecobee", "preset_mode", "eco", "heat_cool"),
]


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize(("entity_id", "field", "value", "during"), WRITABLE)
async def test_it_is_set_and_comes_back_as_it_was(
    hass: HomeAssistant,
    tmp_path: Path,
    hass_client: ClientSessionGenerator,
    entity_id: str,
    field: str,
    value: Any,
    during: str,
) -> None:
    """R-T5, R-T7, R-T60: state and attributes, all of them."""
    kept = subentry(
        "entity", DEVICE, {"fields": [{"name": "it", "entity_id": entity_id}]}
    )
    async with aquarium(hass, tmp_path, subentries=[kept]):
        rest = Rest(await hass_client())
        before = shown(hass, entity_id)
        asked = action(hass, DEVICE, field_name=field, value=value)
        async with heard(hass, in_phase(Phase.IN_FORCE, asked["action_id"])):
            await rest.post(PATH, asked)
        assert shown(hass, entity_id) != before
        assert shown(hass, entity_id)[0] == during
        query = {"device_id": asked["device_id"], "field_name": field}
        (latest,) = (await rest.get("/latest_value", **query)).body["results"]
        assert latest["value"] == pytest.approx(value, abs=1)

        (command,) = engine_of(hass).records.open
        async with heard(hass, in_phase(Phase.COMPLETED, asked["action_id"])):
            engine_of(hass).arbiter.release(command)
        assert shown(hass, entity_id) == before
        assert (await one(rest, asked["action_id"]))["status"] == "OLD_VALUE_RESTORED"


@pytest.mark.usefixtures("kinds")
async def test_each_field_is_announced_as_its_entity_takes_it(
    hass: HomeAssistant, tmp_path: Path, hass_client: ClientSessionGenerator
) -> None:
    """R-T47: type, unit, bounds, choices; what can only be read is told so."""
    entities = {
        "volume": "number.volume",
        "speed": "select.speed",
        "outlet": "switch.ac",
        "lamp": "light.bed_light",
        "fan": "fan.living_room_fan",
        "cover": "cover.hall_window",
        "shut": "valve.front_garden",
        "sunrise": "input_datetime.sunrise",
        "leak": "binary_sensor.basement_floor_wet",
        "power": "sensor.power_consumption",
        "mood": "sensor.thermostat",
    }
    fields = [{"name": name, "entity_id": one} for name, one in entities.items()]
    kept = subentry("entity", DEVICE, {"fields": fields})
    async with aquarium(hass, tmp_path, subentries=[kept]):
        rest = Rest(await hass_client())
        (told,) = (await rest.get("/device_types")).body["results"]
    names = ("data_type", "writable", "unit", "min", "max", "values")
    found = {one["name"]: tuple(one[name] for name in names) for one in told["fields"]}
    speeds = ["light_speed", "ridiculous_speed", "ludicrous_speed"]
    moods = ["away", "comfort", "eco", "sleep"]
    level: tuple[Any, ...] = ("number", True, "%", 0.0, 100.0, [])
    assert found == {
        "volume": ("number", True, None, 0.0, 100.0, []),
        "speed": ("string", True, None, None, None, speeds),
        "outlet": ("boolean", True, None, None, None, []),
        "lamp": level,
        "fan": level,
        "cover": level,
        "shut": ("number", True, "%", 0.0, 100.0, [0.0, 100.0]),
        "sunrise": ("string", True, None, None, None, []),
        "leak": ("boolean", False, None, None, None, []),
        "power": ("number", False, "W", None, None, []),
        "mood": ("string", False, None, None, None, moods),
    }
