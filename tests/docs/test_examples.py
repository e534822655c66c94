"""The automations of the page are taken by Home Assistant and do what they say."""

from pathlib import Path
from typing import Any

from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import slugify
from homeassistant.util.yaml import parse_yaml
import pytest

from ..aquarium import aquarium, engine_of
from .pages import Block, sections
from .running import until

AUTOMATION = "automation"
SCRIPT = "script"
EXAMPLES = [
    block
    for section in sections("examples").values()
    for block in section.blocks
    if block.language == "yaml"
]
AUTOMATIONS = [block for block in EXAMPLES if "triggers:" in block.text]
SCRIPTS = [block for block in EXAMPLES if "triggers:" not in block.text]

# What triggers an automation: an entity and its states before and after, or an event.
TRIGGERS: dict[str, Any] = {
    "Feeding": ("input_button.feeding", "unknown", "2026-03-01T17:00:00+00:00"),
    "Film": ("input_boolean.film", "off", "on"),
    "After the water change": (
        "input_button.water_changed",
        "unknown",
        "2026-03-01T10:00:00+00:00",
    ),
    "Dose trouble": (
        "aquarist_dose",
        {"state": "unknown", "head_index": 0, "volume_ml": 2.5, "given_ml": None},
    ),
    "Plan trouble": (
        "aquarist_occurrence",
        {"verdict": "failed", "name": "Dawn", "reason": "out_of_range"},
    ),
    "Flood": ("binary_sensor.leak", "off", "on"),
}
# What each of them asks of Aquarist, by the actions of the commands that follow.
ASKED = {
    "Feeding": {"write_action"},
    "Film": {"write_action"},
    "After the water change": {"dose"},
    "Dose trouble": set[str](),
    "Plan trouble": set[str](),
    "Flood": {"emergency_stop"},
}
NOTIFIED = {
    "Dose trouble": "Head 1: unknown",
    "Plan trouble": "Dawn: failed",
    "Flood": "Water on the floor",
}


def alias(block: Block) -> str:
    """Return the name of an automation or script."""
    parsed = parse_yaml(block.text)
    assert isinstance(parsed, dict)
    return str(parsed["alias"])


async def trigger(hass: HomeAssistant, name: str) -> None:
    """Let happen what an automation waits for, and wait until it has done its work."""
    match TRIGGERS[name]:
        case (entity_id, before, after):
            hass.states.async_set(entity_id, before)
            await hass.async_block_till_done()
            hass.states.async_set(entity_id, after)
        case (event, data):
            hass.bus.async_fire(event, data)
    await hass.async_block_till_done()


def test_every_automation_is_tried() -> None:
    """A new example needs something that triggers it."""
    assert {alias(block) for block in AUTOMATIONS} == set(TRIGGERS) == set(ASKED)
    assert len(SCRIPTS) == 1


@pytest.mark.parametrize("block", AUTOMATIONS, ids=alias)
async def test_automation_does_what_it_says(
    hass: HomeAssistant, tmp_path: Path, block: Block
) -> None:
    """Home Assistant's own schema takes it; once triggered, Aquarist has the commands."""
    name = alias(block)
    notified: list[str] = []
    asked: set[str] = set()
    hass.bus.async_listen(
        "call_service",
        lambda event: (
            notified.append(event.data["service_data"]["title"])
            if event.data["domain"] == "persistent_notification"
            else None
        ),
    )
    hass.bus.async_listen(
        "aquarist_command", lambda event: asked.add(event.data["action"])
    )
    assert await async_setup_component(hass, "persistent_notification", {})
    assert await async_setup_component(
        hass, AUTOMATION, {AUTOMATION: [parse_yaml(block.text)]}
    )
    state = hass.states.get(f"{AUTOMATION}.{slugify(name)}")
    assert state is not None and state.state == STATE_ON

    async with aquarium(hass, tmp_path, demo=True):
        await trigger(hass, name)
        await until(hass, lambda: asked == ASKED[name])

    assert notified == ([NOTIFIED[name]] if name in NOTIFIED else [])


@pytest.mark.parametrize("block", SCRIPTS, ids=alias)
async def test_script_does_what_it_says(
    hass: HomeAssistant, tmp_path: Path, block: Block
) -> None:
    """The schedules that it makes are planned."""
    script = slugify(alias(block))
    assert await async_setup_component(
        hass, SCRIPT, {SCRIPT: {script: parse_yaml(block.text)}}
    )

    async with aquarium(hass, tmp_path, demo=True):
        await hass.services.async_call(SCRIPT, script, blocking=True)

        planner = engine_of(hass).planner
        names = {planned.row.name for planned in planner.schedules}
        assert {"Sunrise", "Midday rest", "Sunset"} <= names
        assert all(planner.next_moment(planned) for planned in planner.schedules)
