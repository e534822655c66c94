"""What the flows store, the set-up takes: devices come and go without a restart."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import (
    SOURCE_BLUETOOTH,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    ConfigSubentry,
)
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.data import DATA_ENGINE

from .bluetooth import service_info
from .engine.troubled_store import read_only
from .flow_forms import ADDRESS


def pump(name: str, entity: str) -> ConfigSubentry:
    """Return what the flow of a pump stores."""
    return ConfigSubentry(
        data=MappingProxyType({"entity_id": entity}),
        subentry_type="pump",
        title=name,
        unique_id=None,
    )


RETURN = pump("Return", "switch.return_pump")
SKIMMER = pump("Skimmer", "switch.iron")


@pytest.fixture(autouse=True)
async def home(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Give Home Assistant a folder for the store, Bluetooth, and entities to make devices of."""
    hass.config.config_dir = str(tmp_path)
    assert await async_setup_component(hass, "bluetooth", {})
    for name in ("switch.return_pump", "switch.iron", "sensor.ph"):
        hass.states.async_set(name, "off")
    hass.states.async_set(
        "light.blue", "off", {"supported_color_modes": ["brightness"]}
    )
    yield
    for entry in hass.config_entries.async_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    if DATA_ENGINE in hass.data:
        await hass.data[DATA_ENGINE].close()


async def add_aquarium(hass: HomeAssistant, *listed: ConfigSubentry) -> ConfigEntry:
    """Add an aquarium by its flow, and devices to it."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    for user_input in ({"next_step_id": "aquarium"}, {"name": "Reef"}):
        result = await hass.config_entries.flow.async_configure(
            result["flow_id"], user_input
        )
    await hass.async_block_till_done()
    entry: ConfigEntry = result["result"]
    for device in listed:
        hass.config_entries.async_add_subentry(entry, device)
    await hass.async_block_till_done()
    return entry


async def add_bluetooth_device(
    hass: HomeAssistant, name: str, answers: dict[str, Any]
) -> ConfigFlowResult:
    """Add a device that cannot be connected to, by the flow of its discovery."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_BLUETOOTH},
        data=service_info(name, ADDRESS),
    )
    for extra in ({}, {"skip_test": True}):
        result = await hass.config_entries.flow.async_configure(
            result["flow_id"], {**answers, **extra}
        )
    await hass.async_block_till_done()
    return result


def device_names(hass: HomeAssistant) -> list[str]:
    """Return the names of the devices that the engine has attached."""
    return sorted(
        state.device.name
        for state in hass.data[DATA_ENGINE].devices.values()
        if state.device is not None
    )


@pytest.mark.parametrize(
    ("name", "answers", "title"),
    [
        ("DYWPRO60E43AD53AD802", {}, "WRGB II Pro D802"),
        ("DYDOSEE43AD53AD802", {"heads": "4"}, "Dosing Pump D802"),
    ],
)
async def test_a_bluetooth_device_is_set_up_though_out_of_range(
    hass: HomeAssistant, name: str, answers: dict[str, Any], title: str
) -> None:
    """Set-up never connects."""
    result = await add_bluetooth_device(hass, name, answers)

    assert result["result"].state is ConfigEntryState.LOADED
    assert device_names(hass) == [title]


@pytest.mark.parametrize(
    ("kind", "forms"),
    [
        ("pump", [{"entity_id": "switch.return_pump"}, {"safe_level": 100}]),
        (
            "light",
            [
                {
                    "channels": [{"entity_id": "light.blue", "channel": "blue"}],
                    "maximum_level": 80,
                    "dark_is_safe": True,
                }
            ],
        ),
        (
            "doser",
            [
                {
                    "entity_id": "switch.iron",
                    "flow_ml_per_minute": 12.5,
                    "maximum_dose_ml": 20,
                }
            ],
        ),
        ("entity", [{"fields": [{"name": "ph", "entity_id": "sensor.ph"}]}]),
    ],
)
async def test_a_listed_device_comes_and_goes_live(
    hass: HomeAssistant, kind: str, forms: list[dict[str, Any]]
) -> None:
    """Adding and removing needs no restart."""
    entry = await add_aquarium(hass)
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, kind), context={"source": SOURCE_USER}
    )
    for number, user_input in enumerate(forms):
        name = {"name": "Mine"} if number == 0 else {}
        result = await hass.config_entries.subentries.async_configure(
            result["flow_id"], {**name, **user_input}
        )
    await hass.async_block_till_done()
    assert device_names(hass) == ["Mine"]

    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    await hass.async_block_till_done()

    assert device_names(hass) == []
    assert entry.state is ConfigEntryState.LOADED


async def test_what_stays_does_not_notice(hass: HomeAssistant) -> None:
    """Its entities are never away while another device comes or goes."""
    entry = await add_aquarium(hass, RETURN)
    told = async_capture_events(hass, EVENT_STATE_CHANGED)

    hass.config_entries.async_add_subentry(entry, SKIMMER)
    await hass.async_block_till_done()
    came = {event.data["entity_id"] for event in told}
    hass.config_entries.async_remove_subentry(entry, SKIMMER.subentry_id)
    await hass.async_block_till_done()

    assert "switch.skimmer" in came
    assert hass.states.get("switch.skimmer") is None
    assert device_names(hass) == ["Return"]
    assert not [
        event.data["entity_id"]
        for event in told
        if (new := event.data["new_state"]) is not None
        and new.state == STATE_UNAVAILABLE
        and "skimmer" not in new.entity_id
    ]


async def test_a_device_that_the_store_refuses_comes_with_the_next_change(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no number before it is on disk; what else there is stays."""
    entry = await add_aquarium(hass, RETURN)
    database = hass.data[DATA_ENGINE].database
    assert database is not None
    async with read_only(database):
        hass.config_entries.async_add_subentry(entry, SKIMMER)
        async with asyncio.timeout(10):
            while "Skimmer cannot be taken in yet" not in caplog.text:
                await asyncio.sleep(0.01)
    assert device_names(hass) == ["Return"]
    hass.config_entries.async_add_subentry(entry, pump("Other", "switch.other"))
    await hass.async_block_till_done()
    assert device_names(hass) == ["Other", "Return", "Skimmer"]
    assert entry.state is ConfigEntryState.LOADED


async def test_a_device_that_comes_during_the_set_up_is_not_missed(
    hass: HomeAssistant,
) -> None:
    """Nor attached twice."""
    entry = await add_aquarium(hass, RETURN)
    await hass.config_entries.async_unload(entry.entry_id)
    loading = hass.async_create_task(
        hass.config_entries.async_setup(entry.entry_id), eager_start=True
    )
    assert entry.state is ConfigEntryState.SETUP_IN_PROGRESS

    hass.config_entries.async_add_subentry(entry, SKIMMER)
    await loading
    await hass.async_block_till_done()

    assert device_names(hass) == ["Return", "Skimmer"]
    assert hass.states.get("switch.skimmer") is not None


async def test_a_rule_that_comes_holds_at_once(hass: HomeAssistant) -> None:
    """Without the devices being made anew."""
    entry = await add_aquarium(hass, SKIMMER)
    engine = hass.data[DATA_ENGINE]
    (device,) = engine.devices.values()
    port = device.device

    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(
                {"device": device.row.uuid, "entity_id": "switch.return_pump"}
            ),
            subentry_type="interlock",
            title="Only with the return pump",
            unique_id=None,
        ),
    )
    await hass.async_block_till_done()

    assert engine.safety.refusal(device) is not None
    assert device.device is port


async def test_what_comes_while_the_aquarium_is_unloaded_waits_for_it(
    hass: HomeAssistant,
) -> None:
    """Nothing is attached to an entry that is not loaded."""
    entry = await add_aquarium(hass, RETURN)
    async with entry.runtime_data.changing:
        unloading = hass.async_create_task(
            hass.config_entries.async_unload(entry.entry_id), eager_start=True
        )
        assert entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS
        hass.config_entries.async_add_subentry(entry, SKIMMER)

    await unloading
    await hass.async_block_till_done()
    assert device_names(hass) == []

    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert device_names(hass) == ["Return", "Skimmer"]
