"""Modes as a keeper makes them: from the form to the aquarium, and back (issue 4)."""

from collections.abc import AsyncIterator, Mapping
import logging
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aquarist.engine.mode_definitions import Mode
from custom_components.aquarist.mode_handles import async_follow_modes
from custom_components.aquarist.runs.mode_definition import mode_json
from custom_components.aquarist.store.errors import StoreFullError

from .aquarium import (
    ENTRY,
    aquarium,
    device_named,
    engine_of,
    entities_behind,
    restart,
    subentry,
)
from .flow_forms import choices, fields, filled_in, suggested


def pump(title: str, entity_id: str) -> Any:
    """Return a pump."""
    return subentry("pump", title, {"entity_id": entity_id, "safe_level": 0})


LISTED = (
    pump("Skimmer", "input_number.skimmer"),
    pump("Feeder", "input_boolean.relay"),
    subentry(
        "entity",
        "Sump",
        {
            "fields": [
                {"name": "height", "entity_id": "sensor.height"},
                {"name": "full", "entity_id": "input_boolean.full"},
                {"name": "program", "entity_id": "input_select.program"},
                {"name": "note", "entity_id": "input_text.note"},
            ]
        },
    ),
)


@pytest.fixture(autouse=True)
async def reef(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[MockConfigEntry]:
    """Give an aquarium with a skimmer, a feeder and a sump."""
    assert await async_setup_component(hass, "bluetooth", {})
    await entities_behind(hass, skimmer=70)
    assert await async_setup_component(
        hass,
        "input_boolean",
        {"input_boolean": {"relay": {"initial": True}, "full": {"initial": False}}},
    )
    select = {"options": ["day", "night"], "initial": "day"}
    assert await async_setup_component(
        hass, "input_select", {"input_select": {"program": select}}
    )
    assert await async_setup_component(hass, "input_text", {"input_text": {"note": {}}})
    hass.states.async_set("sensor.height", "20", {"unit_of_measurement": "cm"})
    async with aquarium(hass, tmp_path, Platform.SELECT, subentries=LISTED) as entry:
        await hass.async_start()
        await hass.async_block_till_done()
        yield entry
    await engine_of(hass).close()


async def opened(hass: HomeAssistant, changed: str | None = None) -> SubentryFlowResult:
    """Open the form for a new mode, or for one that is there."""
    context = SubentryFlowContext(source=SOURCE_USER)
    if changed is not None:
        context = SubentryFlowContext(source=SOURCE_RECONFIGURE, subentry_id=changed)
    return await hass.config_entries.subentries.async_init(
        (ENTRY, "mode"), context=context
    )


async def sent(
    hass: HomeAssistant, result: SubentryFlowResult, **answers: Any
) -> SubentryFlowResult:
    """Fill in a form, send it, and let what follows happen."""
    done = await hass.config_entries.subentries.async_configure(
        result["flow_id"], answers
    )
    await hass.async_block_till_done()
    return done


async def chosen(
    hass: HomeAssistant, result: SubentryFlowResult, step: str
) -> SubentryFlowResult:
    """Choose a point of the menu."""
    assert result["type"] is FlowResultType.MENU
    return await sent(hass, result, next_step_id=step)


async def held(
    hass: HomeAssistant, result: SubentryFlowResult, device: str, field: str, value: Any
) -> SubentryFlowResult:
    """Add a step that holds a field."""
    result = await chosen(hass, result, "hold")
    result = await sent(hass, result, field=key(hass, device, field))
    assert result["step_id"] == "hold_value"
    return await sent(hass, result, value=value)


async def begun(hass: HomeAssistant, **answers: Any) -> SubentryFlowResult:
    """Begin a mode that holds the skimmer at 10 %."""
    about = {"name": "Coral feeding", "duration_minutes": 15, **answers}
    result = await sent(hass, await opened(hass), **about)
    return await held(hass, result, "Skimmer", "level", 10)


def key(hass: HomeAssistant, device: str, field: str) -> str:
    """Return by what the form knows a field."""
    return f"{uuid(hass, device)}/{field}"


def uuid(hass: HomeAssistant, device: str) -> str:
    """Return the id of a device."""
    return device_named(hass, device).row.uuid


def steps(result: SubentryFlowResult) -> list[str]:
    """Return the steps as the menu lists them."""
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    return str(placeholders["steps"]).split("\n")


def stored(hass: HomeAssistant, name: str) -> Mode:
    """Return a mode of the aquarium."""
    return engine_of(hass).modes.definitions.get(ENTRY, name)


def handles(entry: MockConfigEntry) -> list[str]:
    """Return the names of the modes that are listed."""
    return [
        one.title for one in entry.subentries.values() if one.subentry_type == "mode"
    ]


def handle(entry: MockConfigEntry) -> str:
    """Return the id of the only handle."""
    (found,) = [one for one in entry.subentries.values() if one.subentry_type == "mode"]
    return found.subentry_id


async def made(hass: HomeAssistant, **more: Any) -> Mode:
    """Store a mode by another way than the form."""
    definition = {
        "name": "Night",
        "icon": "mdi:weather-night",
        "duration_minutes": 5,
        "latest_end_minutes": 60,
        "steps": [
            {"hold": {"device_id": uuid(hass, "Skimmer"), "level": 0}},
            {"countdown": True},
            {"release": {"device_id": uuid(hass, "Skimmer"), "field_name": "level"}},
        ],
        **more,
    }
    mode = await engine_of(hass).modes.definitions.create(ENTRY, definition, user=None)
    await hass.async_block_till_done()
    return mode


async def test_a_mode_is_made_step_by_step(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """Every kind of step; the mode can be chosen at once, and nothing was reloaded."""
    devices = reef.runtime_data.devices
    result = await opened(hass)
    assert fields(result) == ["name", "duration_minutes", "latest_end_minutes"]
    result = await sent(
        hass, result, name="Coral feeding", duration_minutes=15, latest_end_minutes=90
    )
    assert result["menu_options"] == ["hold", "countdown", "delay", "wait"]
    assert steps(result) == ["–"]
    result = await chosen(hass, result, "hold")
    assert [one["label"] for one in choices(result, "field")] == [
        "Skimmer: Level",
        "Feeder: Level",
        "Sump: full",
        "Sump: program",
        "Sump: note",
    ]
    result = await sent(hass, result, field=key(hass, "Skimmer", "level"))
    assert suggested(result) == {"value": 0}
    result = await sent(hass, result, value=10)
    result = await held(hass, result, "Sump", "full", True)
    result = await held(hass, result, "Sump", "program", "night")
    result = await held(hass, result, "Sump", "note", "fed")
    result = await chosen(hass, result, "countdown")
    result = await chosen(hass, result, "delay")
    assert filled_in(result, "minutes") == 5
    result = await sent(hass, result, minutes=2.5)
    result = await chosen(hass, result, "wait")
    result = await sent(hass, result, field=key(hass, "Sump", "height"))
    result = await sent(hass, result, above=18, below=22, minutes=30, go_on=True)
    result = await chosen(hass, result, "wait")
    result = await sent(hass, result, field=key(hass, "Sump", "full"))
    assert fields(result) == ["equals", "minutes", "go_on"]
    result = await sent(hass, result, equals=False)
    result = await chosen(hass, result, "release")
    assert [one["label"] for one in choices(result, "device")] == ["Skimmer", "Sump"]
    result = await sent(hass, result, device=uuid(hass, "Skimmer"))
    assert result["menu_options"] == [
        "hold",
        "delay",
        "wait",
        "release",
        "move",
        "take_out",
        "save",
    ]
    assert steps(result) == [
        "1. Skimmer: Level → 10",
        "2. Sump: full → on",
        "3. Sump: program → night",
        "4. Sump: note → fed",
        "5. ⏳ 15 min",
        "6. ⏸ 2.5 min",
        "7. ⏱ Sump: height > 18 < 22 (≤ 30 min ▸)",
        "8. ⏱ Sump: full = off (≤ 30 min)",
        "9. ↩ Skimmer",
    ]

    result = await chosen(hass, result, "save")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert handles(reef) == ["Coral feeding"]
    definition = stored(hass, "Coral feeding").definition
    assert definition is not None
    sump = uuid(hass, "Sump")
    wait = {"device_id": sump, "timeout": 1800.0}
    assert mode_json(definition) == {
        "name": "Coral feeding",
        "icon": None,
        "duration_minutes": 15.0,
        "latest_end_minutes": 90.0,
        "steps": [
            {
                "hold": {
                    "device_id": uuid(hass, "Skimmer"),
                    "field_name": "level",
                    "value": 10.0,
                }
            },
            {"hold": {"device_id": sump, "field_name": "full", "value": True}},
            {"hold": {"device_id": sump, "field_name": "program", "value": "night"}},
            {"hold": {"device_id": sump, "field_name": "note", "value": "fed"}},
            {"countdown": True},
            {"delay": 150.0},
            {
                "wait": {
                    **wait,
                    "field_name": "height",
                    "above": 18.0,
                    "below": 22.0,
                    "on_timeout": "continue",
                }
            },
            {
                "wait": {
                    **wait,
                    "field_name": "full",
                    "equals": False,
                    "on_timeout": "stop",
                }
            },
            {"release": {"device_id": uuid(hass, "Skimmer"), "field_name": None}},
        ],
    }
    state = hass.states.get("select.reef_mode")
    assert state is not None
    assert "Coral feeding" in state.attributes["options"]
    assert reef.runtime_data.devices is devices


async def test_without_a_countdown_of_its_own_it_comes_last(
    hass: HomeAssistant,
) -> None:
    """Everything comes back when it is over."""
    await chosen(hass, await begun(hass), "save")
    definition = stored(hass, "Coral feeding").definition
    assert definition is not None
    assert mode_json(definition)["steps"][-1] == {"countdown": True}


async def test_steps_can_be_moved_and_taken_out(hass: HomeAssistant) -> None:
    """By their number in the list."""
    result = await begun(hass)
    result = await chosen(hass, result, "countdown")
    result = await held(hass, result, "Feeder", "level", 0)
    result = await chosen(hass, result, "move")
    result = await sent(hass, result, step="2", place=1)
    assert steps(result) == [
        "1. Feeder: Level → 0",
        "2. Skimmer: Level → 10",
        "3. ⏳ 15 min",
    ]
    result = await chosen(hass, result, "take_out")
    result = await sent(hass, result, step="2")
    assert steps(result) == ["1. Feeder: Level → 0", "2. Skimmer: Level → 10"]
    assert "countdown" in (result["menu_options"] or ())


async def test_a_value_that_a_device_does_not_take_is_refused_at_once(
    hass: HomeAssistant,
) -> None:
    """A switch is on or off; a device without its hardware is believed."""
    result = await begun(hass)
    result = await held(hass, result, "Feeder", "level", 50)
    assert result["errors"] == {"value": "not_possible"}
    assert "50" in (result["description_placeholders"] or {})["reason"]
    assert suggested(result) == {"value": 50}
    await engine_of(hass).equipment.detach(device_named(hass, "Feeder").row.number)
    result = await sent(hass, result, value=100)
    assert steps(result) == ["1. Skimmer: Level → 10", "2. Feeder: Level → 100"]


async def test_a_device_that_goes_while_the_form_is_open_is_told(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """Another one can be picked, and no step is lost."""
    result = await chosen(hass, await begun(hass), "hold")
    feeder = key(hass, "Feeder", "level")
    del reef.runtime_data.devices["feeder"]
    await engine_of(hass).equipment.retire(device_named(hass, "Feeder").row.number)

    result = await sent(hass, result, field=feeder)

    assert (result["step_id"], result["errors"]) == ("hold", {"field": "device_gone"})
    result = await sent(hass, result, field=key(hass, "Skimmer", "level"))
    result = await sent(hass, result, value=20)
    assert steps(result) == ["1. Skimmer: Level → 10", "2. Skimmer: Level → 20"]


async def test_without_devices_there_is_no_mode(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """It is said at once what is missing."""
    engine = engine_of(hass)
    reef.runtime_data.devices.clear()
    for number in list(engine.devices):
        await engine.equipment.retire(number)

    result = await opened(hass)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_devices"


@pytest.mark.parametrize(
    ("entered", "errors"),
    [
        ({}, {"base": "condition_missing"}),
        ({"above": 5, "below": 5}, {"below": "range_empty"}),
    ],
)
async def test_a_wait_needs_something_to_wait_for(
    hass: HomeAssistant, entered: Mapping[str, float], errors: Mapping[str, str]
) -> None:
    """A bound, or two with numbers between them; corrected it is a step."""
    result = await chosen(hass, await begun(hass), "wait")
    result = await sent(hass, result, field=key(hass, "Sump", "height"))
    result = await sent(hass, result, **entered)
    assert result["errors"] == errors
    result = await sent(hass, result, above=5)
    assert steps(result)[-1] == "2. ⏱ Sump: height > 5 (≤ 30 min)"


@pytest.mark.parametrize(
    ("about", "field", "problem"),
    [
        ({"name": "Normal"}, "name", "mode_name_taken"),
        ({"name": " "}, "name", "name_missing"),
        ({"name": "n" * 101}, "name", "name_too_long"),
        ({"name": "Night"}, "name", "mode_name_taken"),
        ({"latest_end_minutes": 10}, "latest_end_minutes", "latest_end_early"),
    ],
)
async def test_what_makes_no_mode_is_told_where_it_can_be_mended(
    hass: HomeAssistant, about: Mapping[str, Any], field: str, problem: str
) -> None:
    """Nothing is stored, no step is lost."""
    await made(hass)
    result = await chosen(hass, await begun(hass, **about), "save")
    assert result["step_id"] == "mode"
    assert result["errors"] == {field: problem}
    if problem == "latest_end_early":
        told = result["description_placeholders"] or {}
        assert (told["minimum"], told["maximum"]) == ("15", "1440")
    result = await sent(hass, result, name="Right", duration_minutes=15)
    assert steps(result) == ["1. Skimmer: Level → 10"]
    result = await chosen(hass, result, "save")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_store_that_refuses_is_told(hass: HomeAssistant) -> None:
    """The form stays."""
    result = await begun(hass)
    with patch.object(
        engine_of(hass).modes.definitions,
        "create",
        side_effect=StoreFullError("full", path=Path("aquarist.db")),
    ):
        result = await chosen(hass, result, "save")
    assert result["errors"] == {"base": "not_possible"}


async def test_a_mode_can_be_changed(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """It is shown as it is stored now; what the form does not ask stays."""
    mode = await made(hass)
    result = await opened(hass, handle(reef))
    assert suggested(result) == {
        "name": "Night",
        "duration_minutes": 5.0,
        "latest_end_minutes": 60.0,
    }
    result = await sent(hass, result, name="Late night", duration_minutes=8)
    assert steps(result) == [
        "1. Skimmer: Level → 0",
        "2. ⏳ 8 min",
        "3. ↩ Skimmer: Level",
    ]
    result = await chosen(hass, result, "save")
    assert result["reason"] == "reconfigure_successful"
    assert handles(reef) == ["Late night"]
    changed = stored(hass, "Late night")
    assert mode.row is not None
    assert changed.row is not None
    assert (changed.row.id, changed.row.revision) == (mode.row.id, 2)
    assert changed.definition is not None
    assert changed.definition.icon_name == "mdi:weather-night"


async def test_a_mode_that_cannot_be_read_can_be_made_anew(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """Its name is kept."""
    mode = await made(hass)
    unread = Mode(
        aquarium=ENTRY, name="Night", definition=None, row=mode.row, error="old"
    )
    engine_of(hass).modes.definitions._stored[ENTRY, "Night"] = unread
    result = await opened(hass, handle(reef))
    assert suggested(result) == {"name": "Night"}
    result = await sent(hass, result, name="Night", duration_minutes=8)
    assert steps(result) == ["–"]
    result = await held(hass, result, "Feeder", "level", 0)
    await chosen(hass, result, "save")
    assert stored(hass, "Night").error is None


async def test_a_change_of_what_was_changed_meanwhile_is_refused(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """Somebody else was faster (R-X11)."""
    await made(hass)
    result = await opened(hass, handle(reef))
    result = await sent(hass, result, name="Night", duration_minutes=8)
    definition = stored(hass, "Night").definition
    assert definition is not None
    await engine_of(hass).modes.definitions.update(
        ENTRY, "Night", mode_json(definition), user=None
    )
    result = await chosen(hass, result, "save")
    assert result["errors"] == {"base": "not_possible"}


async def test_a_mode_that_was_deleted_meanwhile_cannot_be_changed(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """The handle goes with it."""
    await made(hass)
    definitions = engine_of(hass).modes.definitions
    with patch.object(definitions, "by_number", return_value=None):
        result = await opened(hass, handle(reef))
    assert result["reason"] == "mode_gone"
    await definitions.delete(ENTRY, "Night", user=None)
    await hass.async_block_till_done()
    assert handles(reef) == []


async def test_a_handle_that_is_deleted_takes_its_mode_along(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """The other modes stay."""
    await chosen(hass, await begun(hass), "save")
    deleted = handle(reef)
    await made(hass, name="Day")
    hass.config_entries.async_remove_subentry(reef, deleted)
    await hass.async_block_till_done()
    await engine_of(hass).journal.commit(lambda connection: None)
    assert engine_of(hass).modes.definitions.names(ENTRY) == (
        "feed",
        "maintenance",
        "Day",
    )


async def test_a_mode_that_cannot_be_deleted_gets_its_handle_back(
    hass: HomeAssistant, reef: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """The store refuses."""
    await chosen(hass, await begun(hass), "save")
    with patch.object(
        engine_of(hass).modes.definitions,
        "delete",
        side_effect=StoreFullError("full", path=Path("aquarist.db")),
    ):
        hass.config_entries.async_remove_subentry(reef, handle(reef))
        await hass.async_block_till_done()
    assert handles(reef) == ["Coral feeding"]
    assert (
        "custom_components.aquarist.mode_handles",
        logging.WARNING,
    ) in [one[:2] for one in caplog.record_tuples]


async def test_every_mode_is_listed_after_a_reload(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """Also what was made while a form was open; with its present name."""
    await opened(hass)
    await made(hass)
    assert handles(reef) == []
    await restart(hass, reef)
    assert handles(reef) == ["Night"]
    definition = stored(hass, "Night").definition
    assert definition is not None
    await engine_of(hass).modes.definitions.update(
        ENTRY, "Night", {**mode_json(definition), "name": "Late"}, user=None
    )
    await hass.async_block_till_done()
    assert handles(reef) == ["Late"]


async def test_another_aquarium_is_no_business_of_the_list(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """Its modes are listed with it."""
    engine = engine_of(hass)
    definition = {
        "name": "Day",
        "duration_minutes": 5,
        "steps": [
            {"hold": {"device_id": uuid(hass, "Skimmer"), "level": 0}},
            {"countdown": True},
        ],
    }
    with patch.object(engine.modes.definitions, "_check"):
        await engine.modes.definitions.create("another", definition, user=None)
    await hass.async_block_till_done()
    assert handles(reef) == []


async def test_with_a_locked_store_the_list_stays(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """Nobody knows which modes there are."""
    await chosen(hass, await begun(hass), "save")
    engine = engine_of(hass)
    with (
        patch.object(engine.journal, "_database", None),
        patch.object(engine.modes.definitions, "_stored", {}),
    ):
        async_follow_modes(hass, reef, engine)
    assert handles(reef) == ["Coral feeding"]


async def test_every_form_reaches_the_browser(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """Over HTTP, as the dashboard asks for it."""
    assert await async_setup_component(hass, "config", {})
    client = await hass_client()
    url = "/api/config/config_entries/subentries/flow"

    async def shown(path: str, **answers: Any) -> Any:
        """Send answers; return the next form or menu."""
        response = await client.post(path, json=answers)
        assert response.status == 200, await response.text()
        return await response.json()

    result = await shown(url, handler=[ENTRY, "mode"])
    flow = f"{url}/{result['flow_id']}"
    result = await shown(flow, name="Coral feeding", duration_minutes=15)
    for step, answers in (
        ("hold", ({"field": key(hass, "Skimmer", "level")}, {"value": 10})),
        ("hold", ({"field": key(hass, "Sump", "program")}, {"value": "night"})),
        ("delay", ({"minutes": 2},)),
        ("wait", ({"field": key(hass, "Sump", "height")}, {"above": 18})),
        ("wait", ({"field": key(hass, "Sump", "full")}, {"equals": True})),
        ("countdown", ()),
        ("release", ({"device": uuid(hass, "Skimmer")},)),
        ("move", ({"step": "2", "place": 1},)),
        ("take_out", ({"step": "0"},)),
    ):
        assert result["type"] == "menu"
        result = await shown(flow, next_step_id=step)
        for answer in answers:
            assert result["type"] == "form"
            assert result["data_schema"]
            result = await shown(flow, **answer)
    result = await shown(flow, next_step_id="save")
    assert result["type"] == "create_entry"
    assert stored(hass, "Coral feeding").definition is not None
