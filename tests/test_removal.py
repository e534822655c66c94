"""An aquarium is removed: what stays, and how the keeper hears of it (design 3)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.components.repairs import DOMAIN as REPAIRS, repairs_flow_manager
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.store.errors import StoreFullError

from .aquarium import device_named, engine_of, entities_behind, subentry
from .flow_forms import light_entry

ISSUE = "aquarium_removed_tank"
KEEPER = Origin(source=Source.SERVICE, user="keeper")


@pytest.fixture(autouse=True)
async def house(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Give what an aquarium is made of, and repairs."""
    hass.config.config_dir = str(tmp_path)
    assert await async_setup_component(hass, "bluetooth", {})
    assert await async_setup_component(hass, REPAIRS, {})
    await entities_behind(hass, skimmer=70)
    yield
    await engine_of(hass).close()


async def tank(hass: HomeAssistant) -> MockConfigEntry:
    """Set up an aquarium with a skimmer."""
    pump = {"entity_id": "input_number.skimmer", "safe_level": 0}
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id="tank",
        title="Tank",
        unique_id="tank",
        data={"kind": "aquarium", "demo": False},
        subentries_data=[subentry("pump", "Skimmer", pump)],
    )
    return await set_up(hass, entry)


async def lamp(hass: HomeAssistant, aquarium: str | None, **more: Any) -> Any:
    """Set up a Bluetooth light of an aquarium."""
    return await set_up(
        hass, light_entry(options={"aquarium": aquarium, "idle_hold": 30}, **more)
    )


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Set an entry up, unless it is disabled."""
    entry.add_to_hass(hass)
    if entry.disabled_by is None:
        assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def keep_mode(hass: HomeAssistant) -> None:
    """Store a mode of the keeper's own."""
    skimmer = device_named(hass, "Skimmer").row.uuid
    definition = {
        "name": "Night",
        "duration_minutes": 10,
        "steps": [{"hold": {"device_id": skimmer, "level": 0}}, {"countdown": True}],
    }
    await engine_of(hass).modes.definitions.create("tank", definition, user=None)


async def remove(hass: HomeAssistant) -> ir.IssueEntry | None:
    """Remove the aquarium; return the issue that tells of it."""
    await hass.config_entries.async_remove("tank")
    await hass.async_block_till_done()
    return ir.async_get(hass).async_get_issue(DOMAIN, ISSUE)


async def test_its_modes_are_out_of_use_until_the_keeper_deletes_them(
    hass: HomeAssistant,
) -> None:
    """They stay stored; the issue leads to their end."""
    await tank(hass)
    await keep_mode(hass)
    found = await remove(hass)
    assert found is not None
    assert found.is_persistent
    assert found.translation_placeholders == {
        "name": "Tank",
        "devices": "-",
        "modes": "Night",
    }
    modes = engine_of(hass).modes
    mode = modes.definitions.get("tank", "Night")
    assert mode.row is not None
    assert (mode.row.enabled, mode.row.revision) == (False, 2)
    with pytest.raises(EngineError, match="mode_disabled"):
        await modes.start("tank", "Night", KEEPER)

    manager = repairs_flow_manager(hass)
    assert manager is not None
    opened: Any = await manager.async_init(DOMAIN, context={"issue_id": ISSUE})
    done = await manager.async_configure(opened["flow_id"], {})

    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert modes.definitions.names("tank") == ("feed", "maintenance")
    assert ir.async_get(hass).async_get_issue(DOMAIN, ISSUE) is None


async def test_its_bluetooth_devices_belong_to_none(hass: HomeAssistant) -> None:
    """At once, also for the engine; those of others stay where they are."""
    await tank(hass)
    mine = await lamp(hass, "tank")
    device = device_named(hass, mine.title)
    assert device.row.aquarium == "tank"
    found = await remove(hass)
    assert found is not None
    assert found.translation_placeholders == {
        "name": "Tank",
        "devices": mine.title,
        "modes": "-",
    }
    assert mine.options["aquarium"] is None
    assert device_named(hass, mine.title).row.aquarium is None
    assert await hass.config_entries.async_unload(mine.entry_id)


async def test_a_device_that_is_disabled_is_unassigned_too(
    hass: HomeAssistant,
) -> None:
    """It stays disabled."""
    await tank(hass)
    mine = await lamp(hass, "tank", disabled_by=ConfigEntryDisabler.USER)
    assert await remove(hass) is not None
    assert mine.options["aquarium"] is None


async def test_where_nothing_stays_nothing_is_told(hass: HomeAssistant) -> None:
    """Only a device of another aquarium is there."""
    await tank(hass)
    other = await lamp(hass, "another")
    assert await remove(hass) is None
    assert other.options["aquarium"] == "another"
    assert await hass.config_entries.async_unload(other.entry_id)


async def test_a_store_that_refuses_does_not_stop_the_removal(
    hass: HomeAssistant,
) -> None:
    """The issue names the modes all the same."""
    await tank(hass)
    await keep_mode(hass)
    with patch.object(
        engine_of(hass).modes.definitions,
        "disable",
        side_effect=StoreFullError("full", path=Path("aquarist.db")),
    ):
        found = await remove(hass)
    assert found is not None
    assert (found.translation_placeholders or {})["modes"] == "Night"
