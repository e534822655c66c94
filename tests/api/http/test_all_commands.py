"""Commands of all devices over REST: filters, and several at once."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.api.command_requests import MOST_AT_ONCE
from tests.aquarium import device_named, engine_of

from .rest import LEVEL, PUMP, SKIMMER, Rest, commands_of, level

SYNC = LEVEL | {"execution": "sync"}


async def test_each_filter_narrows_the_list(
    hass: HomeAssistant, rest: Rest, hass_admin_user: object
) -> None:
    """R-C33: device, status, action, user, from and to."""
    engine = engine_of(hass)
    for name in (PUMP, SKIMMER):
        await rest.post(commands_of(hass, name), SYNC | {"id": f"level of {name}"})
    body = {"action": "request_status", "id": "status", "execution": "sync"}
    await rest.post(commands_of(hass, PUMP), body)
    later = engine.clock.now().timestamp() + 1
    user = (await rest.get("/commands", limit="1")).body["commands"][0]["user"]

    async def ids(**query: str) -> set[str]:
        answer = await rest.get("/commands", **query)
        assert answer.status == 200
        return {one["id"] for one in answer.body["commands"]}

    everything = {f"level of {PUMP}", f"level of {SKIMMER}", "status"}
    assert await ids() == everything
    assert await ids(device_id=device_named(hass, SKIMMER).row.uuid) == {
        f"level of {SKIMMER}"
    }
    assert await ids(action="request_status") == {"status"}
    assert await ids(status="success") == everything
    assert await ids(status="failed") == set()
    assert await ids(user=user) == everything
    assert await ids(user="nobody") == set()
    assert await ids(to=str(later)) == everything
    assert await ids(**{"from": str(later)}) == set()
    assert await ids(**{"from": "2020-01-01T00:00:00+00:00"}) == everything


async def test_each_item_of_a_batch_has_its_own_result(
    hass: HomeAssistant, rest: Rest
) -> None:
    """In the order of the request; what is wrong with one does not touch the others."""
    uuid = device_named(hass, PUMP).row.uuid
    answer = await rest.post(
        "/commands",
        {
            "commands": [
                {"device_id": uuid, **LEVEL, "id": "one"},
                {"device_id": uuid, "action": "set_level", "args": {"level": 101}},
                {"device_id": "nobody", "action": "turn_on"},
                {"device_id": uuid},
                7,
                {"device_id": uuid, **LEVEL, "id": "one"},
            ]
        },
    )
    assert answer.status == 200
    results = answer.body["results"]
    assert [one["status"] for one in results] == [200, 422, 404, 422, 422, 200]
    assert results[0]["command"]["id"] == results[5]["command"]["id"] == "one"
    errors = [one["error"]["error_details"]["field"] for one in results[1:5]]
    assert errors == ["level", "device_id", "action", "commands"]
    command = await engine_of(hass).history.command(device_named(hass, PUMP), "one")
    assert command is not None
    await engine_of(hass).finished(command)
    assert level(hass) == 30


@pytest.mark.parametrize(
    ("commands", "key"),
    [
        ([], "schedule_empty"),
        ({}, "wrong_type_list"),
        ([{}] * (MOST_AT_ONCE + 1), "schedule_too_many"),
    ],
)
async def test_a_wrong_batch_is_422(rest: Rest, commands: object, key: str) -> None:
    """As a whole, with nothing done."""
    answer = await rest.post("/commands", {"commands": commands})

    assert answer.error == (422, key, "commands")
