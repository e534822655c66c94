"""A device behind an ESPHome proxy, through Home Assistant's real ESPHome integration."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from homeassistant.components import bluetooth
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from custom_components.aquarist.ble.bleak_transport import BleakTransport
from custom_components.aquarist.ble.errors import LinkError, Reason
from custom_components.aquarist.ble.link import Link
from custom_components.aquarist.chihiros import dosers
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.chihiros.notifications import Lifetime, Today
from custom_components.aquarist.simulator.doser import DoserModel
from tests.fakes.esphome_proxy import EsphomeProxy
from tests.fakes.stage import Stage
from tests.fakes.tracked_clock import TrackedClock

from .rig import DOSER_ADDRESS

type ProxyEntry = ConfigEntry[Any]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what comes over a real socket."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.fixture
async def proxy(
    hass: HomeAssistant,
    socket_enabled: None,
    mock_async_zeroconf: object,
) -> AsyncIterator[EsphomeProxy]:
    """Give a proxy that has a doser within reach and is set up in Home Assistant."""
    clock = TrackedClock(hass.loop)
    stage = Stage(clock)
    stage.add(DoserModel(clock, address=DOSER_ADDRESS))
    proxy = EsphomeProxy(stage)
    await proxy.start()
    assert await async_setup_component(hass, "homeassistant", {})
    entry = await add_to_home_assistant(hass, proxy)
    await until(lambda: heard(hass))
    yield proxy
    await hass.config_entries.async_unload(entry.entry_id)
    await proxy.stop()
    clock.stop()


async def add_to_home_assistant(hass: HomeAssistant, proxy: EsphomeProxy) -> ProxyEntry:
    """Go through the config flow of the ESPHome integration as a user does."""
    result = await hass.config_entries.flow.async_init(
        "esphome",
        context={"source": "user"},
        data={"host": "127.0.0.1", "port": proxy.port},
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    return result["result"]


def heard(hass: HomeAssistant) -> bool:
    """Return whether a scanner hears the doser and has told how many connections it has left."""
    paths = bluetooth.async_scanner_devices_by_address(
        hass, DOSER_ADDRESS, connectable=True
    )
    return any(path.scanner.get_allocations() is not None for path in paths)


@pytest.fixture
def doser(proxy: EsphomeProxy) -> DoserModel:
    """Give the doser behind the proxy."""
    device = proxy.stage.devices[DOSER_ADDRESS]
    assert isinstance(device, DoserModel)
    return device


@pytest.fixture
async def link(hass: HomeAssistant, proxy: EsphomeProxy) -> AsyncIterator[Link]:
    """Give a link to the doser."""

    def local_time() -> datetime:
        return dt_util.now()

    link = Link(
        BleakTransport(hass, DOSER_ADDRESS, "pump"),
        DeviceFamily.DOSER,
        local_time,
        name="pump",
    )
    yield link
    await link.close()


async def reason(link: Link) -> Reason:
    """Return why no lease is to be had."""
    with pytest.raises(LinkError) as raised:
        async with link.lease(urgent=True):
            pytest.fail("a lease was given")
    return raised.value.reason


async def test_a_dose_is_given_and_confirmed_through_the_proxy(
    doser: DoserModel, link: Link, proxy: EsphomeProxy
) -> None:
    """The frame arrives with a response, the pump's own `22` comes back, the update service is not touched."""
    heard: list[object] = []
    link.on_notification(heard.append)
    let_go = link.keep()
    async with link.lease() as lease:
        assert await lease.ask(dosers.query_lifetime(), Lifetime) is not None
        await until(lambda: len(heard) >= 5)
        heard.clear()
        await lease.write(dosers.dose_now(0, 300))
    await until(lambda: bool(heard))
    today = heard[0]
    assert isinstance(today, Today)
    assert today.microlitres[0] == 300
    assert doser.delivered[0] == 300
    assert all(written.response for written in doser.write_log)
    assert proxy.touched == []
    let_go()


async def test_a_full_proxy_is_told_at_once(
    doser: DoserModel, link: Link, proxy: EsphomeProxy
) -> None:
    """All slots in use is a reason of its own, known without trying."""
    doser.faults.set("out_of_slots", times=None)
    proxy.push_slots()
    await until(lambda: link_sees_no_slot(link))
    async with asyncio.timeout(1):
        assert await reason(link) is Reason.NO_FREE_SLOT
    doser.faults.clear()
    proxy.push_slots()
    await until(lambda: not link_sees_no_slot(link))
    async with link.lease(urgent=True):
        assert link.connected


def link_sees_no_slot(link: Link) -> bool:
    """Return whether Home Assistant knows of no free slot by now."""
    return link._transport.silence_reason() is Reason.NO_FREE_SLOT


@pytest.mark.usefixtures("no_pauses")
async def test_a_device_that_refuses_is_held_by_an_app(
    doser: DoserModel, link: Link
) -> None:
    """It is heard, and takes no connection."""
    doser.faults.set("refuse", times=None)
    assert await reason(link) is Reason.HELD_BY_APP


async def test_a_gatt_error_leaves_the_link_up_and_a_drop_does_not(
    doser: DoserModel, link: Link
) -> None:
    """Both are told apart through the proxy, too."""
    async with link.lease() as lease:
        doser.faults.set("write_error")
        with pytest.raises(LinkError) as raised:
            await lease.write(dosers.query_today())
        assert raised.value.reason is Reason.WRITE_FAILED
        await lease.write(dosers.query_today())
        doser.faults.set("drop_before_write", value=1)
        with pytest.raises(LinkError) as raised:
            await lease.write(dosers.query_today())
        assert raised.value.reason is Reason.LINK_LOST
    async with link.lease():
        assert link.connected


async def test_a_proxy_that_restarts_is_a_lost_link(
    hass: HomeAssistant, link: Link, proxy: EsphomeProxy
) -> None:
    """The holder hears of it at once; when the proxy is back, so is the device."""
    async with link.lease():
        proxy.reboot()
        await until(lambda: not link.connected)
    (entry,) = hass.config_entries.async_entries("esphome")
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: heard(hass))
    async with link.lease(urgent=True):
        assert link.connected
