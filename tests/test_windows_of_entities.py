"""Windows through a real entry, on entities of Home Assistant that come, go and fail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Context, CoreState, HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
    async_fire_time_changed,
)

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.data import DATA_ENGINE
from custom_components.aquarist.engine.intake import Origin
from tests.aquarium import (
    aquarium,
    device_named,
    engine_of,
    entities_behind,
    restart,
    subentry,
)
from tests.test_init import settled, shown_from_now_on

SERVICE = Origin(source=Source.SERVICE)
SUMP = "Sump"


async def window(
    hass: HomeAssistant, field: str, value: Any, *, device: str = SUMP
) -> Command:
    """Hold a value from now on for ten minutes."""
    engine = engine_of(hass)
    now = engine.clock.now()
    command = await engine.acceptance.create_window(
        device_named(hass, device),
        field,
        value,
        SERVICE,
        start=now,
        end=now + timedelta(minutes=10),
    )
    await settled(hass)
    return command


def away(hass: HomeAssistant, entity_id: str) -> None:
    """Let an entity be unavailable."""
    state = hass.states.get(entity_id)
    assert state is not None
    hass.states.async_set(entity_id, STATE_UNAVAILABLE, state.attributes)


async def restart_without(hass: HomeAssistant, *entity_ids: str) -> None:
    """Start anew while some entities are unavailable."""
    for entity_id in entity_ids:
        away(hass, entity_id)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await restart(hass, entry)


def shows(hass: HomeAssistant, entity_id: str, value: str) -> None:
    """Let an entity show something, whoever did it."""
    state = hass.states.get(entity_id)
    assert state is not None
    hass.states.async_set(entity_id, value, state.attributes)


def shown(hass: HomeAssistant, entity_id: str) -> str:
    """Return what an entity shows."""
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state


@asynccontextmanager
async def sump(
    hass: HomeAssistant, folder: Path, *, respected: str | None = None, **options: Any
) -> AsyncIterator[None]:
    """Set up a device of a heater and a lamp, each a field; one may keep what a hand sets."""
    fields = [
        {
            "name": name,
            "entity_id": f"input_number.{name}",
            "respect_manual_change": name == respected,
        }
        for name in ("heat", "lamp")
    ]
    kept = subentry("entity", SUMP, {"fields": fields, **options})
    async with aquarium(hass, folder, subentries=[kept]):
        yield


class TestOneOfItsEntitiesIsAway:
    """R-T14: what cannot be reached does not keep the rest of its device from anything."""

    @pytest.fixture(autouse=True)
    async def entities(self, hass: HomeAssistant) -> None:
        """Have a heater and a lamp."""
        await entities_behind(hass, heat=40.0, lamp=10.0)

    async def test_a_window_on_another_field_begins(
        self, hass: HomeAssistant, tmp_path: Path
    ) -> None:
        """Nor does it matter which of them went when."""
        async with sump(hass, tmp_path):
            away(hass, "input_number.heat")
            await settled(hass)
            assert not device_named(hass, SUMP).available
            held = await window(hass, "lamp", 50)
            found = engine_of(hass).records.current(held.key)
            assert found is not None and found.phase is Phase.IN_FORCE
            assert shown(hass, "input_number.lamp") == "50.0"

    async def test_it_is_away_from_the_start(
        self, hass: HomeAssistant, tmp_path: Path
    ) -> None:
        """The device says so at once."""
        away(hass, "input_number.heat")
        async with sump(hass, tmp_path):
            assert not device_named(hass, SUMP).available

    async def test_after_a_restart_nobody_waits_for_it(
        self, hass: HomeAssistant, tmp_path: Path
    ) -> None:
        """R-X5: what can be reached is not held up by what cannot."""
        async with sump(hass, tmp_path):
            await window(hass, "lamp", 50)
            await restart_without(hass, "input_number.heat")
            assert not device_named(hass, SUMP).available
            await window(hass, "lamp", 70)
            assert shown(hass, "input_number.lamp") == "70.0"

    async def test_what_comes_late_waits_for_itself_alone(
        self, hass: HomeAssistant, tmp_path: Path
    ) -> None:
        """R-T54, R-X5: its window is taken up as soon as it is there."""
        async with sump(hass, tmp_path):
            await window(hass, "lamp", 50)
            await restart_without(hass, "input_number.heat", "input_number.lamp")
            assert not device_named(hass, SUMP).queue.idle
            shows(hass, "input_number.lamp", "10.0")
            await settled(hass)
            assert not device_named(hass, SUMP).available
            assert shown(hass, "input_number.lamp") == "50.0"

    async def test_what_waits_for_it_waits(
        self, hass: HomeAssistant, tmp_path: Path
    ) -> None:
        """R-X5: for a while, rather than to fail at once."""
        async with sump(hass, tmp_path):
            await window(hass, "heat", 5)
            await restart_without(hass, "input_number.heat")
            assert not device_named(hass, SUMP).queue.idle

    async def test_of_two_windows_one_begins(
        self, hass: HomeAssistant, tmp_path: Path
    ) -> None:
        """Both are written in one go; one arrives, the other waits for its entity."""
        async with sump(hass, tmp_path):
            engine = engine_of(hass)
            state = device_named(hass, SUMP)
            # Both have something to go back to.
            for name in ("heat", "lamp"):
                await engine.finished(
                    await engine.acceptance.set_field(state, name, 20, SERVICE)
                )
            away(hass, "input_number.heat")
            await settled(hass)
            state.queue.hold()
            cold = await window(hass, "heat", 5)
            bright = await window(hass, "lamp", 50)
            state.queue.release()
            await settled(hass)
            assert shown(hass, "input_number.lamp") == "50.0"
            found = engine.records.current(bright.key)
            assert found is not None and found.phase is Phase.IN_FORCE
            waits = engine.records.current(cold.key)
            assert waits is not None and waits.phase is Phase.APPLYING

    async def test_one_that_comes_back_is_put_right_once(
        self, hass: HomeAssistant, tmp_path: Path
    ) -> None:
        """R-B113: it is no hand, although another one is still away."""
        async with sump(hass, tmp_path):
            held = await window(hass, "lamp", 50)
            away(hass, "input_number.heat")
            away(hass, "input_number.lamp")
            await settled(hass)
            device_named(hass, SUMP).fields["lamp"].expected_until = 0
            shows(hass, "input_number.lamp", "10.0")
            await settled(hass)
            assert shown(hass, "input_number.lamp") == "50.0"
            assert [one.key for one in engine_of(hass).records.open] == [held.key]


@pytest.mark.parametrize(
    ("options", "meanwhile", "afterwards"),
    [
        ({}, "30.0", "10.0"),
        ({"hand": "enforce"}, "50.0", "10.0"),
        ({"respect_manual_change": True}, "30.0", "30.0"),
        ({"respected": "lamp"}, "30.0", "30.0"),
        ({"respected": "heat"}, "30.0", "10.0"),
    ],
)
async def test_what_a_change_by_hand_means_is_chosen_for_any_device(
    hass: HomeAssistant,
    tmp_path: Path,
    hass_admin_user: MockUser,
    options: dict[str, Any],
    meanwhile: str,
    afterwards: str,
) -> None:
    """RES-28, RES-54: somebody sets the entity of a field that a window holds."""
    await entities_behind(hass, heat=40.0, lamp=10.0)
    async with sump(hass, tmp_path, **options):
        held = await window(hass, "lamp", 50)
        await hass.services.async_call(
            "input_number",
            "set_value",
            {"entity_id": "input_number.lamp", "value": 30},
            blocking=True,
            context=Context(user_id=hass_admin_user.id),
        )
        await settled(hass)
        assert shown(hass, "input_number.lamp") == meanwhile
        engine = engine_of(hass)
        for command in engine.records.open:
            engine.arbiter.release(command)
        await settled(hass)
        assert shown(hass, "input_number.lamp") == afterwards
        ended = await engine.history.command(device_named(hass, SUMP), held.id)
        assert ended is not None and ended.phase is Phase.COMPLETED


WAVE, NUMBER = "Wave pump", "input_number.wave"
ID = "3d6f0f2e-8c1b-4f4e-9d6a-2b1f5f0a7c11"


class TestThroughTheActionsOfHomeAssistant:
    """A pump made of a number, and what a keeper calls; time is in the test's hands."""

    @pytest.fixture(autouse=True)
    async def wave_pump(
        self, hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
    ) -> AsyncIterator[None]:
        """Set up a pump that runs at 20 per cent."""
        await entities_behind(hass, wave=20.0)
        kept = subentry("pump", WAVE, {"entity_id": NUMBER, "safe_level": 0})
        async with aquarium(hass, tmp_path, subentries=[kept]):
            yield

    async def test_a_point_action_under_a_window_shows_after_it(
        self, hass: HomeAssistant, freezer: FrozenDateTimeFactory
    ) -> None:
        """RES-29, RES-56."""
        await held(hass, 0)
        assert shown(hass, NUMBER) == "0.0"
        level = {"action": "set_level", "args": {"level": 55}}
        answer = await called(hass, "send_command", device_id="1", **level)
        await settled(hass)
        ended = await engine_of(hass).history.command(
            device_named(hass, WAVE), answer["id"]
        )
        assert ended is not None and ended.phase is Phase.COMPLETED
        assert (ended.result or {})["shadowed_by"] == ID
        assert shown(hass, NUMBER) == "0.0"
        await passed(hass, freezer, 601)
        assert shown(hass, NUMBER) == "55.0"

    async def test_a_feeding_pause_during_a_ramp_returns_to_its_present_level(
        self, hass: HomeAssistant, freezer: FrozenDateTimeFactory
    ) -> None:
        """Law 4: not to the level that the pause began at."""
        ramp = {"start_level": 0, "end_level": 100, "duration": 1000}
        await called(hass, "send_command", device_id="1", action="ramp", args=ramp)
        await passed(hass, freezer, 100)
        assert float(shown(hass, NUMBER)) == pytest.approx(10, abs=1)
        await called(hass, "start_mode", mode="feed", minutes=10)
        await settled(hass)
        assert shown(hass, NUMBER) == "0.0"
        await passed(hass, freezer, 300)
        assert shown(hass, NUMBER) == "0.0"
        await called(hass, "end_mode", at_once=True)
        await settled(hass)
        assert float(shown(hass, NUMBER)) == pytest.approx(40, abs=1)
        await passed(hass, freezer, 601)
        assert shown(hass, NUMBER) == "100.0"

    async def test_after_a_reload_the_window_ends_when_it_should(
        self, hass: HomeAssistant, freezer: FrozenDateTimeFactory
    ) -> None:
        """R-X8: no flicker, nothing twice, and what was there comes back once."""
        await held(hass, 0)
        seen = shown_from_now_on(hass, NUMBER)
        (entry,) = hass.config_entries.async_entries(DOMAIN)
        assert await hass.config_entries.async_reload(entry.entry_id)
        await passed(hass, freezer, 60)
        assert seen == []
        await passed(hass, freezer, 541)
        assert seen == ["20.0"]

    async def test_after_a_removal_it_is_as_it_was(self, hass: HomeAssistant) -> None:
        """R-X9: the subentry of a pump that a window holds."""
        await held(hass, 0)
        (entry,) = hass.config_entries.async_entries(DOMAIN)
        (kept,) = entry.subentries
        assert hass.config_entries.async_remove_subentry(entry, kept)
        await hass.async_block_till_done()
        await settled(hass)
        assert shown(hass, NUMBER) == "20.0"
        assert engine_of(hass).devices == {}

    @pytest.mark.parametrize("comes_at", ["0.0", "100.0"])
    async def test_a_restart_while_its_entity_is_not_loaded_yet(
        self, hass: HomeAssistant, freezer: FrozenDateTimeFactory, comes_at: str
    ) -> None:
        """R-T54: it comes before Home Assistant has started, at whatever level."""
        await held(hass, 0)
        state = hass.states.get(NUMBER)
        assert state is not None
        (entry,) = hass.config_entries.async_entries(DOMAIN)
        assert await hass.config_entries.async_unload(entry.entry_id)
        await engine_of(hass).close()
        del hass.data[DATA_ENGINE]
        hass.config.components.remove(DOMAIN)
        hass.states.async_remove(NUMBER)
        hass.set_state(CoreState.starting)
        assert await async_setup_component(hass, DOMAIN, {})
        await hass.async_block_till_done()
        hass.states.async_set(NUMBER, comes_at, state.attributes)
        await settled(hass)
        assert shown(hass, NUMBER) == comes_at
        hass.set_state(CoreState.running)
        hass.bus.async_fire("homeassistant_started")
        await hass.async_block_till_done()
        await settled(hass)
        assert shown(hass, NUMBER) == "0.0"
        (command,) = engine_of(hass).records.open
        assert (command.id, command.phase) == (ID, Phase.IN_FORCE)
        await passed(hass, freezer, 601)
        assert shown(hass, NUMBER) == "20.0"


async def called(hass: HomeAssistant, service: str, **data: Any) -> dict[str, Any]:
    """Return the answer of one of our actions."""
    answer = await hass.services.async_call(
        DOMAIN, service, data, blocking=True, return_response=True
    )
    return dict(answer or {})


async def held(hass: HomeAssistant, level: float) -> None:
    """Hold the pump at a level for ten minutes from now."""
    now = engine_of(hass).clock.now()
    await called(
        hass,
        "create_write_action",
        action_id=ID,
        device_id="1",
        field_name="level",
        value=level,
        start_timestamp=now.isoformat(),
        end_timestamp=(now + timedelta(minutes=10)).isoformat(),
    )
    await settled(hass)


async def passed(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float
) -> None:
    """Let time pass."""
    freezer.tick(seconds)
    async_fire_time_changed(hass)
    await settled(hass)
