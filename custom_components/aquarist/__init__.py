"""Aquarist: runs an aquarium so that the plan happens, once, and can be proven."""

from collections.abc import Callable
from contextlib import ExitStack
from types import ModuleType
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE, Platform
from homeassistant.core import Event, HassJob, HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .api import events, http, websocket
from .const import CONF_DEMO, CONF_KIND, DOMAIN, KIND_CHIHIROS, SUBENTRY_NO_DEVICE
from .container_sizes import async_keep_sizes
from .data import DATA_ENGINE, AquaristConfigEntry, EntryDevices, listing_of
from .demo import DEMO_KEYS, demo_hardware, end_demo_day, plan_demo_day
from .devices.errors import DeviceError
from .engine.engine import Engine
from .engine.state import AquariumLimits, DeviceState
from .firmware import async_keep_firmware
from .hardware import Hardware, LocalTime, aquarium_limits, chihiros_hardware
from .mode_handles import async_follow_modes
from .removal import leave_behind
from .repairs import report_device_problem, watch_engine
from .safety_rules import async_follow_rules
from .services import async_register_services
from .startup import open_engine
from .subjects import forget_stale_heads

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.EVENT,
    Platform.LIGHT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Make the engine, once; it outlives the entries (design 3)."""
    engine = hass.data[DATA_ENGINE] = await open_engine(hass)
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        # Before any device is there: a pump's entry may be loaded before its aquarium's.
        if entry.data[CONF_KIND] != KIND_CHIHIROS:
            engine.set_aquarium_limits(entry.entry_id, aquarium_limits(entry.options))
    async_register_services(hass)
    http.async_register(hass)
    websocket.async_register(hass)
    events.async_forward(hass, engine)
    watch_engine(hass, engine)

    async def start(_: HomeAssistant) -> None:
        engine.start()

    async def close(_: Event) -> None:
        await engine.close()

    async_at_started(hass, start)
    hass.async_add_shutdown_job(HassJob(engine.start_and_stop.shut_down, "shut down"))
    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, close)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: AquaristConfigEntry) -> bool:
    """Attach the entry's devices. Never connects, and never waits for a device."""
    engine = hass.data[DATA_ENGINE]
    if entry.data[CONF_KIND] != KIND_CHIHIROS:
        if entry.subentries:
            (await _listed(hass)).keep_references(hass, entry)
        # Before the list is read: a device that is added meanwhile must not be missed.
        entry.async_on_unload(entry.add_update_listener(_async_changed))
        engine.set_aquarium_limits(entry.entry_id, aquarium_limits(entry.options))
    entry.runtime_data = EntryDevices(engine=engine, listing=listing_of(entry))
    entry.runtime_data.devices = await _attach(
        hass, entry, engine, entry.async_on_unload
    )
    if entry.data.get(CONF_DEMO) and not engine.journal.locked:
        await plan_demo_day(
            engine, entry.entry_id, entry.runtime_data.devices, hass.config.time_zone
        )
    if entry.data[CONF_KIND] != KIND_CHIHIROS:
        async_follow_rules(hass, entry, engine)
        async_follow_modes(hass, entry, engine)
    async_keep_sizes(hass, entry)
    async_keep_firmware(hass, entry)
    forget_stale_heads(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: AquaristConfigEntry) -> bool:
    """Detach the entry's devices; what holds their fields stays with the engine."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    for device in entry.runtime_data.devices.values():
        await entry.runtime_data.engine.equipment.detach(device.row.number)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Take the entry's devices out of use: what holds them ends, and is given back first.

    Its records stay. Bluetooth devices of an aquarium have entries of their own and stay.
    """
    engine = hass.data.get(DATA_ENGINE)
    if engine is None or engine.journal.locked:
        return
    engine.safety.set_rules(entry.entry_id, ())
    await engine.modes.normal(entry.entry_id)
    engine.set_aquarium_limits(entry.entry_id, AquariumLimits())
    with ExitStack() as ends:
        for device in (await _attach(hass, entry, engine, ends.callback)).values():
            await engine.equipment.retire(device.row.number)
    if entry.data.get(CONF_DEMO):
        await end_demo_day(engine)
    if entry.data[CONF_KIND] != KIND_CHIHIROS:
        await leave_behind(hass, entry, engine)


async def _attach(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    engine: Engine,
    at_end: Callable[[Callable[[], None]], object],
) -> dict[str, DeviceState]:
    """Attach what an entry brings; return it by subentry id.

    ``at_end`` takes what is to be called when the devices have been let go.
    """
    brought = await _hardware(hass, entry, engine.clock.local_now, at_end)
    return {
        key: await engine.attach(
            hardware.device,
            limits=hardware.limits,
            aquarium=hardware.aquarium,
            assumed=hardware.assumed,
        )
        for key, hardware in brought.items()
    }


async def _async_changed(hass: HomeAssistant, entry: AquaristConfigEntry) -> None:
    """Take what was changed of an aquarium: limits at once, a list of devices anew.

    The engine keeps what it knows of each device. What is not listed any more is given back
    and taken out of use while it is attached.
    """
    engine = entry.runtime_data.engine
    engine.set_aquarium_limits(entry.entry_id, aquarium_limits(entry.options))
    if listing_of(entry) == entry.runtime_data.listing:
        return
    devices = entry.runtime_data.devices
    listed = set(entry.subentries)
    if entry.data.get(CONF_DEMO):
        listed |= DEMO_KEYS
    for key in set(devices) - listed:
        await engine.equipment.retire(devices.pop(key).row.number)
    await hass.config_entries.async_reload(entry.entry_id)


async def _hardware(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    local_time: LocalTime,
    at_end: Callable[[Callable[[], None]], object],
) -> dict[str, Hardware]:
    """Return what the entry brings, by subentry id."""
    if entry.data[CONF_KIND] == KIND_CHIHIROS:
        return {"": chihiros_hardware(hass, entry, local_time)}
    found: dict[str, Hardware] = {}
    if entry.data.get(CONF_DEMO):
        found = demo_hardware(entry, local_time, at_end)
    if not entry.subentries:
        return found
    listed = await _listed(hass)
    for subentry_id, subentry in entry.subentries.items():
        if subentry.subentry_type in SUBENTRY_NO_DEVICE:
            continue
        try:
            found[subentry_id] = listed.subentry_hardware(hass, entry, subentry)
        except DeviceError as error:
            report_device_problem(hass, entry, subentry, error)
    return found


async def _listed(hass: HomeAssistant) -> ModuleType:
    """Return what makes devices of entities, read in only where there are some."""
    return await async_import_module(hass, f"{__name__}.entity_hardware")
