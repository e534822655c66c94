"""The services, called as automations and users call them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
import re
from typing import Any
from uuid import uuid4

from homeassistant.auth.models import User
from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant, ServiceResponse
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
    UnknownUser,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.aquarist.commands.command import ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.simulated import SimulatedPump
from custom_components.aquarist.dosing.ledger import DoseState
from custom_components.aquarist.engine.changes import (
    Change,
    CommandChanged,
    DoseChanged,
)
from custom_components.aquarist.store.errors import StoreError

from .aquarium import (
    ENTRY,
    aquarium,
    device_named,
    engine_of,
    entity_of,
    heard,
    subentry,
)
from .conftest import NIGHT

PUMP = "Return pump"
DOSER = "Demo doser"


@pytest.fixture
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up, with the entities that rights are checked on."""
    platforms = (Platform.NUMBER, Platform.SWITCH, Platform.LIGHT)
    async with aquarium(hass, tmp_path, *platforms, demo=True):
        yield


async def called(
    hass: HomeAssistant,
    service: str,
    data: dict[str, Any],
    *,
    context: Context | None = None,
    response: bool = True,
) -> ServiceResponse:
    """Call a service and return what it answers."""
    return await hass.services.async_call(
        DOMAIN,
        service,
        data,
        blocking=True,
        context=context,
        return_response=response,
    )


async def refusal(
    hass: HomeAssistant,
    service: str,
    data: dict[str, Any],
    kind: type[HomeAssistantError] = ServiceValidationError,
) -> tuple[str | None, str | None]:
    """Return the key of a refusal and the field it names; nothing was stored or sent.

    But for the record of what a limit refused (RES-57).
    """
    stored = await everything(hass)
    heard_changes: list[Change] = []
    leave = engine_of(hass).listen(heard_changes.append)
    with pytest.raises(kind) as caught:
        await called(hass, service, data, response=service != "delete_schedule")
    leave()
    assert await everything(hass) == stored
    assert [change for change in heard_changes if not _is_refusal(change)] == []
    assert caught.value.translation_domain == DOMAIN
    return (
        caught.value.translation_key,
        (caught.value.translation_placeholders or {}).get("field"),
    )


def _is_refusal(change: Change) -> bool:
    """Return whether a change is the record of what a limit refused."""
    return (
        isinstance(change, CommandChanged)
        and change.command.error_code == ErrorCode.SAFETY_REFUSED
    )


async def everything(hass: HomeAssistant) -> list[Any]:
    """Return every row that a request could make, once what is on its way is written.

    The record of what a limit refused is left out.
    """
    engine = engine_of(hass)
    assert engine.database is not None
    with suppress(StoreError):
        await engine.journal.commit(lambda connection: None)
    kept = "command WHERE error_code IS NOT 'safety_refused'"
    return await engine.database.read(
        lambda connection: [
            connection.execute(f"SELECT * FROM {rows}").fetchall()  # noqa: S608
            for rows in (kept, "dose", "schedule", "occurrence", "resting")
        ]
    )


def pump(hass: HomeAssistant) -> SimulatedPump:
    """Return the demo aquarium's return pump."""
    found = device_named(hass, PUMP).device
    assert isinstance(found, SimulatedPump)
    return found


def level(hass: HomeAssistant) -> Any:
    """Return what the return pump really does."""
    return (pump(hass).observed("level") or {})["level"]


def uuid_of(hass: HomeAssistant, name: str) -> str:
    """Return the id of a device."""
    return device_named(hass, name).row.uuid


def in_phase(phase: Phase, command_id: str) -> Any:
    """Return what tells a command's arrival in a phase."""
    return lambda change: (
        isinstance(change, CommandChanged)
        and change.command.id == command_id
        and change.command.phase is phase
    )


async def test_services_are_there_without_an_entry(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """They are registered with the integration, and say what is missing."""
    hass.config.config_dir = str(tmp_path)
    assert await async_setup_component(hass, DOMAIN, {})

    with pytest.raises(ServiceValidationError) as caught:
        await called(hass, "send_command", {"device_id": 1, "action": "turn_on"})
    assert caught.value.translation_key == "device_not_found"


@pytest.mark.usefixtures("demo")
async def test_a_command_is_queued_and_answered_with_its_record(
    hass: HomeAssistant,
) -> None:
    """RES-42: the answer does not wait for the device; R-C5: the keys of a record."""
    async with heard(hass, in_phase(Phase.COMPLETED, "feed-1")):
        record = await called(
            hass,
            "send_command",
            {
                "device_id": uuid_of(hass, PUMP),
                "action": "set_level",
                "args": {"level": 30},
                "id": "feed-1",
                "timeout": 5,
            },
        )
    assert record is not None
    assert record["id"] == "feed-1"
    assert record["status"] in ("pending", "running")
    assert record["args"] == {"level": 30}
    assert record["timeout"] == 5
    assert record["device_id"] == uuid_of(hass, PUMP)
    assert record["address"] is None
    assert record["completed_at"] is None
    assert isinstance(record["created_at"], float)
    assert level(hass) == 30


@pytest.mark.usefixtures("demo")
async def test_without_an_id_one_is_made(hass: HomeAssistant) -> None:
    """R-C15: 32 hexadecimal characters."""
    data = {
        "device_id": uuid_of(hass, PUMP),
        "action": "request_status",
        "execution": "sync",
    }
    record = await called(hass, "send_command", data)

    assert record is not None
    assert re.fullmatch("[0-9a-f]{32}", str(record["id"]))


@pytest.mark.usefixtures("demo")
async def test_a_synchronous_command_waits_for_its_end(hass: HomeAssistant) -> None:
    """RES-42: the answer is the record as it ended."""
    record = await called(
        hass,
        "send_command",
        {
            "device_id": uuid_of(hass, PUMP),
            "action": "set_level",
            "args": {"level": 45},
            "execution": "sync",
        },
    )
    assert record is not None
    assert record["status"] == "success"
    assert record["completed_at"] is not None
    assert level(hass) == 45


@pytest.mark.usefixtures("demo")
async def test_a_synchronous_command_that_fails_is_an_error(
    hass: HomeAssistant,
) -> None:
    """Whoever waits must not go on as if all were well."""
    pump(hass).fail_next(DeviceError("service_failed", transient=False))
    with pytest.raises(HomeAssistantError) as caught:
        await called(
            hass,
            "send_command",
            {
                "device_id": uuid_of(hass, PUMP),
                "action": "set_level",
                "args": {"level": 45},
                "execution": "sync",
            },
        )
    assert caught.value.translation_key == "device_service_failed"
    assert not isinstance(caught.value, ServiceValidationError)


@pytest.mark.usefixtures("demo")
async def test_a_synchronous_command_is_refused_while_the_device_is_busy(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-C3: busy. A queued one waits for its turn."""
    go_on, begun = asyncio.Event(), asyncio.Event()
    port = pump(hass)
    apply = port.apply

    async def slow(settings: Any) -> None:
        begun.set()
        await go_on.wait()
        await apply(settings)

    monkeypatch.setattr(port, "apply", slow)
    common = {"device_id": uuid_of(hass, PUMP), "action": "set_level"}
    await called(hass, "send_command", {**common, "args": {"level": 10}, "id": "first"})
    await begun.wait()

    with pytest.raises(ServiceValidationError) as caught:
        await called(
            hass,
            "send_command",
            {**common, "args": {"level": 20}, "execution": "sync"},
        )
    assert caught.value.translation_key == "device_busy"

    again = asyncio.create_task(
        called(
            hass,
            "send_command",
            {**common, "args": {"level": 10}, "id": "first", "execution": "sync"},
        )
    )
    async with heard(hass, in_phase(Phase.COMPLETED, "second")):
        await called(
            hass, "send_command", {**common, "args": {"level": 20}, "id": "second"}
        )
        go_on.set()
    record = await again
    assert record is not None
    assert record["status"] == "success"
    assert level(hass) == 20


@pytest.mark.usefixtures("demo")
async def test_the_same_id_is_carried_out_once(hass: HomeAssistant) -> None:
    """R-C50: two calls at the same time, one dose."""
    data = {
        "device_id": uuid_of(hass, DOSER),
        "action": "dose",
        "args": {"head_index": 0, "volume_ml": 1.5},
        "id": "iron",
        "execution": "sync",
    }
    first, second = await asyncio.gather(
        called(hass, "send_command", data), called(hass, "send_command", data)
    )
    third = await called(hass, "send_command", data)

    assert first == second == third
    assert first is not None and first["status"] == "success"
    engine = engine_of(hass)
    number = device_named(hass, DOSER).row.number
    assert engine.gate.given(number, 0, engine.clock.now()) == 1500
    assert len(await engine.history.recent(device_named(hass, DOSER), 10)) == 1


@pytest.mark.usefixtures("demo")
async def test_an_id_is_not_used_for_something_else(hass: HomeAssistant) -> None:
    """RES-44: the stored one stays as it is."""
    data = {"device_id": uuid_of(hass, PUMP), "action": "set_level", "id": "one"}
    await called(
        hass, "send_command", {**data, "args": {"level": 10}, "execution": "sync"}
    )

    assert await refusal(hass, "send_command", {**data, "args": {"level": 11}}) == (
        "id_conflict",
        "id",
    )


@pytest.mark.usefixtures("demo")
async def test_a_dose_that_used_up_the_budget_is_found_again(
    hass: HomeAssistant,
) -> None:
    """RES-44 before law 5: its own id is an answer, another one is refused."""
    data = {
        "device_id": uuid_of(hass, DOSER),
        "action": "dose",
        "args": {"head_index": 0, "volume_ml": 60},
        "id": "large",
    }
    async with heard(
        hass,
        lambda change: (
            isinstance(change, DoseChanged) and change.dose.state is DoseState.SENT
        ),
    ):
        await called(hass, "send_command", data)

    again = await called(hass, "send_command", data)
    assert again is not None
    assert (again["id"], again["status"]) == ("large", "running")
    assert await refusal(hass, "send_command", data | {"id": "other"}) == (
        "refused_budget_24h",
        None,
    )


@pytest.mark.usefixtures("demo")
async def test_a_device_has_many_names(hass: HomeAssistant) -> None:
    """UUID, number, Bluetooth address and Home Assistant's id mean the same device."""
    doser = device_named(hass, DOSER)
    entity = er.async_get(hass).async_get(
        entity_of(hass, Platform.SWITCH, DOSER, "0_enabled")
    )
    assert entity is not None and doser.row.address is not None
    for reference in (
        doser.row.uuid,
        doser.row.uuid.upper(),
        doser.row.number,
        str(doser.row.number),
        doser.row.address,
        doser.row.address.lower(),
        entity.device_id,
        [doser.row.uuid],
    ):
        data = {"device_id": reference, "action": "request_status"}
        record = await called(hass, "send_command", {**data, "execution": "sync"})
        assert record is not None
        assert record["device_id"] == doser.row.uuid


@pytest.mark.usefixtures("demo")
async def test_texts_from_yaml_are_texts(hass: HomeAssistant) -> None:
    """Home Assistant's YAML reader gives keys that know their line; they are stored plain."""
    steps: Any = parse_yaml("{'level': 15}")
    data = {"device_id": uuid_of(hass, PUMP), "action": "set_level", "args": steps}
    record = await called(hass, "send_command", {**data, "execution": "sync"})
    assert record is not None and record["args"] == {"level": 15}

    params: Any = parse_yaml("{'level': 15, 'duration': 60}")
    stored = await called(hass, "create_schedule", plan(hass, action_params=params))
    assert stored is not None
    assert stored["action_params"] == {"level": 15, "duration": 60}


@pytest.mark.usefixtures("demo")
async def test_a_list_of_levels_is_an_argument(hass: HomeAssistant) -> None:
    """All channels of a lamp at once (R-C44)."""
    record = await called(
        hass,
        "send_command",
        {
            "device_id": uuid_of(hass, "Demo light"),
            "action": "set_channels",
            "args": {"levels": [10, 20, 30, 40]},
            "execution": "sync",
        },
    )
    assert record is not None
    assert record["status"] == "success"
    assert record["args"] == {"levels": [10, 20, 30, 40]}


DEVICE = object()
GOOD_COMMAND: dict[str, Any] = {
    "device_id": DEVICE,
    "action": "set_level",
    "args": {"level": 40},
}


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("change", "key", "field"),
    [
        ({"device_id": None}, "wrong_type_reference", "device_id"),
        ({"device_id": True}, "wrong_type_reference", "device_id"),
        ({"device_id": ["a", "b"]}, "wrong_type_reference", "device_id"),
        ({"device_id": " "}, "schedule_empty", "device_id"),
        ({"device_id": 999}, "device_not_found", "device_id"),
        ({"device_id": "no-such-device"}, "device_not_found", "device_id"),
        ({"device_id": ENTRY}, "device_not_found", "device_id"),
        ({"action": 7}, "wrong_type_text", "action"),
        ({"action": "set_channels"}, "unknown_action", "action"),
        ({"action": "fly", "args": {}}, "unknown_action", "action"),
        ({"action": "request_status"}, "unknown_argument", "level"),
        ({"action": "dose"}, "not_a_doser", "device_id"),
        ({"action": "turn_on"}, "unknown_argument", "level"),
        ({"args": []}, "wrong_type_mapping", "args"),
        ({"args": {1: 2}}, "wrong_type_mapping", "args"),
        ({"args": {"level": dt_util.utcnow()}}, "wrong_type_mapping", "args"),
        ({"args": {"level": float("nan")}}, "wrong_type_mapping", "args"),
        ({"args": {"level": "x" * 65536}}, "schedule_too_long", "args"),
        ({"args": {}}, "missing_argument", "level"),
        ({"args": {"level": -1}}, "value_out_of_bounds", "level"),
        ({"args": {"level": 100.1}}, "value_out_of_bounds", "level"),
        ({"args": {"level": "40"}}, "wrong_type_number", "level"),
        ({"args": {"level": True}}, "wrong_type_number", "level"),
        ({"args": {"level": 40, "colour": 1}}, "unknown_argument", "colour"),
        ({"args": {"level": 40, "duration": 60}}, "unknown_argument", "duration"),
        ({"timeout": 0.5}, "schedule_out_of_range", "timeout"),
        ({"timeout": 31}, "schedule_out_of_range", "timeout"),
        ({"timeout": float("nan")}, "schedule_out_of_range", "timeout"),
        ({"timeout": "5"}, "wrong_type_number", "timeout"),
        ({"id": ""}, "schedule_empty", "id"),
        ({"id": "x" * 101}, "schedule_too_long", "id"),
        ({"execution": "later"}, "schedule_unknown_word", "execution"),
        ({"speed": 1}, "schedule_unknown_field", "speed"),
        (
            {"action": "ramp", "args": {"end_level": 4}},
            "missing_argument",
            "duration",
        ),
        (
            {"action": "ramp", "args": {"end_level": 400, "duration": 60}},
            "value_out_of_bounds",
            "end_level",
        ),
        (
            {"action": "ramp", "args": {"end_level": 4, "duration": 60, "curve": "s"}},
            "value_out_of_bounds",
            "curve",
        ),
    ],
)
async def test_a_wrong_command_is_refused(
    hass: HomeAssistant, change: dict[str, Any], key: str, field: str
) -> None:
    """Law 10: nothing stored, no device touched, the field named."""
    data = GOOD_COMMAND | {"device_id": uuid_of(hass, PUMP)} | change

    assert await refusal(hass, "send_command", data) == (key, field)
    assert level(hass) == 80


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("name", ["device_id", "action"])
async def test_a_command_needs_a_device_and_an_action(
    hass: HomeAssistant, name: str
) -> None:
    """Nothing is guessed."""
    data = GOOD_COMMAND | {"device_id": uuid_of(hass, PUMP)}
    del data[name]

    assert await refusal(hass, "send_command", data) == ("schedule_missing", name)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("args", "key", "field"),
    [
        ({"head_index": 0}, "missing_argument", "volume_ml"),
        ({"volume_ml": 1}, "missing_argument", "head_index"),
        ({"head_index": 4, "volume_ml": 1}, "out_of_range", "head_index"),
        ({"head_index": -1, "volume_ml": 1}, "value_out_of_bounds", "head_index"),
        ({"head_index": True, "volume_ml": 1}, "wrong_type_whole_number", "head_index"),
        ({"head_index": 0, "volume_ml": 0}, "value_out_of_bounds", "volume_ml"),
        ({"head_index": 0, "volume_ml": -1}, "value_out_of_bounds", "volume_ml"),
        ({"head_index": 0, "volume_ml": 0.25}, "volume_too_fine", "volume_ml"),
        ({"head_index": 0, "volume_ml": "x"}, "wrong_type_number", "volume_ml"),
        ({"head_index": 0, "volume_ml": 1e9}, "value_out_of_bounds", "volume_ml"),
        ({"head_index": 0, "volume_ml": 0.1}, "out_of_range", "volume_ml"),
        ({"head_index": 0, "volume_ml": 1, "x": 1}, "unknown_argument", "x"),
        ({"head_index": 0, "volume_ml": 101}, "refused_budget_24h_alone", None),
    ],
)
async def test_a_wrong_dose_is_refused(
    hass: HomeAssistant, args: dict[str, Any], key: str, field: str | None
) -> None:
    """Zero, above the head's maximum, above its 24-hour limit, no number at all."""
    data = {"device_id": uuid_of(hass, DOSER), "action": "dose", "args": args}

    assert await refusal(hass, "send_command", data) == (key, field)


@pytest.mark.usefixtures("demo")
async def test_a_refused_dose_says_what_is_left(hass: HomeAssistant) -> None:
    """RES-57: which limit, by how much, and when it frees."""
    data = {"device_id": uuid_of(hass, DOSER), "action": "dose", "execution": "sync"}
    await called(
        hass, "send_command", {**data, "args": {"head_index": 0, "volume_ml": 2}}
    )
    with pytest.raises(ServiceValidationError) as caught:
        await called(
            hass, "send_command", {**data, "args": {"head_index": 0, "volume_ml": 99}}
        )
    shown = caught.value.translation_placeholders or {}
    assert caught.value.translation_key == "refused_budget_24h"
    assert (shown["asked"], shown["allowed"], shown["left"]) == ("99", "100", "98")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", shown["frees_at"])


def plan(hass: HomeAssistant, **more: Any) -> dict[str, Any]:
    """Return a schedule that is right."""
    return {
        "name": "Rest",
        "device_ids": [uuid_of(hass, PUMP)],
        "schedule_type": "cron",
        "cron_expression": "0 3 * * *",
        "action_type": "set_level",
        "action_params": {"level": 20, "duration": 600},
        **more,
    }


@pytest.mark.usefixtures("demo")
async def test_a_schedule_is_stored_and_planned(hass: HomeAssistant) -> None:
    """The answer is the schedule with its number and its next moment."""
    record = await called(hass, "create_schedule", plan(hass))

    assert record is not None
    assert record["device_ids"] == [device_named(hass, PUMP).row.number]
    assert record["is_enabled"] is True
    assert record["on_miss"] == "converge"
    assert record["timezone"] == hass.config.time_zone
    assert "T03:00:00" in str(
        dt_util.as_local(
            dt_util.parse_datetime(str(record["next_run"]), raise_on_error=True)
        ).isoformat()
    )
    planned = engine_of(hass).planner.get(int(str(record["id"])))
    assert planned is not None and planned.row.name == "Rest"

    await called(hass, "delete_schedule", {"schedule_id": record["id"]}, response=False)
    assert engine_of(hass).planner.get(int(str(record["id"]))) is None


@pytest.mark.usefixtures("demo")
async def test_a_schedule_can_be_deleted_by_its_name(hass: HomeAssistant) -> None:
    """Nobody sees its number in the dashboard."""
    record = await called(hass, "create_schedule", plan(hass))
    assert record is not None

    await called(hass, "delete_schedule", {"name": "Rest"}, response=False)

    planner = engine_of(hass).planner
    assert planner.get(int(str(record["id"]))) is None
    assert "Dawn" in {planned.row.name for planned in planner.schedules}


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("change", "key", "field"),
    [
        ({"name": ""}, "schedule_empty", "name"),
        ({"name": "Dawn"}, "duplicate_name", "name"),
        ({"device_ids": []}, "schedule_empty", "device_ids"),
        ({"device_ids": [999]}, "device_not_found", "device_ids"),
        ({"device_ids": ["nobody"]}, "device_not_found", "device_ids"),
        ({"device_ids": [True]}, "wrong_type_reference", "device_ids"),
        ({"device_ids": None}, "schedule_missing", "device_ids"),
        ({"schedule_type": "sometimes"}, "schedule_unknown_word", "schedule_type"),
        ({"cron_expression": "0 3 * *"}, "schedule_cron_columns", "cron_expression"),
        (
            {"cron_expression": "0 25 * * *"},
            "schedule_malformed_cron",
            "cron_expression",
        ),
        (
            {"cron_expression": "0 3 30 2 *"},
            "schedule_never_matches",
            "cron_expression",
        ),
        ({"cron_expression": "@reboot"}, "schedule_cron_alias", "cron_expression"),
        ({"cron_expression": None}, "schedule_missing", "cron_expression"),
        ({"start_time": "2026-03-01T08:00:00"}, "schedule_naive_time", "start_time"),
        ({"start_time": "soon"}, "schedule_malformed_time", "start_time"),
        ({"timezone": "Mars/Crater"}, "schedule_unknown_zone", "timezone"),
        ({"action_type": "explode"}, "schedule_unknown_word", "action_type"),
        ({"action_params": {}}, "schedule_missing", "action_params.level"),
        (
            {"action_params": {"level": 101}},
            "schedule_out_of_range",
            "action_params.level",
        ),
        (
            {"action_type": "dose", "action_params": {"head_index": 0, "volume_ml": 1}},
            "not_a_doser",
            "device_ids",
        ),
        ({"is_enabled": "yes"}, "wrong_type_boolean", "is_enabled"),
        ({"on_miss": "panic"}, "schedule_unknown_word", "on_miss"),
        (
            {
                "schedule_type": "one_off",
                "cron_expression": None,
                "start_time": "2020-01-01T00:00:00Z",
            },
            "schedule_never_due",
            "start_time",
        ),
        ({"colour": "red"}, "schedule_unknown_field", "colour"),
    ],
)
async def test_a_wrong_schedule_is_refused(
    hass: HomeAssistant, change: dict[str, Any], key: str, field: str
) -> None:
    """Law 10, R-B65 to R-B69: nothing stored, the field named."""
    assert await refusal(hass, "create_schedule", plan(hass, **change)) == (key, field)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("data", "key", "field"),
    [
        ({}, "schedule_missing", "schedule_id"),
        ({"schedule_id": 999}, "schedule_not_found", "schedule_id"),
        ({"schedule_id": "1"}, "wrong_type_whole_number", "schedule_id"),
        ({"schedule_id": 0}, "schedule_out_of_range", "schedule_id"),
        ({"name": "Nightfall"}, "schedule_not_found", "name"),
        ({"name": ""}, "schedule_empty", "name"),
        ({"name": "Dawn", "schedule_id": 1}, "schedule_not_together", "name"),
    ],
)
async def test_what_is_no_schedule_cannot_be_deleted(
    hass: HomeAssistant, data: dict[str, Any], key: str, field: str
) -> None:
    """The error names the field."""
    assert await refusal(hass, "delete_schedule", data) == (key, field)


def window(hass: HomeAssistant, **more: Any) -> dict[str, Any]:
    """Return a write action that is right: begun a minute ago, over in an hour."""
    now = dt_util.utcnow()
    return {
        "action_id": str(uuid4()),
        "device_id": uuid_of(hass, PUMP),
        "field_name": "level",
        "value": 25,
        "start_timestamp": (now - timedelta(minutes=1)).isoformat(),
        "end_timestamp": (now + timedelta(hours=1)).isoformat(),
        **more,
    }


@pytest.mark.usefixtures("demo")
async def test_a_write_action_sets_the_value(hass: HomeAssistant) -> None:
    """R-T12, R-T22, R-T28: applied at once when the start is past; the keys of a result."""
    data = window(hass)
    async with heard(hass, in_phase(Phase.IN_FORCE, data["action_id"])):
        result = await called(hass, "create_write_action", data)

    assert result is not None
    assert result["status"] == "PLANNED"
    assert {
        name: result[name] for name in ("action_id", "device_id", "field_name")
    } == {name: data[name] for name in ("action_id", "device_id", "field_name")}
    assert result["value"] == 25
    assert result["start_timestamp"] == data["start_timestamp"]
    assert result["end_timestamp"] == data["end_timestamp"]
    assert "error" not in result
    assert level(hass) == 25

    again = await called(hass, "create_write_action", data)
    assert again is not None and again["status"] == "NEW_VALUE_SET"


@pytest.mark.usefixtures("demo")
async def test_a_write_action_gets_an_id(hass: HomeAssistant) -> None:
    """Automations need not make one up."""
    data = window(hass)
    del data["action_id"]
    result = await called(hass, "create_write_action", data)

    assert result is not None
    assert re.fullmatch(
        "[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", str(result["action_id"])
    )


@pytest.mark.usefixtures("demo")
async def test_an_action_id_is_not_used_for_something_else(hass: HomeAssistant) -> None:
    """RES-44: the stored one stays as it is."""
    data = window(hass)
    async with heard(hass, in_phase(Phase.IN_FORCE, data["action_id"])):
        await called(hass, "create_write_action", data)

    elsewhere = {"device_id": uuid_of(hass, "Skimmer")}
    for change in ({"value": 26}, elsewhere):
        assert await refusal(hass, "create_write_action", data | change) == (
            "id_conflict",
            "action_id",
        )


YESTERDAY = (datetime.fromisoformat(NIGHT) - timedelta(days=1)).isoformat()


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("change", "key", "field"),
    [
        ({"action_id": "seven"}, "wrong_type_uuid", "action_id"),
        ({"device_id": str(uuid4())}, "device_not_found", "device_id"),
        ({"field_name": "NOPE"}, "field_not_found", "NOPE"),
        ({"field_name": 5}, "wrong_type_text", "field_name"),
        ({"value": None}, "wrong_type_value", "value"),
        ({"value": {}}, "wrong_type_value", "value"),
        ({"value": []}, "wrong_type_value", "value"),
        ({"value": float("nan")}, "wrong_type_number", "level"),
        ({"value": float("inf")}, "wrong_type_number", "level"),
        ({"value": "25"}, "wrong_type_number", "level"),
        ({"value": True}, "wrong_type_number", "level"),
        ({"value": 101}, "value_out_of_bounds", "level"),
        (
            {"start_timestamp": "2026-03-01T08:00:00"},
            "schedule_naive_time",
            "start_timestamp",
        ),
        (
            {"end_timestamp": "2026-02-30T08:00:00Z"},
            "schedule_malformed_time",
            "end_timestamp",
        ),
        ({"end_timestamp": YESTERDAY}, "end_not_after_start", "end_timestamp"),
        (
            {
                "start_timestamp": "2020-01-01T00:00:00Z",
                "end_timestamp": "2020-01-01T01:00:00+00:30",
            },
            "end_in_past",
            "end_timestamp",
        ),
        ({"mode": 1}, "schedule_unknown_field", "mode"),
    ],
)
async def test_a_wrong_write_action_is_refused(
    hass: HomeAssistant, change: dict[str, Any], key: str, field: str
) -> None:
    """R-T20 to R-T27: nothing stored, no device touched, the field named."""
    data = window(hass, **change)

    assert await refusal(hass, "create_write_action", data) == (key, field)
    assert level(hass) == 80


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    "name", ["device_id", "field_name", "value", "start_timestamp", "end_timestamp"]
)
async def test_a_write_action_needs_all_its_parts(
    hass: HomeAssistant, name: str
) -> None:
    """R-T20: leave out one at a time."""
    data = window(hass)
    del data[name]

    assert await refusal(hass, "create_write_action", data) == (
        "schedule_missing",
        name,
    )


@pytest.mark.usefixtures("demo")
async def test_an_emergency_stop_reports_each_device_and_holds(
    hass: HomeAssistant,
) -> None:
    """Law 4: latched until somebody lets go."""
    answer = await called(hass, "emergency_stop", {"aquarium": ENTRY})
    assert answer is not None
    reports: Any = answer["devices"]
    assert {one["name"]: (one["confirmed"], one["detail"]) for one in reports} == {
        "Demo light": (False, "no_safe_value"),
        DOSER: (True, "stopped"),
        PUMP: (True, "stopped"),
        "Skimmer": (True, "stopped"),
    }
    data = {
        "device_id": uuid_of(hass, DOSER),
        "action": "dose",
        "args": {"head_index": 0, "volume_ml": 1},
    }
    assert await refusal(hass, "send_command", data) == ("refused_not_allowed", None)

    released = await called(
        hass, "emergency_stop", {"aquarium": "reef", "release": True}
    )
    assert released == {"released": 6}


@pytest.mark.usefixtures("demo")
async def test_a_stop_that_was_not_confirmed_is_an_error(hass: HomeAssistant) -> None:
    """Whoever asks for the report reads it there; everybody else must hear of it."""
    pump(hass).available = False
    with pytest.raises(HomeAssistantError) as caught:
        await called(hass, "emergency_stop", {}, response=False)
    assert caught.value.translation_key == "emergency_stop_unconfirmed"
    assert caught.value.translation_placeholders == {"devices": PUMP}

    answer = await called(hass, "emergency_stop", {})
    assert answer is not None
    reports: Any = answer["devices"]
    (report,) = (one for one in reports if one["name"] == PUMP)
    assert report["confirmed"] is False
    await called(hass, "emergency_stop", {"release": True})
    pump(hass).available = True
    await called(hass, "emergency_stop", {}, response=False)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("data", "key", "field"),
    [
        ({"aquarium": "pond"}, "aquarium_not_found", "aquarium"),
        ({"aquarium": 5}, "wrong_type_text", "aquarium"),
        ({"release": "yes"}, "wrong_type_boolean", "release"),
        ({"device_id": 1}, "schedule_unknown_field", "device_id"),
    ],
)
async def test_a_wrong_stop_is_refused(
    hass: HomeAssistant, data: dict[str, Any], key: str, field: str
) -> None:
    """A stop of the wrong tank is no stop."""
    assert await refusal(hass, "emergency_stop", data) == (key, field)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("service", "data"),
    [
        ("send_command", GOOD_COMMAND),
        ("create_schedule", None),
        ("create_write_action", None),
        ("delete_schedule", {"schedule_id": 1}),
        ("emergency_stop", {}),
        ("emergency_stop", {"release": True}),
    ],
)
async def test_whoever_may_not_control_a_device_changes_nothing(
    hass: HomeAssistant,
    hass_read_only_user: User,
    service: str,
    data: dict[str, Any] | None,
) -> None:
    """Design 7: our handlers check the rights themselves."""
    if data is None:
        data = plan(hass) if service == "create_schedule" else window(hass)
    if data.get("device_id") is DEVICE:
        data = data | {"device_id": uuid_of(hass, PUMP)}
    stored = await everything(hass)

    with pytest.raises(Unauthorized):
        await called(
            hass,
            service,
            data,
            context=Context(user_id=hass_read_only_user.id),
            response=service != "delete_schedule",
        )
    assert await everything(hass) == stored
    assert level(hass) == 80


@pytest.mark.usefixtures("demo")
async def test_control_of_one_device_is_not_control_of_another(
    hass: HomeAssistant, hass_admin_user: User
) -> None:
    """Rights are looked at on the entities of each target, of a schedule all of them."""
    number = entity_of(hass, Platform.NUMBER, PUMP, "level")
    user = MockUser(name="Keeper's child").add_to_hass(hass)
    user.mock_policy({"entities": {"entity_ids": {number: True}}})
    context = Context(user_id=user.id)
    status = {"action": "request_status", "execution": "sync"}

    switches = [
        entry.entity_id
        for entry in er.async_get(hass).entities.values()
        if entry.unique_id.startswith(uuid_of(hass, PUMP)) and entry.entity_id != number
    ]
    allowed = {number: True} | dict.fromkeys(switches, True)
    user.mock_policy({"entities": {"entity_ids": allowed}})

    assert await called(
        hass,
        "send_command",
        {**status, "device_id": uuid_of(hass, PUMP)},
        context=context,
    )
    with pytest.raises(Unauthorized):
        await called(
            hass,
            "send_command",
            {**status, "device_id": uuid_of(hass, "Skimmer")},
            context=context,
        )
    both = [uuid_of(hass, PUMP), uuid_of(hass, "Skimmer")]
    with pytest.raises(Unauthorized):
        await called(
            hass, "create_schedule", plan(hass, device_ids=both), context=context
        )
    mine = await called(hass, "create_schedule", plan(hass), context=context)
    assert mine is not None
    await called(
        hass,
        "create_schedule",
        plan(hass, name="Admin's", device_ids=both),
        context=Context(user_id=hass_admin_user.id),
    )


@pytest.mark.usefixtures("demo")
async def test_a_user_who_is_gone_changes_nothing(hass: HomeAssistant) -> None:
    """A context may outlive its user."""
    with pytest.raises(UnknownUser):
        await called(
            hass,
            "send_command",
            GOOD_COMMAND | {"device_id": uuid_of(hass, PUMP)},
            context=Context(user_id="gone"),
        )


async def test_a_pump_made_of_an_entity_is_switched(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The way through: service, store, queue, Home Assistant's own service."""
    assert await async_setup_component(
        hass, "input_boolean", {"input_boolean": {"relay": {"initial": True}}}
    )
    pumps = [subentry("pump", "Filter", {"entity_id": "input_boolean.relay"})]
    async with aquarium(hass, tmp_path, subentries=pumps):
        record = await called(
            hass,
            "send_command",
            {
                "device_id": uuid_of(hass, "Filter"),
                "action": "turn_off",
                "execution": "sync",
            },
        )
        assert record is not None and record["status"] == "success"
        state = hass.states.get("input_boolean.relay")
        assert state is not None and state.state == "off"

        hass.states.async_remove("input_boolean.relay")
        with pytest.raises(HomeAssistantError) as caught:
            await called(
                hass,
                "send_command",
                {
                    "device_id": uuid_of(hass, "Filter"),
                    "action": "turn_on",
                    "execution": "sync",
                    "timeout": 1,
                },
            )
        assert caught.value.translation_key in (
            "device_entity_missing",
            "device_no_answer",
        )


@pytest.mark.usefixtures("demo")
async def test_without_a_store_only_off_goes_out(hass: HomeAssistant) -> None:
    """Law 2: what cannot be written down is not done; off is."""
    engine = engine_of(hass)
    database = engine.database
    assert database is not None
    await database.close()
    data = {"device_id": uuid_of(hass, PUMP), "action": "set_level"}

    with pytest.raises(HomeAssistantError) as caught:
        await called(hass, "send_command", {**data, "args": {"level": 5}})
    assert caught.value.translation_key == "store_closed"
    assert level(hass) == 80

    async with heard(hass, lambda change: level(hass) == 0):
        await called(hass, "send_command", {**data, "action": "turn_off"})
    assert level(hass) == 0
