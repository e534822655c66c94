"""A Home Assistant whose Bluetooth reaches simulated devices."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime

import bleak_retry_connector
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from custom_components.aquarist.ble.bleak_transport import BleakTransport
from custom_components.aquarist.ble.link import Link
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.simulator.light import LightModel
from tests.fakes.tracked_clock import TrackedClock
from tests.fakes.virtual_adapter import VirtualAdapter

from .rig import LIGHT_ADDRESS


@pytest.fixture
async def adapter(hass: HomeAssistant) -> AsyncIterator[VirtualAdapter]:
    """Give a virtual adapter that hears nothing yet."""
    assert await async_setup_component(hass, "bluetooth", {})
    adapter = VirtualAdapter(hass)
    yield adapter
    adapter.leave()


@pytest.fixture
def light(hass: HomeAssistant) -> Iterator[LightModel]:
    """Give a light that no adapter hears yet."""
    clock = TrackedClock(hass.loop)
    yield LightModel(clock, address=LIGHT_ADDRESS)
    clock.stop()


@pytest.fixture
def transport(hass: HomeAssistant, adapter: VirtualAdapter) -> BleakTransport:
    """Give the transport to the light's address."""
    return BleakTransport(hass, LIGHT_ADDRESS, "tank light")


@pytest.fixture
async def link(transport: BleakTransport) -> AsyncIterator[Link]:
    """Give a link over the transport, and close it."""

    def local_time() -> datetime:
        return dt_util.now()

    link = Link(transport, DeviceFamily.LIGHT, local_time, name="tank light")
    yield link
    await link.close()


@pytest.fixture
def no_pauses() -> Iterator[None]:
    """Let bleak-retry-connector try again at once; it would wait 36 s for a slot."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            bleak_retry_connector, "calculate_backoff_time", lambda error: 0.0
        )
        yield
