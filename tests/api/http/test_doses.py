"""The dose ledger over REST."""

from homeassistant.core import HomeAssistant
import pytest

from tests.aquarium import device_named, engine_of

from .rest import DOSER, PUMP, Rest, commands_of


async def test_the_newest_doses_come_first(hass: HomeAssistant, rest: Rest) -> None:
    """Of one head, page by page."""
    uuid = device_named(hass, DOSER).row.uuid
    for volume in (0.5, 1.5):
        body = {
            "action": "dose",
            "args": {"head_index": 1, "volume_ml": volume},
            "execution": "sync",
        }
        assert (await rest.post(commands_of(hass, DOSER), body)).status == 200

    query = {"device_id": uuid, "head_index": "1", "limit": "1"}
    page = (await rest.get("/doses", **query)).body
    assert [one["volume_ml"] for one in page["doses"]] == [1.5]
    assert page["doses"][0]["state"] == "given"
    page = (await rest.get("/doses", **query, before=page["next_before"])).body
    assert [one["volume_ml"] for one in page["doses"]] == [0.5]
    page = (await rest.get("/doses", **query, before=page["next_before"])).body
    assert page == {"doses": [], "next_before": None}
    other = await rest.get("/doses", device_id=uuid, head_index="0")
    assert other.body == {"doses": [], "next_before": None}


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"head_index": "0"}, (422, "schedule_missing", "device_id")),
        ({"device_id": PUMP}, (422, "schedule_missing", "head_index")),
        (
            {"device_id": PUMP, "head_index": "8"},
            (422, "schedule_out_of_range", "head_index"),
        ),
        (
            {"device_id": "no", "head_index": "0"},
            (404, "device_not_found", "device_id"),
        ),
    ],
)
async def test_a_wrong_question_is_refused(
    rest: Rest, query: dict[str, str], error: tuple[int, str, str]
) -> None:
    """The field is named."""
    assert (await rest.get("/doses", **query)).error == error


async def test_without_a_store_it_says_so(hass: HomeAssistant, rest: Rest) -> None:
    """503: it is not the caller's fault."""
    engine = engine_of(hass)
    database, engine.database = engine.database, None
    uuid = device_named(hass, DOSER).row.uuid
    answer = await rest.get("/doses", device_id=uuid, head_index="0")
    engine.database = database

    assert answer.error == (503, "store_locked", None)
