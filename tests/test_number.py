"""Numbers: what a pump and a lamp's channels show, and what the dose button gives."""

from collections.abc import AsyncIterator
from pathlib import Path

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import (
    mock_restore_cache_with_extra_data,
)
from syrupy.assertion import SnapshotAssertion

from custom_components.aquarist.manual_dose import manual_volumes

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

PUMP = {
    "entity_id": "input_number.speed",
    "minimum": None,
    "maximum": None,
    "safe_level": None,
    "maximum_on_minutes": None,
    "slew": None,
}


def value(hass: HomeAssistant, entity_id: str) -> float:
    """Return what a number shows."""
    state = hass.states.get(entity_id)
    assert state is not None
    return float(state.state)


async def test_the_demo_numbers(
    hass: HomeAssistant, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """Levels of pumps, channels of the lamp, and a volume for each head."""
    async with aquarium(
        hass, tmp_path, Platform.NUMBER, demo=True, all_enabled=True
    ) as entry:
        await compare_all(hass, entry, snapshot)


async def test_a_pump_runs_at_its_level(hass: HomeAssistant, tmp_path: Path) -> None:
    """The level goes to the entity behind the pump, and follows it."""
    await entities_behind(hass, speed=30)
    kept = subentry("pump", "Return", PUMP)
    async with aquarium(hass, tmp_path, Platform.NUMBER, subentries=[kept]):
        level = entity_of(hass, Platform.NUMBER, "Return", "level")
        assert value(hass, level) == 30

        await call(hass, "set_value", level, value=75)
        assert value(hass, level) == 75
        assert value(hass, "input_number.speed") == 75

        await call(hass, "set_value", "input_number.speed", value=0)
        await hass.async_block_till_done()
        assert value(hass, level) == 0


async def test_a_pump_that_only_switches_has_no_level(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Its switch says it all."""
    await entities_behind(hass)
    kept = subentry("pump", "Wave", {**PUMP, "entity_id": "input_boolean.relay"})
    async with aquarium(hass, tmp_path, Platform.NUMBER, subentries=[kept]):
        assert hass.states.async_entity_ids("number") == ["number.wave_off_for"]


async def test_a_channel_changes_alone(hass: HomeAssistant, tmp_path: Path) -> None:
    """The other channels show what they showed."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True, all_enabled=True):
        names = ("red", "green", "blue", "white")
        numbers = [
            entity_of(hass, Platform.NUMBER, "Demo light", f"channel_{name}")
            for name in names
        ]
        for number, wanted in zip(numbers, (80, 40, 20, 10), strict=True):
            await call(hass, "set_value", number, value=wanted)

        assert [value(hass, number) for number in numbers] == [80, 40, 20, 10]
        assert device_named(hass, "Demo light").fields["light"].sent["level"] == 80  # type: ignore[index]


async def test_a_volume_begins_within_what_the_head_can_give(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The button beside it gives it."""
    await entities_behind(hass)
    doser = {"entity_id": "input_boolean.relay", "flow_ml_per_minute": 6.0}
    small = subentry("doser", "Trace", {**doser, "maximum_dose_ml": 0.5})
    async with aquarium(hass, tmp_path, Platform.NUMBER, subentries=[small]):
        volume = entity_of(hass, Platform.NUMBER, "Trace", "0_dose_volume")
        assert value(hass, volume) == 0.5
        key = f"{device_named(hass, 'Trace').row.uuid}_0"
        assert manual_volumes(hass)[key] == 0.5


async def test_a_volume_is_kept_for_the_button(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """It is 1 mL until somebody changes it."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        volume = entity_of(hass, Platform.NUMBER, "Demo doser", "1_dose_volume")
        assert value(hass, volume) == 1.0

        await call(hass, "set_value", volume, value=2.5)

        assert value(hass, volume) == 2.5
        key = f"{device_named(hass, 'Demo doser').row.uuid}_1"
        assert manual_volumes(hass)[key] == 2.5


async def test_a_volume_that_no_pump_can_give_is_refused(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """And the one before stays."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        volume = entity_of(hass, Platform.NUMBER, "Demo doser", "0_dose_volume")

        with pytest.raises(ServiceValidationError) as refused:
            await call(hass, "set_value", volume, value=1.25)
        with pytest.raises(ServiceValidationError):
            await call(hass, "set_value", volume, value=100_000)

        assert refused.value.translation_key == "volume_too_fine"
        assert value(hass, volume) == 1.0


@pytest.mark.parametrize(
    ("stored", "shown"), [(3.5, 3.5), (100_000.0, 1.0), (None, 1.0)]
)
async def test_a_volume_is_restored(
    hass: HomeAssistant, tmp_path: Path, stored: float | None, shown: float
) -> None:
    """Unless the head cannot give it any more."""
    volume = "number.demo_doser_head_1_dose_volume"
    mock_restore_cache_with_extra_data(
        hass,
        [
            (
                State(volume, str(stored)),
                {
                    "native_max_value": 999.9,
                    "native_min_value": 0.2,
                    "native_step": 0.1,
                    "native_unit_of_measurement": "mL",
                    "native_value": stored,
                },
            )
        ],
    )
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        assert entity_of(hass, Platform.NUMBER, "Demo doser", "0_dose_volume") == volume
        assert value(hass, volume) == shown


async def test_a_size_gives_a_head_its_container(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Full at first; a smaller one holds at most its size, in the user's name."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        size = entity_of(hass, Platform.NUMBER, "Demo doser", "0_container_size")
        state = hass.states.get(size)
        assert state is not None and state.state == "unknown"
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")

        await call(hass, "set_value", size, value=500)
        await hass.async_block_till_done()
        status = engine.containers.status(doser, 0)
        assert status is not None
        assert (status.capacity, status.remaining) == (500_000, 500_000)
        assert value(hass, size) == 500

        await call(hass, "set_value", size, value=250.5)
        await hass.async_block_till_done()
        assert engine.containers.remaining(doser.row.number, 0) == 250_500
        assert value(hass, size) == 250.5
        assert engine.containers.status(doser, 1) is None


async def test_a_size_that_is_none_is_refused(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Nothing is stored."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        size = entity_of(hass, Platform.NUMBER, "Demo doser", "0_container_size")
        with pytest.raises(ServiceValidationError):
            await call(hass, "set_value", size, value=0)
        doser = device_named(hass, "Demo doser")
        assert engine_of(hass).containers.status(doser, 0) is None


async def test_what_is_no_number_is_refused(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Home Assistant lets "nan" through, which is neither below nor above a bound."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True, all_enabled=True):
        for device, key in (
            ("Return pump", "level"),
            ("Return pump", "off_for"),
            ("Demo light", "channel_red"),
            ("Demo doser", "0_dose_volume"),
            ("Demo doser", "0_container_size"),
        ):
            number = entity_of(hass, Platform.NUMBER, device, key)
            with pytest.raises(ServiceValidationError) as refused:
                await call(hass, "set_value", number, value="nan")
            assert refused.value.translation_key == "wrong_type_number", key
            assert refused.value.translation_placeholders == {
                "field": "value",
                "value": "nan",
            }


@pytest.fixture
async def off_for(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[str]:
    """Set up a pump that runs at 30; return its number that holds it off for some minutes."""
    await entities_behind(hass, speed=30)
    kept = subentry("pump", "Return", PUMP)
    async with aquarium(hass, tmp_path, Platform.NUMBER, subentries=[kept]):
        yield entity_of(hass, Platform.NUMBER, "Return", "off_for")


async def test_a_pump_is_off_for_some_minutes(
    hass: HomeAssistant, off_for: str
) -> None:
    """R-B111: a timed override by entity; another one takes its place, 0 ends it."""
    engine = engine_of(hass)
    assert value(hass, off_for) == 0
    await call(hass, "set_value", off_for, value=0)
    assert not engine.records.open

    for minutes in (30, 45):
        await call(hass, "set_value", off_for, value=minutes)
        await hass.async_block_till_done()
        assert value(hass, off_for) == minutes
        assert value(hass, "input_number.speed") == 0
    (held,) = engine.records.open
    state = hass.states.get(off_for)
    assert state is not None
    assert state.attributes["ends_at"] == held.ends_at

    async with heard(hass, lambda _: not engine.records.open):
        await call(hass, "set_value", off_for, value=0)
    await hass.async_block_till_done()
    assert value(hass, off_for) == 0
    assert value(hass, "input_number.speed") == 30


async def test_what_is_given_back_at_once_is_on_disk(
    hass: HomeAssistant, off_for: str
) -> None:
    """Law 2: a kill after the answer switches nothing off again."""
    database = engine_of(hass).database
    assert database is not None
    await call(hass, "set_value", off_for, value=30)
    await hass.async_block_till_done()
    await answered_on_disk(database.writer, call(hass, "set_value", off_for, value=0))
    await hass.async_block_till_done()
    assert value(hass, "input_number.speed") == 30


async def test_a_level_that_was_overridden_is_not_off(
    hass: HomeAssistant, off_for: str
) -> None:
    """Nor is what lasts until it is released."""
    for asked in ({"value": 10, "seconds": 60}, {"value": 5, "until": "released"}):
        await hass.services.async_call(
            "aquarist",
            "set_override",
            {
                "device_id": device_named(hass, "Return").row.uuid,
                "field_name": "level",
                **asked,
            },
            blocking=True,
        )
        await hass.async_block_till_done()
        assert value(hass, off_for) == 0
