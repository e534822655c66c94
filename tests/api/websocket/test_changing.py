"""Sending, looking up, cancelling and repeating over WebSocket; the settings (RES-66)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.aquarium import aquarium, device_named, engine_of

from .test_commands import PUMP, SKIMMER, asked, refused, set_level, uuid_of

DOSER = "Demo doser"


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        yield


async def test_a_command_is_sent_and_found(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """R-C1, R-C63: the record, with who asked from where."""
    client = await hass_ws_client(hass)
    known = {"device_id": uuid_of(hass, PUMP), "command_id": "one"}
    sent = await asked(
        client,
        type="aquarist/commands/create",
        **known,
        action="set_level",
        args={"level": 30},
        execution="sync",
    )
    assert (sent["id"], sent["status"]) == ("one", "success")
    assert sent["source"] == "websocket"
    assert sent["user"] and sent["context"]
    assert await asked(client, type="aquarist/commands/get", **known) == sent

    again = await asked(client, type="aquarist/commands/rerun", **known)
    assert again["id"] != "one"
    assert again["args"] == {"level": 30}


async def test_what_destroys_is_repeated_when_that_is_confirmed(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """R-C13, R-C35: each time anew."""
    client = await hass_ws_client(hass)
    known = {"device_id": uuid_of(hass, DOSER), "command_id": "one"}
    erase = {"action": "reset_head", "args": {"head_index": 0}, "confirm": True}
    await asked(client, type="aquarist/commands/create", **known, **erase)
    error = await refused(client, type="aquarist/commands/rerun", **known)
    assert error["translation_key"] == "confirmation_needed"

    again = await asked(client, type="aquarist/commands/rerun", **known, confirm=True)
    assert (again["action"], again["retry_of"]) == ("reset_head", "one")


async def test_what_waits_is_cancelled(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """R-C54: and only once."""
    client = await hass_ws_client(hass)
    known = {"device_id": uuid_of(hass, PUMP), "command_id": "later"}
    later = engine_of(hass).clock.now().timestamp() + 600
    sent = await asked(
        client,
        type="aquarist/commands/create",
        **known,
        action="turn_off",
        scheduled_at=later,
    )
    assert sent["status"] == "pending"

    cancelled = await asked(client, type="aquarist/commands/cancel", **known)
    assert cancelled["status"] == "cancelled"
    error = await refused(client, type="aquarist/commands/cancel", **known)
    assert error["translation_key"] == "command_is_final"


@pytest.mark.parametrize("command", ["get", "cancel", "rerun"])
async def test_an_unknown_command_is_named(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, command: str
) -> None:
    """Also one of another device."""
    await set_level(hass, SKIMMER, 10, "theirs")
    client = await hass_ws_client(hass)
    error = await refused(
        client,
        type=f"aquarist/commands/{command}",
        device_id=uuid_of(hass, PUMP),
        command_id="theirs",
    )
    assert error["translation_key"] == "command_not_found"
    assert error["translation_placeholders"]["field"] == "command_id"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"action": ""}, "action"),
        ({"args": []}, "args"),
        ({"timeout": 31}, "timeout"),
        ({"scheduled_at": "2026-03-01T08:00:00"}, "scheduled_at"),
        ({"confirm": "yes"}, "confirm"),
        ({"execution": "later"}, "execution"),
    ],
)
async def test_a_wrong_message_is_refused(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    change: dict[str, Any],
    field: str,
) -> None:
    """The error names what is wrong, and nothing is stored."""
    client = await hass_ws_client(hass)
    message = {"device_id": uuid_of(hass, PUMP), "action": "turn_off"} | change
    error = await refused(client, type="aquarist/commands/create", **message)

    assert error["code"] == "invalid_format"
    assert field in error["message"]
    assert await engine_of(hass).history.recent(None, 10) == []


async def test_the_list_is_narrowed(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """By the same filters as over REST; `next_before` leads to the next page."""
    for number in range(3):
        await set_level(hass, PUMP, 10 + number, f"{number}")
    client = await hass_ws_client(hass)

    async def found(**wanted: Any) -> list[str]:
        answer = await asked(client, type="aquarist/commands/list", **wanted)
        return [one["id"] for one in answer["commands"]]

    assert await found(status="success", action="set_level") == ["2", "1", "0"]
    assert await found(status="failed") == []
    assert await found(user="nobody") == []
    assert await found(**{"from": "2020-01-01T00:00:00Z"}, limit=1) == ["2"]
    page = await asked(client, type="aquarist/commands/list", limit=2)
    assert await found(before=page["next_before"]) == ["0"]


async def test_settings_are_changed(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """What is left out stays; a wrong one changes nothing and is named."""
    client = await hass_ws_client(hass)
    before = await asked(client, type="aquarist/settings/get")
    changes = {"settings": {"rate_limit": 5}}
    changed = await asked(client, type="aquarist/settings/update", **changes)
    assert before["revision"] == 0
    assert changed == before | {"rate_limit": 5, "revision": 1}
    assert await asked(client, type="aquarist/settings/get") == changed

    late = {"settings": {"rate_limit": 6}, "expected_revision": 0}
    error = await refused(client, type="aquarist/settings/update", **late)
    assert error["translation_key"] == "revision_conflict"
    assert error["translation_placeholders"]["revision"] == "1"

    wrong = {"settings": {"rate_limit": 0}}
    error = await refused(client, type="aquarist/settings/update", **wrong)
    assert error["translation_key"] == "schedule_out_of_range"
    assert error["translation_placeholders"]["field"] == "rate_limit"
    assert await asked(client, type="aquarist/settings/get") == changed


async def test_a_device_is_as_its_number_says(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """A message may name it by number, too."""
    client = await hass_ws_client(hass)
    sent = await asked(
        client,
        type="aquarist/commands/create",
        device_id=device_named(hass, PUMP).row.number,
        action="request_status",
    )
    assert sent["device_id"] == uuid_of(hass, PUMP)


async def test_what_safety_holds_is_not_cancelled(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Law 4: an emergency stop lasts until somebody lets go of it."""
    client = await hass_ws_client(hass)
    engine, pump = engine_of(hass), device_named(hass, PUMP)
    await engine.emergency.stop(None)
    await engine.journal.written()
    (holds,) = [
        one
        for one in engine.records.open
        if one.device == pump.row.number and one.action == "emergency_stop"
    ]
    known = {"device_id": uuid_of(hass, PUMP), "command_id": holds.id}
    error = await refused(client, type="aquarist/commands/cancel", **known)
    assert error["translation_key"] == "command_is_running"
    assert engine.emergency.latched(pump)
