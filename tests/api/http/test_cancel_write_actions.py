"""Calling write actions off (R-T31, RES-26)."""

from uuid import uuid4

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.api import write_action_requests
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.errors import EngineError
from tests.aquarium import engine_of, heard
from tests.store.gate import refusing

from .rest import PUMP, Answered, Rest, level, pump, retired
from .write_actions import PATH, action, in_phase, one, why

CANCEL = f"{PATH}/cancel"


async def cancel(rest: Rest, *ids: object) -> Answered:
    """Call actions off."""
    return await rest.ask("PUT", CANCEL, json={"action_ids": list(ids)})


async def test_what_has_not_begun_never_begins(hass: HomeAssistant, rest: Rest) -> None:
    """R-T31, RES-26: FAILED with `canceled`, at once, and the device hears nothing."""
    items = [action(hass, start=3600), action(hass, start=7200)]
    await rest.post(PATH, {"actions": items})
    ids = [item["action_id"] for item in items]
    answer = await cancel(rest, ids[0].upper(), ids[0], ids[1])

    assert answer.status == 200
    assert answer.body == {"canceled_count": 2, "errors": []}
    for known in ids:
        assert why(await one(rest, known))[0] == "canceled"
    assert engine_of(hass).records.open == ()


async def test_each_error_names_its_action(hass: HomeAssistant, rest: Rest) -> None:
    """Unknown, begun, ended: the others are called off."""
    running, planned, gone = (action(hass, start=at) for at in (-60, 3600, 7200))
    async with heard(hass, in_phase(Phase.IN_FORCE, running["action_id"])):
        await rest.post(PATH, {"actions": [running, planned, gone]})
    await cancel(rest, gone["action_id"])
    unknown = str(uuid4())
    answer = await cancel(
        rest,
        unknown,
        running["action_id"],
        gone["action_id"],
        planned["action_id"],
        "no uuid",
    )

    assert answer.body["canceled_count"] == 1
    errors = {error["action_id"]: error for error in answer.body["errors"]}
    assert set(errors) == {
        unknown,
        running["action_id"],
        gone["action_id"],
        "no uuid",
    }
    for missing in (unknown, "no uuid"):
        assert errors[missing]["error_key"] == "action_not_found"
        assert errors[missing]["error_details"] == {"action_id": missing}
    for asked in (running, gone):
        error = errors[asked["action_id"]]
        assert error["error_key"] == "action_already_executed"
        assert error["error_details"]["reason"] == "action_already_executed"
        assert asked["action_id"] in error["error_message"]
    assert (await one(rest, running["action_id"]))["status"] == "NEW_VALUE_SET"
    assert level(hass) == 25


async def test_one_that_cannot_begin_can_be_called_off(
    hass: HomeAssistant, rest: Rest
) -> None:
    """It says PLANNED for as long as its device is away."""
    asked = action(hass)
    pump(hass).available = False
    await rest.post(PATH, asked)
    answer = await cancel(rest, asked["action_id"])

    assert answer.body["canceled_count"] == 1
    pump(hass).available = True
    await hass.async_block_till_done()
    assert level(hass) == 80


async def test_one_that_is_being_tried_can_be_called_off(
    hass: HomeAssistant, rest: Rest
) -> None:
    """What may have arrived is brought back, and then it has failed."""
    asked = action(hass)
    for _ in range(2):
        pump(hass).fail_next(DeviceError("service_failed", transient=True))
    async with heard(hass, in_phase(Phase.APPLYING, asked["action_id"])):
        await rest.post(PATH, asked)
    await hass.async_block_till_done()
    assert (await one(rest, asked["action_id"]))["status"] == "PLANNED"
    async with heard(hass, in_phase(Phase.STOPPED, asked["action_id"])):
        answer = await cancel(rest, asked["action_id"])

    assert answer.body["canceled_count"] == 1
    assert why(await one(rest, asked["action_id"]))[0] == "canceled"
    assert level(hass) == 80


async def test_nothing_to_call_off(rest: Rest) -> None:
    """An empty list is no mistake."""
    assert (await cancel(rest)).body == {"canceled_count": 0, "errors": []}


@pytest.mark.parametrize(
    ("body", "key", "field"),
    [
        ({}, "missing", "action_ids"),
        ({"action_ids": "one"}, "wrong_type", "action_ids"),
        ({"action_ids": [5]}, "wrong_type", "action_ids"),
        ({"action_ids": [" "]}, "empty", "action_ids"),
        ({"action_ids": ["x"] * 1001}, "too_many", "action_ids"),
        ({"ids": []}, "unknown_field", "ids"),
        ({"action_ids": [], "more": 1}, "unknown_field", "more"),
    ],
)
async def test_a_wrong_body_is_400(
    rest: Rest, body: object, key: str, field: str
) -> None:
    """The field is named."""
    answer = await rest.ask("PUT", CANCEL, json=body)

    assert answer.error == (400, key, field)


async def test_an_action_of_a_device_out_of_use_has_ended(
    hass: HomeAssistant, rest: Rest
) -> None:
    """There is nothing to call off any more."""
    asked = action(hass, start=3600)
    await rest.post(PATH, asked)
    await retired(hass, PUMP)
    answer = await cancel(rest, asked["action_id"])

    assert answer.body["errors"][0]["error_key"] == "action_already_executed"


async def test_what_cannot_be_written_down_is_not_called_off(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 2: what is acknowledged is on disk."""
    asked = action(hass, start=3600)
    await rest.post(PATH, asked)
    engine = engine_of(hass)
    with monkeypatch.context() as trouble:
        trouble.setattr(write_action_requests, "LONGEST_CANCEL", 0.05)
        trouble.setattr(engine.journal, "record", lambda *_: None)
        trouble.setattr(engine, "store_trouble", "store_full")
        answer = await cancel(rest, asked["action_id"])

    assert answer.body["canceled_count"] == 0
    assert answer.body["errors"][0]["error_key"] == "store_full"


async def test_what_is_not_written_down_yet_hides_no_other_error(
    hass: HomeAssistant, rest: Rest
) -> None:
    """Each error names its action, also that of a store which takes nothing."""
    asked = action(hass, start=3600)
    await rest.post(PATH, asked)
    unknown = str(uuid4())
    async with refusing(engine_of(hass).journal):
        answer = await cancel(rest, unknown, asked["action_id"])

    assert (answer.status, answer.body["canceled_count"]) == (200, 0)
    keys = {one["action_id"]: one["error_key"] for one in answer.body["errors"]}
    assert keys == {unknown: "action_not_found", asked["action_id"]: "store_owes"}
    assert why(await one(rest, asked["action_id"]))[0] == "canceled"


async def test_one_that_begins_in_that_moment(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine has the last word."""
    asked = action(hass, start=3600)
    await rest.post(PATH, asked)

    async def running(command: object) -> None:
        raise EngineError("command_is_running", id=asked["action_id"])

    monkeypatch.setattr(engine_of(hass), "cancel", running)
    (error,) = (await cancel(rest, asked["action_id"])).body["errors"]

    assert error["error_key"] == "action_already_executed"
