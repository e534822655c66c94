"""A WebSocket client in a few words, and macros of the demo aquarium."""

from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockUser

from tests.aquarium import device_named

PUMP, SKIMMER = "Return pump", "Skimmer"


async def asked(client: Any, **message: Any) -> Any:
    """Return the result of a command that succeeds."""
    await client.send_json_auto_id(message)
    answer = await client.receive_json()
    assert answer["success"], answer
    return answer["result"]


async def refused(client: Any, **message: Any) -> dict[str, Any]:
    """Return the error of a command that is refused."""
    await client.send_json_auto_id(message)
    answer = await client.receive_json()
    assert not answer["success"], answer
    error: dict[str, Any] = answer["error"]
    return error


def set_level(hass: HomeAssistant, name: str, level: float) -> dict[str, Any]:
    """Return a step that sets a pump's level."""
    return {
        "command": {
            "device_id": device_named(hass, name).row.number,
            "action": "set_level",
            "args": {"level": level},
        }
    }


def macro(*steps: Any, name: str = "Water change") -> dict[str, Any]:
    """Return the definition of a macro."""
    return {"name": name, "sequence": list(steps)}


def skimmer_only(hass: HomeAssistant, user: MockUser, **rights: bool) -> None:
    """Give a user rights on the entities of the skimmer alone."""
    entities = {
        entity_id: rights
        for entity_id in hass.states.async_entity_ids(["number", "switch"])
        if "skimmer" in entity_id
    }
    assert entities
    user.mock_policy({"entities": {"entity_ids": entities}})
