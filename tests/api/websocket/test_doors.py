"""A command's file is read in at its first message, and answers that one already."""

import asyncio
from importlib import import_module
import logging
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.http import WebSocketAdapter
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.importlib import async_import_module
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.aquarist.api import websocket
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.changes import RunChanged
from tests.aquarium import aquarium, engine_of

FILES = sorted(
    file.stem
    for file in Path(websocket.__file__).parent.glob("*.py")
    if file.stem not in ("__init__", "access")
)


@pytest.mark.parametrize("file", FILES)
async def test_each_command_of_a_file_has_a_door(
    hass: HomeAssistant, file: str
) -> None:
    """And no door leads nowhere."""
    module = import_module(f"{websocket.__name__}.{file}")
    for command in module.COMMANDS:
        async_register_command(hass, command)

    behind = set(hass.data["websocket_api"])

    assert behind == {f"{DOMAIN}/{command}" for command in websocket.FILES[file]}
    assert sorted(websocket.FILES) == FILES


async def test_the_first_message_is_answered_as_any_other(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, tmp_path: Path
) -> None:
    """Whatever the order: what waits behind the same door comes in too."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        client = await hass_ws_client(hass)
        for _ in range(3):
            await client.send_json_auto_id({"type": "aquarist/devices/list"})

        answers = [await client.receive_json() for _ in range(3)]

        assert len(answers[0]["result"]["devices"]) == 4
        assert [answer["result"] for answer in answers] == [answers[0]["result"]] * 3


@pytest.mark.parametrize(
    ("message", "words"),
    [
        pytest.param(
            {"type": "aquarist/devices/list", "tank": 1}, "tank", id="no arguments"
        ),
        pytest.param(
            {"type": "aquarist/macros/get", "macro_id": "x"}, "macro_id", id="wrong"
        ),
        pytest.param({"type": "aquarist/macros/get"}, "macro_id", id="missing"),
    ],
)
async def test_the_first_message_is_checked_as_any_other(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    tmp_path: Path,
    message: dict[str, object],
    words: str,
) -> None:
    """The error names the argument; the second time too."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        client = await hass_ws_client(hass)
        for _ in range(2):
            await client.send_json_auto_id(message)
            answer = await client.receive_json()

            assert not answer["success"]
            assert answer["error"]["code"] == "invalid_format"
            assert words in answer["error"]["message"]


@pytest.mark.parametrize("leaves", ["by closing", "by unsubscribing"])
async def test_whoever_leaves_before_the_file_is_read_in_is_not_subscribed(
    hass: HomeAssistant, hass_admin_user: MockUser, tmp_path: Path, leaves: str
) -> None:
    """Nobody would ever take the subscription away."""
    read_in, reading = asyncio.Event(), async_import_module

    async def slowly(hass: HomeAssistant, name: str) -> ModuleType:
        await read_in.wait()
        return await reading(hass, name)

    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        before = engine_of(hass).announcer.hearing(RunChanged)
        sent: list[Any] = []
        logger = WebSocketAdapter(logging.getLogger(__name__), {"connid": 1})
        connection = ActiveConnection(
            logger, hass, sent.append, hass_admin_user, None, None
        )
        with patch.object(websocket, "async_import_module", slowly):
            connection.async_handle({"id": 1, "type": "aquarist/runs/subscribe"})
            if leaves == "by closing":
                connection.async_handle_close()
            else:
                connection.subscriptions.pop(1)()
            read_in.set()
            await hass.async_block_till_done(wait_background_tasks=True)

        assert engine_of(hass).announcer.hearing(RunChanged) == before
        assert not connection.subscriptions
        assert not sent
