"""What the flows store, the set-up takes: devices come and go without a restart."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.config_entries import (
    SOURCE_BLUETOOTH,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.data import DATA_ENGINE

from .bluetooth import service_info
from .flow_forms import ADDRESS


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


async def add_aquarium(hass: HomeAssistant) -> ConfigEntry:
    """Add an aquarium by its flow."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    for user_input in ({"next_step_id": "aquarium"}, {"name": "Reef"}):
        result = await hass.config_entries.flow.async_configure(
            result["flow_id"], user_input
        )
    await hass.async_block_till_done()
    entry: ConfigEntry = result["result"]
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
