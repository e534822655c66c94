"""What all entities share: names, devices, origins, answers, and a pace for the recorder."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity_component import DATA_INSTANCES
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.aquarist.chihiros.models import model_for
from custom_components.aquarist.commands.command import Command, ErrorCode, Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.simulated import SimulatedPump
from custom_components.aquarist.engine.changes import (
    Change,
    CommandChanged,
    DeviceChanged,
    FieldChanged,
    StoreChanged,
)
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.state import DeviceLimits, HeadLimits
from custom_components.aquarist.entity import AquaristEntity
from custom_components.aquarist.layers.claims import Layer

from .aquarium import (
    ENTRY,
    aquarium,
    call,
    device_named,
    engine_of,
    entities_behind,
    entity_of,
    heard,
    subentry,
)
from .test_light import lamp
from .test_number import PUMP
from .test_sensor import DOSER

ALL = (
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.EVENT,
    Platform.LIGHT,
    Platform.NUMBER,
    Platform.SENSOR,
    Platform.SWITCH,
)
SERVICE = Origin(source=Source.SERVICE)


def listed() -> list[object]:
    """Return one device of each kind that a keeper lists by hand."""
    return [
        subentry("pump", "Return", PUMP),
        subentry("light", "Bar", lamp("white", "warm")),
        subentry("doser", "Iron", DOSER),
        subentry(
            "entity",
            "Probe",
            {"fields": [{"name": "ph", "entity_id": "input_number.speed"}]},
        ),
    ]


async def test_every_entity_has_an_id_a_name_and_a_device(
    hass: HomeAssistant, tmp_path: Path, entity_registry: er.EntityRegistry
) -> None:
    """Names come from translations, and unique ids are unique."""
    await entities_behind(hass, speed=0, white=0, warm=0)
    async with aquarium(
        hass,
        tmp_path,
        *ALL,
        demo=True,
        all_enabled=True,
        subentries=listed(),  # type: ignore[arg-type]
    ):
        entries = er.async_entries_for_config_entry(entity_registry, ENTRY)

        assert len({(one.domain, one.unique_id) for one in entries}) == len(entries)
        assert len(entries) > 60
        assert {one.domain for one in entries} == set(ALL)
        for one in entries:
            assert one.device_id is not None
            assert one.has_entity_name
            assert one.translation_key is not None
            main = one.domain == "light" or one.translation_key == "pump"
            assert (one.original_name is None) == main, one.entity_id


async def test_devices(
    hass: HomeAssistant, tmp_path: Path, device_registry: dr.DeviceRegistry
) -> None:
    """Heads are below their doser; what a keeper listed belongs to its subentry."""
    await entities_behind(hass, speed=0, white=0, warm=0)
    async with aquarium(
        hass,
        tmp_path,
        *ALL,
        demo=True,
        subentries=listed(),  # type: ignore[arg-type]
    ):
        devices = dr.async_entries_for_config_entry(device_registry, ENTRY)

        found = {
            one.name: (one.manufacturer, one.config_subentry_id, one.entry_type)
            for one in devices
            if isinstance(one, dr.DeviceEntry)
        }
        assert found == {
            "Reef": (None, None, dr.DeviceEntryType.SERVICE),
            "Demo light": ("Chihiros", None, None),
            "Demo doser": ("Chihiros", None, None),
            "Return pump": (None, None, None),
            "Skimmer": (None, None, None),
            "Return": (None, "return", None),
            "Bar": (None, "bar", None),
            "Iron": (None, "iron", None),
            "Probe": (None, "probe", None),
        }
        doser = device_registry.async_get_device_by_identifier(
            ("aquarist", device_named(hass, "Demo doser").row.uuid), ENTRY
        )
        assert doser is not None
        assert doser.connections == {
            (dr.CONNECTION_BLUETOOTH, device_named(hass, "Demo doser").row.address)
        }
        children = [
            (one.name, one.parent_device_id)
            for one in device_registry.child_devices
            if one.config_entry_id == ENTRY
        ]
        assert children == [(f"Head {number}", doser.id) for number in (1, 2, 3, 4)]


async def test_a_device_that_is_removed_takes_its_entities_along(
    hass: HomeAssistant, tmp_path: Path, entity_registry: er.EntityRegistry
) -> None:
    """And one that is added brings its own, while the others stay."""
    await entities_behind(hass, speed=10)
    kept = subentry("pump", "Return", PUMP)
    async with aquarium(
        hass, tmp_path, Platform.SWITCH, demo=True, subentries=[kept]
    ) as entry:
        assert hass.states.get("switch.return") is not None

        hass.config_entries.async_remove_subentry(entry, "return")
        await hass.async_block_till_done()

        assert hass.states.get("switch.return") is None
        assert entity_registry.async_get("switch.return") is None
        assert hass.states.get("switch.skimmer") is not None


async def test_entities_listen_as_long_as_they_are_there(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Unloaded, none of them hears the engine any more."""
    async with aquarium(hass, tmp_path, *ALL, demo=True) as entry:
        engine = engine_of(hass)
        with_entities = len(engine.announcer._listeners)

        assert await hass.config_entries.async_unload(entry.entry_id)
        without = len(engine.announcer._listeners)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()

        assert with_entities > without + 30
        assert len(engine.announcer._listeners) == with_entities


@pytest.mark.parametrize(
    ("user", "parent", "layer"),
    [(True, None, Layer.OVERRIDE), (True, "a run", None), (False, None, None)],
)
async def test_what_is_done_by_hand_overrides_a_window(
    hass: HomeAssistant,
    tmp_path: Path,
    hass_admin_user: MockUser,
    user: bool,
    parent: str | None,
    layer: Layer | None,
) -> None:
    """By hand is a user without a parent context; all else is a point action (law 4)."""
    async with aquarium(hass, tmp_path, Platform.SWITCH, demo=True):
        engine, pump = engine_of(hass), device_named(hass, "Skimmer")
        now = engine.clock.now()

        async with heard(hass, in_force):
            await engine.acceptance.create_window(
                pump, "level", 60.0, SERVICE, start=now, end=now + timedelta(hours=1)
            )
        keeper = hass_admin_user.id if user else None
        context = Context(user_id=keeper, parent_id=parent)

        await call(
            hass,
            "turn_off",
            entity_of(hass, Platform.SWITCH, "Skimmer", "pump"),
            context=context,
        )

        newest, _ = await engine.history.recent(pump, 2)
        assert (newest.source, newest.user, newest.context) == (
            Source.ENTITY,
            keeper,
            context.id,
        )
        assert newest.layer is layer
        level = 0.0 if layer is Layer.OVERRIDE else 60.0
        assert pump.device is not None
        assert pump.device.observed("level") == {"level": level}


async def test_a_write_that_gave_way_to_a_newer_one_is_no_error(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Dragging a slider asks for many levels and means the last one."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        level = entity_of(hass, Platform.NUMBER, "Skimmer", "level")
        pump = device_named(hass, "Skimmer")
        pump.queue.hold()

        first = hass.async_create_task(call(hass, "set_value", level, value=10))
        async with heard(hass, superseded):
            second = hass.async_create_task(call(hass, "set_value", level, value=20))
        pump.queue.release()
        await asyncio.gather(first, second)

        assert pump.device is not None
        assert pump.device.observed("level") == {"level": 20.0}


def in_force(change: Change) -> bool:
    """Tell that a command has taken hold of its field."""
    return isinstance(change, CommandChanged) and change.command.phase is Phase.IN_FORCE


def superseded(change: Change) -> bool:
    """Tell the end of a command that gave way."""
    return (
        isinstance(change, CommandChanged)
        and change.command.error_code == ErrorCode.SUPERSEDED
    )


async def test_a_store_that_fails_meanwhile_is_an_answer(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Nobody waits for an outcome that cannot be told."""
    async with aquarium(hass, tmp_path, Platform.SWITCH, demo=True):
        engine, pump = engine_of(hass), device_named(hass, "Skimmer")
        pump.queue.hold()

        skimmer = entity_of(hass, Platform.SWITCH, "Skimmer", "pump")
        waiting = hass.async_create_task(call(hass, "turn_off", skimmer))
        # What was asked for later is answered sooner, because that pump is not held.
        await call(
            hass, "turn_off", entity_of(hass, Platform.SWITCH, "Return pump", "pump")
        )
        engine.announcer.announce(StoreChanged(code=None))
        assert not waiting.done()
        engine.store_trouble = "store_full"
        engine.announcer.announce(StoreChanged(code="store_full"))

        with pytest.raises(HomeAssistantError) as failure:
            await waiting
        assert failure.value.translation_key == "store_full"

        engine.store_trouble = "store_read_only"
        with pytest.raises(HomeAssistantError) as failure:
            await call(hass, "turn_off", skimmer)
        assert failure.value.translation_key == "store_read_only"
        pump.queue.release()


async def test_what_ends_before_its_request_is_answered_is_not_waited_for(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The store's thread may be so quick that the end is told before the answer."""
    async with aquarium(hass, tmp_path, Platform.SWITCH, demo=True):
        engine, pump = engine_of(hass), device_named(hass, "Skimmer")
        skimmer = entity_of(hass, Platform.SWITCH, "Skimmer", "pump")
        entity = hass.data[DATA_INSTANCES]["switch"].get_entity(skimmer)
        assert isinstance(entity, AquaristEntity)

        async def late() -> Command:
            """Answer with the command as it was accepted, once it has ended."""
            origin = Origin(source=Source.SERVICE)
            accepted = await engine.acceptance.set_field(pump, "level", 0, origin)
            await engine.finished(accepted)
            return accepted

        async with asyncio.timeout(5):
            ended = await entity.submitted(late())
        assert ended.phase is Phase.COMPLETED


def pump_of(hass: HomeAssistant, name: str) -> SimulatedPump:
    """Return a pump's hardware."""
    device = device_named(hass, name).device
    assert isinstance(device, SimulatedPump)
    return device


async def test_a_level_that_moves_is_shown_at_a_pace(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """At once when it begins to, then every 10 s, and the last value always."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        level = entity_of(hass, Platform.NUMBER, "Skimmer", "level")
        shown = levels_of(hass, level)
        for step in range(1, 26):
            pump_of(hass, "Skimmer").turn_by_hand(100.0 - step)
            freezer.tick(1)
            async_fire_time_changed(hass)
            await hass.async_block_till_done()

        assert shown() == [99.0, 90.0, 80.0]

        freezer.tick(10)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert shown() == [99.0, 90.0, 80.0, 75.0]

        freezer.tick(60)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert shown() == [99.0, 90.0, 80.0, 75.0]


async def test_a_ramp_costs_the_recorder_little(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """A minute with a step each second is seven states at most, the last one its end."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        engine, pump = engine_of(hass), device_named(hass, "Skimmer")
        shown = levels_of(hass, entity_of(hass, Platform.NUMBER, "Skimmer", "level"))
        written = []
        engine.listen(
            lambda change: (
                written.append(change) if isinstance(change, FieldChanged) else None
            )
        )

        async with heard(hass, in_force):
            ramp = await engine.send(
                pump, "ramp", {"end_level": 10, "duration": 60}, SERVICE
            )
        for _ in range(75):
            freezer.tick(1)
            async_fire_time_changed(hass)
            await hass.async_block_till_done()

        assert (await engine.finished(ramp)).phase is Phase.COMPLETED
        assert len(written) >= 50
        assert len(shown()) <= 7
        assert shown()[-1] == 10.0


async def test_what_changes_hands_does_not_wait_for_the_pace(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """A window that begins or ends is seen at once, whatever has just been shown."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        engine, pump = engine_of(hass), device_named(hass, "Skimmer")
        shown = levels_of(hass, entity_of(hass, Platform.NUMBER, "Skimmer", "level"))
        pump_of(hass, "Skimmer").turn_by_hand(90)
        await hass.async_block_till_done()

        async with heard(hass, in_force):
            await engine.windows.claim(
                pump,
                "level",
                40,
                SERVICE,
                layer=Layer.WINDOW,
                action="window",
                end=engine.clock.now() + timedelta(seconds=3),
            )
        await hass.async_block_till_done()
        assert shown() == [90.0, 40.0]

        freezer.tick(3)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert shown() == [90.0, 40.0, 90.0]


async def test_on_and_off_do_not_wait_for_the_pace(
    hass: HomeAssistant, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """Nor does the answer to a call."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        level = entity_of(hass, Platform.NUMBER, "Skimmer", "level")
        shown = levels_of(hass, level)
        for step in (50.0, 0.0, 30.0, 31.0):
            pump_of(hass, "Skimmer").turn_by_hand(step)
        await hass.async_block_till_done()
        assert shown() == [50.0, 0.0, 30.0]

        await call(hass, "set_value", level, value=70)
        assert shown() == [50.0, 0.0, 30.0, 70.0]


def levels_of(hass: HomeAssistant, entity_id: str) -> Callable[[], list[float]]:
    """Return what gives the levels that the state machine has seen from now on."""
    changes = async_capture_events(hass, "state_changed")

    def levels() -> list[float]:
        """Return them in their order."""
        return [
            float(change.data["new_state"].state)
            for change in changes
            if change.data["entity_id"] == entity_id
        ]

    return levels


async def test_a_level_that_waits_is_dropped_with_its_entity(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """No timer is left behind."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True) as entry:
        level = entity_of(hass, Platform.NUMBER, "Skimmer", "level")
        shown = levels_of(hass, level)
        for step in (99.0, 98.0):
            pump_of(hass, "Skimmer").turn_by_hand(step)
        await hass.async_block_till_done()
        assert shown() == [99.0]

        assert await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()
        state = hass.states.get(level)
        assert state is not None and state.state == "unavailable"
        assert await hass.config_entries.async_setup(entry.entry_id)


async def test_a_stranger_among_the_changes_alters_nothing(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """An entity writes its state for its own subject alone."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        skimmer = entity_of(hass, Platform.NUMBER, "Skimmer", "level")
        reported = async_capture_events(hass, "state_changed")

        pump_of(hass, "Return pump").turn_by_hand(33.0)
        await hass.async_block_till_done()

        told = {change.data["entity_id"] for change in reported}
        assert skimmer not in told
        assert told == {entity_of(hass, Platform.NUMBER, "Return pump", "level")}


async def test_a_head_that_its_keeper_does_not_use_cannot_be_told_anything(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """What is known of it is still shown."""
    async with aquarium(hass, tmp_path, Platform.BUTTON, Platform.SWITCH, demo=True):
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        doser.limits = DeviceLimits(heads={1: HeadLimits(enabled=False)})
        engine.announcer.announce(DeviceChanged(device=doser.row.number))

        buttons = [
            hass.states.get(
                entity_of(hass, Platform.BUTTON, "Demo doser", f"{head}_dose_now")
            )
            for head in range(2)
        ]
        switch = hass.states.get(
            entity_of(hass, Platform.SWITCH, "Demo doser", "1_enabled")
        )
        assert [one.state for one in buttons if one] == ["unknown", "unavailable"]
        assert switch is not None and switch.state == "on"


@pytest.mark.usefixtures("enable_bluetooth")
async def test_a_bluetooth_device_out_of_range(
    hass: HomeAssistant, tmp_path: Path, device_registry: dr.DeviceRegistry
) -> None:
    """Its entry is set up all the same; what needs the device is unavailable."""
    hass.config.config_dir = str(tmp_path)
    entry = MockConfigEntry(
        domain="aquarist",
        title="WRGB II Pro 0001",
        unique_id="C0:11:22:33:00:01",
        data={
            "kind": "chihiros",
            "address": "C0:11:22:33:00:01",
            "local_name": "DYWPRO3000112233",
            "family": "light",
            "channels": ["red", "green", "blue", "white"],
        },
        options={"aquarium": None},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert isinstance(device, dr.DeviceEntry)
    assert device.connections == {(dr.CONNECTION_BLUETOOTH, "C0:11:22:33:00:01")}
    assert (device.manufacturer, device.name) == ("Chihiros", "WRGB II Pro 0001")
    assert device.model == model_for("DYWPRO3000112233").name  # type: ignore[union-attr]
    assert {state.entity_id: state.state for state in hass.states.async_all()} == {
        "button.wrgb_ii_pro_0001_release_for_phone_app": "unavailable",
        "button.wrgb_ii_pro_0001_sync_clock": "unavailable",
        "light.wrgb_ii_pro_0001": "unavailable",
        "select.wrgb_ii_pro_0001_program": "unavailable",
    }
    assert await hass.config_entries.async_unload(entry.entry_id)
