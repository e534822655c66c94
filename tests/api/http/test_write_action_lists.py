"""Looking write actions up: filters and pages (R-T33, R-T40 to R-T45)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant
import pytest
from yarl import URL

from tests.aquarium import device_named

from .rest import PUMP, SKIMMER, Rest, retired
from .write_actions import PATH, action

LIGHT = "Demo light"
START = datetime(2035, 3, 1, 17, tzinfo=UTC)
BAD = [
    ({"status": "BOGUS"}, "unknown_word", "status"),
    ({"status": "PLANNED,BOGUS"}, "unknown_word", "status"),
    ({"status": "planned"}, "unknown_word", "status"),
    ({"status": ","}, "empty", "status"),
    ({"device_id": ""}, "empty", "device_id"),
    ({"starts_after": "yesterday"}, "malformed_time", "starts_after"),
    ({"starts_after": "2026-03-01T08:00:00"}, "naive_time", "starts_after"),
    ({"starts_after": "2026-02-30T08:00:00Z"}, "malformed_time", "starts_after"),
    ({"page": "0"}, "out_of_range", "page"),
    ({"page": "-1"}, "out_of_range", "page"),
    ({"page": "one"}, "wrong_type", "page"),
    ({"page_size": "0"}, "out_of_range", "page_size"),
    ({"page_size": "1001"}, "out_of_range", "page_size"),
    ({"colour": "red"}, "unknown_field", "colour"),
    ({"action_id": ",".join(map(str, range(1001)))}, "too_many", "action_id"),
]


async def taken(hass: HomeAssistant, rest: Rest) -> dict[str, dict[str, Any]]:
    """Take six actions on three devices and two fields, an hour apart; return them by letter."""
    asked = {}
    fields = [
        (PUMP, "level"),
        (PUMP, "level"),
        (SKIMMER, "level"),
        (LIGHT, "level"),
        (LIGHT, "mix_red"),
        (LIGHT, "mix_red"),
    ]
    for number, (device, field) in enumerate(fields):
        start = START + timedelta(hours=number)
        asked["abcdef"[number]] = action(
            hass,
            device,
            field_name=field,
            start_timestamp=start.isoformat(),
            end_timestamp=(start + timedelta(minutes=30)).isoformat(),
        )
    answer = await rest.post(PATH, {"actions": list(asked.values())})
    assert {one["status"] for one in answer.body["results"]} == {"PLANNED"}
    cancelled = {"action_ids": [asked["b"]["action_id"], asked["f"]["action_id"]]}
    await rest.ask("PUT", f"{PATH}/cancel", json=cancelled)
    return asked


async def test_each_filter_and_all_together(hass: HomeAssistant, rest: Rest) -> None:
    """R-T40 to R-T45: lists with commas, AND between the filters."""
    asked = await taken(hass, rest)
    letters = {one["action_id"]: letter for letter, one in asked.items()}
    uuid = {name: device_named(hass, name).row.uuid for name in (PUMP, SKIMMER, LIGHT)}

    async def found(**query: str) -> str:
        answer = await rest.get(PATH, **query)
        assert answer.status == 200
        assert answer.body["count"] == len(answer.body["results"])
        assert answer.body["next"] is None
        return "".join(
            sorted(letters[one["action_id"]] for one in answer.body["results"])
        )

    def ids(wanted: str) -> str:
        return ",".join(asked[letter]["action_id"] for letter in wanted)

    assert await found() == "abcdef"
    assert await found(device_id=uuid[PUMP]) == "ab"
    assert await found(device_id=uuid[PUMP].upper()) == "ab"
    assert await found(device_id=f"{uuid[PUMP]}, {uuid[SKIMMER]}") == "abc"
    assert await found(device_id="nobody") == ""
    assert await found(field_name="level") == "abcd"
    assert await found(field_name="level,mix_red") == "abcdef"
    assert await found(field_name="NOPE") == ""
    assert await found(status="PLANNED") == "acde"
    assert await found(status="FAILED") == "bf"
    assert await found(status="FAILED,PLANNED") == "abcdef"
    assert await found(status="NEW_VALUE_SET,OLD_VALUE_RESTORED") == ""
    assert await found(action_id=ids("c")) == "c"
    assert await found(action_id=ids("ce").upper()) == "ce"
    assert await found(starts_after=asked["d"]["start_timestamp"]) == "ef"
    assert await found(starts_after="2035-03-01T20:59:59+01:00") == "cdef"[1:]
    assert await found(starts_after="2040-01-01T00:00:00Z") == ""
    assert (
        await found(
            device_id=f"{uuid[LIGHT]},{uuid[PUMP]}",
            field_name="mix_red",
            status="PLANNED",
            starts_after="2035-03-01T00:00:00Z",
            action_id=ids("abcdef"),
        )
        == "e"
    )
    assert await found(device_id=uuid[LIGHT], status="FAILED", field_name="level") == ""


@pytest.mark.parametrize(("query", "key", "field"), BAD)
async def test_a_wrong_filter_is_400(
    rest: Rest, query: dict[str, str], key: str, field: str
) -> None:
    """R-T42, R-T44: the field is named."""
    assert (await rest.get(PATH, **query)).error == (400, key, field)


async def test_a_filter_is_given_once(rest: Rest) -> None:
    """Which of two would count nobody can tell."""
    answer = await rest.ask("GET", f"{PATH}?status=FAILED&status=PLANNED")

    assert answer.error == (400, "duplicate", "status")


async def test_pages(hass: HomeAssistant, rest: Rest) -> None:
    """R-T33: 250 rows are three pages; `next` keeps the filters, the last one is null."""
    items = [action(hass, start=3600 + number) for number in range(250)]
    other = action(hass, SKIMMER, start=3600)
    await rest.post(PATH, {"actions": [*items, other]})
    device = items[0]["device_id"]
    seen: list[str] = []
    query = {"device_id": device, "status": "PLANNED"}
    sizes = []
    while True:
        page = (await rest.get(PATH, **query)).body
        assert page["count"] == 250
        sizes.append(len(page["results"]))
        seen += [one["action_id"] for one in page["results"]]
        if page["next"] is None:
            break
        following = URL(page["next"])
        assert following.path == f"/api/aquarist{PATH}"
        assert following.is_absolute()
        query = dict(following.query)
        assert (query["device_id"], query["status"]) == (device, "PLANNED")

    assert sizes == [100, 100, 50]
    assert set(seen) == {one["action_id"] for one in items}
    assert len(set(seen)) == 250


async def test_sizes_of_pages(hass: HomeAssistant, rest: Rest) -> None:
    """R-T33: up to a thousand; a page after the last is empty, and nothing is skipped."""
    items = [action(hass, start=3600 + number) for number in range(3)]
    await rest.post(PATH, {"actions": items})

    everything = (await rest.get(PATH, page_size="1000")).body
    assert (everything["count"], everything["next"]) == (3, None)
    assert [one["action_id"] for one in everything["results"]] == [
        one["action_id"] for one in reversed(items)
    ]
    second = (await rest.get(PATH, page="2", page_size="2")).body
    assert (len(second["results"]), second["next"]) == (1, None)
    exact = (await rest.get(PATH, page="3", page_size="1")).body
    assert exact["next"] is None
    beyond = (await rest.get(PATH, page="1000000000", page_size="1000")).body
    assert beyond == {"count": 3, "next": None, "results": []}


async def test_a_signed_address_does_not_hand_its_signature_on(
    hass: HomeAssistant, rest: Rest
) -> None:
    """`next` is for whoever has a token."""
    items = [action(hass, start=3600 + number) for number in range(3)]
    await rest.post(PATH, {"actions": items})
    signed = async_sign_path(
        hass,
        f"/api/aquarist{PATH}?page_size=2",
        timedelta(minutes=1),
    )
    answer = await rest.ask("GET", signed.removeprefix("/api/aquarist"))

    assert dict(URL(answer.body["next"]).query) == {"page_size": "2", "page": "2"}


async def test_actions_of_a_device_out_of_use_are_told(
    hass: HomeAssistant, rest: Rest
) -> None:
    """With the id that it had; what it still held has ended."""
    asked = action(hass, start=3600)
    await rest.post(PATH, asked)
    await retired(hass, PUMP)

    page = (await rest.get(PATH, device_id=asked["device_id"])).body
    assert page["count"] == 1
    (found,) = page["results"]
    assert found["device_id"] == asked["device_id"]
    assert found["error"]["error_key"] == "canceled"
