"""The demo aquarium, and clients of its REST views."""

from collections.abc import AsyncIterator
from pathlib import Path

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.aquarium import aquarium

from .rest import Rest


@pytest.fixture
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up, with the entities that rights are checked on."""
    platforms = (Platform.NUMBER, Platform.SWITCH, Platform.LIGHT)
    async with aquarium(hass, tmp_path, *platforms, demo=True):
        yield


@pytest.fixture
async def rest(demo: None, hass_client: ClientSessionGenerator) -> Rest:
    """Return a client of an administrator."""
    return Rest(await hass_client())


@pytest.fixture
async def stranger(demo: None, hass_client_no_auth: ClientSessionGenerator) -> Rest:
    """Return a client without a token."""
    return Rest(await hass_client_no_auth())


@pytest.fixture
async def reader(
    demo: None, hass_client: ClientSessionGenerator, hass_read_only_access_token: str
) -> Rest:
    """Return a client of somebody who may see everything and change nothing."""
    return Rest(await hass_client(hass_read_only_access_token))
