"""Macros that dose through Home Assistant: by our buttons and our actions (law 1).

Home Assistant and a pump never both dose one plan, whatever way the dose would take.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    entity_registry as er,
    label_registry as lr,
)
import pytest

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.errors import EngineError, SafetyRefusedError
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.state import (
    DeviceLimits,
    DeviceState,
    HeadLimits,
)

from .aquarium import aquarium, call, device_named, engine_of, entity_of

HEAD, OTHER = 3, 0
PUMP = "Demo doser"
ORIGIN = Origin(source=Source.SERVICE)
PROGRAMME = {"head_index": HEAD, "volume_tenths_ml": 50, "hour": 8, "minute": 30}


@pytest.fixture
async def pump(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[DeviceState]:
    """Set up the demo aquarium with the buttons and volumes of its pump."""
    async with aquarium(hass, tmp_path, Platform.BUTTON, Platform.NUMBER, demo=True):
        yield device_named(hass, PUMP)


def button(hass: HomeAssistant, head: int = HEAD) -> str:
    """Return the button that doses with a head."""
    return entity_of(hass, Platform.BUTTON, PUMP, f"{head}_dose_now")


def by_entity(hass: HomeAssistant) -> dict[str, Any]:
    """Press the button itself."""
    return {"service": "button.press", "target": {"entity_id": [button(hass)]}}


def by_head(hass: HomeAssistant) -> dict[str, Any]:
    """Press all buttons of the head."""
    entry = er.async_get(hass).async_get(button(hass))
    assert entry is not None
    return {"service": "button.press", "target": {"device_id": [entry.device_id]}}


def by_area(hass: HomeAssistant) -> dict[str, Any]:
    """Press all buttons of a room."""
    area = ar.async_get(hass).async_create("Cabinet")
    er.async_get(hass).async_update_entity(button(hass), area_id=area.id)
    return {"service": "button.press", "target": {"area_id": [area.id]}}


def by_label(hass: HomeAssistant) -> dict[str, Any]:
    """Press all buttons with a label."""
    label = lr.async_get(hass).async_create("Evening")
    er.async_get(hass).async_update_entity(button(hass), labels={label.label_id})
    return {"service": "button.press", "target": {"label_id": [label.label_id]}}


def by_group(hass: HomeAssistant) -> dict[str, Any]:
    """Press a group in a group, which is as its members are."""
    hass.states.async_set("button.inner", "on", {"entity_id": [button(hass)]})
    members = ["button.outer", "button.inner"]
    hass.states.async_set("button.outer", "on", {"entity_id": members})
    return {"service": "button.press", "target": {"entity_id": ["button.outer"]}}


def by_action(hass: HomeAssistant) -> dict[str, Any]:
    """Call the action for doses."""
    return {
        "service": "aquarist.dose",
        "target": {"device_id": [device_named(hass, PUMP).row.uuid]},
        "data": {"head_index": HEAD, "volume_ml": 1},
    }


def by_command(hass: HomeAssistant) -> dict[str, Any]:
    """Call the action for commands, for the device as Home Assistant knows it."""
    clock = entity_of(hass, Platform.BUTTON, PUMP, "sync_clock")
    found = er.async_get(hass).async_get(clock)
    assert found is not None
    return {
        "service": "aquarist.send_command",
        "target": {"device_id": [found.device_id]},
        "data": {
            "action": "dose",
            "args": {"head_index": HEAD, "volume_ml": 1},
        },
    }


WAYS = [by_entity, by_head, by_area, by_label, by_group, by_action, by_command]


async def macro(hass: HomeAssistant, *steps: dict[str, Any]) -> int:
    """Save a macro with these calls after a pause."""
    sequence = [{"delay": 1}, *({"service": step} for step in steps)]
    made = await engine_of(hass).macros.create(
        {"name": "Evening", "sequence": sequence}, user=None
    )
    return made.row.id


async def schedule(hass: HomeAssistant, **changes: Any) -> None:
    """Plan the macro for every afternoon."""
    await engine_of(hass).create_schedule(
        {
            "name": "Daily",
            "schedule_type": "cron",
            "cron_expression": "0 16 * * *",
            "action_type": "macro",
            "action_params": {"macro": "Evening"},
        }
        | changes,
        user=None,
    )


async def write_programme(hass: HomeAssistant, pump: DeviceState) -> None:
    """Have the pump dose with the head by itself."""
    engine = engine_of(hass)
    command = await engine.send(pump, "set_schedule", PROGRAMME, ORIGIN)
    ended = await engine.finished(command)
    assert ended.error is None


@pytest.mark.parametrize("way", WAYS)
async def test_a_schedule_of_such_a_macro_is_refused_beside_a_programme(
    hass: HomeAssistant, pump: DeviceState, way: Any
) -> None:
    """As one that doses itself, with the same words."""
    await write_programme(hass, pump)
    await macro(hass, way(hass))
    with pytest.raises(EngineError) as refused:
        await schedule(hass)
    assert (refused.value.code, refused.value.field) == (
        "programme_active",
        "action_params.macro",
    )
    assert refused.value.placeholders["head"] == str(HEAD + 1)
    assert refused.value.placeholders["name"] == PUMP
    await schedule(hass, is_enabled=False)


@pytest.mark.parametrize("way", WAYS)
async def test_a_programme_is_refused_beside_a_schedule_of_such_a_macro(
    hass: HomeAssistant, pump: DeviceState, way: Any
) -> None:
    """The error names the schedule."""
    await macro(hass, way(hass))
    await schedule(hass)
    with pytest.raises(SafetyRefusedError) as refused:
        await engine_of(hass).send(pump, "set_schedule", PROGRAMME, ORIGIN)
    assert refused.value.code == "refused_schedule_doses"
    assert refused.value.placeholders["schedule"] == "Daily"


@pytest.mark.parametrize(
    ("way", "said_in"),
    [(by_entity, "target"), (by_action, "data"), (by_command, "data")],
)
async def test_a_macro_that_a_schedule_starts_is_not_made_to_dose_so(
    hass: HomeAssistant, pump: DeviceState, way: Any, said_in: str
) -> None:
    """The error names the step; what the macro was stays."""
    await write_programme(hass, pump)
    number = await macro(hass)
    await schedule(hass)
    sequence = [{"delay": 1}, {"service": way(hass)}]
    with pytest.raises(EngineError) as refused:
        await engine_of(hass).macros.update(
            number, {"name": "Evening", "sequence": sequence}, user=None
        )
    assert (refused.value.code, refused.value.field) == (
        "programme_active",
        f"sequence.1.service.{said_in}",
    )
    assert engine_of(hass).macros.get(number).row.revision == 1


async def test_at_its_moment_it_is_seen_what_belongs_where_by_then(
    hass: HomeAssistant, pump: DeviceState
) -> None:
    """The button came into the room after the macro was planned."""
    await write_programme(hass, pump)
    area = ar.async_get(hass).async_create("Cabinet")
    await macro(hass, {"service": "button.press", "target": {"area_id": [area.id]}})
    await schedule(hass)
    engine = engine_of(hass)
    (planned,) = [one for one in engine.planner.schedules if one.row.name == "Daily"]
    assert planned.definition is not None
    assert engine.scheduled_macros.problem(planned.definition) is None
    er.async_get(hass).async_update_entity(button(hass), area_id=area.id)
    assert engine.scheduled_macros.problem(planned.definition) == "programme_active"


async def test_the_keeper_who_holds_the_pump_back_holds_the_macro_back(
    hass: HomeAssistant, pump: DeviceState
) -> None:
    """A schedule acts on the pump whose button its macro presses."""
    await macro(hass, by_entity(hass))
    await schedule(hass)
    engine = engine_of(hass)
    (planned,) = [one for one in engine.planner.schedules if one.row.name == "Daily"]
    assert engine.planner.concerned(planned) == (pump.row.number,)


def elsewhere(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return calls that do not dose with the head."""
    clock = entity_of(hass, Platform.BUTTON, PUMP, "sync_clock")
    registry = er.async_get(hass)
    strange = registry.async_get_or_create("button", "other", f"x_{HEAD}_dose_now")
    left_over = registry.async_get_or_create("button", DOMAIN, f"gone_{HEAD}_dose_now")
    others = [
        button(hass, OTHER),
        clock,
        strange.entity_id,
        left_over.entity_id,
        "button.nobodys",
    ]
    action = by_action(hass)
    return [
        {"service": "button.press", "target": {"entity_id": others}},
        {
            "service": "homeassistant.update_entity",
            "target": {"entity_id": [button(hass)]},
        },
        action | {"data": {"head_index": OTHER, "volume_ml": 1}},
        action | {"data": {"head_index": "3", "volume_ml": 1}},
        action | {"target": {"device_id": ["nobodys"]}},
        action | {"target": {}},
        by_command(hass) | {"data": {"action": "request_status"}},
        by_command(hass) | {"data": {"action": "dose", "args": "none"}},
    ]


async def test_what_does_not_dose_with_the_head_is_in_nobodys_way(
    hass: HomeAssistant, pump: DeviceState
) -> None:
    """Other heads, other buttons, other actions, what is gone, and calls that cannot succeed."""
    await write_programme(hass, pump)
    await macro(hass, *elsewhere(hass))
    await schedule(hass)


@pytest.mark.parametrize(
    ("way", "volume"), [(by_entity, 400), (by_action, 1000), (by_command, 1000)]
)
async def test_such_doses_are_taken_from_the_days_that_a_container_lasts(
    hass: HomeAssistant, pump: DeviceState, way: Any, volume: int
) -> None:
    """A button gives what the number beside it shows."""
    engine = engine_of(hass)
    number = entity_of(hass, Platform.NUMBER, PUMP, f"{HEAD}_dose_volume")
    await call(hass, "set_value", number, value=0.4)
    await engine.containers.resize(pump, HEAD, 10 * volume, user=None)
    assert _days(hass, pump) is None
    await macro(hass, way(hass))
    await schedule(hass)
    days = _days(hass, pump)
    assert days is not None
    assert 10 <= days < 11


def _days(hass: HomeAssistant, pump: DeviceState) -> float | None:
    """Return for how many days the container of the head lasts."""
    status = engine_of(hass).containers.status(pump, HEAD)
    assert status is not None
    return status.days_left


LIMITS = [
    (HeadLimits(budget=3000), "more than this head may give in 24 hours"),
    (
        HeadLimits(minimum_interval=3600.0),
        "between two doses of this head 60 min must pass",
    ),
    (HeadLimits(maximum_volume=1000), "more than this head may give at once"),
    (HeadLimits(enabled=False), "head 4 is disabled in the options of its device"),
]


@pytest.mark.parametrize(("limits", "reason"), LIMITS)
async def test_a_step_that_repeats_an_old_dose_keeps_to_the_limits_of_its_moment(
    hass: HomeAssistant, pump: DeviceState, limits: HeadLimits, reason: str
) -> None:
    """Law 5: what was allowed then is judged anew, and nothing is given."""
    engine = engine_of(hass)
    args = {"head_index": HEAD, "volume_ml": 2}
    command = await engine.send(pump, "dose", args, ORIGIN, id="old")
    assert (await engine.finished(command)).error is None
    again = {
        "service": "aquarist.rerun_command",
        "target": {"device_id": [pump.row.uuid]},
        "data": {"id": "old"},
    }
    number = await macro(hass, again)
    pump.limits = DeviceLimits(heads={HEAD: limits})
    run = await engine.macros.run(number, ORIGIN)
    async with asyncio.timeout(10):
        row = await engine.runs.finished(run.id)
    _, steps = await engine.runs.get(run.id)
    assert (row.state, steps[-1].error) == ("failed", "call_refused")
    assert reason in (steps[-1].result or {})["details"]["reason"]
    assert [dose.counted for dose in engine.gate.doses(pump.row.number, HEAD)] == [2000]
