"""The size of a container stays with what else is entered for a head, wherever it was changed."""

from pathlib import Path

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.engine.changes import ContainerChanged

from .aquarium import (
    aquarium,
    call,
    device_named,
    engine_of,
    entities_behind,
    entity_of,
    restart,
    subentry,
)
from .flow_forms import doser_entry, heads

DOSER = {
    "entity_id": "input_boolean.relay",
    "flow_ml_per_minute": 600.0,
    "maximum_dose_ml": 20.0,
    "container_ml": 500.0,
}


async def capacity(hass: HomeAssistant, name: str, head: int = 0) -> int | None:
    """Return the microlitres that a full container holds."""
    status = engine_of(hass).containers.status(device_named(hass, name), head)
    return None if status is None else status.capacity


async def test_a_listed_doser_keeps_its_new_size(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """It is not attached anew for that, and has it after the next start."""
    await entities_behind(hass)
    kept = subentry("doser", "Iron", DOSER)
    async with aquarium(hass, tmp_path, Platform.NUMBER, subentries=[kept]) as entry:
        assert await capacity(hass, "Iron") == 500_000
        doser = device_named(hass, "Iron").device

        await call(
            hass,
            "set_value",
            entity_of(hass, Platform.NUMBER, "Iron", "0_container_size"),
            value=250,
        )
        await hass.async_block_till_done()

        assert entry.subentries["iron"].data["container_ml"] == 250.0
        assert entry.subentries["iron"].data["maximum_dose_ml"] == 20.0
        assert device_named(hass, "Iron").device is doser

        await restart(hass, entry)
        assert await capacity(hass, "Iron") == 250_000


async def test_another_size_in_the_form_counts(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The doser is attached anew, as for every change of what was entered."""
    await entities_behind(hass)
    kept = subentry("doser", "Iron", DOSER)
    async with aquarium(hass, tmp_path, subentries=[kept]) as entry:
        doser = device_named(hass, "Iron").device

        hass.config_entries.async_update_subentry(
            entry, entry.subentries["iron"], data={**DOSER, "container_ml": 250.0}
        )
        await hass.async_block_till_done()

        assert await capacity(hass, "Iron") == 250_000
        assert device_named(hass, "Iron").device is not doser


async def test_a_refill_changes_no_size(hass: HomeAssistant, tmp_path: Path) -> None:
    """Nothing is written."""
    await entities_behind(hass)
    kept = subentry("doser", "Iron", DOSER)
    async with aquarium(hass, tmp_path, subentries=[kept]) as entry:
        before = entry.modified_at
        await engine_of(hass).containers.refill(
            device_named(hass, "Iron"), 0, user=None
        )
        assert entry.modified_at == before


@pytest.mark.usefixtures("enable_bluetooth")
async def test_a_bluetooth_pump_keeps_it_with_its_head(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The other options stay as they are."""
    hass.config.config_dir = str(tmp_path)
    entry = doser_entry()
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    engine = engine_of(hass)
    (device,) = entry.runtime_data.devices.values()

    await engine.containers.resize(device, 1, 330_000, user=None)

    first, second = heads("Iron", "Head 2")
    assert entry.options["heads"] == [first, {**second, "container_ml": 330.0}]
    assert entry.options["idle_hold"] == 30
    before = entry.modified_at
    await engine.containers.refill(device, 1, user=None)
    assert entry.modified_at == before
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_the_demo_has_no_place_for_it(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Its size is the engine's alone, and holds over a restart all the same."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        await engine.containers.resize(doser, 0, 330_000, user=None)
        assert not entry.subentries
        assert entry.options == {}

        await restart(hass, entry)
        assert await capacity(hass, "Demo doser") == 330_000


async def test_what_nobody_has_is_let_be(hass: HomeAssistant, tmp_path: Path) -> None:
    """A change of a container that is not there, or of another entry's."""
    async with aquarium(hass, tmp_path, demo=True):
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        for number in (doser.row.number, 999):
            engine.announcer.announce(ContainerChanged(device=number, head=3))
        assert await capacity(hass, "Demo doser", 3) is None


async def test_a_container_that_was_removed_leaves_nothing_behind(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Neither entities nor what was asked of it; a new one brings them back."""
    await entities_behind(hass)
    kept = subentry("doser", "Iron", {**DOSER, "only_if_fits": True, "low_days": 3})
    async with aquarium(hass, tmp_path, Platform.SENSOR, subentries=[kept]) as entry:
        containers, iron = engine_of(hass).containers, device_named(hass, "Iron")
        shown = entity_of(hass, Platform.SENSOR, "Iron", "0_container_left")
        assert hass.states.get(shown) is not None

        await containers.remove(iron, 0, user=None)
        await hass.async_block_till_done()

        assert hass.states.get(shown) is None
        data = entry.subentries["iron"].data
        assert (data["container_ml"], data["only_if_fits"], data["low_days"]) == (
            None,
            False,
            None,
        )
        await containers.resize(iron, 0, 250_000, user=None)
        await hass.async_block_till_done()
        assert (state := hass.states.get(shown)) is not None
        assert state.state == "250.0"

        await containers.remove(iron, 0, user=None)
        await hass.async_block_till_done()
        await restart(hass, entry)
        assert await capacity(hass, "Iron") is None
        assert hass.states.get(shown) is None
