"""Overrides over WebSocket (R-B111)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.changes import Change, CommandChanged
from tests.api.http.rest import PUMP, level
from tests.aquarium import aquarium, device_named, heard

from .macro_calls import asked, refused

LIST = "aquarist/overrides/list"
CREATE = "aquarist/overrides/create"
RELEASE = "aquarist/overrides/release"


def begun(change: Change) -> bool:
    """Tell that an override holds its field."""
    return isinstance(change, CommandChanged) and (
        change.command.phase is Phase.IN_FORCE
    )


def ended(change: Change) -> bool:
    """Tell that a command has ended."""
    return isinstance(change, CommandChanged) and change.command.final


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    platforms = (Platform.NUMBER, Platform.SWITCH)
    async with aquarium(hass, tmp_path, *platforms, demo=True):
        yield


@pytest.fixture
async def client(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Any:
    """Return a client of an administrator."""
    return await hass_ws_client(hass)


async def test_a_value_wins_for_a_while(
    hass: HomeAssistant, client: Any, hass_admin_user: MockUser
) -> None:
    """It is listed with what is left of its time, and let go the value is as before."""
    uuid = device_named(hass, PUMP).row.uuid
    field = {"device_id": uuid, "field_name": "level"}
    async with heard(hass, begun):
        made = await asked(client, type=CREATE, **field, value=0, seconds=1800)
    assert level(hass) == 0
    (listed,) = (await asked(client, type=LIST))["overrides"]
    assert listed["id"] == made["id"]
    assert listed["device_id"] == uuid
    assert (listed["field_name"], listed["value"]) == ("level", 0)
    assert 1790 < listed["seconds_left"] <= 1800
    assert (listed["by_hand"], listed["until_next_event"]) == (False, False)
    assert listed["ends_at"] > listed["starts_at"]
    assert listed["user"] == hass_admin_user.id

    async with heard(hass, ended):
        assert await asked(client, type=RELEASE, **field) == {"released": True}
    assert level(hass) == 80
    assert await asked(client, type=RELEASE, **field) == {"released": False}
    assert await asked(client, type=LIST) == {"overrides": []}


async def test_a_value_wins_until_something_happens(
    hass: HomeAssistant, client: Any
) -> None:
    """Until the plan's next event when nothing is said, or until it is released."""
    field = {"device_id": device_named(hass, PUMP).row.number, "field_name": "level"}
    made = await asked(client, type=CREATE, **field, value=10)
    assert made["until_next_event"] is True
    made = await asked(client, type=CREATE, **field, value=20, until="released")
    assert made["until_next_event"] is False


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"device_id": "nobody"}, "device_not_found"),
        ({"field_name": "NOPE"}, "field_not_found"),
        ({"value": 101}, "value_out_of_bounds"),
        ({"seconds": 60, "until": "released"}, "not_both"),
        ({"until": "noon"}, "unknown_word"),
    ],
)
async def test_a_wrong_override_is_refused(
    hass: HomeAssistant, client: Any, change: dict[str, Any], key: str
) -> None:
    """Nothing holds the field then."""
    right = {
        "device_id": device_named(hass, PUMP).row.uuid,
        "field_name": "level",
        "value": 0,
    }
    error = await refused(client, type=CREATE, **right | change)
    assert error["translation_key"] == key
    assert await asked(client, type=LIST) == {"overrides": []}


async def test_rights(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """Who may not control a device overrides nothing at it."""
    reader = await hass_ws_client(hass, hass_read_only_access_token)
    field = {"device_id": device_named(hass, PUMP).row.uuid, "field_name": "level"}
    for message in ({"type": CREATE, "value": 0}, {"type": RELEASE}):
        assert (await refused(reader, **message, **field))["code"] == "unauthorized"
    assert await asked(reader, type=LIST) == {"overrides": []}
