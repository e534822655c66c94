"""An aquarium with a device made of entities of every sort, in degrees Fahrenheit (R-T62)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from homeassistant.components.climate.const import ClimateEntityFeature
from homeassistant.const import ATTR_ENTITY_ID, ATTR_TEMPERATURE, Platform
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.aquarium import aquarium, subentry

CHILLER, HEATER = "climate.chiller", "climate.heater"
DEVICE = "Sump"
_FEATURES = ClimateEntityFeature.TARGET_TEMPERATURE | ClimateEntityFeature.PRESET_MODE

FIELDS = {
    "target": ("input_number.target", "°C"),
    "pump_mode": ("input_select.pump_mode", None),
    "relay": ("input_boolean.relay", None),
    "lamp": ("light.lamp", None),
    "fan": ("fan.sump", None),
    "cover": ("cover.lid", None),
    "note": ("input_text.note", None),
    "leak": ("binary_sensor.leak", None),
    "salinity": ("sensor.salinity", None),
    "chiller": (CHILLER, "°C"),
}


def climate(
    hass: HomeAssistant,
    entity_id: str,
    *,
    mode: str = "cool",
    temperature: float = 77,
    preset: str = "none",
) -> None:
    """Show a climate entity, in degrees Fahrenheit."""
    hass.states.async_set(
        entity_id,
        mode,
        {
            "hvac_modes": ["off", "cool"],
            "preset_modes": ["none", "eco"],
            "preset_mode": preset,
            "temperature": temperature,
            "min_temp": 50,
            "max_temp": 95,
            "target_temp_step": 0.1,
            "supported_features": int(_FEATURES),
            "friendly_name": "Chiller of the sump",
        },
    )


def _climate_services(hass: HomeAssistant) -> None:
    """Let the climate entities do what they are told."""

    async def serve(call: ServiceCall) -> None:
        entity_id = call.data[ATTR_ENTITY_ID]
        state = hass.states.get(entity_id)
        assert state is not None
        climate(
            hass,
            entity_id,
            mode=call.data.get("hvac_mode", state.state),
            temperature=call.data.get(
                ATTR_TEMPERATURE, state.attributes[ATTR_TEMPERATURE]
            ),
            preset=call.data.get("preset_mode", state.attributes["preset_mode"]),
        )

    for service in ("set_hvac_mode", "set_temperature", "set_preset_mode"):
        hass.services.async_register("climate", service, serve)


@asynccontextmanager
async def sump(
    hass: HomeAssistant, folder: Path, *fields: str
) -> AsyncIterator[MockConfigEntry]:
    """Set an aquarium up with a device of these fields, of all when none is named."""
    hass.config.units = US_CUSTOMARY_SYSTEM
    helpers = {
        "input_number": {
            "target": {
                "name": "Target of the sump",
                "min": 50,
                "max": 95,
                "step": 0.1,
                "initial": 77,
                "unit_of_measurement": "°F",
            }
        },
        "input_select": {"pump_mode": {"options": ["calm", "wave"], "initial": "calm"}},
        "input_boolean": {"relay": {"initial": False}},
        "input_text": {"note": {"initial": "quiet"}},
    }
    for domain, content in helpers.items():
        assert await async_setup_component(hass, domain, {domain: content})
    climate(hass, CHILLER)
    climate(hass, HEATER, mode="off")
    _climate_services(hass)
    hass.states.async_set(
        "light.lamp", "off", {"supported_color_modes": ["brightness"]}
    )
    hass.states.async_set("fan.sump", "off", {"supported_features": 1})
    hass.states.async_set("cover.lid", "open", {"supported_features": 15})
    hass.states.async_set("binary_sensor.leak", "off")
    hass.states.async_set(
        "sensor.salinity", "35.1", {"unit_of_measurement": "PSU", "state_class": "x"}
    )
    chosen = [
        {"name": name, "entity_id": entity_id} | ({"unit": unit} if unit else {})
        for name, (entity_id, unit) in FIELDS.items()
        if not fields or name in fields
    ]
    kept = subentry("entity", DEVICE, {"fields": chosen})
    async with aquarium(
        hass, folder, Platform.NUMBER, Platform.LIGHT, subentries=[kept]
    ) as entry:
        yield entry
