"""The services of write actions and overrides, besides creating one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from homeassistant.auth.models import User
from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.errors import DeviceError
from tests.api.http.rest import PUMP, level, pump
from tests.api.http.write_actions import action, in_phase
from tests.aquarium import aquarium, device_named, engine_of, heard
from tests.store.gate import blocked


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up, with the entities that rights are checked on."""
    platforms = (Platform.NUMBER, Platform.SWITCH)
    async with aquarium(hass, tmp_path, *platforms, demo=True):
        yield


async def called(
    hass: HomeAssistant, service: str, context: Context | None = None, **data: Any
) -> Any:
    """Call a service and return what it answers."""
    return await hass.services.async_call(
        DOMAIN, service, data, blocking=True, return_response=True, context=context
    )


async def refusal(hass: HomeAssistant, service: str, **data: Any) -> tuple[Any, Any]:
    """Return key and field of a refusal."""
    with pytest.raises(ServiceValidationError) as caught:
        await called(hass, service, **data)
    placeholders = caught.value.translation_placeholders or {}
    return caught.value.translation_key, placeholders.get("field")


@pytest.mark.parametrize("listed", [True, False])
async def test_calling_off(hass: HomeAssistant, listed: bool) -> None:
    """R-T31: one, or a list."""
    item = action(hass, start=3600)
    await called(hass, "create_write_action", **item)
    ids = [item["action_id"]] if listed else item["action_id"]
    answer = await called(hass, "cancel_write_action", action_ids=ids)

    assert answer == {"canceled_count": 1, "errors": []}
    assert engine_of(hass).records.open == ()
    answer = await called(hass, "cancel_write_action", action_ids=[str(uuid4())])
    assert answer["errors"][0]["error_key"] == "action_not_found"


async def test_trying_again(hass: HomeAssistant) -> None:
    """R-T17, RES-53: with an id of its own when none is given."""
    pump(hass).fail_next(DeviceError("service_failed", transient=False))
    item = action(hass)
    async with heard(hass, in_phase(Phase.FAILED, item["action_id"])):
        await called(hass, "create_write_action", **item)
    again = await called(hass, "retry_write_action", action_id=item["action_id"])

    assert again["action_id"] != item["action_id"]
    assert again["details"]["retry_of"] == item["action_id"]
    assert await refusal(hass, "retry_write_action", action_id=again["action_id"]) == (
        "not_failed",
        "action_id",
    )
    assert await refusal(hass, "retry_write_action", action_id="none") == (
        "action_not_found",
        "action_id",
    )


async def test_an_override(hass: HomeAssistant) -> None:
    """R-B111: off for half an hour, then let go."""
    uuid = device_named(hass, PUMP).row.uuid
    field: dict[str, Any] = {"device_id": uuid, "field_name": "level"}
    made = await called(hass, "set_override", **field, value=0, seconds=1800)
    async with heard(hass, in_phase(Phase.IN_FORCE, made["id"])):
        pass
    assert level(hass) == 0
    async with heard(hass, in_phase(Phase.COMPLETED, made["id"])):
        assert await called(hass, "release_override", **field) == {"released": True}
    assert level(hass) == 80


async def test_a_release_is_answered_once_it_is_on_disk(hass: HomeAssistant) -> None:
    """A kill after the answer brings nothing back (law 2)."""
    uuid = device_named(hass, PUMP).row.uuid
    field: dict[str, Any] = {"device_id": uuid, "field_name": "level"}
    made = await called(hass, "set_override", **field, value=0, seconds=1800)
    async with heard(hass, in_phase(Phase.IN_FORCE, made["id"])):
        pass
    database = engine_of(hass).database
    assert database is not None
    gate, standing = await blocked(database.writer)
    async with heard(hass, in_phase(Phase.COMPLETED, made["id"])):
        releasing = hass.async_create_task(called(hass, "release_override", **field))
        await asyncio.wait([releasing], timeout=0.1)
        assert not releasing.done()
        gate.opened.set()
        await standing
        assert await releasing == {"released": True}


async def test_so_is_the_release_of_an_emergency_stop(hass: HomeAssistant) -> None:
    """A kill after the answer stops nothing again."""
    await called(hass, "emergency_stop")
    database = engine_of(hass).database
    assert database is not None
    gate, standing = await blocked(database.writer)
    releasing = hass.async_create_task(called(hass, "emergency_stop", release=True))
    await asyncio.wait([releasing], timeout=0.1)
    assert not releasing.done()
    gate.opened.set()
    await standing
    assert (await releasing)["released"] > 0


@pytest.mark.parametrize(
    ("service", "data", "refused"),
    [
        ("cancel_write_action", {}, ("wrong_type_list", "action_ids")),
        (
            "cancel_write_action",
            {"action_ids": [], "more": 1},
            ("schedule_unknown_field", "more"),
        ),
        ("retry_write_action", {}, ("schedule_missing", "action_id")),
        (
            "retry_write_action",
            {"action_id": "x", "new_action_id": "y"},
            ("wrong_type_uuid", "new_action_id"),
        ),
        (
            "set_override",
            {"device_id": 3, "field_name": "level"},
            ("schedule_missing", "value"),
        ),
        (
            "set_override",
            {"device_id": 3, "field_name": "level", "value": 0, "seconds": 0.5},
            ("schedule_out_of_range", "seconds"),
        ),
        (
            "set_override",
            {"device_id": 3, "field_name": "level", "value": 0, "until": "noon"},
            ("unknown_word", "until"),
        ),
        ("release_override", {"device_id": 3}, ("schedule_missing", "field_name")),
        (
            "release_override",
            {"device_id": 3, "field_name": "NOPE"},
            ("field_not_found", "NOPE"),
        ),
    ],
)
async def test_a_wrong_call_is_refused(
    hass: HomeAssistant, service: str, data: dict[str, Any], refused: tuple[str, str]
) -> None:
    """The error names the field."""
    assert await refusal(hass, service, **data) == refused


async def test_who_may_not_control_changes_nothing(
    hass: HomeAssistant, hass_read_only_user: User
) -> None:
    """Design 7: our handlers check the rights themselves."""
    item = action(hass, start=3600)
    await called(hass, "create_write_action", **item)
    field = {"device_id": item["device_id"], "field_name": "level"}
    calls: dict[str, dict[str, Any]] = {
        "cancel_write_action": {"action_ids": [item["action_id"]]},
        "retry_write_action": {"action_id": item["action_id"]},
        "set_override": field | {"value": 0},
        "release_override": field,
    }
    for service, data in calls.items():
        with pytest.raises(Unauthorized):
            await called(hass, service, Context(user_id=hass_read_only_user.id), **data)
    assert len(engine_of(hass).records.open) == 1
