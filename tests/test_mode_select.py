"""The mode of an aquarium in the dashboard: choose it, see its countdown, have it end."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNKNOWN, Platform
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_fire_time_changed,
)

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.devices.simulated import SimulatedPump
from custom_components.aquarist.engine.changes import Change, ModeChanged
from custom_components.aquarist.engine.intake import Origin

from .aquarium import (
    NAME,
    aquarium,
    call,
    device_named,
    engine_of,
    entity_of,
    heard,
    restart,
)

PLATFORMS = (
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
)
PUMP, SKIMMER = "Return pump", "Skimmer"


@pytest.fixture
async def demo(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> AsyncIterator[MockConfigEntry]:
    """Set the demo aquarium up, in a time that stands still."""
    freezer.move_to("2026-03-01T15:00:00+00:00")
    async with aquarium(hass, tmp_path, *PLATFORMS, demo=True) as entry:
        yield entry


def state_of(hass: HomeAssistant, platform: Platform, key: str) -> State:
    """Return the state of one of the aquarium's entities."""
    state = hass.states.get(entity_of(hass, platform, NAME, key))
    assert state is not None
    return state


def mode(hass: HomeAssistant) -> tuple[str, Any]:
    """Return what the select shows: the mode and its stage."""
    state = state_of(hass, Platform.SELECT, "mode")
    return state.state, state.attributes["stage"]


def ends(hass: HomeAssistant) -> str:
    """Return what the sensor shows."""
    return state_of(hass, Platform.SENSOR, "mode_ends").state


def levels(hass: HomeAssistant) -> tuple[float, float]:
    """Return what the return pump and the skimmer do."""
    found = []
    for name in (PUMP, SKIMMER):
        port = device_named(hass, name).device
        assert isinstance(port, SimulatedPump)
        shown = port.observed("level")
        assert shown is not None
        found.append(float(shown["level"]))
    return found[0], found[1]


async def press(hass: HomeAssistant, key: str, **more: Any) -> None:
    """Press one of the aquarium's buttons."""
    await call(hass, "press", entity_of(hass, Platform.BUTTON, NAME, key), **more)


async def choose(hass: HomeAssistant, option: str, **more: Any) -> None:
    """Choose a mode."""
    select = entity_of(hass, Platform.SELECT, NAME, "mode")
    await call(hass, "select_option", select, option=option, **more)


def reaches(stage: str | None) -> Callable[[Change], bool]:
    """Return what tells that a stage was reached, None for normal."""
    return lambda change: isinstance(change, ModeChanged) and change.stage == stage


async def passed(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, minutes: float
) -> None:
    """Let time pass."""
    freezer.tick(timedelta(minutes=minutes))
    async_fire_time_changed(hass, dt_util.utcnow())
    await hass.async_block_till_done()


async def settled(hass: HomeAssistant, wanted: tuple[float, float]) -> None:
    """Wait until the pumps do what is wanted."""
    for _ in range(200):
        await hass.async_block_till_done()
        if levels(hass) == wanted:
            return
        await engine_of(hass).journal.commit(lambda connection: None)
    assert levels(hass) == wanted


async def test_feed(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, demo: MockConfigEntry
) -> None:
    """Feed stops the pumps, shows the countdown, survives a restart and brings everything back in stages."""
    assert (mode(hass), ends(hass)) == (("normal", None), STATE_UNKNOWN)
    assert levels(hass) == (80, 100)

    async with heard(hass, reaches("countdown")):
        await press(hass, "feed")
    await settled(hass, (0, 0))
    assert (mode(hass), ends(hass)) == (
        ("feed", "countdown"),
        "2026-03-01T15:10:00+00:00",
    )

    await passed(hass, freezer, 4)
    await restart(hass, demo)
    await settled(hass, (0, 0))
    assert (mode(hass), ends(hass)) == (
        ("feed", "countdown"),
        "2026-03-01T15:10:00+00:00",
    )

    async with heard(hass, reaches("returning")):
        await passed(hass, freezer, 6)
    await settled(hass, (80, 0))
    assert (mode(hass), ends(hass)) == (("feed", "returning"), STATE_UNKNOWN)

    async with heard(hass, reaches(None)):
        await passed(hass, freezer, 5)
    await settled(hass, (80, 100))
    assert (mode(hass), ends(hass)) == (("normal", None), STATE_UNKNOWN)


async def test_what_is_still_held_is_named(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, demo: MockConfigEntry
) -> None:
    """Until the last device is back; with the time at which that is in any case."""

    def shown() -> tuple[list[str], str | None]:
        """Return what the select tells."""
        told = state_of(hass, Platform.SELECT, "mode").attributes
        return told["held"], told["latest_end"]

    assert shown() == ([], None)
    async with heard(hass, reaches("countdown")):
        await press(hass, "feed")
    assert shown() == ([PUMP, SKIMMER], "2026-03-01T16:00:00+00:00")

    async with heard(
        hass, lambda change: isinstance(change, ModeChanged) and change.held == 1
    ):
        await passed(hass, freezer, 10)
    assert shown() == ([SKIMMER], "2026-03-01T16:00:00+00:00")

    async with heard(hass, reaches(None)):
        await passed(hass, freezer, 5)
    assert shown() == ([], None)


async def test_what_is_held_is_named_before_the_countdown(
    hass: HomeAssistant, demo: MockConfigEntry
) -> None:
    """A mode that pauses first tells at once what stands still meanwhile."""
    definition = {
        "name": "Slow",
        "duration_minutes": 10,
        "steps": [
            {"hold": {"device_id": device_named(hass, SKIMMER).row.uuid, "level": 0}},
            {"delay": 600},
            {"countdown": True},
        ],
    }
    modes = engine_of(hass).modes.definitions
    await modes.create(demo.entry_id, definition, user=None)

    async with heard(
        hass, lambda change: isinstance(change, ModeChanged) and change.held == 1
    ):
        select = entity_of(hass, Platform.SELECT, NAME, "mode")
        await call(hass, "select_option", select, option="Slow")

    told = state_of(hass, Platform.SELECT, "mode").attributes
    assert (told["stage"], told["held"]) == ("starting", [SKIMMER])


async def test_what_was_removed_is_not_held(
    hass: HomeAssistant, demo: MockConfigEntry
) -> None:
    """Its field was given back with it."""
    async with heard(hass, reaches("countdown")):
        await press(hass, "feed")
    del demo.runtime_data.devices["skimmer"]
    await engine_of(hass).equipment.retire(device_named(hass, SKIMMER).row.number)
    await press(hass, "extend_mode")

    held = state_of(hass, Platform.SELECT, "mode").attributes["held"]
    assert held == [PUMP]


async def test_extend_and_end(hass: HomeAssistant, demo: MockConfigEntry) -> None:
    """Five minutes longer, then the return, then everything at once."""
    with pytest.raises(ServiceValidationError) as refused:
        await press(hass, "extend_mode")
    assert refused.value.translation_key == "mode_not_counting"

    async with heard(hass, reaches("countdown")):
        await press(hass, "feed")
    await press(hass, "extend_mode")
    assert ends(hass) == "2026-03-01T15:15:00+00:00"

    async with heard(hass, reaches("returning")):
        await press(hass, "end_mode")
    await settled(hass, (80, 0))
    async with heard(hass, reaches(None)):
        await press(hass, "end_mode")
    await settled(hass, (80, 100))


async def test_the_select_offers_every_mode(
    hass: HomeAssistant, demo: MockConfigEntry
) -> None:
    """The keeper's own by name; one under way also when it was deleted meanwhile."""

    def offered() -> list[str]:
        options: list[str] = state_of(hass, Platform.SELECT, "mode").attributes[
            "options"
        ]
        return options

    assert offered() == ["normal", "feed", "maintenance"]
    skimmer = device_named(hass, SKIMMER).row.uuid
    modes = engine_of(hass).modes.definitions
    await modes.create(
        demo.entry_id,
        {
            "name": "Coral food",
            "duration_minutes": 30,
            "steps": [
                {"hold": {"device_id": skimmer, "level": 20}},
                {"countdown": True},
            ],
        },
        user=None,
    )
    assert offered() == ["normal", "feed", "maintenance", "Coral food"]
    async with heard(hass, reaches("countdown")):
        await choose(hass, "Coral food")
    await settled(hass, (80, 20))
    await modes.delete(demo.entry_id, "Coral food", user=None)
    assert mode(hass) == ("Coral food", "countdown")
    assert offered() == ["normal", "feed", "maintenance", "Coral food"]

    async with heard(hass, reaches(None)):
        await choose(hass, "normal")
    await settled(hass, (80, 100))
    assert offered() == ["normal", "feed", "maintenance"]


async def test_devices_that_do_not_follow_are_named(
    hass: HomeAssistant, demo: MockConfigEntry
) -> None:
    """One that is gone by its id."""
    engine = engine_of(hass)
    pump, skimmer = (device_named(hass, name).row for name in (PUMP, SKIMMER))
    await engine.modes.definitions.create(
        demo.entry_id,
        {
            "name": "All",
            "duration_minutes": 5,
            "steps": [
                {"hold": {"device_id": pump.uuid, "level": 0}},
                {"hold": {"device_id": skimmer.uuid, "level": 0}},
                {"countdown": True},
            ],
        },
        user=None,
    )
    await engine.equipment.detach(pump.number)
    del demo.runtime_data.devices["skimmer"]
    await engine.equipment.retire(skimmer.number)
    async with heard(hass, reaches("countdown")):
        await choose(hass, "All")
    failed = state_of(hass, Platform.SELECT, "mode").attributes["failed"]
    assert failed == sorted([PUMP, skimmer.uuid])
    problem = state_of(hass, Platform.BINARY_SENSOR, "problem")
    assert "mode_incomplete" in problem.attributes["reasons"]

    await choose(hass, "normal")
    await hass.async_block_till_done()
    problem = state_of(hass, Platform.BINARY_SENSOR, "problem")
    assert "mode_incomplete" not in problem.attributes["reasons"]


async def test_who_does_not_control_what_a_mode_holds_is_refused(
    hass: HomeAssistant, demo: MockConfigEntry, hass_read_only_user: MockUser
) -> None:
    """The right on the aquarium's own entities is not enough."""
    mine = {
        entity_of(hass, platform, NAME, key): {"control": True, "read": True}
        for platform, key in (
            (Platform.SELECT, "mode"),
            (Platform.BUTTON, "feed"),
            (Platform.BUTTON, "end_mode"),
            (Platform.BUTTON, "extend_mode"),
        )
    }
    user = hass_read_only_user
    user.mock_policy({"entities": {"entity_ids": mine}})
    context = Context(user_id=user.id)
    for request in (
        press(hass, "feed", context=context),
        choose(hass, "maintenance", context=context),
    ):
        with pytest.raises(Unauthorized):
            await request
    assert mode(hass) == ("normal", None)

    async with heard(hass, reaches("countdown")):
        await press(hass, "feed")
    for request in (
        press(hass, "end_mode", context=context),
        press(hass, "extend_mode", context=context),
        choose(hass, "normal", context=context),
    ):
        with pytest.raises(Unauthorized):
            await request
    assert mode(hass) == ("feed", "countdown")


async def test_an_aquarium_that_is_removed_ends_its_mode(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """What it held is given back first."""
    hass.config.config_dir = str(tmp_path)
    entry = MockConfigEntry(
        domain="aquarist", title=NAME, data={"kind": "aquarium", "demo": True}
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    engine = engine_of(hass)
    started = await engine.modes.start(
        entry.entry_id,
        "feed",
        Origin(source=Source.SERVICE),
    )
    await hass.config_entries.async_remove(entry.entry_id)
    assert engine.modes.status(entry.entry_id) is None
    row, _ = await engine.runs.get(started.run)
    assert (row.state, row.error) == ("cancelled", "mode_ended")
