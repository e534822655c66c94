"""What changes is pushed to who may see it: macros, configurations, doses, containers, settings."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.engine.intake import Origin
from tests.aquarium import aquarium, device_named, engine_of

from .test_commands import asked, refused

LIGHT, DOSER, PUMP = "Demo light", "Demo doser", "Return pump"


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up, with entities that rights are checked on."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, Platform.LIGHT, demo=True):
        yield


async def subscribed(client: Any, resource: str, **more: Any) -> None:
    """Subscribe to a resource."""
    assert await asked(client, type=f"aquarist/{resource}/subscribe", **more) is None


async def pushed(client: Any) -> dict[str, Any]:
    """Return what is pushed next."""
    event: dict[str, Any] = (await client.receive_json())["event"]
    assert event.pop("truncated") is False
    return event


def macro(hass: HomeAssistant, name: str) -> dict[str, Any]:
    """Return a macro for one device."""
    device = device_named(hass, name).row.uuid
    return {
        "name": f"Off: {name}",
        "sequence": [{"command": {"device_id": device, "action": "turn_off"}}],
    }


async def test_macros(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> None:
    """Made, changed, removed; as `get` has them."""
    client, macros = await hass_ws_client(hass), engine_of(hass).macros
    await subscribed(client, "macros")
    number = (await macros.create(macro(hass, PUMP), user=None)).row.id
    made = await pushed(client)
    assert made["macro_id"] == number
    assert made["macro"] == await asked(
        client, type="aquarist/macros/get", macro_id=number
    )
    await macros.update(number, macro(hass, LIGHT), user=None)
    assert (await pushed(client))["macro"]["revision"] == 2
    await macros.delete(number, user=None)
    assert await pushed(client) == {"macro_id": number, "macro": None}


async def test_macros_of_others(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    """Of what may not be seen nothing is told, nor of its end; out of sight is gone."""
    seen = {
        entity_id: {"read": True}
        for entity_id in hass.states.async_entity_ids("number")
        if "return_pump" in entity_id
    }
    hass_read_only_user.mock_policy({"entities": {"entity_ids": seen}})
    client = await hass_ws_client(hass, hass_read_only_access_token)
    macros = engine_of(hass).macros
    hidden = (await macros.create(macro(hass, LIGHT), user=None)).row.id
    shown = (await macros.create(macro(hass, PUMP), user=None)).row.id
    await subscribed(client, "macros")
    await macros.delete(hidden, user=None)
    await macros.update(shown, macro(hass, LIGHT), user=None)
    assert await pushed(client) == {"macro_id": shown, "macro": None}


async def test_configurations(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Saved and removed, of one device or of all."""
    everything, one = await hass_ws_client(hass), await hass_ws_client(hass)
    configurations = engine_of(hass).configurations
    light, doser = device_named(hass, LIGHT), device_named(hass, DOSER)
    await subscribed(everything, "configurations")
    await subscribed(one, "configurations", device_id=doser.row.uuid)
    await configurations.save(light, "Summer", None)
    await configurations.save(doser, "Plan", None)
    await configurations.remove(light, "Summer")

    saved = await pushed(everything)
    assert (saved["device_id"], saved["name"]) == (light.row.uuid, "Summer")
    assert saved["configuration"]["revision"] == 1
    for client in (everything, one):
        assert (await pushed(client))["name"] == "Plan"
    gone = {"device_id": light.row.uuid, "name": "Summer", "configuration": None}
    assert await pushed(everything) == gone


async def test_doses_and_containers(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """As the lists have them."""
    engine, doser = engine_of(hass), device_named(hass, DOSER)
    doses, containers = await hass_ws_client(hass), await hass_ws_client(hass)
    other = {"device_id": device_named(hass, PUMP).row.uuid}
    await subscribed(doses, "doses", address=doser.row.address)
    await subscribed(containers, "containers", **other)
    await subscribed(containers, "containers")
    await engine.containers.resize(doser, 0, 500_000, user=None)
    args = {"head_index": 0, "volume_ml": 1}
    command = await engine.send(doser, "dose", args, Origin(source=Source.REST))
    await engine.finished(command)

    filled = await pushed(containers)
    assert (filled["device_id"], filled["head_index"]) == (doser.row.uuid, 0)
    assert filled["container"]["capacity_ml"] == 500
    await engine.containers.remove(doser, 0, user=None)
    gone = await pushed(containers)
    assert gone == {**filled, "container": None}
    while (told := await pushed(doses))["state"] != "given":
        assert told["state"] in ("intended", "sent")
    assert (told["command_id"], told["volume_ml"]) == (command.id, 1)


async def test_doses_of_others(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Who asks for one device hears of no other."""
    engine, doser = engine_of(hass), device_named(hass, DOSER)
    client = await hass_ws_client(hass)
    pump = device_named(hass, PUMP).row.uuid
    for resource in ("doses", "configurations"):
        await subscribed(client, resource, device_id=pump)
    args = {"head_index": 0, "volume_ml": 1}
    command = await engine.send(doser, "dose", args, Origin(source=Source.REST))
    await engine.finished(command)
    await engine.configurations.save(doser, "Plan", None)
    # The next message is the answer to the next command.
    assert await asked(client, type="aquarist/devices/list")


async def test_settings(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """All of them."""
    client, live = await hass_ws_client(hass), engine_of(hass).live_settings
    await subscribed(client, "settings")
    await live.update({"rate_limit": 5}, None)
    assert await pushed(client) == live.current.as_json() | {"revision": 1}


async def test_settings_are_for_administrators(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """As reading them is."""
    client = await hass_ws_client(hass, hass_read_only_access_token)
    error = await refused(client, type="aquarist/settings/subscribe")
    assert error["code"] == "unauthorized"


async def test_what_is_not_there(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """It cannot be heard of."""
    client = await hass_ws_client(hass)
    for resource in ("configurations", "doses", "containers"):
        error = await refused(
            client, type=f"aquarist/{resource}/subscribe", device_id="nobody"
        )
        assert error["translation_key"] == "device_not_found"
