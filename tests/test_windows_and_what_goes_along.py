"""What a level does not say of an entity comes back after a window all the same (R-T60).

The entities are real ones of Home Assistant, of the kind that loses it with another level.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
import json
from pathlib import Path
from typing import Any, override

from homeassistant.components.cover.const import CoverEntityFeature
from homeassistant.components.fan.const import FanEntityFeature
from homeassistant.components.light.const import ColorMode, LightEntityFeature
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.layers.setting import BESIDE
from custom_components.aquarist.store import resting
from tests.api.http.write_actions import in_phase
from tests.aquarium import aquarium, device_named, engine_of, heard, restart, subentry
from tests.devices.entities import FakeCover, FakeFan, FakeLight, Misbehaving, add
from tests.test_init import settled
from tests.test_windows_of_entities import SERVICE

NAME = "Thing"
FAN, LIGHT, BLIND = "fan.fan", "light.lamp", "cover.blind"


class Breeze(FakeFan):
    """A fan whose preset ends with any speed, and that stands still afterwards."""

    _attr_preset_modes = ["auto", "reef"]
    _attr_preset_mode: str | None = "auto"
    _attr_percentage: int | None = None
    _attr_oscillating = True
    _attr_current_direction = "reverse"
    _attr_supported_features = (
        FanEntityFeature.SET_SPEED
        | FanEntityFeature.PRESET_MODE
        | FanEntityFeature.OSCILLATE
        | FanEntityFeature.DIRECTION
        | FanEntityFeature.TURN_ON
        | FanEntityFeature.TURN_OFF
    )

    @override
    async def async_set_percentage(self, percentage: int) -> None:
        """Take the speed: it is no preset any more."""
        if await self.obey(percentage=percentage):
            self.take_effect(percentage=percentage, preset_mode=None)

    @override
    async def async_set_preset_mode(self, preset_mode: str) -> None:
        """Take the preset: it has no speed of its own."""
        if await self.obey(preset_mode=preset_mode):
            self.take_effect(percentage=None, preset_mode=preset_mode)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Stop, also to oscillate."""
        if await self.obey(on=False):
            self.take_effect(percentage=0, preset_mode=None, oscillating=False)

    @override
    async def async_oscillate(self, oscillating: bool) -> None:
        """Swing, or not."""
        if await self.obey(oscillating=oscillating):
            self.take_effect(oscillating=oscillating)

    @override
    async def async_set_direction(self, direction: str) -> None:
        """Blow the other way."""
        if await self.obey(direction=direction):
            self.take_effect(current_direction=direction)


class Rainbow(FakeLight):
    """A light whose effect ends with any brightness, and that forgets its colour when off."""

    _attr_is_on = True
    _attr_brightness = 204
    _attr_color_mode = ColorMode.HS
    _attr_supported_color_modes = {ColorMode.HS, ColorMode.COLOR_TEMP}
    _attr_supported_features = LightEntityFeature.EFFECT
    _attr_effect_list = ["off", "storm", "clouds"]
    _attr_effect: str | None = "storm"
    _attr_hs_color: tuple[float, float] | None = (240.0, 80.0)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Take what is asked for; without an effect there is none."""
        if await self.obey(on=True, **kwargs):
            self.take_effect(
                is_on=True,
                brightness=kwargs.get("brightness", 255),
                effect=kwargs.get("effect", "off"),
                hs_color=kwargs.get("hs_color", self._attr_hs_color),
            )

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Go dark."""
        if await self.obey(on=False):
            self.take_effect(is_on=False, effect="off", hs_color=(0.0, 0.0))


class Blind(FakeCover):
    """A blind whose tilt is level after any move."""

    _attr_is_closed = False
    _attr_current_cover_position = 80
    _attr_current_cover_tilt_position: int | None = 35
    _attr_supported_features = (
        CoverEntityFeature.OPEN
        | CoverEntityFeature.CLOSE
        | CoverEntityFeature.SET_POSITION
        | CoverEntityFeature.SET_TILT_POSITION
    )

    @override
    async def async_set_cover_position(self, **kwargs: Any) -> None:
        """Move."""
        if await self.obey(**kwargs):
            self.take_effect(
                current_cover_position=kwargs["position"],
                current_cover_tilt_position=100,
            )

    @override
    async def async_set_cover_tilt_position(self, **kwargs: Any) -> None:
        """Tilt."""
        if await self.obey(**kwargs):
            self.take_effect(current_cover_tilt_position=kwargs["tilt_position"])


KINDS: Mapping[str, tuple[str, type[Misbehaving]]] = {
    FAN: ("fan", Breeze),
    LIGHT: ("light", Rainbow),
    BLIND: ("cover", Blind),
}
DEVICES: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "entity": lambda entity_id: {"fields": [{"name": "level", "entity_id": entity_id}]},
    "pump": lambda entity_id: {"entity_id": entity_id, "safe_level": 0},
    "light": lambda entity_id: {
        "channels": [{"entity_id": entity_id, "channel": "white"}]
    },
}


async def entity_of(hass: HomeAssistant, entity_id: str) -> Misbehaving:
    """Have one of the entities."""
    domain, kind = KINDS[entity_id]
    entity = kind(entity_id.partition(".")[2])
    await add(hass, domain, entity)
    return entity


def everything(hass: HomeAssistant, entity_id: str) -> tuple[str, dict[str, Any]]:
    """Return all that an entity shows."""
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state, dict(state.attributes)


async def held(hass: HomeAssistant, level: float) -> Command:
    """Hold a level from now on."""
    engine = engine_of(hass)
    now = engine.clock.now()
    command = await engine.acceptance.create_window(
        device_named(hass, NAME),
        "level",
        level,
        SERVICE,
        start=now,
        end=now + timedelta(minutes=10),
    )
    await settled(hass)
    found = engine.records.current(command.key)
    assert found is not None and found.phase is Phase.IN_FORCE
    return found


async def over(hass: HomeAssistant, command: Command) -> Command:
    """End a window; return it as it ended."""
    engine = engine_of(hass)
    current = engine.records.current(command.key)
    assert current is not None
    engine.arbiter.release(current)
    await settled(hass)
    ended = await engine.history.command(device_named(hass, NAME), command.id)
    assert ended is not None
    return ended


@pytest.mark.parametrize("level", [0.0, 33.0])
@pytest.mark.parametrize("kind", DEVICES)
@pytest.mark.parametrize("entity_id", KINDS)
async def test_it_comes_back_as_it_was(
    hass: HomeAssistant, tmp_path: Path, entity_id: str, kind: str, level: float
) -> None:
    """Preset, swing and direction; effect and colour; tilt: state and all attributes."""
    await entity_of(hass, entity_id)
    before = everything(hass, entity_id)
    data = DEVICES[kind](entity_id)
    async with aquarium(hass, tmp_path, subentries=[subentry(kind, NAME, data)]):
        for _ in range(2):
            command = await held(hass, level)
            during = everything(hass, entity_id)
            assert during != before
            assert (await over(hass, command)).phase is Phase.COMPLETED
            assert everything(hass, entity_id) == before


async def test_it_is_on_disk_before_the_entity_hears(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """R-T53: and outlives a restart within the window."""
    fan = await entity_of(hass, FAN)
    before = everything(hass, FAN)
    data = DEVICES["pump"](FAN)
    async with aquarium(hass, tmp_path, subentries=[subentry("pump", NAME, data)]):
        fan.log.clear()
        command = await held(hass, 33)
        database = engine_of(hass).database
        assert database is not None
        ((_, setting),) = (await database.read(resting.load_all)).items()
        assert json.loads(str(setting[BESIDE]))["preset_mode"] == "auto"
        (entry,) = hass.config_entries.async_entries(DOMAIN)
        await restart(hass, entry)
        await settled(hass)
        assert (await over(hass, command)).phase is Phase.COMPLETED
        assert everything(hass, FAN) == before


async def test_of_windows_that_overlap_the_last_one_brings_it_back(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """RES-27: what showed before the first."""
    await entity_of(hass, LIGHT)
    before = everything(hass, LIGHT)
    data = DEVICES["entity"](LIGHT)
    async with aquarium(hass, tmp_path, subentries=[subentry("entity", NAME, data)]):
        first = await held(hass, 20)
        second = await held(hass, 0)
        await over(hass, second)
        assert everything(hass, LIGHT) != before
        third = await held(hass, 60)
        await over(hass, first)
        await over(hass, third)
        assert everything(hass, LIGHT) == before


async def test_a_point_action_ends_it(hass: HomeAssistant, tmp_path: Path) -> None:
    """RES-29: what was set meanwhile is a level and nothing beside it."""
    await entity_of(hass, LIGHT)
    data = DEVICES["entity"](LIGHT)
    async with aquarium(hass, tmp_path, subentries=[subentry("entity", NAME, data)]):
        command = await held(hass, 20)
        engine = engine_of(hass)
        device = device_named(hass, NAME)
        await engine.finished(
            await engine.acceptance.set_field(device, "level", 50, SERVICE)
        )
        await over(hass, command)
        state, attributes = everything(hass, LIGHT)
        assert (state, attributes["brightness"]) == ("on", 128)
        assert attributes["effect"] == "off"


async def test_what_was_chosen_since_is_what_comes_back(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Nothing is kept from one window to the next: it is looked at when each begins."""
    light = await entity_of(hass, LIGHT)
    data = DEVICES["entity"](LIGHT)
    async with aquarium(hass, tmp_path, subentries=[subentry("entity", NAME, data)]):
        await over(hass, await held(hass, 20))
        device_named(hass, NAME).fields["level"].expected_until = 0
        light.show(effect="clouds")
        await settled(hass)
        await over(hass, await held(hass, 20))
        assert everything(hass, LIGHT)[1]["effect"] == "clouds"
        light.show(effect="off")
        await settled(hass)
        device_named(hass, NAME).fields["level"].expected_until = 0
        await over(hass, await held(hass, 20))
        assert everything(hass, LIGHT)[1]["effect"] == "off"


async def test_a_stop_brings_it_back_too(hass: HomeAssistant, tmp_path: Path) -> None:
    """Whatever holds a field for a while: here an emergency."""
    await entity_of(hass, FAN)
    before = everything(hass, FAN)
    data = DEVICES["pump"](FAN)
    async with aquarium(hass, tmp_path, subentries=[subentry("pump", NAME, data)]):
        await engine_of(hass).emergency.stop(None)
        await settled(hass)
        assert everything(hass, FAN)[0] == "off"
        engine_of(hass).emergency.release(None)
        await settled(hass)
        assert everything(hass, FAN) == before


@pytest.mark.parametrize("entity_id", KINDS)
async def test_a_removal_brings_it_back_first(
    hass: HomeAssistant, tmp_path: Path, entity_id: str
) -> None:
    """Design 3: the window ends with its device."""
    await entity_of(hass, entity_id)
    before = everything(hass, entity_id)
    data = DEVICES["entity"](entity_id)
    async with aquarium(hass, tmp_path, subentries=[subentry("entity", NAME, data)]):
        await held(hass, 33)
        assert everything(hass, entity_id) != before
        (entry,) = hass.config_entries.async_entries(DOMAIN)
        (thing,) = entry.subentries
        assert hass.config_entries.async_remove_subentry(entry, thing)
        await settled(hass)
        assert everything(hass, entity_id) == before


async def test_an_effect_that_does_not_come_back_is_told(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """R-T11: it is read back; the repair issue names what to put back by hand."""

    class Forgetful(Rainbow):
        """It knows the effect and does not do it."""

        @override
        async def async_turn_on(self, **kwargs: Any) -> None:
            """Take the brightness alone."""
            await super().async_turn_on(**{**kwargs, "effect": "off"})

    light = Forgetful("lamp")
    await add(hass, "light", light)
    data = DEVICES["entity"](LIGHT)
    async with aquarium(
        hass, tmp_path, Platform.SENSOR, subentries=[subentry("entity", NAME, data)]
    ):
        engine = engine_of(hass)
        behind = device_named(hass, NAME).device
        entity = behind.behind("level")  # type: ignore[union-attr]
        entity._confirm_time = 0.01
        await engine.live_settings.update({"restore_tries": 1}, None)
        command = await held(hass, 20)
        async with heard(hass, in_phase(Phase.FAILED, command.id)):
            engine.arbiter.release(command)
        ended = await engine.history.command(device_named(hass, NAME), command.id)
        assert ended is not None and ended.error == "not_confirmed"
        await settled(hass)
        (issue,) = [
            one
            for (domain, _), one in ir.async_get(hass).issues.items()
            if domain == DOMAIN and one.translation_key == "restore_failed"
        ]
        assert issue.translation_placeholders is not None
        assert "effect storm" in issue.translation_placeholders["value"]
        assert (ended.error_details or {})["restore_failed"]["value"] == {
            "level": 80,
            "effect": "storm",
            "hs_color": [240.0, 80.0],
        }
        light.show(brightness=203)
        await settled(hass)
        assert ir.async_get(hass).async_get_issue(DOMAIN, issue.issue_id) is not None
        light.show(effect="storm")
        await settled(hass)
        assert ir.async_get(hass).async_get_issue(DOMAIN, issue.issue_id) is None


async def test_two_channels_keep_their_own(hass: HomeAssistant, tmp_path: Path) -> None:
    """A lamp of several lights."""
    lights = [Rainbow("left"), Rainbow("right")]
    lights[1]._attr_effect = "clouds"
    await add(hass, "light", *lights)
    before = [everything(hass, f"light.{one}") for one in ("left", "right")]
    channels = [
        {"entity_id": f"light.{one}", "channel": one} for one in ("left", "right")
    ]
    kept = subentry("light", NAME, {"channels": channels})
    async with aquarium(hass, tmp_path, subentries=[kept]):
        await over(hass, await held(hass, 0))
        assert [everything(hass, f"light.{one}") for one in ("left", "right")] == before
