"""Each action is explained with every field, and each example does what it says."""

from datetime import timedelta
import json
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.aquarist.commands.actions import ACTIONS
from custom_components.aquarist.data import DATA_ENGINE
from custom_components.aquarist.schedules.cron_expression import parse

from ..aquarium import aquarium
from ..package_source import read_yaml
from .macros import save_macro
from .modes import count_down
from .pages import Block, sections, table
from .running import run, same_shape, step
from .write_actions import fail_write_action

SERVICES = read_yaml("services.yaml")
SECTIONS = sections("actions")
EXAMPLES = [
    block
    for section in SECTIONS.values()
    for block in section.blocks
    if block.language == "yaml"
]


def answered() -> list[tuple[Block, Block]]:
    """Return each example whose answer is shown, with that answer."""
    return [
        (before, after)
        for section in SECTIONS.values()
        for before, after in zip(section.blocks, section.blocks[1:], strict=False)
        if after.language == "json"
    ]


def choices(service: str, field: str) -> set[str]:
    """Return the words that the form of an action offers."""
    options = SERVICES[service]["fields"][field]["selector"]["select"]["options"]
    return {one["value"] if isinstance(one, dict) else one for one in options}


def test_every_action_has_a_heading_and_an_example() -> None:
    """What services.yaml names is here, and nothing else."""
    named = {heading for heading, part in SECTIONS.items() if part.level == 2}

    assert named == set(SERVICES)
    assert {step(one.text)["action"].partition(".")[2] for one in EXAMPLES} == set(
        SERVICES
    )


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_field_is_explained(service: str) -> None:
    """The table has the fields of the action, and says rightly whether they are needed."""
    fields = SERVICES[service]["fields"]
    rows = table("actions", service)

    assert set(rows) == set(fields)
    assert {name for name, cells in rows.items() if cells[0] == "yes"} == {
        name for name, field in fields.items() if field.get("required")
    }


def test_what_devices_can_do_is_what_the_form_offers() -> None:
    """Every device action is explained."""
    listed = set(table("actions", "What devices can do"))

    assert listed == choices("send_command", "action") == set(ACTIONS)


@pytest.mark.parametrize("expression", sorted(table("actions", "Cron expressions")))
def test_cron_expressions_are_right(expression: str) -> None:
    """The examples of expressions can be read."""
    assert parse(expression).ever_match()


def test_answers_stand_below_examples_that_ask_for_them() -> None:
    """An answer is shown for each example with a response variable, and for no other."""
    asked = [block for block in EXAMPLES if "response_variable" in step(block.text)]

    assert [before for before, _ in answered()] == asked


@pytest.mark.parametrize(
    "block", EXAMPLES, ids=lambda one: f"{one.heading}-{one.number}"
)
async def test_example_runs(hass: HomeAssistant, tmp_path: Path, block: Block) -> None:
    """In a new demo aquarium the example is accepted, and the answer has the keys that are shown."""
    async with aquarium(hass, tmp_path, demo=True):
        # What is released must be stopped before.
        if "release" in block.text:
            await hass.services.async_call("aquarist", "emergency_stop", blocking=True)
        # What is run must have been saved before.
        if "run_macro" in block.text or "action_type: macro" in block.text:
            await save_macro(hass)
        # What is tried again must have failed before.
        if "retry_write_action" in block.text:
            await fail_write_action(hass)
        # What is removed must be there.
        if "remove_container" in block.text:
            engine = hass.data[DATA_ENGINE]
            await engine.containers.resize(engine.device(2), 0, 500_000, user=None)
        # What is extended must be counting down.
        if "extend_mode" in block.text:
            await count_down(hass)

        # What is applied or exported must have been saved before.
        if any(f"{verb}_configuration" in block.text for verb in ("apply", "export")):
            await hass.services.async_call(
                "aquarist",
                "save_configuration",
                {"device_id": 1, "name": "Summer"},
                blocking=True,
            )

        if "evening" in block.text:
            await hass.services.async_call(
                "aquarist",
                "send_command",
                {
                    "device_id": 3,
                    "action": "turn_off",
                    "id": "evening",
                    "scheduled_at": dt_util.utcnow() + timedelta(hours=1),
                },
                blocking=True,
            )

        _, answer = await run(hass, block.text)

        for example, shown in answered():
            if example == block:
                same_shape(json.loads(shown.text), answer)
