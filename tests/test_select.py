"""Selects: who decides what a Chihiros light shows."""

from collections.abc import Callable
from pathlib import Path

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.devices.chihiros_light import ChihirosLight
from custom_components.aquarist.engine.changes import Change, FieldChanged
from custom_components.aquarist.engine.intake import Origin

from .aquarium import (
    aquarium,
    call,
    compare_all,
    device_named,
    engine_of,
    entities_behind,
    entity_of,
    heard,
    subentry,
)
from .store.gate import answered_on_disk


def program(hass: HomeAssistant) -> State:
    """Return the state of the lamp's program."""
    state = hass.states.get(entity_of(hass, Platform.SELECT, "Demo light", "program"))
    assert state is not None
    return state


async def choose(hass: HomeAssistant, option: str) -> None:
    """Choose who decides."""
    select = entity_of(hass, Platform.SELECT, "Demo light", "program")
    await call(hass, "select_option", select, option=option)
    await hass.async_block_till_done()


def lamp(hass: HomeAssistant) -> ChihirosLight:
    """Return the lamp."""
    port = device_named(hass, "Demo light").device
    assert isinstance(port, ChihirosLight)
    return port


async def set_level(hass: HomeAssistant, level: float) -> None:
    """Let a plan set the lamp's level."""
    engine = engine_of(hass)
    command = await engine.send(
        device_named(hass, "Demo light"),
        "set_level",
        {"level": level},
        Origin(source=Source.SERVICE),
    )
    await engine.finished(command)
    await hass.async_block_till_done()


def level(hass: HomeAssistant) -> object:
    """Return what the lamp shows."""
    return (lamp(hass).observed("light") or {}).get("level")


def shows(wanted: float) -> Callable[[Change], bool]:
    """Return what tells that the lamp shows a level."""
    return lambda change: (
        isinstance(change, FieldChanged)
        and (change.setting or {}).get("level") == wanted
    )


async def test_the_demo_select(
    hass: HomeAssistant, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """The lamp is the plan's."""
    async with aquarium(hass, tmp_path, Platform.SELECT, demo=True) as entry:
        await compare_all(hass, entry, snapshot)


async def test_what_the_plan_has_back_is_on_disk(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Law 2: a kill after the answer holds nothing again."""
    async with aquarium(hass, tmp_path, Platform.SELECT, demo=True):
        database = engine_of(hass).database
        assert database is not None
        await choose(hass, "manual")
        select = program(hass).entity_id
        await answered_on_disk(
            database.writer, call(hass, "select_option", select, option="plan")
        )
        assert program(hass).state == "plan"


async def test_only_a_lamp_with_a_memory_has_one(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """A lamp made from entities has none."""
    await entities_behind(hass, blue=0)
    light = subentry(
        "light",
        "Moon",
        {"channels": [{"entity_id": "input_number.blue", "channel": "blue"}]},
    )
    async with aquarium(hass, tmp_path, Platform.SELECT, subentries=[light]):
        found = hass.states.async_entity_ids("select")
        assert not [one for one in found if "program" in one]


async def test_a_hand_holds_what_the_lamp_shows(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """What the plan sets meanwhile shows when the plan has it back."""
    async with aquarium(hass, tmp_path, Platform.SELECT, demo=True):
        await set_level(hass, 40)
        await choose(hass, "manual")
        assert program(hass).state == "manual"

        await set_level(hass, 70)
        assert (level(hass), program(hass).state) == (40, "manual")

        async with heard(hass, shows(70)):
            await choose(hass, "plan")
        assert (level(hass), program(hass).state) == (70, "plan")


async def test_the_lamp_follows_its_memory(hass: HomeAssistant, tmp_path: Path) -> None:
    """Until the plan has it back: then it shows what it should."""
    async with aquarium(hass, tmp_path, Platform.SELECT, demo=True):
        await set_level(hass, 40)
        await choose(hass, "auto")
        assert program(hass).state == "auto"
        assert lamp(hass).auto

        await choose(hass, "plan")
        assert program(hass).state == "plan"
        assert not lamp(hass).auto
        assert level(hass) == 40


async def test_a_hand_takes_it_from_the_memory(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """And gives it back: what it held is let go."""
    async with aquarium(hass, tmp_path, Platform.SELECT, demo=True):
        await set_level(hass, 40)
        await choose(hass, "auto")
        await choose(hass, "manual")
        assert (program(hass).state, lamp(hass).auto) == ("manual", False)

        await choose(hass, "auto")
        assert program(hass).state == "auto"
        assert lamp(hass).auto


async def test_a_lamp_that_the_plan_sets_follows_its_memory_no_more(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The select does not claim what is not so."""
    async with aquarium(hass, tmp_path, Platform.SELECT, demo=True):
        await choose(hass, "auto")
        await set_level(hass, 30)
        assert program(hass).state == "plan"


async def test_what_the_lamp_refuses_is_an_error(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Nothing changes hands."""
    async with aquarium(hass, tmp_path, Platform.SELECT, demo=True):
        await lamp(hass).link.release_for_app(60)
        with pytest.raises(HomeAssistantError):
            await choose(hass, "auto")
        assert program(hass).state == "plan"
