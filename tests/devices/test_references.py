"""Chosen entities are found under whatever they are called now."""

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.references import (
    backing_entities,
    brought_up_to_date,
    present_entity_id,
    stored_reference,
)
from tests.aquarium import subentry


@pytest.fixture
def skimmer(entity_registry: er.EntityRegistry) -> str:
    """Register a switch and return the id of its entry."""
    return entity_registry.async_get_or_create(
        "switch", "demo", "skimmer", suggested_object_id="skimmer"
    ).id


def test_a_registered_entity_is_stored_with_its_entry(
    hass: HomeAssistant, skimmer: str
) -> None:
    """One that is not has its id alone."""
    assert stored_reference(hass, "switch.skimmer") == {
        "entity_id": "switch.skimmer",
        "registry_id": skimmer,
    }
    assert stored_reference(hass, "switch.yaml") == {"entity_id": "switch.yaml"}


def test_a_renamed_entity_is_found_by_its_entry(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, skimmer: str
) -> None:
    """Also when another one has taken its name since."""
    stored = stored_reference(hass, "switch.skimmer")
    entity_registry.async_update_entity(
        "switch.skimmer", new_entity_id="switch.renamed"
    )
    entity_registry.async_get_or_create(
        "switch", "demo", "other", suggested_object_id="skimmer"
    )
    assert present_entity_id(hass, stored) == "switch.renamed"
    assert present_entity_id(hass, {"entity_id": skimmer}) == "switch.renamed"


def test_an_entity_whose_entry_is_gone_is_found_by_its_id(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, skimmer: str
) -> None:
    """Removed and added again it has another entry."""
    stored = stored_reference(hass, "switch.skimmer")
    entity_registry.async_remove("switch.skimmer")
    assert present_entity_id(hass, stored) == "switch.skimmer"
    again = entity_registry.async_get_or_create(
        "switch", "demo", "again", suggested_object_id="skimmer"
    )
    assert brought_up_to_date(hass, stored) == {
        "entity_id": "switch.skimmer",
        "registry_id": again.id,
    }


def test_what_stands_for_nothing_stays_as_it_is(
    hass: HomeAssistant, skimmer: str
) -> None:
    """The entity may come back."""
    gone = {"entity_id": "0123456789abcdef0123456789abcdef"}
    assert present_entity_id(hass, gone) == gone["entity_id"]
    assert brought_up_to_date(hass, gone) == gone


def test_all_entities_of_a_device_are_brought_up_to_date(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, skimmer: str
) -> None:
    """Whatever else is stored stays."""
    entity_registry.async_update_entity(
        "switch.skimmer", new_entity_id="switch.renamed"
    )
    present = {"entity_id": "switch.renamed", "registry_id": skimmer}
    assert brought_up_to_date(
        hass,
        {
            "channels": [{"entity_id": "switch.renamed", "channel": "blue"}],
            "fields": [
                {"entity_id": "switch.skimmer", "registry_id": skimmer, "name": "x"}
            ],
            "slew": None,
        },
    ) == {
        "channels": [{**present, "channel": "blue"}],
        "fields": [{**present, "name": "x"}],
        "slew": None,
    }


def test_the_entities_that_back_devices(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, skimmer: str
) -> None:
    """By present ids, loaded or not; rules and modes have none, a disabled entry if asked."""
    stored = stored_reference(hass, "switch.skimmer")
    entity_registry.async_update_entity(
        "switch.skimmer", new_entity_id="switch.renamed"
    )
    lamps = [{"entity_id": f"light.{name}", "channel": name} for name in ("a", "b")]
    MockConfigEntry(
        domain=DOMAIN,
        data={"kind": "aquarium"},
        subentries_data=[
            subentry("pump", "Skimmer", dict(stored), id="one"),
            subentry("light", "Lamp", {"channels": lamps}, id="two"),
            subentry("interlock", "Rule", {"entity_id": "sensor.x"}, id="three"),
        ],
    ).add_to_hass(hass)
    MockConfigEntry(
        domain=DOMAIN,
        data={"kind": "aquarium"},
        disabled_by=ConfigEntryDisabler.USER,
        subentries_data=[
            subentry("pump", "Old", {"entity_id": "switch.old"}, id="four")
        ],
    ).add_to_hass(hass)

    used = [("one", "switch.renamed"), ("two", "light.a"), ("two", "light.b")]
    assert list(backing_entities(hass)) == used
    assert list(backing_entities(hass, disabled=True)) == [
        *used,
        ("four", "switch.old"),
    ]
