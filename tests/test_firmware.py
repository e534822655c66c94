"""The page of a Chihiros device shows its firmware."""

from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.device import DeviceStatus
from custom_components.aquarist.devices.observable import ObservableDevice

from .aquarium import ENTRY, aquarium, device_named, restart


def registered(hass: HomeAssistant, name: str) -> dr.DeviceEntry | None:
    """Return what the registry has of a device."""
    uuid = device_named(hass, name).row.uuid
    return dr.async_get(hass).async_get_device_by_identifier((DOMAIN, uuid), ENTRY)


def version(hass: HomeAssistant, name: str) -> str | None:
    """Return the firmware that the registry has of a device."""
    device = registered(hass, name)
    assert device is not None
    return device.sw_version


def attached(hass: HomeAssistant, name: str) -> ObservableDevice:
    """Return a device as the engine hears it."""
    device: Any = device_named(hass, name).device
    assert isinstance(device, ObservableDevice)
    return device


def tell(hass: HomeAssistant, name: str, firmware: int) -> None:
    """Let a device tell its firmware."""
    status = DeviceStatus(firmware=firmware, uptime_minutes=1)
    attached(hass, name)._tell_status(status)


@pytest.mark.parametrize("name", ["Demo light", "Demo doser"])
async def test_the_firmware_is_kept_when_the_device_has_told_it(
    hass: HomeAssistant, tmp_path: Path, name: str
) -> None:
    """Another one takes its place, and it is still there after the next start."""
    async with aquarium(hass, tmp_path, Platform.SENSOR, demo=True) as entry:
        assert version(hass, name) is None

        tell(hass, name, 21)
        assert version(hass, name) == "21"
        tell(hass, name, 22)
        assert version(hass, name) == "22"

        await restart(hass, entry)
        assert version(hass, name) == "22"


async def test_a_device_that_tells_nothing_has_none(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Nor does that of another device become its own."""
    async with aquarium(hass, tmp_path, Platform.SENSOR, demo=True):
        tell(hass, "Demo light", 21)
        attached(hass, "Skimmer")._tell_availability(True)

        assert version(hass, "Skimmer") is None
        assert version(hass, "Demo doser") is None


async def test_a_device_that_the_registry_does_not_know_is_left_out(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Its keeper may have deleted it meanwhile."""
    async with aquarium(hass, tmp_path, Platform.SENSOR, demo=True):
        known = registered(hass, "Demo light")
        assert known is not None
        dr.async_get(hass).async_remove_device(known.id)

        tell(hass, "Demo light", 21)

        assert registered(hass, "Demo light") is None
