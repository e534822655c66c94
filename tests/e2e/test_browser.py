"""What a keeper sees in the browser: dialogs, named entities, changing states, no errors.

The pictures that are taken on the way lie in `.artifacts`.
"""

from pathlib import Path
import re

import aiohttp
import pytest

from .instance import Client, Instance, Proxy, demo
from .instance.browser import Visit, browsing
from .living_aquarium import (
    DOSER_ADDRESS,
    LIGHT,
    LIGHT_ADDRESS,
    LivingAquarium,
    complaints,
    eventually,
)

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

INTEGRATIONS = "/config/integrations/dashboard"
ADDED = re.compile("/config/(devices/device|integrations/integration)/")


async def open_device(visit: Visit, client: Client, name: str) -> None:
    """Go to the page of a device of Aquarist, by its name."""
    async with client.websocket() as websocket:
        devices = await websocket.command("config/device_registry/list")
    (device_id,) = (
        device["id"]
        for device in devices
        if device["name"] == name and device["identifiers"][0][0] == "aquarist"
    )
    await visit.open(f"/config/devices/device/{device_id}")


async def add(visit: Visit, name: str, *choices: str) -> None:
    """Add a discovered device in its dialog, with choices made by their texts."""
    await visit.open(INTEGRATIONS)
    card = visit.page.locator("ha-config-flow-card", has_text=name)
    await card.get_by_role("button", name="Add").click()
    await visit.shows(f"Add {name}")
    for choice in choices:
        await visit.page.get_by_text(choice, exact=True).click()
    await visit.page.get_by_role("button", name="Submit").click()
    await visit.page.get_by_role("button", name="Skip and finish").click()
    # Home Assistant opens the page of what was added.
    await visit.page.wait_for_url(ADDED)


async def test_discovered_devices_are_added_in_their_dialogs(
    instance: Instance,
    proxy: Proxy,
    session: aiohttp.ClientSession,
    artifacts: Path,
) -> None:
    """Settings, Devices & services, Add: light and doser join the aquarium."""
    instance.start()
    client = await instance.ready(session)
    await demo.add_aquarium(client)
    await demo.add_proxy(client, proxy)
    aquarium = LivingAquarium(
        instance=instance, proxy=proxy, session=session, client=client
    )

    async with browsing(client) as visit:
        await visit.open(INTEGRATIONS)
        await visit.shows("Dosing Pump C0D4")
        await visit.shows("Universal WRGB C0DE")
        await visit.screenshot(artifacts / "discovered.png")
        await add(visit, "Universal WRGB C0DE")
        await add(visit, "Dosing Pump C0D4", "4 heads")
        await visit.shows("Head 4")
        await visit.screenshot(artifacts / "doser.png")

    assert visit.errors == []
    devices = await aquarium.devices()
    assert {"Universal WRGB C0DE", "Dosing Pump C0D4"} <= devices.keys()
    assert len({device["aquarium"] for device in devices.values()}) == 1
    await client.call("light", "turn_on", {"entity_id": LIGHT, "brightness_pct": 40})
    light = await aquarium.peripheral(LIGHT_ADDRESS)
    assert light["channels"] == [40] * 4
    assert complaints(instance.log()) == []


async def test_the_page_follows_what_happens(
    aquarium: LivingAquarium, artifacts: Path
) -> None:
    """Light, dose and pumps move in the page as they do in the tank."""
    client = aquarium.client
    await demo.set_up(client, aquarium.proxy, zone=demo.night())

    async with browsing(client, height=800) as visit:
        await visit.open()
        for name in ("Light", "Return pump", "Skimmer", "Wave pump Level"):
            await visit.tile(name).wait_for()
        await visit.says("Light", "Off")
        await visit.says("Return pump", "On")
        await visit.says("Head 1, 24 hours", "0.0 mL")

        await visit.press("Light")
        await visit.says("Light", "100%")
        mix = {"rgbw_color": [200, 255, 180, 230], "brightness_pct": 80}
        await client.call("light", "turn_on", {"entity_id": LIGHT} | mix)
        await visit.says("Light", "80%")
        await visit.press("Skimmer")
        await visit.says("Skimmer", "Off")
        await aquarium.shows("input_boolean.skimmer", "off")
        await visit.press("Head 1, dose now")
        await visit.says("Head 1, 24 hours", "1.0 mL")
        await visit.says("Head 1, left", "499 mL")
        await visit.screenshot(artifacts / "aquarium.png")

    assert visit.errors == []

    async def given() -> bool:
        (head, *_) = (await aquarium.peripheral(DOSER_ADDRESS))["heads"]
        return bool(head["delivered"] == 1000)

    await eventually(given)


async def test_a_newcomer_tries_the_demo_aquarium(
    instance: Instance, session: aiohttp.ClientSession, artifacts: Path
) -> None:
    """Added without any hardware, its light and doser work in the browser."""
    instance.start()
    client = await instance.ready(session)

    async with browsing(client) as visit:
        page = visit.page
        await visit.open(INTEGRATIONS)
        await page.get_by_role("button", name="Add integration").click()
        await page.get_by_placeholder("Search for a brand name").fill("Aquarist")
        await page.locator("ha-integration-list-item", has_text="Aquarist").click()
        await page.get_by_text("The demo aquarium").click()
        await page.get_by_role("button", name="Skip and finish").click()
        # The plan of its day shall not begin in the middle of the test.
        off = {"entity_id": "switch.demo_aquarium_automation"}
        await client.call("switch", "turn_off", off)

        await open_device(visit, client, "Demo light")
        await page.get_by_role("button", name="Turn Demo light on").click()
        await visit.shows("On", exact=True)
        await visit.screenshot(artifacts / "demo-light.png")

        await open_device(visit, client, "Head 2")
        await visit.shows("0.0 mL")
        await page.get_by_text("Press", exact=True).first.click()
        await visit.shows("1.0 mL")
        await visit.shows("Given")
        await visit.screenshot(artifacts / "demo-head.png")

        await open_device(visit, client, "Demo aquarium")
        for name in ("Automation", "Emergency stop", "Next action", "Plan"):
            await visit.shows(name)
        await visit.screenshot(artifacts / "demo-aquarium.png")

    assert visit.errors == []
    assert (await client.state("light.demo_light"))["state"] == "on"
    assert complaints(instance.log()) == []
