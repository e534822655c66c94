"""Which device is meant, and which entities stand for it."""

from pathlib import Path

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.aquarist.api.targets import entities_of, target
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.errors import EngineError
from tests.aquarium import ENTRY, aquarium, device_named


async def test_entities_of_a_device_and_of_its_heads(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Those of other devices, of the aquarium and of other integrations are not its own."""
    async with aquarium(
        hass, tmp_path, Platform.NUMBER, Platform.SWITCH, Platform.SENSOR, demo=True
    ):
        registry = er.async_get(hass)
        doser, skimmer = (
            device_named(hass, name) for name in ("Demo doser", "Skimmer")
        )
        registry.async_get_or_create("light", "other", "one")
        registry.async_get_or_create("sensor", DOMAIN, "without a device")

        found = entities_of(hass, doser)
        unique_ids = {
            entry.unique_id for one in found if (entry := registry.async_get(one))
        }
        assert unique_ids
        assert all(one.startswith(doser.row.uuid) for one in unique_ids)
        assert any(one.startswith(f"{doser.row.uuid}_3_") for one in unique_ids)
        assert not set(found) & set(entities_of(hass, skimmer))


async def test_a_device_of_somebody_else_is_none_of_ours(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Nor is the aquarium itself, nor one that is retired."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, Platform.SWITCH, demo=True):
        devices = dr.async_get(hass)
        tank = devices.async_get_device_by_identifier((DOMAIN, ENTRY), ENTRY)
        other = devices.async_get_or_create(
            config_entry_id=ENTRY, identifiers={("other", "thing")}
        )
        assert tank is not None
        for reference in (
            tank.id,
            other.id,
            "nothing",
            "",
            "AA:BB:CC:DD:EE:FF",
            "9" * 5000,
        ):
            with pytest.raises(EngineError) as caught:
                target(hass, reference, field="device_ids")
            assert caught.value.code == "device_not_found"
            assert caught.value.field == "device_ids"
