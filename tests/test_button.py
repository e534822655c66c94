"""Buttons: a dose, an emergency stop, and what a Chihiros device does once."""

from pathlib import Path

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.dosing.ledger import DoseState
from custom_components.aquarist.engine.changes import Change, DoseChanged

from .aquarium import (
    NAME,
    aquarium,
    call,
    compare_all,
    device_named,
    engine_of,
    entities_behind,
    entity_of,
    heard,
    press,
    subentry,
)
from .store.gate import answered_on_disk, refusing
from .test_number import PUMP


def given(change: Change) -> bool:
    """Tell the end of a dose that was given."""
    return isinstance(change, DoseChanged) and change.dose.state is DoseState.GIVEN


async def test_the_demo_buttons(
    hass: HomeAssistant, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """A dose for each head, the emergency stop, and two for each Chihiros device."""
    async with aquarium(hass, tmp_path, Platform.BUTTON, demo=True) as entry:
        await compare_all(hass, entry, snapshot)


async def test_a_dose_is_given(hass: HomeAssistant, tmp_path: Path) -> None:
    """The press ends when the pump has begun; the volume is the number's."""
    async with aquarium(hass, tmp_path, Platform.BUTTON, Platform.NUMBER, demo=True):
        volume = entity_of(hass, Platform.NUMBER, "Demo doser", "2_dose_volume")
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        await call(hass, "set_value", volume, value=0.4)

        async with heard(hass, given):
            await press(hass, "Demo doser", "2_dose_now")
            (under_way,) = engine.gate.doses(doser.row.number, 2)

        assert under_way.state is DoseState.SENT
        (dose,) = engine.gate.doses(doser.row.number, 2)
        assert (dose.volume, dose.given) == (400, 400)


async def test_a_dose_beyond_the_limit_is_refused(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The error says why; the pump does not move and nothing is counted."""
    async with aquarium(hass, tmp_path, Platform.BUTTON, Platform.NUMBER, demo=True):
        volume = entity_of(hass, Platform.NUMBER, "Demo doser", "0_dose_volume")
        await call(hass, "set_value", volume, value=100.1)

        with pytest.raises(ServiceValidationError) as refused:
            await press(hass, "Demo doser", "0_dose_now")

        assert refused.value.translation_key == "refused_budget_24h_alone"
        number = device_named(hass, "Demo doser").row.number
        assert engine_of(hass).gate.doses(number, 0) == ()
        assert await engine_of(hass).history.recent(None, 10) == []


async def test_a_head_that_is_switched_off_refuses(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The keeper's word is the gate's."""
    async with aquarium(hass, tmp_path, Platform.BUTTON, Platform.SWITCH, demo=True):
        enabled = entity_of(hass, Platform.SWITCH, "Demo doser", "0_enabled")
        await call(hass, "turn_off", enabled)

        with pytest.raises(ServiceValidationError) as refused:
            await press(hass, "Demo doser", "0_dose_now")

        assert refused.value.translation_key == "refused_not_allowed"


async def test_an_emergency_stop_holds_until_it_is_released(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Pumps stand still, and no dose is given meanwhile."""
    async with aquarium(hass, tmp_path, Platform.BUTTON, demo=True):
        pump, doser = (device_named(hass, "Skimmer"), device_named(hass, "Demo doser"))
        assert pump.device is not None

        await press(hass, NAME, "emergency_stop")
        assert pump.device.observed("level") == {"level": 0.0}
        assert engine_of(hass).emergency.latched(doser)
        with pytest.raises(ServiceValidationError) as refused:
            await press(hass, "Demo doser", "0_dose_now")
        assert refused.value.translation_key == "refused_not_allowed"

        await press(hass, NAME, "release_emergency_stop")
        assert not engine_of(hass).emergency.latched(doser)
        async with heard(hass, given):
            await press(hass, "Demo doser", "0_dose_now")


async def test_a_release_is_answered_once_it_is_on_disk(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Law 2: a kill after the answer stops nothing again; what is not written yet is told."""
    async with aquarium(hass, tmp_path, Platform.BUTTON, demo=True):
        database = engine_of(hass).database
        assert database is not None
        await press(hass, NAME, "emergency_stop")
        await answered_on_disk(
            database.writer, press(hass, NAME, "release_emergency_stop")
        )

        await press(hass, NAME, "emergency_stop")
        async with refusing(engine_of(hass).journal):
            with pytest.raises(HomeAssistantError) as failure:
                await press(hass, NAME, "release_emergency_stop")
        assert failure.value.translation_key == "store_owes"


async def test_a_stop_that_was_not_confirmed_is_reported(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The error names the device that somebody should look at."""
    await entities_behind(hass, speed=30)
    kept = subentry("pump", "Return", {**PUMP, "safe_level": 0})
    async with aquarium(hass, tmp_path, Platform.BUTTON, subentries=[kept]):
        hass.states.async_set("input_number.speed", "unavailable")
        await hass.async_block_till_done()

        with pytest.raises(HomeAssistantError) as failure:
            await press(hass, NAME, "emergency_stop")

        assert failure.value.translation_key == "emergency_stop_unconfirmed"
        assert failure.value.translation_placeholders == {"devices": "Return"}
        assert engine_of(hass).emergency.latched(device_named(hass, "Return"))


@pytest.mark.parametrize("device", ["Demo light", "Demo doser"])
@pytest.mark.parametrize("action", ["sync_clock", "release_for_app"])
async def test_a_device_does_something_once(
    hass: HomeAssistant, tmp_path: Path, device: str, action: str
) -> None:
    """The press is a command like any other, and ends with it."""
    async with aquarium(hass, tmp_path, Platform.BUTTON, demo=True):
        await press(hass, device, action)

        (command,) = await engine_of(hass).history.recent(
            device_named(hass, device), 10
        )
        assert (command.action, command.phase) == (action, Phase.COMPLETED)


async def test_a_container_is_full_again(hass: HomeAssistant, tmp_path: Path) -> None:
    """The button comes with the container."""
    async with aquarium(hass, tmp_path, Platform.BUTTON, demo=True):
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        assert not [
            one for one in hass.states.async_entity_ids("button") if "refilled" in one
        ]
        await engine.containers.resize(doser, 1, 500_000, user=None)
        await engine.containers.correct(doser, 1, 20_000, user=None)
        await hass.async_block_till_done()

        await press(hass, "Demo doser", "1_refilled")

        assert engine.containers.remaining(doser.row.number, 1) == 500_000
