"""Switches: pumps, heads and the automation."""

from pathlib import Path

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.simulated import SimulatedPump

from .aquarium import (
    ENTRY,
    NAME,
    aquarium,
    call,
    compare_all,
    device_named,
    engine_of,
    entities_behind,
    entity_of,
    restart,
    subentry,
)
from .test_number import PUMP


def shown(hass: HomeAssistant, entity_id: str) -> str:
    """Return the state of an entity."""
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state


async def test_the_demo_switches(
    hass: HomeAssistant, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """One for each pump and head, and one for the aquarium."""
    async with aquarium(hass, tmp_path, Platform.SWITCH, demo=True) as entry:
        await compare_all(hass, entry, snapshot)


async def test_a_pump_comes_back_at_its_level(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Off and on again is the same level."""
    async with aquarium(hass, tmp_path, Platform.SWITCH, demo=True):
        pump = entity_of(hass, Platform.SWITCH, "Return pump", "pump")
        device = device_named(hass, "Return pump").device
        assert device is not None
        assert shown(hass, pump) == "on"

        await call(hass, "turn_off", pump)
        assert shown(hass, pump) == "off"
        assert device.observed("level") == {"level": 0.0}

        await call(hass, "turn_on", pump)
        assert shown(hass, pump) == "on"
        assert device.observed("level") == {"level": 80.0}


async def test_a_pump_made_of_a_switch(hass: HomeAssistant, tmp_path: Path) -> None:
    """It switches what is behind it, and follows it."""
    await entities_behind(hass)
    kept = subentry("pump", "Wave", {**PUMP, "entity_id": "input_boolean.relay"})
    async with aquarium(hass, tmp_path, Platform.SWITCH, subentries=[kept]):
        pump = entity_of(hass, Platform.SWITCH, "Wave", "pump")

        await call(hass, "turn_on", pump)
        assert (shown(hass, pump), shown(hass, "input_boolean.relay")) == ("on", "on")

        await call(hass, "turn_off", "input_boolean.relay")
        await hass.async_block_till_done()
        assert shown(hass, pump) == "off"


async def test_a_pump_that_fails_says_so(hass: HomeAssistant, tmp_path: Path) -> None:
    """The caller gets a translated error, and the switch shows what is."""
    async with aquarium(hass, tmp_path, Platform.SWITCH, demo=True):
        pump = entity_of(hass, Platform.SWITCH, "Skimmer", "pump")
        device = device_named(hass, "Skimmer").device
        assert isinstance(device, SimulatedPump)
        device.fail_next(DeviceError("service_failed", transient=False))

        with pytest.raises(HomeAssistantError) as failure:
            await call(hass, "turn_off", pump)

        assert failure.value.translation_key == "device_service_failed"
        assert shown(hass, pump) == "on"


async def test_a_pump_is_unavailable_while_it_cannot_be_reached(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Its switch is not pressed then, and shows its level when it is back."""
    async with aquarium(hass, tmp_path, Platform.SWITCH, demo=True):
        pump = entity_of(hass, Platform.SWITCH, "Skimmer", "pump")
        device = device_named(hass, "Skimmer").device
        assert isinstance(device, SimulatedPump)

        device.available = False
        assert shown(hass, pump) == "unavailable"
        await call(hass, "turn_off", pump)

        device.available = True
        assert shown(hass, pump) == "on"


async def test_a_head_that_is_switched_off_stays_so(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Over a restart too; the other heads may dose."""
    async with aquarium(hass, tmp_path, Platform.SWITCH, demo=True) as entry:
        first = entity_of(hass, Platform.SWITCH, "Demo doser", "0_enabled")
        second = entity_of(hass, Platform.SWITCH, "Demo doser", "1_enabled")

        await call(hass, "turn_off", first)
        assert (shown(hass, first), shown(hass, second)) == ("off", "on")

        await restart(hass, entry)
        assert (shown(hass, first), shown(hass, second)) == ("off", "on")

        await call(hass, "turn_on", first)
        assert shown(hass, first) == "on"


async def test_automation_is_off_for_this_aquarium(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The planner knows it, over a restart too."""
    async with aquarium(hass, tmp_path, Platform.SWITCH, demo=True) as entry:
        automation = entity_of(hass, Platform.SWITCH, NAME, "automation")
        assert shown(hass, automation) == "on"

        await call(hass, "turn_off", automation)
        await restart(hass, entry)

        assert shown(hass, automation) == "off"
        assert engine_of(hass).planner.automation_off == {ENTRY}

        await call(hass, "turn_on", automation)
        assert shown(hass, automation) == "on"
        assert engine_of(hass).planner.automation_off == set()


async def test_without_a_store_only_off_goes_out(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """A store newer than the code is left alone, and locks the engine."""
    (tmp_path / "aquarist.db").write_bytes(b"not a database at all" * 100)
    async with aquarium(hass, tmp_path, Platform.SWITCH, demo=True):
        pump = entity_of(hass, Platform.SWITCH, "Return pump", "pump")
        automation = entity_of(hass, Platform.SWITCH, NAME, "automation")

        await call(hass, "turn_off", pump)
        assert shown(hass, pump) == "off"

        for switch, service in ((pump, "turn_on"), (automation, "turn_off")):
            with pytest.raises(HomeAssistantError) as refused:
                await call(hass, service, switch)
            assert refused.value.translation_key == "store_locked"
        assert (shown(hass, pump), shown(hass, automation)) == ("off", "on")
