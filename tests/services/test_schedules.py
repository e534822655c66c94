"""Schedules that start a macro, as services: for administrators (design 7)."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.changes import OccurrenceChanged
from custom_components.aquarist.plan_words import words_of
from tests.api.websocket.macro_calls import asked
from tests.aquarium import NAME, aquarium, device_named, engine_of, entity_of, heard


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up, with a macro for one of its pumps."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, Platform.EVENT, demo=True):
        command = {
            "device_id": device_named(hass, "Return pump").row.uuid,
            "action": "set_level",
            "args": {"level": 10},
        }
        await engine_of(hass).macros.create(
            {"name": "Calm", "sequence": [{"command": command}]}, user=None
        )
        yield


@pytest.fixture
def controller(hass: HomeAssistant, hass_admin_user: MockUser) -> MockUser:
    """Return a user who controls everything and is no administrator."""
    user = MockUser(id="controller", name="Controller").add_to_hass(hass)
    user.mock_policy({"entities": True})
    return user


async def create(
    hass: HomeAssistant, context: Context | None = None, **changes: Any
) -> Mapping[str, Any]:
    """Store a schedule that starts the macro every morning; return it."""
    data = {
        "name": "Calm morning",
        "schedule_type": "cron",
        "cron_expression": "0 8 * * *",
        "action_type": "macro",
        "action_params": {"macro": "Calm"},
    }
    answer = await hass.services.async_call(
        DOMAIN,
        "create_schedule",
        data | changes,
        blocking=True,
        return_response=True,
        context=context,
    )
    assert answer is not None
    return answer


async def delete(hass: HomeAssistant, schedule: int, context: Context) -> None:
    """Remove a schedule."""
    await hass.services.async_call(
        DOMAIN,
        "delete_schedule",
        {"schedule_id": schedule},
        blocking=True,
        context=context,
    )


@pytest.mark.parametrize("devices", [{}, {"device_ids": []}])
async def test_an_administrator_plans_a_macro(
    hass: HomeAssistant, hass_admin_user: MockUser, devices: dict[str, Any]
) -> None:
    """The answer is the schedule; its devices are those of the macro."""
    admin = Context(user_id=hass_admin_user.id)
    stored = await create(hass, admin, **devices)
    assert (stored["device_ids"], stored["action_params"]) == ([], {"macro": "Calm"})
    assert stored["next_run"] is not None
    await delete(hass, stored["id"], admin)
    assert not [
        one
        for one in engine_of(hass).planner.schedules
        if one.row.name == "Calm morning"
    ]


async def test_others_do_not(hass: HomeAssistant, controller: MockUser) -> None:
    """Who controls everything neither plans one nor removes it."""
    theirs = Context(user_id=controller.id)
    with pytest.raises(Unauthorized):
        await create(hass, theirs)
    stored = await create(hass)
    with pytest.raises(Unauthorized):
        await delete(hass, stored["id"], theirs)
    skimmer = device_named(hass, "Skimmer").row.number
    more = {"name": "On", "device_ids": [skimmer], "action_params": {}}
    on = await create(hass, theirs, action_type="on", **more)
    await delete(hass, on["id"], theirs)


async def test_whoever_controls_nothing_removes_nothing(
    hass: HomeAssistant, controller: MockUser
) -> None:
    """Neither when the device of the schedule is out of use."""
    engine = engine_of(hass)
    row = device_named(hass, "Skimmer").row
    more: dict[str, Any] = {"device_ids": [row.number], "action_params": {}}
    stored = await create(hass, name="On", action_type="on", **more)
    await engine.equipment.retire(row.number)
    theirs = Context(user_id=controller.id)
    controller.mock_policy({})
    with pytest.raises(Unauthorized):
        await delete(hass, stored["id"], theirs)
    assert engine.planner.get(stored["id"]) is not None
    controller.mock_policy({"entities": True})
    await delete(hass, stored["id"], theirs)
    assert engine.planner.get(stored["id"]) is None
    engine.equipment.add(row)


@pytest.mark.parametrize(
    ("changes", "key", "field"),
    [
        (
            {"action_params": {"macro": "Storm"}},
            "macro_not_found",
            "action_params.macro",
        ),
        ({"action_params": {}}, "schedule_missing", "action_params.macro"),
        ({"device_ids": [1]}, "schedule_not_together", "device_ids"),
        ({"action_type": "on"}, "schedule_unknown_field", "action_params.macro"),
    ],
)
async def test_the_field_is_named(
    hass: HomeAssistant, changes: dict[str, Any], key: str, field: str
) -> None:
    """Law 10: and nothing is stored."""
    before = engine_of(hass).planner.schedules
    with pytest.raises(ServiceValidationError) as error:
        await create(hass, **changes)
    assert error.value.translation_key == key
    assert (error.value.translation_placeholders or {})["field"] == field
    assert engine_of(hass).planner.schedules == before


async def test_it_is_listed_for_who_sees_the_devices_of_the_macro(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    hass_read_only_user: MockUser,
) -> None:
    """And without its macro for who sees everything."""
    stored = await create(hass)

    async def listed(*token: str) -> bool:
        client = await hass_ws_client(hass, *token)
        answer = await asked(client, type="aquarist/schedules/list")
        return stored["id"] in [one["id"] for one in answer["schedules"]]

    assert await listed()
    assert await listed(hass_read_only_access_token)
    hass_read_only_user.mock_policy({"entities": {}})
    assert not await listed(hass_read_only_access_token)
    macro = engine_of(hass).macros.named("Calm")
    await engine_of(hass).macros.delete(macro.row.id, user=None)
    assert not await listed(hass_read_only_access_token)
    assert await listed()


async def test_its_aquarium_tells_of_it(hass: HomeAssistant) -> None:
    """The event and the calendar's words know the devices of the macro."""
    due = dt_util.utcnow() + timedelta(seconds=0.3)
    async with heard(
        hass,
        lambda change: (
            isinstance(change, OccurrenceChanged) and change.verdict == "ran"
        ),
    ):
        stored = await create(
            hass,
            schedule_type="one_off",
            cron_expression=None,
            start_time=due.isoformat(),
            action_params={"macro": "Calm", "description": "For guests"},
        )
    await hass.async_block_till_done()
    state = hass.states.get(entity_of(hass, Platform.EVENT, NAME, "occurrence"))
    assert state is not None
    assert state.attributes["schedule"] == "Calm morning"
    planned = engine_of(hass).planner.get(stored["id"])
    assert planned is not None
    assert planned.definition is not None
    words = words_of(engine_of(hass), planned.definition)
    assert words == "Calm: Return pump\nFor guests"
    macro = engine_of(hass).macros.named("Calm")
    await engine_of(hass).macros.delete(macro.row.id, user=None)
    assert words_of(engine_of(hass), planned.definition) == "Calm: \nFor guests"
