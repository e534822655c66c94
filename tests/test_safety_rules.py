"""Safety rules as a keeper lists them: from the form to the device, and back (law 5)."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.changes import (
    Change,
    FieldChanged,
    SafetyChanged,
)
from custom_components.aquarist.safety_rules import shown

from .aquarium import (
    ENTRY,
    NAME,
    aquarium,
    device_named,
    engine_of,
    entities_behind,
    entity_of,
    heard,
    subentry,
)
from .flow_forms import fields, suggested

SKIMMER = subentry(
    "pump",
    "Skimmer",
    {
        "entity_id": "input_number.skimmer",
        "minimum": None,
        "maximum": None,
        "safe_level": 10,
        "maximum_on_minutes": None,
        "slew": None,
    },
)


@pytest.fixture(autouse=True)
async def reef(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[MockConfigEntry]:
    """Give an aquarium with a skimmer at 70 % and a return pump that runs."""
    assert await async_setup_component(hass, "bluetooth", {})
    await entities_behind(hass, skimmer=70)
    hass.states.async_set("switch.return_pump", "on")
    hass.states.async_set("sensor.probe", "25")
    hass.states.async_set("sensor.second", "25.5")
    async with aquarium(
        hass, tmp_path, Platform.BINARY_SENSOR, subentries=[SKIMMER]
    ) as entry:
        await hass.async_start()
        await hass.async_block_till_done()
        yield entry
    await engine_of(hass).close()


def level(hass: HomeAssistant) -> float:
    """Return what the skimmer does."""
    state = hass.states.get("input_number.skimmer")
    assert state is not None
    return float(state.state)


def at_level(hass: HomeAssistant, wanted: float) -> Any:
    """Wait until the skimmer has been brought to a level."""

    def there(change: Change) -> bool:
        return isinstance(change, FieldChanged) and level(hass) == wanted

    return heard(hass, there)


async def opened(
    hass: HomeAssistant, kind: str, changed: str | None = None
) -> SubentryFlowResult:
    """Open the form for a new rule, or for one that is there."""
    context = SubentryFlowContext(source=SOURCE_USER)
    if changed is not None:
        context = SubentryFlowContext(source=SOURCE_RECONFIGURE, subentry_id=changed)
    return await hass.config_entries.subentries.async_init(
        (ENTRY, kind), context=context
    )


async def submitted(
    hass: HomeAssistant, result: SubentryFlowResult, answers: Mapping[str, Any]
) -> SubentryFlowResult:
    """Fill in the form, send it, and let what follows happen."""
    done = await hass.config_entries.subentries.async_configure(
        result["flow_id"], dict(answers)
    )
    await hass.async_block_till_done()
    return done


def interlock(hass: HomeAssistant, **more: Any) -> dict[str, Any]:
    """Return the answers that keep the skimmer off without the return pump."""
    return {
        "name": "Skimmer needs the return pump",
        "device": device_named(hass, "Skimmer").row.uuid,
        "entity_id": "switch.return_pump",
        **more,
    }


def guard(hass: HomeAssistant, **more: Any) -> dict[str, Any]:
    """Return the answers that make the skimmer safe when the probe is in doubt."""
    return {
        "name": "Tank temperature",
        "entity_id": "sensor.probe",
        "devices": [device_named(hass, "Skimmer").row.uuid],
        "minimum": 18,
        "maximum": 30,
        "good_readings": 2,
        **more,
    }


async def test_an_interlock_acts_as_soon_as_it_is_listed(hass: HomeAssistant) -> None:
    """The skimmer goes off with the return pump, and comes back with it."""
    result = await opened(hass, "interlock")
    assert fields(result) == [
        "name",
        "device",
        "entity_id",
        "above",
        "below",
        "within_minutes",
    ]
    done = await submitted(hass, result, interlock(hass))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert level(hass) == 70
    async with at_level(hass, 0):
        hass.states.async_set("switch.return_pump", "off")
    async with at_level(hass, 70):
        hass.states.async_set("switch.return_pump", "on")


async def test_a_heater_without_a_level_is_switched_off_too(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """No heater without flow: a switch goes off, a climate entity into its mode off."""
    hass.states.async_set("climate.heater", "heat", {"hvac_modes": ["off", "heat"]})
    modes = async_mock_service(hass, "climate", "set_hvac_mode")
    added = await opened(hass, "entity")
    fields_of = [
        {"name": "pad", "entity_id": "input_boolean.relay"},
        {"name": "heater", "entity_id": "climate.heater"},
        {"name": "probe", "entity_id": "sensor.probe"},
    ]
    await hass.services.async_call(
        "input_boolean", "turn_on", {"entity_id": "input_boolean.relay"}, blocking=True
    )
    await submitted(hass, added, {"name": "Heater", "fields": fields_of})
    rule = interlock(hass, device=device_named(hass, "Heater").row.uuid)
    await submitted(hass, await opened(hass, "interlock"), rule)

    def off(change: Change) -> bool:
        state = hass.states.get("input_boolean.relay")
        return state is not None and state.state == "off"

    async with heard(hass, off):
        hass.states.async_set("switch.return_pump", "off")
    await hass.async_block_till_done()
    assert [call.data["hvac_mode"] for call in modes][:1] == ["off"]


async def test_a_rule_that_is_removed_lets_go(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """What it held is brought back."""
    hass.states.async_set("switch.return_pump", "off")
    async with at_level(hass, 0):
        await submitted(hass, await opened(hass, "interlock"), interlock(hass))
    (rule,) = [
        one for one in reef.subentries.values() if one.subentry_type == "interlock"
    ]
    async with at_level(hass, 70):
        hass.config_entries.async_remove_subentry(reef, rule.subentry_id)


async def test_an_interlock_by_numbers_can_be_changed(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """The form shows what was entered; the change acts at once."""
    answers = interlock(hass, entity_id="sensor.probe", above=20, within_minutes=0)
    await submitted(hass, await opened(hass, "interlock"), answers)
    assert level(hass) == 70
    (rule,) = [
        one for one in reef.subentries.values() if one.subentry_type == "interlock"
    ]
    result = await opened(hass, "interlock", rule.subentry_id)
    assert suggested(result) == answers
    async with at_level(hass, 0):
        await submitted(hass, result, {**answers, "above": 26})


async def test_a_watched_sensor_makes_its_devices_safe(hass: HomeAssistant) -> None:
    """To their safe level, until good readings came in."""
    result = await opened(hass, "sensor_guard")
    assert suggested(result) == {"good_readings": 3}
    done = await submitted(
        hass, result, guard(hass, second="sensor.second", disagreement=2)
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY
    async with at_level(hass, 10):
        hass.states.async_set("sensor.probe", "28")
    hass.states.async_set("sensor.probe", "25.1")
    await hass.async_block_till_done()
    assert level(hass) == 10
    async with at_level(hass, 70):
        hass.states.async_set("sensor.probe", "25.2")


async def test_a_sensor_that_says_the_same_again_is_heard(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """A tank at 25 degrees all day is no silent sensor; the same number twice is two readings."""
    await submitted(hass, await opened(hass, "sensor_guard"), guard(hass))
    async with at_level(hass, 10):
        hass.states.async_set("sensor.probe", "31")
    hass.states.async_set("sensor.probe", "25")
    await hass.async_block_till_done()
    assert level(hass) == 10
    async with at_level(hass, 70):
        hass.states.async_set("sensor.probe", "25")


async def test_a_reload_is_no_good_reading(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """What the sensor shows was heard before."""
    await submitted(hass, await opened(hass, "sensor_guard"), guard(hass))
    async with at_level(hass, 10):
        hass.states.async_set("sensor.probe", "31")
    hass.states.async_set("sensor.probe", "25")
    for _ in range(3):
        assert await hass.config_entries.async_reload(reef.entry_id)
        await hass.async_block_till_done()
    assert level(hass) == 10


async def test_a_sensor_in_doubt_is_a_repair_issue_and_a_problem(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """Both last as long as the doubt."""
    await submitted(hass, await opened(hass, "sensor_guard"), guard(hass))
    (rule,) = [
        one for one in reef.subentries.values() if one.subentry_type == "sensor_guard"
    ]
    issues = ir.async_get(hass)
    issue_id = f"sensor_out_of_range_{rule.subentry_id}"
    hass.states.async_set("sensor.probe", "45")
    await hass.async_block_till_done()
    issue = issues.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {
        "name": "Tank temperature",
        "sensor": "sensor.probe",
        "safe": "Skimmer",
        "unprotected": "-",
    }
    problem = hass.states.get(entity_of(hass, Platform.BINARY_SENSOR, NAME, "problem"))
    assert problem is not None
    assert problem.state == "on"
    assert problem.attributes["reasons"] == ["sensor_out_of_range"]
    for reading in ("25", "25.1"):
        hass.states.async_set("sensor.probe", reading)
        await hass.async_block_till_done()
    assert issues.async_get_issue(DOMAIN, issue_id) is None
    problem = hass.states.get(problem.entity_id)
    assert problem is not None
    assert problem.state == "off"


async def test_a_watched_sensor_can_be_changed(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """The form shows what was entered, the second sensor too."""
    answers = guard(hass, second="sensor.second", disagreement=2, stale_minutes=10)
    await submitted(hass, await opened(hass, "sensor_guard"), answers)
    (rule,) = [
        one for one in reef.subentries.values() if one.subentry_type == "sensor_guard"
    ]
    result = await opened(hass, "sensor_guard", rule.subentry_id)
    assert suggested(result) == answers
    await submitted(hass, result, {**answers, "stale_minutes": 20})
    changed = reef.subentries[rule.subentry_id]
    assert changed.data["stale_minutes"] == 20
    assert changed.data["second"]["entity_id"] == "sensor.second"


async def test_a_second_sensor_is_found_again_under_a_new_id(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """The form knows what it is called now, and whoever sends it as it is loses nothing."""
    registry = er.async_get(hass)
    second = registry.async_get_or_create(
        "sensor", "test", "second", object_id_base="other_probe"
    )
    hass.states.async_set(second.entity_id, "25")
    asked = guard(hass, second=second.entity_id, disagreement=2)
    await submitted(hass, await opened(hass, "sensor_guard"), asked)
    (rule,) = (one for one in reef.subentries if one != "skimmer")
    registry.async_update_entity(second.entity_id, new_entity_id="sensor.new_name")

    form = await opened(hass, "sensor_guard", rule)
    assert suggested(form)["second"] == "sensor.new_name"
    await submitted(hass, form, suggested(form))
    assert reef.subentries[rule].data["second"] == {
        "entity_id": "sensor.new_name",
        "registry_id": second.id,
    }


@pytest.mark.parametrize("kind", ["interlock", "sensor_guard"])
async def test_without_devices_there_is_nothing_to_protect(
    hass: HomeAssistant, reef: MockConfigEntry, kind: str
) -> None:
    """It is said at once what is missing."""
    engine = engine_of(hass)
    reef.runtime_data.devices.clear()
    for number in list(engine.devices):
        await engine.equipment.retire(number)

    result = await opened(hass, kind)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_devices"


@pytest.mark.parametrize(
    ("kind", "wrong", "errors"),
    [
        ("interlock", {"name": " "}, {"name": "name_missing"}),
        ("interlock", {"device": None}, {"device": "device_missing"}),
        ("interlock", {"above": 5, "below": 5}, {"above": "range_empty"}),
        ("sensor_guard", {"name": ""}, {"name": "name_missing"}),
        ("sensor_guard", {"devices": []}, {"devices": "devices_missing"}),
        ("sensor_guard", {"devices": None}, {"devices": "devices_missing"}),
        (
            "sensor_guard",
            {"minimum": None, "maximum": None},
            {"base": "checks_missing"},
        ),
        ("sensor_guard", {"disagreement": 2}, {"second": "second_missing"}),
        ("sensor_guard", {"minimum": 30}, {"minimum": "range_empty"}),
    ],
)
async def test_what_makes_no_rule_is_refused(
    hass: HomeAssistant,
    reef: MockConfigEntry,
    kind: str,
    wrong: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """The form names the field, and can be sent again."""
    good = interlock(hass) if kind == "interlock" else guard(hass)
    answers = {
        key: value for key, value in {**good, **wrong}.items() if value is not None
    }
    result = await submitted(hass, await opened(hass, kind), answers)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    assert len(reef.subentries) == 1
    done = await submitted(hass, result, good)
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_a_reload_does_not_move_what_a_rule_holds(
    hass: HomeAssistant, reef: MockConfigEntry
) -> None:
    """The claim stays with the engine."""
    hass.states.async_set("switch.return_pump", "off")
    async with at_level(hass, 0):
        await submitted(hass, await opened(hass, "interlock"), interlock(hass))
    told: list[SafetyChanged] = []
    engine_of(hass).listen(
        lambda change: (
            told.append(change) if isinstance(change, SafetyChanged) else None
        )
    )
    assert await hass.config_entries.async_reload(reef.entry_id)
    await hass.async_block_till_done()
    assert level(hass) == 0
    assert told == []


async def test_a_rule_follows_its_entity_to_a_new_id(hass: HomeAssistant) -> None:
    """What is renamed is looked at under its new name: nothing stays off for that."""
    registry = er.async_get(hass)
    probe = registry.async_get_or_create(
        "switch", "test", "return", object_id_base="renamed_pump"
    )
    hass.states.async_set(probe.entity_id, "on")
    asked = interlock(hass, entity_id=probe.entity_id)
    await submitted(hass, await opened(hass, "interlock"), asked)
    assert level(hass) == 70

    registry.async_update_entity(probe.entity_id, new_entity_id="switch.other_name")
    hass.states.async_remove(probe.entity_id)
    async with at_level(hass, 0):
        hass.states.async_set("switch.other_name", "off")
    async with at_level(hass, 70):
        hass.states.async_set("switch.other_name", "on")


async def test_an_entity_that_a_rule_looks_at_can_still_back_a_device(
    hass: HomeAssistant,
) -> None:
    """Looking is not using."""
    await submitted(hass, await opened(hass, "interlock"), interlock(hass))
    result = await opened(hass, "pump")
    result = await submitted(
        hass, result, {"name": "Return pump", "entity_id": "switch.return_pump"}
    )
    assert not result.get("errors")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("25.5", 25.5),
        ("on", "on"),
        ("unavailable", None),
        ("unknown", None),
        (None, None),
    ],
)
def test_a_state_tells_a_number_a_word_or_nothing(
    text: str | None, value: float | str | None
) -> None:
    """What cannot be known is never taken for a value."""
    state = None if text is None else State("sensor.probe", text)
    assert shown(state) == value
