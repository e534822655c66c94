"""Aquarist: runs an aquarium so that the plan happens, once, and can be proven."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
import logging
from types import ModuleType
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE, Platform
from homeassistant.core import Event, HassJob, HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .api import events, http, websocket
from .const import CONF_DEMO, CONF_KIND, DOMAIN, KIND_CHIHIROS, SUBENTRY_NO_DEVICE
from .container_sizes import async_keep_sizes
from .data import DATA_ENGINE, AquaristConfigEntry, EntryDevices, listing_of
from .devices.errors import DeviceError
from .engine.engine import Engine
from .engine.state import AquariumLimits, DeviceState
from .firmware import async_keep_firmware
from .hardware import Hardware, LocalTime, aquarium_limits
from .issue_watch import report_device_problem, watch_engine
from .mode_handles import async_follow_modes
from .safety_rules import async_follow_rules
from .services import async_register_services
from .startup import open_engine
from .store.errors import StoreError
from .subject_entities import tell_of_device
from .subjects import forget_stale_heads

_LOGGER = logging.getLogger(__name__)

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
    """Attach the entry's devices. Never connects, and never waits for a device.

    Raises ConfigEntryNotReady while the store refuses one that is new.
    """
    engine = hass.data[DATA_ENGINE]
    if entry.data[CONF_KIND] != KIND_CHIHIROS:
        if entry.subentries:
            (await _read_in(hass, "entity_hardware")).keep_references(hass, entry)
        # Before the list is read: a device that is added meanwhile must not be missed.
        entry.async_on_unload(entry.add_update_listener(_async_changed))
        engine.set_aquarium_limits(entry.entry_id, aquarium_limits(entry.options))
    held = entry.runtime_data = EntryDevices(engine=engine, listing=listing_of(entry))
    async with held.changing:
        try:
            held.devices = await _attach(hass, entry, engine, entry.async_on_unload)
            if entry.data.get(CONF_DEMO) and not engine.journal.locked:
                demo = await _read_in(hass, "demo")
                await demo.plan_demo_day(
                    engine, entry.entry_id, held.devices, hass.config.time_zone
                )
        except StoreError as error:
            # What is new has no number before it is on disk: tried again by itself.
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN, translation_key=error.code
            ) from error
        if entry.data[CONF_KIND] != KIND_CHIHIROS:
            held.end_rules = async_follow_rules(hass, entry, engine)
            entry.async_on_unload(lambda: held.end_rules())
            async_follow_modes(hass, entry, engine)
        async_keep_sizes(hass, entry)
        async_keep_firmware(hass, entry)
        forget_stale_heads(hass, entry)
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: AquaristConfigEntry) -> bool:
    """Detach the entry's devices; what holds their fields stays with the engine."""
    held = entry.runtime_data
    async with held.changing:
        if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
            return False
        for device in held.devices.values():
            await held.engine.equipment.detach(device.row.number)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Take the entry's devices out of use: what holds them ends, and is given back first.

    Its records stay. Bluetooth devices of an aquarium have entries of their own and stay.
    """
    engine = hass.data.get(DATA_ENGINE)
    if engine is None or engine.journal.locked:
        return
    engine.safety.set_rules(entry.entry_id, ())
    try:
        await engine.modes.normal(entry.entry_id)
    except StoreError as error:
        # What it holds is given back with the devices.
        _LOGGER.warning("%s: its mode could not be ended: %s", entry.title, error)
    engine.set_aquarium_limits(entry.entry_id, AquariumLimits())
    with ExitStack() as ends:
        for device in (await _attach(hass, entry, engine, ends.callback)).values():
            await engine.equipment.retire(device.row.number)
    if entry.data.get(CONF_DEMO):
        await (await _read_in(hass, "demo")).end_demo_day(engine)
    if entry.data[CONF_KIND] != KIND_CHIHIROS:
        removal = await _read_in(hass, "removal")
        await removal.leave_behind(hass, entry, engine)


async def _async_changed(hass: HomeAssistant, entry: AquaristConfigEntry) -> None:
    """Take what was changed of an aquarium: limits at once, devices as they come and go.

    The engine keeps what it knows of each device. What is not listed any more is given back
    and taken out of use while it is attached.
    """
    held = entry.runtime_data
    held.engine.set_aquarium_limits(entry.entry_id, aquarium_limits(entry.options))
    async with held.changing:
        # Whoever loads it, or loads it anew, reads the whole list.
        if entry.state is not ConfigEntryState.LOADED or entry.runtime_data is not held:
            return
        if held.listing == listing_of(entry):
            return
        made_anew = await _take_listing(hass, entry, held)
    if made_anew:
        await hass.config_entries.async_reload(entry.entry_id)


async def _take_listing(
    hass: HomeAssistant, entry: AquaristConfigEntry, held: EntryDevices
) -> bool:
    """Let devices go and come; return whether one that stays has to be made anew."""
    before, held.listing = held.listing, listing_of(entry)
    for key in before.keys() - held.listing.keys():
        if (device := held.devices.pop(key, None)) is not None:
            await held.engine.equipment.retire(device.row.number)
    if any(held.listing.get(key, what) != what for key, what in before.items()):
        return True
    came = [key for key in held.listing if key not in before]
    for key, hardware in (await _listed_hardware(hass, entry, came)).items():
        try:
            held.devices[key] = await _attached(held.engine, hardware)
        except StoreError as error:
            title, _ = held.listing.pop(key)
            _LOGGER.warning("%s cannot be taken in yet: %s", title, error)
        else:
            tell_of_device(hass, entry, key)
    held.end_rules()
    held.end_rules = async_follow_rules(hass, entry, held.engine)
    return False


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
    return {key: await _attached(engine, hardware) for key, hardware in brought.items()}


async def _attached(engine: Engine, hardware: Hardware) -> DeviceState:
    """Attach a device."""
    return await engine.attach(
        hardware.device,
        limits=hardware.limits,
        aquarium=hardware.aquarium,
        assumed=hardware.assumed,
    )


async def _hardware(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    local_time: LocalTime,
    at_end: Callable[[Callable[[], None]], object],
) -> dict[str, Hardware]:
    """Return what the entry brings, by subentry id."""
    if entry.data[CONF_KIND] == KIND_CHIHIROS:
        bluetooth = await _read_in(hass, "bluetooth_hardware")
        return {"": bluetooth.chihiros_hardware(hass, entry, local_time)}
    listed = await _listed_hardware(hass, entry, entry.subentries)
    if not entry.data.get(CONF_DEMO):
        return listed
    demo = await _read_in(hass, "demo")
    found: dict[str, Hardware] = demo.demo_hardware(entry, local_time, at_end)
    return found | listed


async def _listed_hardware(
    hass: HomeAssistant, entry: ConfigEntry[Any], keys: Iterable[str]
) -> dict[str, Hardware]:
    """Return the devices of subentries; of one that cannot be made the keeper is told."""
    found: dict[str, Hardware] = {}
    for key in keys:
        subentry = entry.subentries[key]
        if subentry.subentry_type in SUBENTRY_NO_DEVICE:
            continue
        listed = await _read_in(hass, "entity_hardware")
        try:
            found[key] = listed.subentry_hardware(hass, entry, subentry)
        except DeviceError as error:
            report_device_problem(hass, entry, subentry, error)
    return found


async def _read_in(hass: HomeAssistant, module: str) -> ModuleType:
    """Return a module of ours that only some aquariums need, read in where one does."""
    return await async_import_module(hass, f"{__name__}.{module}")
