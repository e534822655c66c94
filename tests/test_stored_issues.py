"""Law 10: what is stored and no longer validates stays on disk, is skipped, and is told of."""

from collections.abc import AsyncIterator
import json
from pathlib import Path
from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist.engine.live_settings import KEY
from custom_components.aquarist.store import settings

from .api.http.rest import retired
from .aquarium import ENTRY, aquarium, device_named, engine_of, restart
from .test_repairs import fix, issue, ours, until

LIGHT, DOSER = "Demo light", "Demo doser"
PAUSE: dict[str, Any] = {"name": "Pause", "sequence": [{"delay": 1}]}


@pytest.fixture
async def entry(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[MockConfigEntry]:
    """Set the demo aquarium up, and let issues be fixed."""
    assert await async_setup_component(hass, REPAIRS, {})
    async with aquarium(hass, tmp_path, demo=True) as found:
        yield found


async def spoil(hass: HomeAssistant, statement: str, *values: Any) -> None:
    """Change what is on disk behind the engine's back."""
    database = engine_of(hass).database
    assert database is not None
    await database.writer.write(
        lambda connection: connection.execute(statement, values)
    )


async def told(hass: HomeAssistant, issue_id: str) -> dict[str, str]:
    """Return what fills the text of an issue that there is."""
    found = issue(hass, issue_id)
    assert found is not None, ours(hass)
    return found.translation_placeholders or {}


async def fixed(hass: HomeAssistant, issue_id: str) -> None:
    """Confirm the way out of an issue, which ends it."""
    result = await fix(hass, issue_id, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await until(hass, lambda: issue_id not in ours(hass))


async def test_settings(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Their defaults hold; a change of others leaves them where they are."""
    broken = {"rate_limit": 0, "colour": "blue", "command_tries": 2}
    await spoil(
        hass, "REPLACE INTO setting (key, value) VALUES (?, ?)", KEY, json.dumps(broken)
    )
    await restart(hass, entry)
    assert await told(hass, "settings_invalid") == {"names": "rate_limit, colour"}
    live = engine_of(hass).live_settings
    assert (live.current.rate_limit, live.current.command_tries) == (10, 2)

    await live.update({"restore_tries": 3}, None)
    assert await stored_settings(hass) == broken | {"restore_tries": 3}
    await live.update({"rate_limit": 7}, None)
    await hass.async_block_till_done()
    assert await told(hass, "settings_invalid") == {"names": "colour"}

    await fixed(hass, "settings_invalid")
    good = {"rate_limit": 7, "command_tries": 2, "restore_tries": 3}
    assert await stored_settings(hass) == good
    assert live.current.rate_limit == 7


async def test_settings_that_are_none_at_all(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The first change takes their place."""
    await spoil(
        hass, "REPLACE INTO setting (key, value) VALUES (?, ?)", KEY, json.dumps([1])
    )
    await restart(hass, entry)
    assert await told(hass, "settings_invalid") == {"names": KEY}

    await engine_of(hass).live_settings.update({"rate_limit": 7}, None)
    await until(hass, lambda: "settings_invalid" not in ours(hass))
    assert await stored_settings(hass) == {"rate_limit": 7}


async def test_a_macro(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Stored anew it is right again; or it is deleted."""
    macros = engine_of(hass).macros
    number = (await macros.create(PAUSE, user=None)).row.id
    for _ in range(2):
        await spoil(
            hass, "UPDATE definition SET definition = ? WHERE id = ?", "{}", number
        )
        await restart(hass, entry)
        found = await told(hass, f"macro_invalid_{number}")
        assert (found["name"], "name" in found["reason"]) == ("Pause", True)
        macros = engine_of(hass).macros
        await macros.update(number, PAUSE, user=None)
        await until(hass, lambda: ours(hass) == set())
    await spoil(hass, "UPDATE definition SET definition = ? WHERE id = ?", "{}", number)
    await restart(hass, entry)
    await fixed(hass, f"macro_invalid_{number}")
    assert engine_of(hass).macros.all == ()


async def test_a_mode(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """It cannot be started, and can be deleted."""
    pump = device_named(hass, "Return pump").row.uuid
    hold = {"device_id": pump, "field_name": "level", "value": 0}
    steps = [{"hold": hold}, {"countdown": True}]
    await engine_of(hass).modes.definitions.create(
        ENTRY, {"name": "siesta", "steps": steps, "duration_minutes": 5}, user=None
    )
    await spoil(hass, "UPDATE definition SET definition = '{}' WHERE kind = 'mode'")
    await restart(hass, entry)
    (issue_id,) = ours(hass)
    assert (await told(hass, issue_id))["name"] == "siesta"

    await fixed(hass, issue_id)
    assert engine_of(hass).modes.definitions.stored == ()


async def test_a_mode_that_has_lost_a_device(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """It begins for the others; the issue ends with the mode, or with the device's return."""
    engine = engine_of(hass)
    skimmer = device_named(hass, "Skimmer")
    modes = engine.modes.definitions
    steps: list[dict[str, Any]] = [
        {"hold": {"device_id": skimmer.row.uuid, "level": 0}},
        {"countdown": True},
    ]
    mode = await modes.create(
        ENTRY, {"name": "Night", "duration_minutes": 5, "steps": steps}, user=None
    )
    assert mode.row is not None
    issue_id = f"mode_device_retired_{mode.row.id}"
    assert issue_id not in ours(hass)
    port = skimmer.device
    assert port is not None
    await engine.equipment.retire(skimmer.row.number)
    await until(hass, lambda: issue_id in ours(hass))
    assert await told(hass, issue_id) == {"name": "Night"}

    await engine.attach(port, limits=skimmer.limits, aquarium=ENTRY)
    await until(hass, lambda: issue_id not in ours(hass))

    await engine.equipment.retire(skimmer.row.number)
    await until(hass, lambda: issue_id in ours(hass))
    await fixed(hass, issue_id)
    assert modes.stored == ()
    await engine.attach(port, limits=skimmer.limits, aquarium=ENTRY)


@pytest.mark.parametrize("way_out", ["save", "remove"])
async def test_a_configuration(
    hass: HomeAssistant, entry: MockConfigEntry, way_out: str
) -> None:
    """It cannot be applied until another one has its name."""
    engine, light = engine_of(hass), device_named(hass, LIGHT)
    await engine.configurations.save(light, "Summer", None)
    await engine.configurations.save(device_named(hass, DOSER), "Plan", None)
    await spoil(
        hass,
        "UPDATE configuration SET definition = json_set(definition, '$.format', 9) "
        "WHERE device = ?",
        light.row.number,
    )
    await restart(hass, entry)
    issue_id = f"configuration_invalid_{light.row.number}_Summer"
    found = await told(hass, issue_id)
    assert (found["name"], found["device_name"]) == ("Summer", LIGHT)
    assert "format" in found["reason"]
    assert ours(hass) == {issue_id}

    engine, light = engine_of(hass), device_named(hass, LIGHT)
    if way_out == "save":
        await engine.configurations.save(light, "Summer", None)
        await until(hass, lambda: ours(hass) == set())
        await restart(hass, entry)
        assert ours(hass) == set()
    else:
        await fixed(hass, issue_id)
        assert await engine.configurations.all_of(light) == []


async def test_a_note_of_what_a_device_keeps(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The device is left as it is."""
    doser = device_named(hass, DOSER)
    for slot in ("head_0", "head_2"):
        await spoil(
            hass,
            "INSERT INTO programme (device, slot, definition, written_at) "
            "VALUES (?, ?, '{}', 0)",
            doser.row.number,
            slot,
        )
    await restart(hass, entry)
    found = await told(hass, f"memory_invalid_{doser.row.number}")
    assert found == {"name": DOSER, "slots": "head_0, head_2"}

    await retired(hass, DOSER)
    hass.config_entries.async_update_entry(entry, options={"spacing": []})
    gone = f"memory_invalid_{doser.row.number}"
    await until(hass, lambda: gone not in ours(hass))


async def stored_settings(hass: HomeAssistant) -> Any:
    """Return the settings that are on disk."""
    database = engine_of(hass).database
    assert database is not None
    return await database.read(lambda connection: settings.get(connection, KEY))
