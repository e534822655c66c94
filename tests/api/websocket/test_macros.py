"""Macros over WebSocket: kept by administrators, run by who controls their devices."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.api.websocket.macro_calls import (
    PUMP,
    SKIMMER,
    asked,
    macro,
    refused,
    set_level,
    skimmer_only,
)
from tests.aquarium import aquarium, device_named, engine_of


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    platforms = (Platform.NUMBER, Platform.SWITCH)
    async with aquarium(hass, tmp_path, *platforms, demo=True):
        yield


async def test_a_macro_is_kept(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Made, changed, listed and removed; its devices by the ids that they keep."""
    client = await hass_ws_client(hass)
    pump = device_named(hass, PUMP).row.uuid
    made = await asked(
        client,
        type="aquarist/macros/create",
        definition=macro(set_level(hass, PUMP, 10), {"delay": 5}),
    )
    assert (made["name"], made["revision"], made["error"]) == ("Water change", 1, None)
    assert made["sequence"][0]["command"]["device_id"] == pump

    wait = {"device_id": pump, "field_name": "level", "below": 20, "timeout": 60}
    changed = await asked(
        client,
        type="aquarist/macros/update",
        macro_id=made["id"],
        definition=macro({"wait": wait}, name="Pause"),
        expected_revision=1,
    )
    assert (changed["name"], changed["revision"]) == ("Pause", 2)
    assert (await asked(client, type="aquarist/macros/list"))["macros"] == [changed]
    got = await asked(client, type="aquarist/macros/get", macro_id=made["id"])
    assert got == changed
    revisions = (
        await asked(client, type="aquarist/macros/revisions", macro_id=made["id"])
    )["revisions"]
    assert [(one["revision"], one["change"]) for one in revisions] == [
        (1, "created"),
        (2, "updated"),
    ]
    assert revisions[0]["definition"]["name"] == "Water change"
    assert revisions[0]["user_id"] is not None

    conflict = await refused(
        client, type="aquarist/macros/delete", macro_id=made["id"], expected_revision=1
    )
    assert conflict["translation_key"] == "revision_conflict"
    await asked(client, type="aquarist/macros/delete", macro_id=made["id"])
    assert (await asked(client, type="aquarist/macros/list"))["macros"] == []
    gone = await refused(client, type="aquarist/macros/get", macro_id=made["id"])
    assert gone["translation_key"] == "macro_not_found"


async def test_a_macro_is_run(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """The answer is the run as it began."""
    client = await hass_ws_client(hass)
    made = await asked(
        client,
        type="aquarist/macros/create",
        definition=macro(set_level(hass, PUMP, 10)),
    )
    run = await asked(client, type="aquarist/macros/run", macro_id=made["id"])

    assert (run["kind"], run["macro_id"], run["source"]) == (
        "macro",
        made["id"],
        "macro",
    )
    assert run["user_id"] is not None
    ended = await engine_of(hass).runs.finished(run["id"])
    assert ended.state == "completed"


@pytest.mark.parametrize(
    ("definition", "key", "field"),
    [
        (macro(), "schedule_empty", "sequence"),
        ({"name": "x", "sequence": "no"}, "wrong_type_list", "sequence"),
        (macro("no"), "wrong_type_mapping", "sequence.0"),
        (macro({"command": "no"}), "wrong_type_mapping", "sequence.0.command"),
        (
            macro({"command": {"device_id": True, "action": "turn_on"}}),
            "wrong_type_text",
            "sequence.0.command.device_id",
        ),
        (
            macro({"command": {"device_id": "gone", "action": "turn_on"}}),
            "device_not_found",
            "sequence.0.command.device_id",
        ),
        (
            macro({"command": {"device_id": 99, "action": "turn_on"}}),
            "device_not_found",
            "sequence.0.command.device_id",
        ),
    ],
)
async def test_a_wrong_macro_is_refused(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    definition: dict[str, Any],
    key: str,
    field: str,
) -> None:
    """Law 10: the error names the field."""
    client = await hass_ws_client(hass)
    error = await refused(client, type="aquarist/macros/create", definition=definition)
    assert error["translation_key"] == key
    assert error["translation_placeholders"]["field"] == field


async def test_only_administrators_keep_macros(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """A macro acts with our authority later (design 7)."""
    client = await hass_ws_client(hass, hass_read_only_access_token)
    for message in (
        {"type": "create", "definition": macro({"delay": 1})},
        {"type": "update", "definition": macro({"delay": 1}), "macro_id": 1},
        {"type": "delete", "macro_id": 1},
    ):
        name = f"aquarist/macros/{message.pop('type')}"
        error = await refused(client, type=name, **message)
        assert error["code"] == "unauthorized"


async def test_a_user_runs_what_only_changes_devices_that_they_control(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    """All of them, not just one; others are not even seen."""
    skimmer_only(hass, hass_read_only_user, read=True, control=True)
    admin = await hass_ws_client(hass)
    both = await asked(
        admin,
        type="aquarist/macros/create",
        definition=macro(
            set_level(hass, SKIMMER, 5), set_level(hass, PUMP, 5), name="Both"
        ),
    )
    mine = await asked(
        admin,
        type="aquarist/macros/create",
        definition=macro(set_level(hass, SKIMMER, 5), name="Mine"),
    )

    client = await hass_ws_client(hass, hass_read_only_access_token)
    seen = (await asked(client, type="aquarist/macros/list"))["macros"]
    assert [one["name"] for one in seen] == ["Mine"]
    for message in ("run", "get", "revisions"):
        error = await refused(
            client, type=f"aquarist/macros/{message}", macro_id=both["id"]
        )
        assert error["code"] == "unauthorized", message
    run = await asked(client, type="aquarist/macros/run", macro_id=mine["id"])
    await engine_of(hass).runs.finished(run["id"])
    assert len(await engine_of(hass).runs.recent(None, 10)) == 1


async def test_a_vanished_device_bars_nobody_and_is_seen_by_administrators(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The macro stays; its run fails and says why."""
    skimmer_only(hass, hass_read_only_user, read=True, control=True)
    admin = await hass_ws_client(hass)
    made = await asked(
        admin,
        type="aquarist/macros/create",
        definition=macro(set_level(hass, PUMP, 5)),
    )
    uuid = device_named(hass, PUMP).row.uuid
    monkeypatch.delitem(engine_of(hass).equipment._by_uuid, uuid)

    listed = (await asked(admin, type="aquarist/macros/list"))["macros"]
    assert [one["id"] for one in listed] == [made["id"]]
    client = await hass_ws_client(hass, hass_read_only_access_token)
    assert (await asked(client, type="aquarist/macros/list"))["macros"] == []
    run = await asked(admin, type="aquarist/macros/run", macro_id=made["id"])
    ended = await engine_of(hass).runs.finished(run["id"])
    assert (ended.state, ended.error) == ("failed", "device_not_found")
