"""Binary sensors: what is wrong, and whether a lamp shows what it should."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from syrupy.assertion import SnapshotAssertion

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.simulated import SimulatedPump
from custom_components.aquarist.engine.changes import (
    Change,
    CommandChanged,
    DeviceChanged,
)
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.errors import STORE_WORDS
from custom_components.aquarist.limits.guard import Doubt

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
    heard,
    press,
    subentry,
)
from .flow_forms import light_entry
from .package_source import english
from .test_number import PUMP

DOSER = {
    "entity_id": "input_boolean.relay",
    "flow_ml_per_minute": 600.0,
    "maximum_dose_ml": 20.0,
}


def state_of(hass: HomeAssistant, device: str, key: str) -> State:
    """Return the state of a binary sensor."""
    state = hass.states.get(entity_of(hass, Platform.BINARY_SENSOR, device, key))
    assert state is not None
    return state


def reasons(hass: HomeAssistant, device: str) -> list[str]:
    """Return why a problem is shown; there is one if and only if there are reasons."""
    state = state_of(hass, device, "problem")
    found: list[str] = state.attributes["reasons"]
    assert (state.state == "on") == bool(found)
    return found


def stop_in(phase: Phase) -> Callable[[Change], bool]:
    """Return what tells that an emergency stop has come to a phase."""
    return lambda change: (
        isinstance(change, CommandChanged)
        and change.command.action == "emergency_stop"
        and change.command.phase is phase
    )


async def test_the_demo_binary_sensors(
    hass: HomeAssistant, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """All is well in the demo."""
    async with aquarium(
        hass, tmp_path, Platform.BINARY_SENSOR, demo=True, all_enabled=True
    ) as entry:
        await compare_all(hass, entry, snapshot)


async def test_a_device_that_is_gone_is_a_problem(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Of the device and of its aquarium, until it is back."""
    await entities_behind(hass, speed=30)
    devices = [
        subentry("pump", "Return", PUMP),
        subentry(
            "entity",
            "Probe",
            {"fields": [{"name": "ph", "entity_id": "input_number.speed"}]},
        ),
    ]
    async with aquarium(hass, tmp_path, Platform.BINARY_SENSOR, subentries=devices):
        assert reasons(hass, "Return") == reasons(hass, "Probe") == []
        assert reasons(hass, NAME) == []

        hass.states.async_set("input_number.speed", "unavailable")
        await hass.async_block_till_done()
        assert reasons(hass, "Return") == reasons(hass, "Probe") == ["unavailable"]
        assert reasons(hass, NAME) == ["device_unavailable"]
        assert state_of(hass, NAME, "problem").attributes["unavailable"] == [
            "Probe",
            "Return",
        ]

        hass.states.async_set("input_number.speed", "30", {"min": 0, "max": 100})
        await hass.async_block_till_done()
        assert reasons(hass, "Return") == reasons(hass, NAME) == []


async def test_a_device_that_is_removed_is_no_problem(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """It does not count as one that cannot be reached."""
    await entities_behind(hass, speed=30)
    kept = subentry("pump", "Return", PUMP)
    async with aquarium(
        hass, tmp_path, Platform.BINARY_SENSOR, demo=True, subentries=[kept]
    ) as entry:
        device = device_named(hass, "Return").row.number
        async with heard(hass, lambda change: change == DeviceChanged(device=device)):
            assert hass.config_entries.async_remove_subentry(entry, "return")
        await hass.async_block_till_done()

        assert reasons(hass, NAME) == []
        assert state_of(hass, NAME, "problem").attributes["unavailable"] == []


async def test_a_device_of_another_aquarium_is_no_problem(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """What was given away is not missed where it was."""
    assert await async_setup_component(hass, "bluetooth", {})
    async with aquarium(hass, tmp_path, Platform.BINARY_SENSOR):
        lamp = light_entry(options={"aquarium": ENTRY, "idle_hold": 30})
        lamp.add_to_hass(hass)
        assert await hass.config_entries.async_setup(lamp.entry_id)
        await hass.async_block_till_done()
        assert reasons(hass, NAME) == ["device_unavailable"]

        options = {**lamp.options, "aquarium": None}
        hass.config_entries.async_update_entry(lamp, options=options)
        assert await hass.config_entries.async_reload(lamp.entry_id)
        await hass.async_block_till_done()
        assert reasons(hass, NAME) == []
        assert await hass.config_entries.async_unload(lamp.entry_id)


async def test_an_emergency_stop_is_a_problem(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Until it is released."""
    await entities_behind(hass, speed=30)
    kept = subentry("pump", "Return", {**PUMP, "safe_level": 0})
    async with aquarium(
        hass, tmp_path, Platform.BINARY_SENSOR, Platform.BUTTON, subentries=[kept]
    ):
        async with heard(hass, stop_in(Phase.IN_FORCE)):
            await press(hass, NAME, "emergency_stop")
        assert reasons(hass, NAME) == ["emergency_stop"]
        assert reasons(hass, "Return") == ["held_by_safety"]

        async with heard(hass, stop_in(Phase.COMPLETED)):
            await press(hass, NAME, "release_emergency_stop")
        await hass.async_block_till_done()
        assert reasons(hass, NAME) == reasons(hass, "Return") == []
        speed = hass.states.get("input_number.speed")
        assert speed is not None and float(speed.state) == 30


async def test_a_damaged_store_is_a_problem(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Its word is the store's."""
    (tmp_path / "aquarist.db").write_bytes(b"not a database at all" * 100)
    async with aquarium(hass, tmp_path, Platform.BINARY_SENSOR, demo=True):
        assert reasons(hass, NAME) == ["store_corrupt"]


async def test_a_lamp_is_in_step_when_it_has_acknowledged(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Nobody knows before the first time."""
    async with aquarium(
        hass,
        tmp_path,
        Platform.BINARY_SENSOR,
        Platform.LIGHT,
        demo=True,
        all_enabled=True,
    ):
        assert state_of(hass, "Demo light", "in_step").state == "unknown"

        await call(
            hass, "turn_on", entity_of(hass, Platform.LIGHT, "Demo light", "light")
        )

        assert state_of(hass, "Demo light", "in_step").state == "on"


async def test_a_pump_that_takes_no_level_is_a_problem(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Until it has taken one again."""
    async with aquarium(
        hass, tmp_path, Platform.BINARY_SENSOR, Platform.SWITCH, demo=True
    ):
        engine, pump = engine_of(hass), device_named(hass, "Skimmer")
        assert isinstance(pump.device, SimulatedPump)
        for _ in range(2):
            pump.device.fail_next(DeviceError("service_failed", transient=False))
        now = engine.clock.now()

        window = await engine.acceptance.create_window(
            pump,
            "level",
            50.0,
            Origin(source=Source.SERVICE),
            start=now,
            end=now + timedelta(hours=1),
        )
        assert (await engine.finished(window)).phase is Phase.FAILED
        assert reasons(hass, "Skimmer") == ["not_written"]

        await call(hass, "turn_on", entity_of(hass, Platform.SWITCH, "Skimmer", "pump"))
        assert reasons(hass, "Skimmer") == []


async def test_a_container_that_is_low_is_a_problem(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """When it lasts for few days, or is empty; it is there where there is a container."""
    await entities_behind(hass)
    dosers = [
        subentry("doser", "Iron", {**DOSER, "container_ml": 100.0, "low_days": 5}),
        subentry("doser", "Other", {**DOSER, "entity_id": "input_boolean.other"}),
    ]
    async with aquarium(hass, tmp_path, Platform.BINARY_SENSOR, subentries=dosers):
        assert [
            one
            for one in hass.states.async_entity_ids("binary_sensor")
            if "container" in one
        ] == ["binary_sensor.iron_container_low"]
        assert state_of(hass, "Iron", "0_container_low").state == "off"
        engine, iron = engine_of(hass), device_named(hass, "Iron")
        daily = {
            "name": "Daily",
            "device_ids": [iron.row.number],
            "schedule_type": "cron",
            "cron_expression": "0 15 * * *",
            "timezone": "UTC",
            "action_type": "dose",
            "action_params": {"head_index": 0, "volume_ml": 10},
        }
        planned = await engine.create_schedule(daily, user=None)
        assert state_of(hass, "Iron", "0_container_low").state == "off"

        await engine.containers.correct(iron, 0, 40_000, user=None)
        assert state_of(hass, "Iron", "0_container_low").state == "on"

        await engine.delete_schedule(planned.row.id, user=None)
        assert state_of(hass, "Iron", "0_container_low").state == "off"

        await engine.containers.correct(iron, 0, 0, user=None)
        assert state_of(hass, "Iron", "0_container_low").state == "on"

        await engine.containers.refill(iron, 0, user=None)
        assert state_of(hass, "Iron", "0_container_low").state == "off"


async def test_a_container_grows_low_while_nothing_is_dosed(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """With a dose a week the days pass between the doses."""
    freezer.move_to("2026-03-02T12:00:00+00:00")
    await entities_behind(hass)
    iron = subentry("doser", "Iron", {**DOSER, "container_ml": 15.0, "low_days": 12})
    async with aquarium(hass, tmp_path, Platform.BINARY_SENSOR, subentries=[iron]):
        weekly = {
            "name": "Weekly",
            "device_ids": [device_named(hass, "Iron").row.number],
            "schedule_type": "cron",
            "cron_expression": "0 15 * * 1",
            "timezone": "UTC",
            "action_type": "dose",
            "action_params": {"head_index": 0, "volume_ml": 10},
        }
        freezer.move_to("2026-03-02T16:00:00+00:00")
        await engine_of(hass).create_schedule(weekly, user=None)
        assert state_of(hass, "Iron", "0_container_low").state == "off"

        freezer.tick(timedelta(days=2))
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert state_of(hass, "Iron", "0_container_low").state == "on"


def test_every_reason_of_a_problem_is_told_in_plain_words() -> None:
    """Also the store's, and why a watched sensor is not trusted."""
    texts = english()["entity"]["binary_sensor"]

    def reasons(key: str) -> set[str]:
        """Return the reasons that have a text."""
        return set(texts[key]["state_attributes"]["reasons"]["state"])

    doubts = {reason.value for reason in Doubt}
    assert reasons("problem") == {"unavailable", "held_by_safety", "not_written"}
    assert reasons("aquarium_problem") == (
        STORE_WORDS
        | doubts
        | {"emergency_stop", "device_unavailable", "mode_incomplete"}
    )
