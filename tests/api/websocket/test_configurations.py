"""Device configurations over WebSocket: what REST has (R-C59)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.api.websocket.macro_calls import PUMP, asked, refused
from tests.aquarium import aquarium, device_named, engine_of

LIGHT, DOSER = "Demo light", "Demo doser"
KIND = "aquarist/configurations"
EXPORT: dict[str, Any] = {
    "format": 1,
    "kind": "chihiros_light",
    "name": "Evening",
    "channels": ["red", "green", "blue", "white"],
    "profile": {"mode": "manual", "levels": [40, 30, 60, 20]},
}


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up, with the entities that rights are checked on."""
    async with aquarium(hass, tmp_path, Platform.LIGHT, Platform.SWITCH, demo=True):
        yield


def uuid_of(hass: HomeAssistant, name: str = LIGHT) -> str:
    """Return the id of a device."""
    return device_named(hass, name).row.uuid


async def test_a_configuration_lives(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Saved, brought in, listed, looked up, applied, removed."""
    client, device = await hass_ws_client(hass), uuid_of(hass)
    saved = await asked(client, type=f"{KIND}/save", device_id=device, name="Evening")
    assert (saved["name"], saved["revision"]) == ("Evening", 1)
    assert saved["user_id"] is not None
    brought = await asked(
        client, type=f"{KIND}/import", device_id=device, configuration=EXPORT
    )
    assert (brought["name"], brought["revision"]) == ("Evening", 2)
    other = await asked(
        client,
        type=f"{KIND}/import",
        device_id=device,
        configuration=brought["configuration"],
        name="Dusk",
    )
    assert (other["name"], other["revision"]) == ("Dusk", 1)

    listed = await asked(client, type=f"{KIND}/list", device_id=device)
    assert listed == {"configurations": [other, brought]}
    known = {"device_id": device, "name": "Evening"}
    assert await asked(client, type=f"{KIND}/get", **known) == brought
    first = await asked(client, type=f"{KIND}/get", revision=1, **known)
    assert first == saved
    found = await asked(client, type=f"{KIND}/revisions", **known)
    assert found == {"revisions": [saved, brought]}

    run = await asked(
        client, type=f"{KIND}/apply", confirm=True, execution="sync", **known
    )
    assert (run["state"], run["source"]) == ("completed", "websocket")
    assert run["user_id"] == saved["user_id"]
    assert run["definition"]["revision"] == 2

    gone = await asked(client, type=f"{KIND}/delete", **known)
    assert gone == brought
    left = await asked(client, type=f"{KIND}/list", device_id=device)
    assert left == {"configurations": [other]}


@pytest.mark.parametrize("command", ["get", "revisions", "delete", "apply"])
async def test_an_unknown_configuration(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, command: str
) -> None:
    """The error names the field (law 10)."""
    client = await hass_ws_client(hass)
    more = {"confirm": True} if command == "apply" else {}
    error = await refused(
        client, type=f"{KIND}/{command}", device_id=uuid_of(hass), name="Gone", **more
    )
    assert error["translation_key"] == "configuration_not_found"
    assert error["translation_placeholders"]["field"] == "name"


@pytest.mark.parametrize(
    ("command", "more", "key", "field"),
    [
        ("apply", {}, "confirmation_needed", "confirm"),
        (
            "apply",
            {"confirm": True, "revision": 9},
            "revision_not_found",
            "revision",
        ),
        ("get", {"revision": 9}, "revision_not_found", "revision"),
        (
            "import",
            {"configuration": {**EXPORT, "channels": ["red"]}},
            "wrong_count",
            "channels",
        ),
    ],
)
async def test_what_is_wrong_is_refused(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    command: str,
    more: dict[str, Any],
    key: str,
    field: str,
) -> None:
    """The error names the field (law 10)."""
    client, device = await hass_ws_client(hass), uuid_of(hass)
    await asked(client, type=f"{KIND}/save", device_id=device, name="Evening")
    error = await refused(
        client, type=f"{KIND}/{command}", device_id=device, name="Evening", **more
    )
    assert error["translation_key"] == key
    assert error["translation_placeholders"]["field"] == field


@pytest.mark.parametrize("name", ["", " ", "x" * 101, 1, None])
async def test_names_are_checked(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, name: Any
) -> None:
    """1 to 100 characters, not blank."""
    client = await hass_ws_client(hass)
    error = await refused(
        client, type=f"{KIND}/save", device_id=uuid_of(hass), name=name
    )
    assert error["code"] == "invalid_format"


async def test_a_device_without_a_memory(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """It has nothing to save."""
    client = await hass_ws_client(hass)
    error = await refused(
        client, type=f"{KIND}/save", device_id=uuid_of(hass, PUMP), name="Evening"
    )
    assert error["translation_key"] == "no_memory"


MESSAGES: dict[str, dict[str, Any]] = {
    "list": {},
    "get": {"name": "Evening"},
    "revisions": {"name": "Evening"},
    "save": {"name": "Evening"},
    "import": {"configuration": EXPORT},
    "delete": {"name": "Evening"},
    "apply": {"name": "Evening", "confirm": True},
}


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        ({}, set()),
        ({"entities": {"all": {"read": True}}}, {"list", "get", "revisions"}),
        ({"entities": True}, {"list", "get", "revisions", "save", "apply"}),
    ],
)
async def test_rights(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
    policy: Any,
    allowed: set[str],
) -> None:
    """Who sees looks, who controls saves and applies, the rest is for administrators."""
    device = device_named(hass, LIGHT)
    await engine_of(hass).configurations.save(device, "Evening", None)
    hass_read_only_user.mock_policy(policy)
    client = await hass_ws_client(hass, hass_read_only_access_token)
    found = set()
    for command, message in MESSAGES.items():
        await client.send_json_auto_id(
            {"type": f"{KIND}/{command}", "device_id": device.row.uuid, **message}
        )
        answer = await client.receive_json()
        if answer["success"]:
            found.add(command)
        else:
            assert answer["error"]["code"] == "unauthorized"
    assert found == allowed
    (kept,) = await engine_of(hass).configurations.all_of(device)
    assert kept.revision == (2 if "save" in allowed else 1)
