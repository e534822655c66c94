"""How Aquarist is, in a few numbers."""

from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import get_system_health_info

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.simulated import SimulatedPump

from .aquarium import aquarium, device_named, engine_of
from .package_source import english


async def test_the_state_of_an_aquarium(hass: HomeAssistant, tmp_path: Path) -> None:
    """Each number has a name; what is out of reach counts."""
    assert await async_setup_component(hass, "system_health", {})
    async with aquarium(hass, tmp_path, demo=True):
        skimmer = device_named(hass, "Skimmer").device
        assert isinstance(skimmer, SimulatedPump)
        skimmer.available = False
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        await engine.containers.resize(doser, 0, 500_000, user=None)
        await engine.containers.resize(doser, 1, 500_000, user=None)
        await engine.containers.correct(doser, 1, 0, user=None)
        await hass.async_block_till_done()

        info = await get_system_health_info(hass, DOMAIN)

        assert info == {
            "store": "ok",
            "devices": 4,
            "devices_unavailable": 1,
            "schedules": 6,
            "open_commands": 0,
            "kept_outcomes": 0,
            "unknown_doses": 0,
            "missed_doses": 0,
            "containers_low": 1,
        }
        assert set(info) == set(english()["system_health"]["info"])

        engine_of(hass).store_trouble = "store_full"
        assert (await get_system_health_info(hass, DOMAIN))["store"] == "store_full"
        engine_of(hass).store_trouble = None
