"""A device whose entity is gone for good is told of; one that is only out of reach is not."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.aquarist.const import DOMAIN

from .aquarium import aquarium, device_named, entities_behind, subentry

SWITCH = "switch.return"
PUMP = subentry("pump", "Return", {"entity_id": SWITCH})
SUMP = subentry(
    "entity",
    "Sump",
    {
        "fields": [
            {"name": "height", "entity_id": "sensor.height"},
            {"name": "heat", "entity_id": "sensor.heat"},
        ]
    },
)


async def after(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, **time: float
) -> None:
    """Let time pass."""
    freezer.tick(timedelta(**time))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


def told(hass: HomeAssistant, device: str) -> dict[str, str] | None:
    """Return what the keeper is told of a device, None when there is nothing."""
    number = device_named(hass, device).row.number
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"entity_missing_{number}")
    if issue is None:
        return None
    assert issue.translation_key == "entity_missing"
    assert not issue.is_fixable
    return issue.translation_placeholders


async def test_an_entity_that_never_comes_is_told_of_after_a_while(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """Others start later than we do; it is over as soon as the entity is there."""
    async with aquarium(hass, tmp_path, subentries=[PUMP]):
        assert told(hass, "Return") is None
        await after(hass, freezer, minutes=9)
        assert told(hass, "Return") is None
        await after(hass, freezer, minutes=2)
        assert told(hass, "Return") == {"name": "Return", "entity": SWITCH}
        await after(hass, freezer, hours=2)
        assert told(hass, "Return") == {"name": "Return", "entity": SWITCH}

        hass.states.async_set(SWITCH, "on")
        await hass.async_block_till_done()
        assert told(hass, "Return") is None


async def test_an_entity_that_is_removed_is_told_of(
    hass: HomeAssistant,
    tmp_path: Path,
    freezer: FrozenDateTimeFactory,
    entity_registry: er.EntityRegistry,
) -> None:
    """Back in time, nobody hears of it; another absence is counted anew."""
    made = entity_registry.async_get_or_create(
        "switch", "plug", "1", suggested_object_id="return"
    )
    assert made.entity_id == SWITCH
    hass.states.async_set(SWITCH, "on")
    async with aquarium(hass, tmp_path, subentries=[PUMP]):
        await after(hass, freezer, hours=1)
        assert told(hass, "Return") is None

        hass.states.async_remove(SWITCH)
        await hass.async_block_till_done()
        await after(hass, freezer, minutes=6)
        hass.states.async_set(SWITCH, "on")
        await after(hass, freezer, minutes=6)
        assert told(hass, "Return") is None

        entity_registry.async_remove(SWITCH)
        hass.states.async_remove(SWITCH)
        await hass.async_block_till_done()
        await after(hass, freezer, minutes=6)
        assert told(hass, "Return") is None
        await after(hass, freezer, minutes=6)
        assert told(hass, "Return") == {"name": "Return", "entity": SWITCH}


@pytest.mark.parametrize(
    ("attributes", "gone"), [({}, False), ({"restored": True}, True)]
)
async def test_out_of_reach_is_not_gone(
    hass: HomeAssistant,
    tmp_path: Path,
    freezer: FrozenDateTimeFactory,
    attributes: dict[str, Any],
    gone: bool,
) -> None:
    """What only *Problem* shows; but nothing provides what Home Assistant remembers."""
    hass.states.async_set(SWITCH, "unavailable", attributes)
    async with aquarium(hass, tmp_path, subentries=[PUMP]):
        await after(hass, freezer, minutes=5)
        await after(hass, freezer, minutes=6)
        assert (told(hass, "Return") is not None) is gone


async def test_only_the_entities_that_are_gone_are_named(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """Also when they come one after the other, and nothing else changes."""
    async with aquarium(hass, tmp_path, subentries=[SUMP]):
        await after(hass, freezer, minutes=11)
        both = "sensor.height, sensor.heat"
        assert told(hass, "Sump") == {"name": "Sump", "entity": both}

        hass.states.async_set("sensor.height", "20")
        await after(hass, freezer, minutes=1)
        assert told(hass, "Sump") == {"name": "Sump", "entity": "sensor.heat"}

        hass.states.async_set("sensor.heat", "unavailable")
        await after(hass, freezer, minutes=1)
        assert told(hass, "Sump") is None


async def test_it_is_over_when_the_device_is_made_of_something_else(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """Reconfigured, or removed; to load an aquarium anew says nothing."""
    await entities_behind(hass, flow=40)
    lost = subentry("pump", "Lost", {"entity_id": "switch.lost"})
    async with aquarium(hass, tmp_path, subentries=[PUMP, lost]) as entry:
        await after(hass, freezer, minutes=11)
        assert told(hass, "Return") and told(hass, "Lost")

        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        assert told(hass, "Return") and told(hass, "Lost")

        hass.config_entries.async_update_subentry(
            entry, entry.subentries["return"], data={"entity_id": "input_number.flow"}
        )
        await hass.async_block_till_done()
        assert told(hass, "Return") is None
        assert told(hass, "Lost")

        hass.config_entries.async_remove_subentry(entry, "lost")
        await hass.async_block_till_done()
        assert not [one for one in ir.async_get(hass).issues if one[0] == DOMAIN]
