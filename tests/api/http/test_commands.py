"""Device commands over REST: R-C1 to R-C9, R-C40 to R-C54, RES-42 to 47, 64 and 77."""

import asyncio
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.api import command_requests
from custom_components.aquarist.devices.errors import DeviceError
from tests.aquarium import device_named, engine_of

from .rest import DOSER, LEVEL, PUMP, SKIMMER, Rest, commands_of, level, pump

SYNC = LEVEL | {"execution": "sync"}


def held(monkeypatch: pytest.MonkeyPatch, hass: HomeAssistant) -> asyncio.Event:
    """Let the return pump wait with what it is told until the event is set."""
    go_on, port = asyncio.Event(), pump(hass)
    apply = port.apply

    async def slow(settings: Any) -> None:
        await go_on.wait()
        await apply(settings)

    monkeypatch.setattr(port, "apply", slow)
    return go_on


async def test_a_queued_command_is_answered_at_once(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-C20: pending, it does not wait for the device; RES-47: times are epoch seconds."""
    go_on = held(monkeypatch, hass)
    answer = await rest.post(commands_of(hass, PUMP), LEVEL | {"id": "one"})

    assert answer.status == 200
    assert answer.body["id"] == "one"
    assert (answer.body["status"], answer.body["attempts"]) == ("pending", 0)
    assert answer.body["started_at"] is None
    again = await rest.post(commands_of(hass, PUMP), LEVEL | {"id": "one"})
    assert (again.status, again.body["status"]) == (200, "running")
    assert isinstance(answer.body["created_at"], float)
    assert answer.body["completed_at"] is None
    go_on.set()
    command = await engine_of(hass).history.command(device_named(hass, PUMP), "one")
    assert command is not None
    await engine_of(hass).finished(command)
    assert level(hass) == 30


async def test_a_synchronous_command_is_answered_with_its_end(
    hass: HomeAssistant, rest: Rest, hass_admin_user: Any
) -> None:
    """RES-42; R-C63: who asked, from where."""
    answer = await rest.post(commands_of(hass, PUMP), SYNC)

    assert answer.status == 200
    assert answer.body["status"] == "success"
    assert answer.body["attempts"] == 1
    assert answer.body["source"] == "rest"
    assert answer.body["user"] is not None
    assert answer.body["context"] is not None
    assert level(hass) == 30


async def test_one_that_failed_is_200(hass: HomeAssistant, rest: Rest) -> None:
    """RES-43: it was carried out, and its record says how it ended."""
    pump(hass).fail_next(DeviceError("service_failed", transient=False))
    answer = await rest.post(commands_of(hass, PUMP), SYNC)

    assert answer.status == 200
    assert answer.body["status"] == "failed"
    assert answer.body["error"] == "service_failed"


async def test_one_that_reached_nobody_is_404_with_its_record(
    hass: HomeAssistant, rest: Rest
) -> None:
    """RES-64, RES-77: unreachable is not found."""
    pump(hass).fail_next(DeviceError("out_of_range", transient=False))
    answer = await rest.post(commands_of(hass, PUMP), SYNC)

    assert answer.status == 404
    assert answer.body["status"] == "failed"
    assert answer.body["error"] == "out_of_range"


async def test_one_that_timed_out_is_504_with_its_record(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RES-43: the body carries the record."""
    go_on = held(monkeypatch, hass)
    answer = await rest.post(commands_of(hass, PUMP), SYNC | {"timeout": 1})
    go_on.set()

    assert answer.status == 504
    assert answer.body["status"] == "timed_out"


async def test_what_takes_too_long_is_answered_as_it_is(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer is waited for longer than that."""
    monkeypatch.setattr(command_requests, "LONGEST_WAIT", 0.05)
    go_on = held(monkeypatch, hass)
    answer = await rest.post(commands_of(hass, PUMP), SYNC)
    go_on.set()

    assert answer.status == 200
    assert answer.body["status"] == "running"


async def test_a_busy_device_is_409_for_who_waits(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-C3; the same command again is not something else."""
    go_on = held(monkeypatch, hass)
    await rest.post(commands_of(hass, PUMP), LEVEL | {"id": "first"})
    answer = await rest.post(commands_of(hass, PUMP), SYNC | {"id": "second"})
    again = asyncio.create_task(
        rest.post(commands_of(hass, PUMP), SYNC | {"id": "first"})
    )
    await asyncio.sleep(0)
    go_on.set()

    assert answer.error == (409, "device_busy", None)
    assert (await again).body["status"] == "success"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"action": "fly"}, (422, "unknown_action", "action")),
        ({"args": {"level": 101}}, (422, "value_out_of_bounds", "level")),
        ({"args": {"level": 30, "colour": 1}}, (422, "unknown_argument", "colour")),
        ({"id": "a\tb"}, (422, "invalid_id", "id")),
    ],
)
async def test_a_busy_device_does_not_hide_what_is_wrong(
    hass: HomeAssistant,
    rest: Rest,
    monkeypatch: pytest.MonkeyPatch,
    body: dict[str, Any],
    error: tuple[int, str, str],
) -> None:
    """Trying again in a moment would not help."""
    go_on = held(monkeypatch, hass)
    await rest.post(commands_of(hass, PUMP), LEVEL | {"id": "first"})
    answer = await rest.post(commands_of(hass, PUMP), SYNC | body)
    go_on.set()

    assert answer.error == error


async def test_a_busy_device_repeats_what_it_has_done(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RES-44: a known id is answered with its record, whatever is being done now."""
    done = await rest.post(commands_of(hass, PUMP), SYNC | {"id": "done"})
    go_on = held(monkeypatch, hass)
    other = {"action": "set_level", "args": {"level": 40}, "id": "running"}
    await rest.post(commands_of(hass, PUMP), other)
    again = await rest.post(commands_of(hass, PUMP), SYNC | {"id": "done"})
    go_on.set()

    assert (again.status, again.body) == (200, done.body)


async def test_two_posts_at_once_are_one_dose(hass: HomeAssistant, rest: Rest) -> None:
    """R-C50: the same id at the same time arrives once, and later is answered again."""
    body = {
        "action": "dose",
        "args": {"head_index": 0, "volume_ml": 1.5},
        "id": "iron",
        "execution": "sync",
    }
    path = commands_of(hass, DOSER)
    first, second = await asyncio.gather(rest.post(path, body), rest.post(path, body))
    third = await rest.post(path, body)

    assert (first.status, first.body["status"]) == (200, "success")
    assert first.body == second.body == third.body
    doses = await rest.get(
        "/doses", device_id=device_named(hass, DOSER).row.uuid, head_index="0"
    )
    assert [one["volume_ml"] for one in doses.body["doses"]] == [1.5]


async def test_an_id_is_not_used_for_something_else(
    hass: HomeAssistant, rest: Rest
) -> None:
    """RES-44: 409."""
    path = commands_of(hass, PUMP)
    await rest.post(path, SYNC | {"id": "one"})
    other = SYNC | {"id": "one", "args": {"level": 31}}

    assert (await rest.post(path, other)).error == (409, "id_conflict", "id")
    assert level(hass) == 30


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "fly"}, "action"),
        ({"action": "set_level"}, "level"),
        ({"action": "set_level", "args": {"level": 101}}, "level"),
        ({"action": "set_level", "args": {"level": "30"}}, "level"),
        ({"action": "set_level", "args": [30]}, "args"),
        ({"action": "turn_on", "args": {"level": 1}}, "level"),
        ({"action": "turn_on", "timeout": 0.5}, "timeout"),
        ({"action": "turn_on", "execution": "soon"}, "execution"),
        ({"action": "turn_on", "scheduled_at": "2026-03-01T08:00:00"}, "scheduled_at"),
        ({"action": "turn_on", "scheduled_at": True}, "scheduled_at"),
        ({"action": "turn_on", "confirm": "yes"}, "confirm"),
    ],
)
async def test_wrong_arguments_are_422(
    hass: HomeAssistant, rest: Rest, body: dict[str, Any], field: str
) -> None:
    """R-C42 to R-C49: the field is named, nothing is stored and no device is touched."""
    answer = await rest.post(commands_of(hass, PUMP), body)

    assert answer.status == 422
    assert answer.error[2] == field
    assert (await rest.get(commands_of(hass, PUMP))).body["commands"] == []
    assert level(hass) == 80


async def test_a_dose_above_the_budget_is_422(hass: HomeAssistant, rest: Rest) -> None:
    """Law 5: it says which limit, and how much is left."""
    body = {"action": "dose", "args": {"head_index": 0, "volume_ml": 500}}
    answer = await rest.post(commands_of(hass, DOSER), body)

    assert answer.status == 422
    assert answer.body["error_key"].startswith("refused_budget_24h")
    details = answer.body["error_details"]
    assert details["allowed"] == "100"
    assert "frees_at" not in details
    assert "-" not in details.values()
    await engine_of(hass).journal.commit(lambda connection: None)
    (record,) = (await rest.get(commands_of(hass, DOSER))).body["commands"]
    assert "frees_at" not in record["error_details"]
    assert "-" not in record["error_details"].values()


async def test_when_a_limit_frees_is_an_instant_like_all_others(
    hass: HomeAssistant, rest: Rest
) -> None:
    """ISO 8601 in UTC for programs; the sentence has the house's time."""
    await hass.config.async_set_time_zone("Asia/Tokyo")
    body = {"action": "dose", "args": {"head_index": 0, "volume_ml": 2}}
    answer = await rest.post(commands_of(hass, DOSER), body | {"execution": "sync"})
    assert answer.body["status"] == "success"
    (dose,) = engine_of(hass).gate.doses(device_named(hass, DOSER).row.number, 0)
    body = {"action": "dose", "args": {"head_index": 0, "volume_ml": 99}}
    answer = await rest.post(commands_of(hass, DOSER), body)

    frees_at = dose.at + timedelta(hours=24)
    assert answer.status == 422
    assert answer.body["error_details"]["frees_at"] == frees_at.isoformat()
    minute = frees_at + timedelta(minutes=1, microseconds=-1)
    local = f"{minute.astimezone(ZoneInfo('Asia/Tokyo')):%Y-%m-%d %H:%M}"
    assert local in answer.body["error_message"]


async def test_a_refused_dose_is_in_the_records(
    hass: HomeAssistant, rest: Rest
) -> None:
    """RES-57: with the reason; its id can still be used."""
    body = {
        "action": "dose",
        "args": {"head_index": 0, "volume_ml": 500},
        "id": "iron",
    }
    for _ in range(2):
        assert (await rest.post(commands_of(hass, DOSER), body)).status == 422
    await engine_of(hass).journal.commit(lambda connection: None)

    for path in (commands_of(hass, DOSER), "/commands/export"):
        found = (await rest.get(path)).body
        records = found["commands"] if isinstance(found, dict) else found
        assert [one["status"] for one in records] == ["failed", "failed"]
        for record in records:
            assert record["id"] != "iron"
            assert record["error_code"] == "safety_refused"
            assert record["error"].startswith("refused_budget_24h")
            assert record["error_details"]["asked_id"] == "iron"
            assert record["error_details"]["limit"] == "budget_24h"
            assert (record["attempts"], record["user"] is None) == (0, False)
    fits = body | {"args": {"head_index": 0, "volume_ml": 1}, "execution": "sync"}
    assert (await rest.post(commands_of(hass, DOSER), fits)).body["id"] == "iron"


async def test_too_many_are_429(hass: HomeAssistant, rest: Rest) -> None:
    """R-C55: with when to try again; a known id and other devices are answered."""
    path = commands_of(hass, PUMP)
    await rest.ask("PATCH", "/v1/settings", json={"rate_limit": 2})
    for number in range(2):
        assert (await rest.post(path, SYNC | {"id": f"{number}"})).status == 200

    answer = await rest.post(path, SYNC)
    assert answer.error == (429, "rate_limited", None)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert (await rest.post(path, SYNC | {"id": "0"})).status == 200
    assert (await rest.post(commands_of(hass, SKIMMER), SYNC)).status == 200


@pytest.mark.parametrize("form", ["upper", "lower"])
async def test_a_device_is_named_by_address_or_uuid(
    hass: HomeAssistant, rest: Rest, form: str
) -> None:
    """In capitals or not."""
    device = device_named(hass, DOSER)
    assert device.row.address is not None
    for name in (device.row.address, device.row.uuid):
        path = f"/devices/{getattr(name, form)()}/commands"
        answer = await rest.post(path, {"action": "request_status"})
        assert answer.status == 200
        assert answer.body["address"] == device.row.address


async def test_an_unknown_device_is_404(rest: Rest) -> None:
    """R-C3; it names the part of the path."""
    answer = await rest.post("/devices/02:00:00:00:00:00/commands", LEVEL)

    assert answer.error == (404, "device_not_found", "address")


async def test_the_newest_commands_come_first_page_by_page(
    hass: HomeAssistant, rest: Rest
) -> None:
    """R-C4, R-C53: 20 unless asked for otherwise."""
    path = commands_of(hass, PUMP)
    for number in range(3):
        await rest.post(path, SYNC | {"id": f"{number}"})
    await rest.post(commands_of(hass, SKIMMER), SYNC | {"id": "other"})

    page = (await rest.get(path, limit="2")).body
    assert [one["id"] for one in page["commands"]] == ["2", "1"]
    rest_of_it = (await rest.get(path, limit="2", before=str(page["next_before"]))).body
    assert [one["id"] for one in rest_of_it["commands"]] == ["0"]
    assert rest_of_it["next_before"] is None


async def test_one_command_is_looked_up(hass: HomeAssistant, rest: Rest) -> None:
    """R-C4: by its id at its device."""
    sent = await rest.post(commands_of(hass, PUMP), SYNC | {"id": "one"})

    assert (await rest.get(commands_of(hass, PUMP, "one"))).body == sent.body
    for path in (commands_of(hass, SKIMMER, "one"), commands_of(hass, PUMP, "two")):
        assert (await rest.get(path)).error == (404, "command_not_found", "id")


async def test_what_waits_is_cancelled_and_never_done(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-C54: what runs, or has ended, is 409; the order of the others stays."""
    go_on = held(monkeypatch, hass)
    path = commands_of(hass, PUMP)
    for name, value in (("runs", 10), ("waits", 20), ("next", 30)):
        await rest.post(
            path, {"action": "set_level", "args": {"level": value}, "id": name}
        )

    waiting = await rest.ask("DELETE", commands_of(hass, PUMP, "waits"))
    assert (waiting.status, waiting.body["status"]) == (200, "cancelled")
    running = await rest.ask("DELETE", commands_of(hass, PUMP, "runs"))
    assert running.error == (409, "command_is_running", None)
    go_on.set()
    last = await engine_of(hass).history.command(device_named(hass, PUMP), "next")
    assert last is not None
    await engine_of(hass).finished(last)
    for name in ("runs", "waits"):
        ended = await rest.ask("DELETE", commands_of(hass, PUMP, name))
        assert ended.error == (409, "command_is_final", None)
    assert level(hass) == 30


async def test_a_command_is_sent_once_more(hass: HomeAssistant, rest: Rest) -> None:
    """R-C35: a new id, the same arguments."""
    first = await rest.post(commands_of(hass, PUMP), SYNC | {"id": "one"})
    again = await rest.post(commands_of(hass, PUMP, "one", "rerun"), None)

    assert again.status == 200
    assert again.body["id"] != "one"
    assert again.body["status"] == "pending"
    for key in ("action", "args", "timeout", "device_id"):
        assert again.body[key] == first.body[key]


async def test_what_destroys_is_repeated_when_that_is_confirmed(
    hass: HomeAssistant, rest: Rest
) -> None:
    """R-C13, R-C35: once is not for ever."""
    erase = {"action": "reset_head", "args": {"head_index": 0}, "id": "erase"}
    sent = await rest.post(commands_of(hass, DOSER), erase | {"confirm": True})
    assert sent.status == 200
    path = commands_of(hass, DOSER, "erase", "rerun")

    for body in (None, {}, {"confirm": False}):
        answer = await rest.post(path, body)
        assert answer.error == (422, "confirmation_needed", "confirm")
    assert (await rest.post(path, {"sure": True})).error[2] == "sure"
    again = await rest.post(path, {"confirm": True})
    assert (again.status, again.body["retry_of"]) == (200, "erase")
    assert again.body["args"] == {"head_index": 0}


async def test_a_queued_command_that_has_failed_is_200_again(
    hass: HomeAssistant, rest: Rest
) -> None:
    """RES-42: only who waits is answered with the status of the end."""
    pump(hass).fail_next(DeviceError("out_of_range", transient=False))
    body = LEVEL | {"id": "one"}
    assert (await rest.post(commands_of(hass, PUMP), body | SYNC)).status == 404
    again = await rest.post(commands_of(hass, PUMP), body)

    assert (again.status, again.body["status"]) == (200, "failed")


async def test_a_command_begins_later(hass: HomeAssistant, rest: Rest) -> None:
    """R-C30, RES-72: epoch seconds or text; it cannot be waited for."""
    path = commands_of(hass, PUMP)
    soon = engine_of(hass).clock.now().timestamp() + 600
    answer = await rest.post(path, LEVEL | {"scheduled_at": soon})
    assert answer.status == 200
    assert answer.body["status"] == "pending"
    assert answer.body["scheduled_at"] == pytest.approx(soon)

    waiting = await rest.post(path, SYNC | {"scheduled_at": soon})
    assert waiting.error == (422, "not_synchronous", "execution")


async def test_what_destroys_needs_to_be_confirmed(
    hass: HomeAssistant, rest: Rest
) -> None:
    """R-C13, RES-70: without it nothing is done."""
    body = {"action": "reset_head", "args": {"head_index": 0}}
    answer = await rest.post(commands_of(hass, DOSER), body)

    assert answer.error == (422, "confirmation_needed", "confirm")
