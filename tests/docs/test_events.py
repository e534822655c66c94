"""What programs are told and may ask has exactly the documented keys (R-X12)."""

from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.aquarist.api import events, websocket
from custom_components.aquarist.api.websocket import FILES
from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.engine.changes import (
    Change,
    CommandChanged,
    DoseChanged,
    OccurrenceChanged,
)
from custom_components.aquarist.engine.intake import Origin

from ..aquarium import aquarium, device_named, engine_of, heard
from .macros import save_macro
from .pages import sections, table
from .running import same_shape
from .write_actions import plan_and_override

EVENTS = (
    events.EVENT_COMMAND,
    events.EVENT_DOSE,
    events.EVENT_MODE,
    events.EVENT_OCCURRENCE,
    events.EVENT_WRITE_ACTION,
)
COMMANDS = [
    heading for heading in sections("events") if heading.startswith("aquarist/")
]
# What not every write action tells.
NOT_ALWAYS = {"error", "details"}
# The head that is dosed with.
DOSED = {"head_index": 0}


async def happen(hass: HomeAssistant) -> None:
    """Let a schedule give a dose, a write action come and go, and a mode begin."""

    def decided(change: Change) -> bool:
        """Tell the verdict of the moment."""
        return isinstance(change, OccurrenceChanged) and change.verdict is not None

    def restored(change: Change) -> bool:
        """Tell the end of the write action."""
        return (
            isinstance(change, CommandChanged)
            and change.command.action == "write_action"
            and change.command.final
        )

    now = dt_util.utcnow()
    soon = (now + timedelta(seconds=0.3)).isoformat()
    async with heard(hass, decided), heard(hass, restored):
        await hass.services.async_call(
            "aquarist",
            "create_schedule",
            {
                "name": "Now",
                "device_ids": [device_named(hass, "Demo doser").row.number],
                "schedule_type": "one_off",
                "start_time": soon,
                "action_type": "dose",
                "action_params": {"head_index": 0, "volume_ml": 0.2},
            },
            blocking=True,
        )
        await hass.services.async_call(
            "aquarist",
            "create_write_action",
            {
                "device_id": device_named(hass, "Skimmer").row.number,
                "field_name": "level",
                "value": 30,
                "start_timestamp": now.isoformat(),
                "end_timestamp": (now + timedelta(seconds=0.5)).isoformat(),
            },
            blocking=True,
        )
    await hass.services.async_call(
        "aquarist",
        "start_mode",
        {"mode": "feed"},
        blocking=True,
        return_response=True,
    )
    await hass.async_block_till_done()


def test_every_event_has_a_heading() -> None:
    """The events, under their names."""
    named = {heading for heading in sections("events") if "aquarist_" in heading}

    assert named == set(EVENTS)


async def test_events_have_the_documented_keys(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Each kind of event was seen, and has the keys of its table."""
    seen: Mapping[str, list[Any]] = {
        name: async_capture_events(hass, name) for name in EVENTS
    }

    async with aquarium(hass, tmp_path, demo=True):
        await happen(hass)

    for name, told in seen.items():
        assert told, name
        for event in told:
            assert set(event.data) | NOT_ALWAYS == (
                set(table("events", name)) | NOT_ALWAYS
            ), name


async def test_a_failed_write_action_says_why(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The key that only a failed one has is there, with what the table says of it."""
    told = async_capture_events(hass, events.EVENT_WRITE_ACTION)

    async with aquarium(hass, tmp_path, demo=True) as entry:
        now = dt_util.utcnow()
        await hass.services.async_call(
            "aquarist",
            "create_write_action",
            {
                "device_id": device_named(hass, "Skimmer").row.number,
                "field_name": "level",
                "value": 30,
                "start_timestamp": (now + timedelta(hours=1)).isoformat(),
                "end_timestamp": (now + timedelta(hours=2)).isoformat(),
            },
            blocking=True,
        )
        engine = entry.runtime_data.engine
        (command,) = engine.records.open

        def ended(change: Change) -> bool:
            """Tell its end."""
            return isinstance(change, CommandChanged) and change.command.final

        async with heard(hass, ended):
            await engine.cancel(command)
        await hass.async_block_till_done()

    last = told[-1].data
    assert set(last) | NOT_ALWAYS == set(table("events", events.EVENT_WRITE_ACTION))
    explained = table("events", events.EVENT_WRITE_ACTION)["error"][0]
    assert all(f"`{key}`" in explained for key in last["error"])


async def test_every_websocket_command_is_explained(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The headings are the registered commands, and their tables have every field."""
    assert await async_setup_component(hass, "websocket_api", {})
    async with aquarium(hass, tmp_path):
        registered = {
            name for name in hass.data["websocket_api"] if name.startswith("aquarist/")
        }

    # What is registered first is the door that they stand behind.
    schemas = {
        command._ws_command: command._ws_schema
        for file in FILES
        for command in import_module(f"{websocket.__name__}.{file}").COMMANDS
    }
    assert registered == set(schemas) == set(COMMANDS)
    for name, schema in schemas.items():
        fields = set() if schema is False else {str(key) for key in schema.schema}
        assert fields - {"type", "id"} == set(table("events", name)), name


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.endswith("/list")])
async def test_answers_have_the_documented_keys(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    tmp_path: Path,
    command: str,
) -> None:
    """A list answers as its example shows."""
    (example,) = sections("events")[command].blocks
    async with aquarium(hass, tmp_path, demo=True):
        await hass.services.async_call(
            "aquarist",
            "dose",
            {"device_id": 2, **DOSED, "volume_ml": 0.2, "execution": "sync"},
            blocking=True,
        )
        await plan_and_override(hass)
        doser = device_named(hass, "Demo doser")
        await engine_of(hass).containers.resize(doser, 0, 500_000, user=None)
        run = await engine_of(hass).macros.run(
            await save_macro(hass), Origin(source=Source.MACRO)
        )
        await engine_of(hass).runs.finished(run.id)
        await hass.services.async_call(
            "aquarist",
            "send_command",
            {
                "device_id": 1,
                "action": "set_level",
                "args": {"level": 40},
                "execution": "sync",
            },
            blocking=True,
        )
        client = await hass_ws_client(hass)
        await engine_of(hass).configurations.save(
            device_named(hass, "Demo light"), "Summer", None
        )
        needed: dict[str, Any] = {
            "aquarist/doses/list": {"device_id": 2, **DOSED},
            "aquarist/configurations/list": {"device_id": 1},
        }.get(command, {})
        await client.send_json_auto_id({"type": command, **needed})
        answer = await client.receive_json()

    assert answer["success"]
    same_shape(json.loads(example.text), answer["result"])


async def test_subscribers_are_told_what_the_event_tells(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, tmp_path: Path
) -> None:
    """What is pushed has the keys of the event `aquarist_command`."""

    def sent(change: Change) -> bool:
        """Tell that the dose is under way."""
        return isinstance(change, DoseChanged)

    async with aquarium(hass, tmp_path, demo=True):
        client = await hass_ws_client(hass)
        await client.send_json_auto_id({"type": "aquarist/commands/subscribe"})
        assert (await client.receive_json())["success"]
        async with heard(hass, sent):
            await hass.services.async_call(
                "aquarist",
                "send_command",
                {
                    "device_id": 2,
                    "action": "dose",
                    "args": {"head_index": 0, "volume_ml": 0.2},
                },
                blocking=True,
            )
        pushed = (await client.receive_json())["event"]

    assert set(pushed) == set(table("events", events.EVENT_COMMAND))
