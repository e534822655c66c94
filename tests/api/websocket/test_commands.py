"""Command records over WebSocket: R-C4, R-C22, R-C58."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.history import History
from custom_components.aquarist.engine.intake import Origin
from tests.aquarium import aquarium, device_named, engine_of

PUMP, SKIMMER, DOSER = "Return pump", "Skimmer", "Demo doser"


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        yield


def uuid_of(hass: HomeAssistant, name: str) -> str:
    """Return the id of a device."""
    return device_named(hass, name).row.uuid


async def set_level(hass: HomeAssistant, name: str, level: float, id: str) -> None:
    """Set a pump's level and wait for that."""
    await hass.services.async_call(
        DOMAIN,
        "send_command",
        {
            "device_id": uuid_of(hass, name),
            "action": "set_level",
            "args": {"level": level},
            "id": id,
            "execution": "sync",
        },
        blocking=True,
    )


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
    assert not answer["success"]
    error: dict[str, Any] = answer["error"]
    return error


async def test_the_newest_commands_come_first(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Of one device or of all, page by page."""
    await set_level(hass, PUMP, 10, "one")
    await set_level(hass, SKIMMER, 20, "two")
    await set_level(hass, PUMP, 30, "three")
    client = await hass_ws_client(hass)

    everything = await asked(client, type="aquarist/commands/list")
    assert [one["id"] for one in everything["commands"]] == ["three", "two", "one"]
    first = everything["commands"][0]
    assert first["status"] == "success"
    assert first["args"] == {"level": 30}

    ours = await asked(
        client, type="aquarist/commands/list", device_id=uuid_of(hass, PUMP)
    )
    assert [one["id"] for one in ours["commands"]] == ["three", "one"]

    page = await asked(client, type="aquarist/commands/list", limit=2)
    assert [one["id"] for one in page["commands"]] == ["three", "two"]
    rest = await asked(
        client,
        type="aquarist/commands/list",
        limit=2,
        before=page["commands"][-1]["order"],
    )
    assert [one["id"] for one in rest["commands"]] == ["one"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"before": -1}, "before"),
        ({"device_id": ""}, "device_id"),
        ({"device_id": 1.5}, "device_id"),
        ({"colour": 1}, "colour"),
    ],
)
async def test_a_wrong_message_is_refused(
    hass_ws_client: WebSocketGenerator,
    hass: HomeAssistant,
    change: dict[str, Any],
    field: str,
) -> None:
    """The error names what is wrong."""
    client = await hass_ws_client(hass)
    error = await refused(client, type="aquarist/commands/list", **change)

    assert error["code"] == "invalid_format"
    assert field in error["message"]


@pytest.mark.parametrize("command", ["list", "subscribe"])
async def test_an_unknown_device_is_refused(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, command: str
) -> None:
    """With a translated error that names the field."""
    client = await hass_ws_client(hass)
    error = await refused(client, type=f"aquarist/commands/{command}", device_id="no")

    assert error["translation_key"] == "device_not_found"
    assert error["translation_domain"] == DOMAIN
    assert error["translation_placeholders"]["field"] == "device_id"


async def test_without_a_store_there_is_nothing_to_list(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """It is an error, not an empty list."""
    engine_of(hass).history = History(None)
    client = await hass_ws_client(hass)
    error = await refused(client, type="aquarist/commands/list")

    assert error["translation_key"] == "store_locked"


async def test_a_subscriber_hears_each_status_once_and_in_order(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """R-C58: pending, running, final; those of other devices only without a filter."""
    everybody = await hass_ws_client(hass)
    await asked(everybody, type="aquarist/commands/subscribe")
    one = await hass_ws_client(hass)
    await asked(
        one, type="aquarist/commands/subscribe", device_id=uuid_of(hass, SKIMMER)
    )

    await set_level(hass, PUMP, 10, "first")
    await set_level(hass, SKIMMER, 20, "second")

    heard = [(await everybody.receive_json())["event"] for _ in range(6)]
    assert [(event["id"], event["status"]) for event in heard] == [
        (command, status)
        for command in ("first", "second")
        for status in ("pending", "running", "success")
    ]
    assert not any(event["truncated"] for event in heard)
    mine = [(await one.receive_json())["event"] for _ in range(3)]
    assert [(event["id"], event["status"]) for event in mine] == [
        ("second", status) for status in ("pending", "running", "success")
    ]


async def test_a_subscriber_names_a_device_by_its_address(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """R-C22: one device, in either word, for hearing and for the list."""
    client = await hass_ws_client(hass)
    doser = device_named(hass, DOSER)
    assert doser.row.address is not None
    address = {"address": doser.row.address}
    await asked(client, type="aquarist/commands/subscribe", **address)
    await set_level(hass, PUMP, 10, "unheard")
    command = await engine_of(hass).send(
        doser, "request_status", {}, Origin(source=Source.REST), id="heard"
    )
    await engine_of(hass).finished(command)
    heard = [(await client.receive_json())["event"] for _ in range(3)]
    assert {event["id"] for event in heard} == {"heard"}

    found = await asked(client, type="aquarist/commands/list", **address)
    assert [one["id"] for one in found["commands"]] == ["heard"]
    error = await refused(client, type="aquarist/commands/list", device_id=1, **address)
    assert error["code"] == "invalid_format"


async def test_unsubscribing_ends_the_messages(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """The next message is the answer to the next command."""
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "aquarist/commands/subscribe"})
    subscription = (await client.receive_json())["id"]
    await asked(client, type="unsubscribe_events", subscription=subscription)

    await set_level(hass, PUMP, 10, "unheard")

    assert await asked(client, type="aquarist/devices/list")


async def test_who_may_read_reads(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """A user who may see everything needs no right to change anything."""
    await set_level(hass, PUMP, 10, "one")
    client = await hass_ws_client(hass, hass_read_only_access_token)

    answer = await asked(client, type="aquarist/commands/list")
    assert [one["id"] for one in answer["commands"]] == ["one"]


async def test_who_may_see_one_device_hears_of_that_one(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    """Of others nothing is told, and asking for them is refused."""
    entities = {
        entity_id: {"read": True}
        for entity_id in hass.states.async_entity_ids("number")
        if "skimmer" in entity_id
    }
    assert entities
    hass_read_only_user.mock_policy({"entities": {"entity_ids": entities}})
    client = await hass_ws_client(hass, hass_read_only_access_token)
    await asked(client, type="aquarist/commands/subscribe")

    await set_level(hass, PUMP, 10, "theirs")
    await set_level(hass, SKIMMER, 20, "ours")

    heard = [(await client.receive_json())["event"] for _ in range(3)]
    assert {event["id"] for event in heard} == {"ours"}
    answer = await asked(client, type="aquarist/commands/list")
    assert [one["id"] for one in answer["commands"]] == ["ours"]
    ours = await asked(
        client, type="aquarist/commands/list", device_id=uuid_of(hass, SKIMMER)
    )
    assert [one["id"] for one in ours["commands"]] == ["ours"]
    for command in ("list", "subscribe"):
        error = await refused(
            client,
            type=f"aquarist/commands/{command}",
            device_id=uuid_of(hass, PUMP),
        )
        assert error["code"] == "unauthorized"
    devices = await asked(client, type="aquarist/devices/list")
    assert [one["name"] for one in devices["devices"]] == [SKIMMER]
    schedules = await asked(client, type="aquarist/schedules/list")
    assert schedules["schedules"] == []
