"""Macros that call services of Home Assistant: at most once, and never past our devices (law 1)."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import (
    Context,
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
)
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceNotFound,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers import area_registry as ar, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_mock_service,
)

from custom_components.aquarist.api.runs import visible
from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.runs.steps import ServiceStep
from custom_components.aquarist.store.command_history import CommandFilter
from custom_components.aquarist.store.runs import StepRow

from .aquarium import (
    aquarium,
    device_named,
    engine_of,
    entities_behind,
    restart,
    subentry,
)

ORIGIN = Origin(source=Source.MACRO, context="call")
PUMP, DOSER = "Wave pump", "Switch doser"
WAVE, ROOM, RELAY = "input_number.wave", "input_number.room", "input_boolean.relay"


@pytest.fixture
async def entry(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[MockConfigEntry]:
    """Set up a pump and a dosing pump made of entities; `room` is nobody's."""
    await entities_behind(hass, wave=20.0, room=30.0)
    doser = {
        "entity_id": RELAY,
        "flow_ml_per_minute": 60,
        "maximum_dose_ml": 10,
        "automatic_off_seconds": 60,
    }
    async with aquarium(
        hass,
        tmp_path,
        Platform.NUMBER,
        subentries=[
            subentry("pump", PUMP, {"entity_id": WAVE, "safe_level": 0}),
            subentry("doser", DOSER, doser),
        ],
    ) as found:
        yield found


def step(name: str, *entities: str, **more: Any) -> dict[str, Any]:
    """Return a step that calls a service for entities."""
    target = {"entity_id": [*entities]} if entities else {}
    return {"service": {"service": name, "target": target, **more}}


def level(value: float, *entities: str) -> dict[str, Any]:
    """Return a step that sets numbers."""
    return step("input_number.set_value", *entities, data={"value": value})


async def made(hass: HomeAssistant, *sequence: dict[str, Any]) -> int:
    """Store a macro and return its number."""
    definition = {"name": "Evening", "sequence": [*sequence]}
    macro = await engine_of(hass).macros.create(definition, user=None)
    return macro.row.id


async def ran(
    hass: HomeAssistant, *sequence: dict[str, Any], origin: Origin = ORIGIN
) -> list[StepRow]:
    """Run a macro and return its steps as they ended."""
    engine = engine_of(hass)
    run = await engine.macros.run(await made(hass, *sequence), origin)
    async with asyncio.timeout(10):
        await engine.runs.finished(run.id)
    return (await engine.runs.get(run.id))[1]


def shown(hass: HomeAssistant, entity_id: str) -> float:
    """Return what a number shows."""
    state = hass.states.get(entity_id)
    assert state is not None
    return float(state.state)


async def asked_of(hass: HomeAssistant, name: str) -> list[tuple[Any, ...]]:
    """Return what a device was asked, and by which step of which run."""
    found = await engine_of(hass).history.find(
        CommandFilter(device=device_named(hass, name).row.number), 10
    )
    return [(one.action, one.value, one.source, one.run, one.step) for one in found]


@pytest.mark.usefixtures("entry")
class TestDevices:
    """What is meant for a device of ours."""

    async def test_it_becomes_an_intent(self, hass: HomeAssistant) -> None:
        """Law 1: the others of the target are called, each once."""
        calls: list[Any] = []
        hass.bus.async_listen("call_service", calls.append)
        (only,) = await ran(hass, level(55, WAVE, ROOM))
        assert (only.state, only.error) == ("completed", None)
        assert (shown(hass, WAVE), shown(hass, ROOM)) == (55, 55)
        assert await asked_of(hass, PUMP) == [
            ("set_field", {"level": 55}, Source.MACRO, only.run, 0)
        ]
        assert (only.result or {})["command_ids"] == [f"run-{only.run}-0-0"]
        targets = [call.data["service_data"]["entity_id"] for call in calls]
        assert targets == [WAVE, [ROOM]]
        assert calls[-1].context.parent_id == "call"

    async def test_alone_nothing_else_is_called(self, hass: HomeAssistant) -> None:
        """The only call is that of the device itself."""
        calls = async_mock_service(hass, "input_number", "set_value")
        (only,) = await ran(hass, level(20, WAVE))
        assert only.state == "completed"
        (call,) = calls
        assert (call.data["entity_id"], call.context.parent_id) == (WAVE, None)

    async def test_by_its_area(self, hass: HomeAssistant) -> None:
        """However the target is said; entities of other kinds are not meant."""
        area = ar.async_get(hass).async_create("Sump")
        registry = er.async_get(hass)
        for name, domain in (("wave2", "input_number"), ("lamp", "light")):
            made_up = registry.async_get_or_create(
                domain, "test", name, suggested_object_id=name
            )
            registry.async_update_entity(made_up.entity_id, area_id=area.id)
        number = await made(
            hass,
            {
                "service": {
                    "service": "input_number.set_value",
                    "target": {"area_id": area.id},
                    "data": {"value": 1},
                }
            },
        )
        definition = engine_of(hass).macros.get(number).definition
        assert definition is not None
        (only,) = definition.sequence
        assert isinstance(only, ServiceStep)
        devices, others = engine_of(hass).service_steps.targets(only)
        assert (devices, set(others)) == ([], {"input_number.wave2"})

    async def test_a_limit_holds(self, hass: HomeAssistant) -> None:
        """An emergency stop keeps the pump where it is."""
        await engine_of(hass).emergency.stop(None)
        (only,) = await ran(hass, level(55, WAVE))
        assert "shadowed_by" in str(only.result) or only.state == "completed"
        assert shown(hass, WAVE) != 55

    async def test_one_that_fails_ends_the_step(self, hass: HomeAssistant) -> None:
        """With its reason; the call for the others is not made."""
        hass.states.async_remove(WAVE)
        (only,) = await ran(hass, level(55, WAVE, ROOM))
        assert (only.state, only.error) == ("failed", "entity_missing")
        assert shown(hass, ROOM) == 30

    async def test_one_that_does_not_do_it_ends_the_step(
        self, hass: HomeAssistant
    ) -> None:
        """The record of the command says why, and so does the step."""

        async def fail(call: ServiceCall) -> None:
            raise ServiceValidationError("no")

        hass.services.async_register("input_number", "set_value", fail)
        (only,) = await ran(hass, level(55, WAVE, ROOM))
        assert (only.state, only.error) == ("failed", "service_failed")
        assert shown(hass, ROOM) == 30

    async def test_one_that_is_not_loaded(self, hass: HomeAssistant) -> None:
        """It is ours all the same, so that nothing is called past it."""
        await engine_of(hass).equipment.detach(device_named(hass, PUMP).row.number)
        (only,) = await ran(hass, level(55, WAVE))
        assert (only.state, only.error) == ("failed", "device_not_loaded")
        assert shown(hass, WAVE) == 20

    async def test_one_that_is_refused_ends_the_step(self, hass: HomeAssistant) -> None:
        """A value that came to be too much since the macro was stored."""
        engine = engine_of(hass)
        number = await made(hass, level(55, WAVE))
        attributes = {"min": 0, "max": 10}
        hass.states.async_set(WAVE, "5", attributes)
        run = await engine.macros.run(number, ORIGIN)
        await engine.runs.finished(run.id)
        (only,) = (await engine.runs.get(run.id))[1]
        assert (only.state, only.error) == ("failed", "value_out_of_bounds")

    @pytest.mark.parametrize(
        ("sequence", "field", "code"),
        [
            (level(101, WAVE), "data", "value_out_of_bounds"),
            (step("switch.turn_on", WAVE), "service", "service_not_for_device"),
            (
                step("input_boolean.turn_on", RELAY),
                "service",
                "service_not_for_device",
            ),
            (
                step("scene.apply", data={"entities": {WAVE: 5}}),
                "data",
                "service_not_for_device",
            ),
            (
                step("rest_command.x", data={"what": [RELAY]}),
                "data",
                "service_not_for_device",
            ),
            (step("aquarist.run_macro"), "service", "service_not_in_macro"),
        ],
    )
    async def test_what_cannot_be_meant_is_not_stored(
        self, hass: HomeAssistant, sequence: dict[str, Any], field: str, code: str
    ) -> None:
        """Law 10: the field of the step is named."""
        with pytest.raises((EngineError, InvalidValue)) as refused:
            await made(hass, {"delay": 1}, sequence)
        error = refused.value
        assert isinstance(error, EngineError | InvalidValue)
        assert (error.code, error.field) == (code, f"sequence.1.service.{field}")
        assert engine_of(hass).macros.all == ()

    async def test_an_entity_that_is_away_does_not_keep_it_from_being_stored(
        self, hass: HomeAssistant
    ) -> None:
        """It may be back when the macro runs."""
        hass.states.async_remove(WAVE)
        assert await made(hass, level(55, WAVE))

    async def test_to_look_is_not_to_change(self, hass: HomeAssistant) -> None:
        """It is called as it is."""
        calls = async_mock_service(hass, "homeassistant", "update_entity")
        (only,) = await ran(hass, step("homeassistant.update_entity", WAVE))
        assert only.state == "completed"
        assert [call.data["entity_id"] for call in calls] == [[WAVE]]


@pytest.mark.usefixtures("entry")
class TestCalls:
    """What is left to Home Assistant."""

    async def test_it_is_called_in_the_name_of_who_runs_it(
        self, hass: HomeAssistant, hass_admin_user: MockUser
    ) -> None:
        """R-C63: as a part of what was asked for."""
        calls = async_mock_service(hass, "notify", "phone")
        origin = Origin(source=Source.MACRO, user=hass_admin_user.id, context="call")
        (only,) = await ran(
            hass, step("notify.phone", data={"message": "Fed"}), origin=origin
        )
        assert (only.state, only.result) == (
            "completed",
            {"command_ids": [], "response": None},
        )
        (call,) = calls
        assert call.data == {"message": "Fed"}
        assert (call.context.user_id, call.context.parent_id) == (
            hass_admin_user.id,
            "call",
        )

    async def test_what_it_answers_is_kept_within_bounds(
        self, hass: HomeAssistant
    ) -> None:
        """R-C56."""

        async def answer(call: ServiceCall) -> ServiceResponse:
            return {"text": "x" * call.data["size"]}

        hass.services.async_register(
            "test", "tell", answer, supports_response=SupportsResponse.ONLY
        )
        first, second = await ran(
            hass,
            step("test.tell", data={"size": 10}),
            step("test.tell", data={"size": 100_000}),
        )
        assert (first.result or {})["response"] == {"text": "x" * 10}
        assert (second.result or {})["response"] is None
        assert (second.result or {})["truncated"] is True

    @pytest.mark.parametrize(
        ("error", "code", "word"),
        [
            (HomeAssistantError("no network"), "command_failed", "call_failed"),
            (ValueError(), "command_failed", "call_failed"),
            (ServiceValidationError("no"), "invalid_arguments", "call_refused"),
            (Unauthorized(), "command_invalid", "call_not_allowed"),
            (ServiceNotFound("a", "b"), "command_invalid", "call_not_found"),
            (TimeoutError(), "command_timeout", "call_timed_out"),
        ],
    )
    async def test_one_that_fails(
        self, hass: HomeAssistant, error: Exception, code: str, word: str
    ) -> None:
        """The step says how, and which service it was."""

        async def fail(call: ServiceCall) -> None:
            raise error

        hass.services.async_register("test", "fail", fail)
        (only,) = await ran(hass, step("test.fail"))
        assert (only.state, only.error_code, only.error) == ("failed", code, word)
        assert (only.result or {})["details"]["service"] == "test.fail"

    async def test_one_that_is_not_there(self, hass: HomeAssistant) -> None:
        """It may be there another time."""
        (only,) = await ran(hass, step("nobody.home"))
        assert (only.error_code, only.error) == ("command_invalid", "call_not_found")

    async def test_one_that_takes_too_long(self, hass: HomeAssistant) -> None:
        """Its time is over, and the macro has failed."""

        async def hang(call: ServiceCall) -> None:
            await asyncio.Event().wait()

        hass.services.async_register("test", "hang", hang)
        (only,) = await ran(hass, step("test.hang", timeout=1))
        assert (only.error_code, only.error) == ("command_timeout", "call_timed_out")


async def cut_off(
    hass: HomeAssistant, entry: MockConfigEntry, *sequence: dict[str, Any]
) -> StepRow:
    """Restart while the last step of a macro is under way; return how that ended."""
    reached, calls = asyncio.Event(), []

    async def hang(call: ServiceCall) -> None:
        calls.append(call)
        reached.set()
        await asyncio.Event().wait()

    hass.services.async_register("test", "hang", hang)
    run = await engine_of(hass).macros.run(await made(hass, *sequence), ORIGIN)
    async with asyncio.timeout(10):
        await reached.wait()
    await restart(hass, entry)
    async with asyncio.timeout(10):
        await engine_of(hass).runs.finished(run.id)
    assert len(calls) == 1
    return (await engine_of(hass).runs.get(run.id))[1][-1]


async def test_a_schedule_knows_the_devices_behind_the_entities(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """A service for the entity of a device is for that device (law 1)."""
    engine = engine_of(hass)
    await engine.macros.create(
        {
            "name": "Calm",
            "sequence": [
                step("input_number.set_value", WAVE, ROOM, data={"value": 10})
            ],
        },
        user=None,
    )
    planned = await engine.create_schedule(
        {
            "name": "Calm morning",
            "schedule_type": "cron",
            "cron_expression": "0 8 * * *",
            "action_type": "macro",
            "action_params": {"macro": "Calm"},
        },
        user=None,
    )
    pump = device_named(hass, PUMP).row.number
    assert engine.planner.concerned(planned) == (pump,)


async def test_a_call_that_a_restart_cut_off(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Law 3: nobody knows whether it was made, so it is not made again."""
    last = await cut_off(hass, entry, step("test.hang", data={"x": 1}))
    assert (last.state, last.error_code, last.error) == (
        "failed",
        "interrupted",
        "interrupted",
    )


async def test_what_devices_were_asked_before_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """It is found by its id, and not worked out again."""
    number = await made(hass, level(55, WAVE))
    run = await engine_of(hass).macros.run(number, ORIGIN)
    await engine_of(hass).runs.finished(run.id)
    _, (row,) = await engine_of(hass).runs.get(run.id)
    database = engine_of(hass).database
    assert database is not None
    # As if it had been killed before the end of the step, and of the run, was written.
    for statement in (
        "UPDATE run SET state = 'running', ended_at = NULL",
        "UPDATE run_step SET state = 'running', ended_at = NULL",
    ):
        await database.writer.write(partial(_execute, statement=statement))
    await restart(hass, entry)
    async with asyncio.timeout(10):
        ended = await engine_of(hass).runs.finished(run.id)
    _, (row,) = await engine_of(hass).runs.get(run.id)
    assert (ended.state, row.state, row.error) == ("completed", "completed", None)
    assert len(await asked_of(hass, PUMP)) == 1


@pytest.mark.usefixtures("entry")
async def test_a_device_that_is_not_loaded_is_not_asked(hass: HomeAssistant) -> None:
    """The step fails, and says so."""
    number = await made(hass, level(55, WAVE))
    engine = engine_of(hass)
    await engine.equipment.detach(device_named(hass, PUMP).row.number)
    run = await engine.macros.run(number, ORIGIN)
    ended = await engine.runs.finished(run.id)
    _, (row,) = await engine.runs.get(run.id)
    assert (ended.state, row.state) == ("failed", "failed")
    assert row.error == "device_not_loaded"
    assert await asked_of(hass, PUMP) == []


def _execute(connection: Connection, statement: str) -> None:
    """Change what is on disk behind the engine's back."""
    connection.execute(statement)


async def allowed(hass: HomeAssistant, user: MockUser, *entities: str) -> None:
    """Let a user control some entities and nothing else."""
    user.groups = []
    user.mock_policy({"entities": {"entity_ids": dict.fromkeys(entities, True)}})


@pytest.mark.usefixtures("entry")
async def test_who_runs_it_needs_control_of_all_that_it_is_for(
    hass: HomeAssistant, hass_read_only_user: MockUser
) -> None:
    """Of our devices, and of the entities of others; who may not see them sees no macro."""
    number = await made(hass, level(40, WAVE, ROOM), step("notify.phone"))
    ours = er.async_get(hass).entities.get_entries_for_config_entry_id("aquarium_entry")
    own = [one.entity_id for one in ours]
    definition = engine_of(hass).macros.get(number).row.definition
    user = hass_read_only_user

    async def run() -> None:
        await hass.services.async_call(
            DOMAIN,
            "run_macro",
            {"macro": number},
            blocking=True,
            context=Context(user_id=user.id),
        )

    for entities in ((), own, (ROOM,)):
        await allowed(hass, user, *entities)
        assert not visible(hass, user, definition)
        with pytest.raises(Unauthorized):
            await run()
    await allowed(hass, user, *own, ROOM)
    assert visible(hass, user, definition)
    await run()
