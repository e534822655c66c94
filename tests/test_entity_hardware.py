"""What a keeper listed by hand becomes a device, also after its entities were renamed."""

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.backed_device import BackedDevice
from custom_components.aquarist.devices.doser import Doser
from custom_components.aquarist.entity_hardware import (
    keep_references,
    subentry_hardware,
)

IRON = {
    "entity_id": "switch.dosing",
    "flow_ml_per_minute": 1,
    "maximum_dose_ml": 20,
    "budget_ml": 30,
}


@pytest.fixture
def aquarium(hass: HomeAssistant) -> MockConfigEntry:
    """Return an aquarium."""
    entry = MockConfigEntry(domain=DOMAIN, title="Tank", data={"kind": "aquarium"})
    entry.add_to_hass(hass)
    return entry


def listed(
    hass: HomeAssistant, aquarium: MockConfigEntry, kind: str, data: dict[str, Any]
) -> ConfigSubentry:
    """List a device in the aquarium."""
    subentry = ConfigSubentry(
        data=MappingProxyType(data), subentry_type=kind, title="Thing", unique_id=None
    )
    hass.config_entries.async_add_subentry(aquarium, subentry)
    return subentry


def stored(aquarium: MockConfigEntry) -> dict[str, Any]:
    """Return what is stored of the only device."""
    (subentry,) = aquarium.subentries.values()
    return dict(subentry.data)


@pytest.mark.parametrize(
    ("options", "longest", "automatic_off"),
    [
        ({}, 600.0, False),
        ({"maximum_on_seconds": 120, "automatic_off_seconds": None}, 120.0, False),
        ({"maximum_on_seconds": 120, "automatic_off_seconds": 90}, 90.0, True),
    ],
)
async def test_a_dosing_switch_has_a_longest_time(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    options: dict[str, Any],
    longest: float,
    automatic_off: bool,
) -> None:
    """A slow pump has its exact flow, and gives no more than fits into that time."""
    hass.states.async_set("switch.dosing", "off")
    subentry = listed(hass, aquarium, "doser", {**IRON, **options})
    device = subentry_hardware(hass, aquarium, subentry).device
    assert isinstance(device, Doser)
    assert device.longest_run == longest
    assert device.has_automatic_off is automatic_off
    (head,) = device.heads
    assert head.flow == pytest.approx(1000 / 60)
    assert head.maximum == longest * 1000 / 60 // 100 * 100
    await device.close()


async def test_a_flow_that_was_changed_is_known_with_its_instant(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """A calibration before it counts no more."""
    hass.states.async_set("switch.dosing", "off")
    entered_at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    data = {**IRON, "flow_entered_at": entered_at.isoformat()}
    subentry = listed(hass, aquarium, "doser", data)
    device = subentry_hardware(hass, aquarium, subentry).device
    assert isinstance(device, Doser)
    assert device.heads[0].flow_entered_at == entered_at
    device.set_flow(900.0)
    assert device.heads[0].flow_entered_at == entered_at
    await device.close()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("pump", {"entity_id": "switch.old"}),
        ("doser", {**IRON, "entity_id": "switch.old"}),
        ("light", {"channels": [{"entity_id": "light.old", "channel": "blue"}]}),
        ("entity", {"fields": [{"entity_id": "switch.old", "name": "x"}]}),
    ],
)
async def test_an_entity_that_was_renamed_while_nobody_looked_is_found(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    kind: str,
    data: dict[str, Any],
) -> None:
    """What was stored by id alone is kept by its registry entry from the next start on."""
    for domain in ("switch", "light"):
        entity_registry.async_get_or_create(
            domain, "demo", "x", suggested_object_id="old"
        )
    subentry = listed(hass, aquarium, kind, data)
    keep_references(hass, aquarium)
    assert "registry_id" in str(stored(aquarium))
    for domain in ("switch", "light"):
        entity_registry.async_update_entity(
            f"{domain}.old", new_entity_id=f"{domain}.new"
        )
    subentry = aquarium.subentries[subentry.subentry_id]
    device = subentry_hardware(hass, aquarium, subentry).device
    assert isinstance(device, BackedDevice)
    assert [one.partition(".")[2] for one in device.entity_ids] == ["new"]
    await device.close()
    keep_references(hass, aquarium)
    assert ".new" in str(stored(aquarium))
    assert ".old" not in str(stored(aquarium))


async def test_a_field_is_announced_in_its_stored_unit(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Whatever unit the entity shows now (R-T62)."""
    hass.states.async_set("sensor.water", "77", {"unit_of_measurement": "°F"})
    subentry = listed(
        hass,
        aquarium,
        "entity",
        {"fields": [{"name": "water", "entity_id": "sensor.water", "unit": "°C"}]},
    )
    device = subentry_hardware(hass, aquarium, subentry).device
    assert device.fields["water"].unit == "°C"
    assert device.observed("water") == {"water": 25.0}
    await device.close()
