"""Write actions over WebSocket: the records of REST, and each status as it happens."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.aquarist.api.targets import entities_of
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from tests.api.http.rest import PUMP, SKIMMER, pump, retired
from tests.api.http.write_actions import action, in_phase
from tests.aquarium import aquarium, device_named, engine_of, heard

from .macro_calls import asked, refused

LIST = "aquarist/write_actions/list"
GET = "aquarist/write_actions/get"
CREATE = "aquarist/write_actions/create"
CANCEL = "aquarist/write_actions/cancel"
RETRY = "aquarist/write_actions/retry"
SUBSCRIBE = "aquarist/write_actions/subscribe"


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


async def failed_action(hass: HomeAssistant, client: Any) -> dict[str, Any]:
    """Return an action that has failed while its time is not over."""
    pump(hass).fail_next(DeviceError("service_failed", transient=False))
    item = action(hass)
    async with heard(hass, in_phase(Phase.FAILED, item["action_id"])):
        await asked(client, type=CREATE, actions=[item])
    return item


async def test_each_action_of_a_batch_has_a_result(
    hass: HomeAssistant, client: Any
) -> None:
    """R-T28: as over REST."""
    good, bad = action(hass, start=3600), action(hass, value=101)
    results = (await asked(client, type=CREATE, actions=[good, bad]))["results"]

    assert results[0] == good | {"status": "PLANNED"}
    assert results[1]["error"]["error_key"] == "value_out_of_bounds"
    found = await asked(client, type=GET, action_id=good["action_id"].upper())
    assert found == results[0]
    error = await refused(client, type=GET, action_id=str(uuid4()))
    assert error["translation_key"] == "action_not_found"


async def test_pages_and_filters(hass: HomeAssistant, client: Any) -> None:
    """R-T33, R-T40 to R-T45: lists, or texts with commas; `next` is the next page."""
    items = [action(hass, start=3600 + number) for number in range(3)]
    other = action(hass, SKIMMER, start=3600)
    await asked(client, type=CREATE, actions=[*items, other])

    first = await asked(client, type=LIST, page_size=3)
    assert (first["count"], first["next"]) == (4, 2)
    last = await asked(client, type=LIST, page_size=3, page=2)
    assert (len(last["results"]), last["next"]) == (1, None)
    mine = await asked(
        client, type=LIST, device_id=[items[0]["device_id"]], status="PLANNED,FAILED"
    )
    assert mine["count"] == 3
    start = datetime.now(UTC) + timedelta(days=1)
    late = await asked(client, type=LIST, starts_after=start.isoformat())
    assert late == {"count": 0, "next": None, "results": []}


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"type": LIST, "status": "BOGUS"}, "status"),
        ({"type": LIST, "device_id": [5]}, "device_id"),
        ({"type": LIST, "page": 0}, "page"),
        ({"type": CREATE}, "actions"),
        ({"type": CREATE, "actions": {}}, "actions"),
        ({"type": CANCEL, "action_ids": [5]}, "action_ids"),
        ({"type": RETRY, "action_id": "x", "new_action_id": "y"}, "new_action_id"),
        ({"type": SUBSCRIBE, "device_id": 1.5}, "device_id"),
    ],
)
async def test_a_wrong_message_is_refused(
    client: Any, message: dict[str, Any], field: str
) -> None:
    """The error names what is wrong."""
    error = await refused(client, **message)

    assert error["code"] == "invalid_format"
    assert field in error["message"]


async def test_calling_off(hass: HomeAssistant, client: Any) -> None:
    """R-T31: what REST answers."""
    item, unknown = action(hass, start=3600), str(uuid4())
    await asked(client, type=CREATE, actions=[item])
    answer = await asked(client, type=CANCEL, action_ids=[item["action_id"], unknown])

    assert answer["canceled_count"] == 1
    assert [one["action_id"] for one in answer["errors"]] == [unknown]


async def test_a_failed_one_is_tried_again(hass: HomeAssistant, client: Any) -> None:
    """R-T17, RES-53: a new action that names the first, under an id of its own."""
    item = await failed_action(hass, client)
    new_id = str(uuid4())
    async with heard(hass, in_phase(Phase.IN_FORCE, new_id)):
        again = await asked(
            client, type=RETRY, action_id=item["action_id"], new_action_id=new_id
        )
    assert again["status"] == "PLANNED"
    assert again["details"] == {"retry_of": item["action_id"]}
    same = await asked(client, type=GET, action_id=item["action_id"])
    assert same["status"] == "FAILED"

    error = await refused(client, type=RETRY, action_id=new_id)
    assert error["translation_key"] == "not_failed"


async def test_one_whose_time_is_over_is_not_tried_again(
    hass: HomeAssistant, client: Any
) -> None:
    """RES-50: there is nothing left to hold."""
    pump(hass).fail_next(DeviceError("service_failed", transient=False))
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    item = action(hass, end_timestamp=soon.isoformat())
    async with heard(hass, in_phase(Phase.FAILED, item["action_id"])):
        await asked(client, type=CREATE, actions=[item])
    now = engine_of(hass).clock.now
    engine_of(hass).clock.now = lambda: now() + timedelta(seconds=1)  # type: ignore[method-assign]
    error = await refused(client, type=RETRY, action_id=item["action_id"])

    assert error["translation_key"] == "end_in_past"
    assert error["translation_placeholders"]["field"] == "end_timestamp"


async def test_a_device_out_of_use_is_not_tried_again(
    hass: HomeAssistant, client: Any
) -> None:
    """There is nothing to write to."""
    item = await failed_action(hass, client)
    await retired(hass, PUMP)
    error = await refused(client, type=RETRY, action_id=item["action_id"])

    assert error["translation_key"] == "device_not_found"


async def test_each_status_is_pushed_once(hass: HomeAssistant, client: Any) -> None:
    """R-T58: of one device or of all, in the words of write actions."""
    item = action(hass)
    item["end_timestamp"] = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()
    await client.send_json_auto_id({"type": SUBSCRIBE, "device_id": item["device_id"]})
    assert (await client.receive_json())["success"]
    engine = engine_of(hass)
    async with heard(hass, in_phase(Phase.COMPLETED, item["action_id"])):
        await hass.services.async_call(
            "aquarist", "create_write_action", action(hass, SKIMMER), blocking=True
        )
        await hass.services.async_call(
            "aquarist", "create_write_action", item, blocking=True
        )
    statuses = []
    for _ in range(3):
        pushed = (await client.receive_json())["event"]
        assert pushed["action_id"] == item["action_id"]
        assert pushed["device_id"] == item["device_id"]
        statuses.append(pushed["status"])

    assert statuses == ["PLANNED", "NEW_VALUE_SET", "OLD_VALUE_RESTORED"]
    assert len(engine.records.open) == 1


async def test_nothing_is_told_of_what_may_not_be_seen(
    hass: HomeAssistant,
    client: Any,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    """Neither listed nor found; and what may not be changed stays."""
    mine, other = action(hass, start=3600), action(hass, SKIMMER, start=3600)
    await asked(client, type=CREATE, actions=[mine, other])
    its = entities_of(hass, device_named(hass, PUMP))
    readable = {"entity_ids": {one: {"read": True} for one in its}}
    hass_read_only_user.mock_policy({"entities": readable})
    reader = await hass_ws_client(hass, hass_read_only_access_token)

    seen = await asked(reader, type=LIST)
    assert [one["action_id"] for one in seen["results"]] == [mine["action_id"]]
    error = await refused(reader, type=GET, action_id=other["action_id"])
    assert error["translation_key"] == "action_not_found"
    for message in (
        {"type": CREATE, "actions": [action(hass)]},
        {"type": CANCEL, "action_ids": [mine["action_id"]]},
        {"type": RETRY, "action_id": mine["action_id"]},
        {"type": SUBSCRIBE, "device_id": other["device_id"]},
    ):
        assert (await refused(reader, **message))["code"] == "unauthorized"
    assert await asked(reader, type=SUBSCRIBE) is None
    for name in (SKIMMER, PUMP):
        await asked(client, type=CREATE, actions=[action(hass, name, start=3600)])
    pushed = (await reader.receive_json())["event"]
    assert pushed["device_id"] == mine["device_id"]
