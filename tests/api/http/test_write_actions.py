"""Write actions over REST: taken, refused and carried out as the document has them (R-T2 to R-T31)."""

import asyncio
from datetime import UTC, datetime, timedelta
import json
from typing import Any
from uuid import uuid4

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import Event, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events

from custom_components.aquarist.api.events import EVENT_WRITE_ACTION
from custom_components.aquarist.api.http.tilt import LARGEST_BODY
from custom_components.aquarist.api.targets import entities_of
from custom_components.aquarist.api.write_action_errors import ERROR_KEYS
from custom_components.aquarist.api.write_action_requests import MOST_AT_ONCE
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.data import DATA_ENGINE
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.startup import open_engine
from tests.aquarium import device_named, engine_of, heard
from tests.conftest import NIGHT

from .rest import DOSER, PUMP, SKIMMER, Rest, level, pump
from .write_actions import PATH, action, in_phase, one, why

KEYS = {
    "action_id",
    "device_id",
    "field_name",
    "value",
    "start_timestamp",
    "end_timestamp",
    "status",
}
STATES = {"PLANNED", "NEW_VALUE_SET", "OLD_VALUE_RESTORED", "FAILED"}
YESTERDAY = (datetime.fromisoformat(NIGHT) - timedelta(days=1)).isoformat()


async def stored(hass: HomeAssistant) -> int:
    """Return how many commands there are on disk."""
    database = engine_of(hass).database
    assert database is not None
    count: int = await database.read(
        lambda connection: connection.execute(
            "SELECT count(*) FROM command"
        ).fetchone()[0]
    )
    return count


async def new_engine(hass: HomeAssistant) -> None:
    """End the engine and begin a new one on the same store; the web server stays."""
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await engine_of(hass).close()
    engine = hass.data[DATA_ENGINE] = await open_engine(hass)
    engine.start()

    async def close(_: Event) -> None:
        await engine.close()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, close)
    assert await hass.config_entries.async_setup(entry.entry_id)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_action_is_taken_and_found_again(
    hass: HomeAssistant, rest: Rest, method: str
) -> None:
    """R-T2, R-T4, R-T12, R-T29: PLANNED, on disk, and the device hears nothing yet."""
    asked = action(hass, start=3600)
    answer = await rest.ask(method, PATH, json=asked)

    assert answer.status == 200
    assert answer.body == asked | {"status": "PLANNED"}
    assert await one(rest, asked["action_id"]) == answer.body
    assert level(hass) == 80


async def test_the_whole_life_of_an_action(hass: HomeAssistant, rest: Rest) -> None:
    """R-T1, R-T5, R-T7, R-T9, R-T18, R-T58: four words, in order, by GET and by event."""
    events = async_capture_events(hass, EVENT_WRITE_ACTION)
    end = (datetime.now(UTC) + timedelta(seconds=0.7)).isoformat()
    asked = action(hass, end_timestamp=end)
    words = []
    async with heard(hass, in_phase(Phase.COMPLETED, asked["action_id"])):
        async with heard(hass, in_phase(Phase.IN_FORCE, asked["action_id"])):
            words.append((await rest.post(PATH, asked)).body["status"])
        words.append((await one(rest, asked["action_id"]))["status"])
        assert level(hass) == 25
    words.append((await one(rest, asked["action_id"]))["status"])
    await hass.async_block_till_done()

    assert words == ["PLANNED", "NEW_VALUE_SET", "OLD_VALUE_RESTORED"]
    assert [event.data["status"] for event in events] == words
    assert set(words) <= STATES
    assert level(hass) == 80


async def test_a_batch_has_a_result_for_each(hass: HomeAssistant, rest: Rest) -> None:
    """R-T28: in order; a bad one does not fail the others."""
    items = [
        action(hass, start=3600),
        action(hass, value=101),
        action(hass, SKIMMER, start=3600),
        7,
        action(hass, field_name="NOPE"),
    ]
    answer = await rest.post(PATH, {"actions": items})

    assert answer.status == 200
    results = answer.body["results"]
    assert [result["status"] for result in results] == [
        "PLANNED",
        "FAILED",
        "PLANNED",
        "FAILED",
        "FAILED",
    ]
    for asked, result in zip(items, results, strict=True):
        assert set(result) - {"error"} == KEYS
        if isinstance(asked, dict):
            assert result["action_id"] == asked["action_id"]
            assert result["value"] == asked["value"]
    assert await stored(hass) == 2


async def test_an_empty_batch_has_no_results(rest: Rest) -> None:
    """Nothing was asked, nothing is wrong."""
    answer = await rest.post(PATH, {"actions": []})

    assert (answer.status, answer.body) == (200, {"results": []})


async def test_windows_that_start_together_are_taken_in_order(
    hass: HomeAssistant, rest: Rest
) -> None:
    """RES-27: of a tie the one accepted last shows."""
    start = datetime.now(UTC).isoformat()
    items = [
        action(hass, value=value, start_timestamp=start) for value in range(20, 30)
    ]
    async with heard(hass, in_phase(Phase.IN_FORCE, items[-1]["action_id"])):
        await rest.post(PATH, {"actions": items})
    await hass.async_block_till_done()

    assert level(hass) == 29


async def test_many_actions_at_once(hass: HomeAssistant, rest: Rest) -> None:
    """A body may be longer here than elsewhere."""
    items = [action(hass, start=3600 + number) for number in range(300)]
    assert len(json.dumps({"actions": items})) > 64 * 1024
    answer = await rest.post(PATH, {"actions": items})

    assert {result["status"] for result in answer.body["results"]} == {"PLANNED"}
    assert await stored(hass) == 300


@pytest.mark.parametrize(
    ("change", "key", "details"),
    [
        ({"action_id": "seven"}, "wrong_type", {"field": "action_id"}),
        ({"device_id": "no-such"}, "device_not_found", {"device_id": "no-such"}),
        ({"device_id": None}, "wrong_type", {"field": "device_id"}),
        ({"field_name": "NOPE"}, "field_not_found", {"field_name": "NOPE"}),
        ({"field_name": 5}, "wrong_type", {"field": "field_name"}),
        ({"field_name": " "}, "empty", {"field": "field_name"}),
        (
            {"field_name": "x" * 101},
            "too_long",
            {"field": "field_name", "maximum": "100", "allowed": "≤ 100"},
        ),
        ({"value": None}, "wrong_type", {"field": "value"}),
        ({"value": {}}, "wrong_type", {"field": "value"}),
        ({"value": []}, "wrong_type", {"field": "value"}),
        (
            {"value": "25"},
            "wrong_type",
            {
                "field_name": "level",
                "provided_value": "25",
                "data_type": "number",
                "min": 0,
                "max": 100,
            },
        ),
        (
            {"value": True},
            "wrong_type",
            {
                "field_name": "level",
                "provided_value": True,
                "data_type": "number",
                "min": 0,
                "max": 100,
            },
        ),
        (
            {"value": 101},
            "value_out_of_bounds",
            {
                "field_name": "level",
                "provided_value": 101,
                "data_type": "number",
                "min": 0,
                "max": 100,
            },
        ),
        (
            {"value": -1e300},
            "value_out_of_bounds",
            {
                "field_name": "level",
                "provided_value": -1e300,
                "data_type": "number",
                "min": 0,
                "max": 100,
            },
        ),
        (
            {"start_timestamp": "2026-03-01T08:00:00"},
            "naive_time",
            {"field": "start_timestamp", "value": "2026-03-01T08:00:00"},
        ),
        (
            {"end_timestamp": "2026-02-30T08:00:00Z"},
            "malformed_time",
            {"field": "end_timestamp", "value": "2026-02-30T08:00:00Z"},
        ),
        ({"start_timestamp": 5}, "wrong_type", {"field": "start_timestamp"}),
        (
            {"end_timestamp": YESTERDAY},
            "end_not_after_start",
            {"field": "end_timestamp"},
        ),
        (
            {
                "start_timestamp": "2035-01-01T00:00:00Z",
                "end_timestamp": "2035-01-01T02:00:00+02:00",
            },
            "end_not_after_start",
            {"field": "end_timestamp"},
        ),
        (
            {
                "start_timestamp": "2020-01-01T00:00:00Z",
                "end_timestamp": "2020-01-01T03:00:00+02:00",
            },
            "end_in_past",
            {"field": "end_timestamp"},
        ),
        ({"mode": 1}, "unknown_field", {"field": "mode"}),
    ],
)
async def test_a_wrong_action_fails_and_is_not_stored(
    hass: HomeAssistant,
    rest: Rest,
    change: dict[str, Any],
    key: str,
    details: dict[str, Any],
) -> None:
    """R-T3, R-T13, R-T20 to R-T27: the key says why, and no device is touched."""
    answer = await rest.post(PATH, action(hass) | change)

    assert answer.status == 200
    assert why(answer.body) == (key, details)
    assert key in ERROR_KEYS
    assert await stored(hass) == 0
    assert level(hass) == 80


@pytest.mark.parametrize("name", sorted(KEYS - {"status"}))
async def test_every_part_is_needed(hass: HomeAssistant, rest: Rest, name: str) -> None:
    """R-T20: leave out one at a time."""
    asked = action(hass)
    del asked[name]
    answer = await rest.post(PATH, asked)

    assert why(answer.body) == ("missing", {"field": name})
    assert answer.body[name] is None
    assert await stored(hass) == 0


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
async def test_what_is_no_number_fails_alone(
    hass: HomeAssistant, rest: Rest, number: str
) -> None:
    """R-T26: programs write it although it is no JSON; the others of the batch are taken."""
    items = [action(hass, value="NUMBER"), action(hass, start=3600)]
    text = json.dumps({"actions": items}).replace('"NUMBER"', number)
    answer = await rest.ask("POST", PATH, data=text)

    bad, good = answer.body["results"]
    assert why(bad)[0] == "wrong_type"
    assert good["status"] == "PLANNED"
    assert level(hass) == 80


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("body", "key", "field"),
    [
        ("", "missing", "actions"),
        ("{", "malformed_body", None),
        ("NaN", "wrong_type", "body"),
        ("[]", "wrong_type", "body"),
        ('{"actions": 5}', "wrong_type", "actions"),
        ('{"actions": [], "more": 1}', "unknown_field", "more"),
        ('{"colour": "red"}', "unknown_field", "colour"),
        ('{"value": NaN, "action_id": "\\ud800"}', "malformed_body", None),
        ("[" * 100_000 + "NaN", "malformed_body", None),
        (json.dumps({"actions": [1] * (MOST_AT_ONCE + 1)}), "too_many", "actions"),
    ],
)
async def test_a_malformed_body_is_400(
    rest: Rest, method: str, body: str, key: str, field: str | None
) -> None:
    """RES-25: with the error object."""
    answer = await rest.ask(method, PATH, data=body)

    assert answer.error == (400, key, field)


async def test_a_body_that_is_too_large_is_413(rest: Rest) -> None:
    """It is not read to its end."""
    answer = await rest.ask("POST", PATH, data=" " * (LARGEST_BODY + 1))

    assert answer.error == (413, "body_too_large", None)


async def test_the_same_action_is_taken_once(hass: HomeAssistant, rest: Rest) -> None:
    """R-T30, RES-44: in one batch twice, across batches, and with the times otherwise spelled."""
    asked = action(hass)
    utc = datetime.fromisoformat(asked["start_timestamp"])
    spelled = asked | {
        "start_timestamp": utc.isoformat().replace("+00:00", "Z"),
        "action_id": asked["action_id"].upper(),
    }
    async with heard(hass, in_phase(Phase.IN_FORCE, asked["action_id"])):
        answer = await rest.post(PATH, {"actions": [asked, asked]})
        assert [one["action_id"] for one in answer.body["results"]] == [
            asked["action_id"],
            asked["action_id"],
        ]
    for again in (asked, spelled):
        answer = await rest.post(PATH, again)
        assert answer.body["status"] == "NEW_VALUE_SET"
    assert await stored(hass) == 1


@pytest.mark.parametrize(
    "change", [{"value": 26}, {"end_timestamp": "2035-01-01T00:00:00Z"}]
)
async def test_an_id_is_not_used_for_something_else(
    hass: HomeAssistant, rest: Rest, change: dict[str, Any]
) -> None:
    """RES-44: the stored one stays as it is."""
    asked = action(hass, start=3600)
    before = (await rest.post(PATH, asked)).body
    answer = await rest.post(PATH, asked | change)

    assert why(answer.body) == (
        "action_id_conflict",
        {"action_id": asked["action_id"]},
    )
    assert answer.body["error"]["error_message"].startswith("action_id: ")
    assert await one(rest, asked["action_id"]) == before


async def test_an_id_belongs_to_one_device(hass: HomeAssistant, rest: Rest) -> None:
    """RES-44: the scope of an id is global; in a batch the first counts."""
    asked = action(hass, start=3600)
    elsewhere = asked | {"device_id": device_named(hass, SKIMMER).row.uuid}
    results = (await rest.post(PATH, {"actions": [asked, elsewhere]})).body["results"]

    assert results[0]["status"] == "PLANNED"
    assert why(results[1])[0] == "action_id_conflict"


async def test_after_a_restart_an_action_is_known(
    hass: HomeAssistant, rest: Rest
) -> None:
    """R-T2, R-T30: it is found, and asked for again it is the same."""
    asked = action(hass, start=3600)
    taken = (await rest.post(PATH, asked)).body
    await new_engine(hass)

    assert await one(rest, asked["action_id"]) == taken
    assert (await rest.post(PATH, asked)).body == taken
    assert await stored(hass) == 1


async def test_a_device_that_fails(hass: HomeAssistant, rest: Rest) -> None:
    """R-T6, R-T15, R-T16: FAILED with the reason, and the device is as it was."""
    pump(hass).fail_next(DeviceError("service_failed", transient=False))
    asked = action(hass)
    async with heard(hass, in_phase(Phase.FAILED, asked["action_id"])):
        await rest.post(PATH, asked)

    key, _ = why(await one(rest, asked["action_id"]))
    assert key == "service_failed"
    assert level(hass) == 80


async def test_how_often_it_was_tried_is_told(hass: HomeAssistant, rest: Rest) -> None:
    """R-T17: a fault that passes; the tries are visible."""
    await engine_of(hass).live_settings.update({"window_pause_seconds": 0.5}, None)
    pump(hass).fail_next(DeviceError("link_lost", transient=True))
    asked = action(hass)
    async with heard(hass, in_phase(Phase.IN_FORCE, asked["action_id"])):
        await rest.post(PATH, asked)

    found = await one(rest, asked["action_id"])
    assert (found["status"], found["details"]) == ("NEW_VALUE_SET", {"attempts": 2})


async def test_a_device_that_is_not_loaded(hass: HomeAssistant, rest: Rest) -> None:
    """What its fields take is not known now."""
    asked = action(hass)
    await engine_of(hass).equipment.detach(device_named(hass, PUMP).row.number)
    answer = await rest.post(PATH, asked)

    assert why(answer.body) == (
        "device_not_loaded",
        {"device_id": asked["device_id"]},
    )


async def test_whether_a_head_may_dose_is_a_field(
    hass: HomeAssistant, rest: Rest
) -> None:
    """A window can hold dosing back."""
    asked = action(hass, DOSER, field_name="dosing_allowed_1", value=False)
    async with heard(hass, in_phase(Phase.IN_FORCE, asked["action_id"])):
        answer = await rest.post(PATH, asked)
    assert answer.body["status"] == "PLANNED"
    answer = await rest.post(PATH, asked | {"action_id": str(uuid4()), "value": 0})
    assert why(answer.body)[0] == "wrong_type"


async def test_a_fault_of_ours_is_logged_and_fails_one(
    hass: HomeAssistant,
    rest: Rest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The others of the batch are taken."""
    engine = engine_of(hass)
    take = engine.acceptance.create_window

    async def broken(
        device: Any, name: str, value: Any, *rest: Any, **more: Any
    ) -> Any:
        if value == 13:
            raise ZeroDivisionError
        return await take(device, name, value, *rest, **more)

    monkeypatch.setattr(engine.acceptance, "create_window", broken)
    items = [action(hass, value=13), action(hass, start=3600)]
    bad, good = (await rest.post(PATH, {"actions": items})).body["results"]

    assert why(bad)[0] == "unexpected"
    assert good["status"] == "PLANNED"
    assert "ZeroDivisionError" in caplog.text


async def test_without_a_store_nothing_is_taken(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 2: an action that is not on disk is not taken; lists are 503."""
    engine = engine_of(hass)
    asked = action(hass)
    monkeypatch.setattr(engine.acceptance, "_database", None)
    monkeypatch.setattr(engine.journal, "_database", None)
    monkeypatch.setattr(engine, "database", None)
    failed = await rest.post(PATH, asked)
    listed = await rest.get(PATH)
    devices = await rest.get("/devices")
    monkeypatch.undo()

    assert why(failed.body)[0] == "store_locked"
    assert listed.error == (503, "store_locked", None)
    assert devices.body["count"] == 4


REQUESTS = [
    ("GET", PATH),
    ("POST", PATH),
    ("PUT", PATH),
    ("PUT", f"{PATH}/cancel"),
    ("POST", "/synchronous_write_actions"),
    ("GET", "/devices"),
    ("GET", "/device_types"),
    ("GET", "/sites"),
    ("GET", "/latest_value"),
    ("GET", "/history"),
]


@pytest.mark.parametrize(("method", "path"), REQUESTS)
@pytest.mark.parametrize("token", [None, "wrong"])
async def test_without_a_token_nothing_is_answered(
    stranger: Rest, method: str, path: str, token: str | None
) -> None:
    """R-T51: 401 with the error object."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await stranger.ask(method, path, headers=headers)

    assert answer.error == (401, "not_signed_in", None)


@pytest.mark.parametrize(
    ("method", "path"), [one for one in REQUESTS if one[0] != "GET"]
)
async def test_who_may_not_control_changes_nothing(
    hass: HomeAssistant, reader: Rest, rest: Rest, method: str, path: str
) -> None:
    """R-T51: 403, and nothing is stored."""
    asked = action(hass, start=3600)
    await rest.post(PATH, asked)
    before = await stored(hass)
    if path.endswith("cancel"):
        body: dict[str, Any] = {"action_ids": [asked["action_id"]]}
    elif path == PATH:
        body = {"actions": [action(hass), action(hass, SKIMMER)]}
    else:
        body = {
            name: value
            for name, value in action(hass).items()
            if not name.endswith("timestamp")
        }
    answer = await reader.ask(method, path, json=body)

    assert answer.error == (403, "not_allowed", None)
    assert await stored(hass) == before
    assert (await one(reader, asked["action_id"]))["status"] == "PLANNED"


def only_the_pump(hass: HomeAssistant, user: MockUser) -> None:
    """Give somebody rights on the return pump alone."""
    its = dict.fromkeys(entities_of(hass, device_named(hass, PUMP)), True)
    user.mock_policy({"entities": {"entity_ids": its}})


async def test_a_batch_needs_rights_on_all_its_devices(
    hass: HomeAssistant, reader: Rest, hass_read_only_user: MockUser
) -> None:
    """Design 7: one device that may not be changed, and none is."""
    only_the_pump(hass, hass_read_only_user)
    both = {"actions": [action(hass, start=3600), action(hass, SKIMMER, start=3600)]}
    answer = await reader.post(PATH, both)
    assert answer.error == (403, "not_allowed", None)
    assert await stored(hass) == 0

    assert (await reader.post(PATH, both["actions"][0])).body["status"] == "PLANNED"


async def test_what_may_not_be_seen_is_not_told(
    hass: HomeAssistant, rest: Rest, reader: Rest, hass_read_only_user: MockUser
) -> None:
    """Lists, their counts and cancellations know nothing of other devices."""
    only_the_pump(hass, hass_read_only_user)
    mine, other = action(hass, start=3600), action(hass, SKIMMER, start=3600)
    await rest.post(PATH, {"actions": [mine, other]})

    seen = (await reader.get(PATH)).body
    assert (seen["count"], seen["results"][0]["action_id"]) == (1, mine["action_id"])
    assert (await reader.get("/devices")).body["count"] == 1
    assert (await reader.get("/device_types")).body["count"] == 1
    answer = await reader.ask(
        "PUT", f"{PATH}/cancel", json={"action_ids": [other["action_id"]]}
    )
    assert answer.body["errors"][0]["error_key"] == "action_not_found"
    denied = await reader.get(
        "/latest_value", device_id=other["device_id"], field_name="level"
    )
    assert denied.error == (403, "not_allowed", None)


async def test_many_requests_at_the_same_moment(
    hass: HomeAssistant, rest: Rest
) -> None:
    """R-T30: the same request ten times at once is one action."""
    asked = action(hass)
    async with heard(hass, in_phase(Phase.IN_FORCE, asked["action_id"])):
        answers = await asyncio.gather(*(rest.post(PATH, asked) for _ in range(10)))

    assert {answer.body["action_id"] for answer in answers} == {asked["action_id"]}
    assert all("error" not in answer.body for answer in answers)
    assert await stored(hass) == 1
