"""An aquarium in a Home Assistant with entities of all kinds."""

from collections.abc import Iterator
from unittest.mock import patch

from homeassistant.config_entries import ConfigSubentryDataWithId
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist.const import DOMAIN

from .forms import USED_PUMP


@pytest.fixture(autouse=True)
def set_up_nothing() -> Iterator[None]:
    """Leave what entries do once they are there to other tests."""
    with (
        patch("custom_components.aquarist.async_setup", return_value=True),
        patch("custom_components.aquarist.async_setup_entry", return_value=True),
    ):
        yield


@pytest.fixture(autouse=True)
def entities(hass: HomeAssistant, entity_registry: er.EntityRegistry) -> None:
    """Give entities to choose from, and some that cannot be used."""
    entity_registry.async_get_or_create(
        "switch", DOMAIN, "head", suggested_object_id="aquarist_head"
    )
    entity_registry.async_get_or_create(
        "switch", "demo", "asleep", suggested_object_id="asleep"
    )
    entity_registry.async_get_or_create(
        "switch",
        "demo",
        "disabled",
        suggested_object_id="disabled",
        disabled_by=er.RegistryEntryDisabler.USER,
    )
    number = {"min": 10, "max": 90, "step": 1, "unit_of_measurement": "%"}
    dimmable = {"supported_color_modes": ["brightness"]}
    for entity_id, state, attributes in (
        ("switch.return_pump", "on", {}),
        ("switch.skimmer", "off", {}),
        ("switch.used", "off", {}),
        ("input_boolean.dosing", "off", {}),
        ("number.wavemaker", "50", number),
        ("number.without_range", "unavailable", {}),
        ("fan.cooling", "off", {"supported_features": 49}),
        ("light.blue", "off", dimmable),
        ("light.white", "off", dimmable),
        ("light.lamp", "off", {"supported_color_modes": ["onoff"]}),
        ("sensor.temperature", "25.1", {"unit_of_measurement": "°C"}),
        ("climate.chiller", "cool", {}),
        ("media_player.radio", "off", {}),
        ("switch.aquarist_head", "on", {}),
    ):
        hass.states.async_set(entity_id, state, attributes)


@pytest.fixture
def aquarium(hass: HomeAssistant) -> MockConfigEntry:
    """Give an aquarium; in another one each kind of device is listed already."""
    MockConfigEntry(
        domain=DOMAIN,
        title="Nano",
        unique_id="nano",
        data={"kind": "aquarium", "demo": False},
        subentries_data=[
            ConfigSubentryDataWithId(
                subentry_id="used_pump",
                subentry_type="pump",
                title="Used",
                unique_id=None,
                data=USED_PUMP,
            ),
            ConfigSubentryDataWithId(
                subentry_id="used_light",
                subentry_type="light",
                title="Used light",
                unique_id=None,
                data={"channels": [{"entity_id": "light.used", "channel": "blue"}]},
            ),
            ConfigSubentryDataWithId(
                subentry_id="used_entity",
                subentry_type="entity",
                title="Used sensor",
                unique_id=None,
                data={"fields": [{"name": "ph", "entity_id": "sensor.used"}]},
            ),
        ],
    ).add_to_hass(hass)
    hass.states.async_set(
        "light.used", "off", {"supported_color_modes": ["brightness"]}
    )
    hass.states.async_set("sensor.used", "8.1")
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Reef",
        unique_id="reef",
        data={"kind": "aquarium", "demo": False},
    )
    entry.add_to_hass(hass)
    return entry
