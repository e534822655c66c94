"""Modes over WebSocket: kept by administrators, started by who controls what they hold."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.aquarist.engine.changes import ModeChanged
from custom_components.aquarist.store import definitions
from tests.api.websocket.macro_calls import PUMP, SKIMMER, asked, refused, skimmer_only
from tests.aquarium import ENTRY, aquarium, device_named, engine_of

NORMAL: dict[str, Any] = {
    "aquarium": ENTRY,
    "mode": "normal",
    "run_id": None,
    "stage": None,
    "started_at": None,
    "ends_at": None,
    "seconds_left": None,
    "latest_end": None,
    "troubles": [],
}


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    platforms = (Platform.NUMBER, Platform.SWITCH)
    async with aquarium(hass, tmp_path, *platforms, demo=True):
        yield


def rest(hass: HomeAssistant, name: str = "Rest", device: str = SKIMMER) -> Any:
    """Return a mode that stops a pump, named by its number."""
    number = device_named(hass, device).row.number
    return {
        "name": name,
        "duration_minutes": 5,
        "steps": [
            {"hold": {"device_id": number, "level": 0}},
            {"countdown": True},
            {"release": {"device_id": number}},
        ],
    }


async def test_a_mode_is_kept(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Made, changed, listed and removed; its devices by the ids that they keep."""
    client = await hass_ws_client(hass)
    made = await asked(client, type="aquarist/modes/create", definition=rest(hass))
    uuid = device_named(hass, SKIMMER).row.uuid
    assert made == {
        "name": "Rest",
        "aquarium": ENTRY,
        "icon": None,
        "duration_minutes": 5,
        "latest_end_minutes": 35,
        "revision": 1,
        "error": None,
        "steps": [
            {"hold": {"device_id": uuid, "field_name": "level", "value": 0}},
            {"countdown": True},
            {"release": {"device_id": uuid, "field_name": None}},
        ],
    }
    changed = await asked(
        client,
        type="aquarist/modes/update",
        mode="Rest",
        definition=rest(hass, "Pause", PUMP),
        expected_revision=1,
    )
    assert (changed["name"], changed["revision"]) == ("Pause", 2)
    got = await asked(client, type="aquarist/modes/get", mode="Pause", aquarium="reef")
    assert got == changed

    listed = await asked(client, type="aquarist/modes/list")
    assert [(one["name"], one["revision"]) for one in listed["modes"]] == [
        ("feed", None),
        ("maintenance", None),
        ("Pause", 2),
    ]
    assert listed["present"] == [NORMAL]

    conflict = await refused(
        client, type="aquarist/modes/delete", mode="Pause", expected_revision=1
    )
    assert conflict["translation_key"] == "revision_conflict"
    await asked(client, type="aquarist/modes/delete", mode="Pause")
    gone = await refused(client, type="aquarist/modes/get", mode="Pause")
    assert gone["translation_key"] == "mode_not_found"


async def test_a_wrong_mode_is_refused_by_its_field(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Law 10."""
    client = await hass_ws_client(hass)
    steps = [{"hold": {"device_id": 4711, "level": 0}}, {"countdown": True}]
    wrong = rest(hass) | {"steps": steps}
    error = await refused(client, type="aquarist/modes/create", definition=wrong)
    assert error["translation_key"] == "device_not_found"
    assert error["translation_placeholders"]["field"] == "steps.0.hold.device_id"
    odd = await refused(client, type="aquarist/modes/list", aquarium="pond")
    assert odd["translation_key"] == "aquarium_not_found"


async def test_one_that_is_broken_is_told(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """With the reason, and without steps."""
    client = await hass_ws_client(hass)
    await asked(client, type="aquarist/modes/create", definition=rest(hass))
    await engine_of(hass).journal.commit(
        lambda connection: connection.execute("UPDATE definition SET definition = '{}'")
    )
    engine = engine_of(hass)
    assert engine.database is not None
    engine.modes.definitions.load(
        await engine.database.read(lambda one: definitions.load_all(one, "mode"))
    )
    broken = await asked(client, type="aquarist/modes/get", mode="Rest")
    assert (broken["error"], broken["steps"]) == ("name: missing", [])


async def test_a_mode_from_start_to_end(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Who listens hears of each stage, beginning with the present one."""
    listener, client = await hass_ws_client(hass), await hass_ws_client(hass)
    await listener.send_json_auto_id({"type": "aquarist/modes/subscribe"})
    assert (await listener.receive_json())["success"]

    async def told() -> Any:
        return (await listener.receive_json())["event"]

    assert await told() == NORMAL
    engine_of(hass).announcer.announce(ModeChanged(aquarium="another"))
    started = await asked(client, type="aquarist/modes/start", mode="feed", minutes=2)
    assert (started["mode"], started["stage"]) == ("feed", "starting")
    assert (await told())["stage"] == "starting"
    counting = await told()
    assert counting["stage"] == "countdown"
    assert 115 < counting["seconds_left"] <= 120

    longer = await asked(client, type="aquarist/modes/extend", minutes=10)
    assert longer["seconds_left"] > 700
    assert (await told())["ends_at"] == longer["ends_at"]
    listed = await asked(client, type="aquarist/modes/list", aquarium=ENTRY)
    assert listed["present"][0]["mode"] == "feed"

    ended = await asked(client, type="aquarist/modes/end")
    assert ended["stage"] == "returning"
    assert (await told())["stage"] == "returning"
    assert await asked(client, type="aquarist/modes/end", at_once=True) == NORMAL
    # The pumps of the first stage may come back before all the others do.
    while (last := await told()) != NORMAL:
        assert last["stage"] == "returning"


async def test_a_device_that_does_not_follow_is_told(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """With its step, and why."""
    client = await hass_ws_client(hass)
    await asked(client, type="aquarist/modes/create", definition=rest(hass))
    skimmer = device_named(hass, SKIMMER).row
    await engine_of(hass).equipment.detach(skimmer.number)
    await client.send_json_auto_id({"type": "aquarist/modes/subscribe"})
    await client.receive_json()
    assert (await client.receive_json())["event"] == NORMAL
    await client.send_json_auto_id({"type": "aquarist/modes/start", "mode": "Rest"})
    events: list[Any] = []
    while not (events and events[-1]["stage"] == "countdown"):
        message = await client.receive_json()
        events += [message["event"]] if message["type"] == "event" else []
    assert events[-1]["troubles"] == [
        {
            "step": 0,
            "device_id": skimmer.uuid,
            "error_code": "device_not_found",
            "error": "device_not_loaded",
        }
    ]


async def test_rights(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    """Storing is for administrators; the rest for who sees, or controls, the devices."""
    admin = await hass_ws_client(hass)
    for definition in (rest(hass), rest(hass, "Pump", PUMP)):
        await asked(admin, type="aquarist/modes/create", definition=definition)
    skimmer_only(hass, hass_read_only_user, read=True, control=True)
    client = await hass_ws_client(hass, hass_read_only_access_token)

    for message in (
        {"type": "aquarist/modes/create", "definition": rest(hass)},
        {"type": "aquarist/modes/update", "mode": "Rest", "definition": rest(hass)},
        {"type": "aquarist/modes/delete", "mode": "Rest"},
        {"type": "aquarist/modes/get", "mode": "Pump"},
        {"type": "aquarist/modes/start", "mode": "Pump"},
        {"type": "aquarist/modes/start", "mode": "feed"},
    ):
        assert (await refused(client, **message))["code"] == "unauthorized"
    listed = await asked(client, type="aquarist/modes/list")
    assert [one["name"] for one in listed["modes"]] == ["Rest"]
    assert listed["present"] == [NORMAL]

    started = await asked(client, type="aquarist/modes/start", mode="Rest")
    assert started["mode"] == "Rest"
    await asked(client, type="aquarist/modes/end", at_once=True)

    await client.send_json_auto_id({"type": "aquarist/modes/subscribe"})
    await client.receive_json()
    assert (await client.receive_json())["event"] == NORMAL
    feeding = await asked(admin, type="aquarist/modes/start", mode="feed")
    # Nothing of what the user may not see.
    assert (await asked(client, type="aquarist/modes/list"))["present"] == []
    for kind in ("end", "extend"):
        more = {"minutes": 5} if kind == "extend" else {}
        error = await refused(client, type=f"aquarist/modes/{kind}", **more)
        assert error["code"] == "unauthorized"
    for kind in ("get", "cancel"):
        error = await refused(
            client, type=f"aquarist/runs/{kind}", run_id=feeding["run_id"]
        )
        assert error["code"] == "unauthorized"
