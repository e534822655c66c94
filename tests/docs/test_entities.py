"""The entities that the page lists are those that Home Assistant has."""

from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.aquarist import PLATFORMS
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.subjects import CHIHIROS, DOSERS, LIGHTS

from ..aquarium import ENTRY, aquarium, engine_of, entities_behind, subentry
from ..package_source import english
from .pages import sections, table

type Shown = dict[str, tuple[str, str]]

SUBENTRIES = [
    subentry(
        "pump",
        "Wavemaker",
        {"entity_id": "input_number.wave", "maximum_on_minutes": 60.0},
    ),
    subentry(
        "light",
        "Moonlight",
        {
            "channels": [
                {"entity_id": "input_number.blue", "channel": "blue"},
                {"entity_id": "input_number.white", "channel": "white"},
            ]
        },
    ),
    subentry(
        "doser",
        "Iron",
        {
            "entity_id": "input_boolean.relay",
            "flow_ml_per_minute": 60.0,
            "maximum_dose_ml": 10.0,
            "budget_ml": 20.0,
            "container_ml": 500.0,
        },
    ),
    subentry(
        "entity",
        "Chiller",
        {"fields": [{"name": "target", "entity_id": "input_number.chiller"}]},
    ),
]
EVERY_HEADING = "Every device"
CHIHIROS_HEADING = "Every Chihiros device"
HEADINGS = {
    DeviceKind.CHIHIROS_LIGHT: ("Light", "Chihiros light", CHIHIROS_HEADING),
    DeviceKind.LIGHT: ("Light",),
    DeviceKind.CHIHIROS_DOSER: ("Dosing head", CHIHIROS_HEADING),
    DeviceKind.DOSER: ("Dosing head", "Container of a head"),
    DeviceKind.PUMP: ("Pump",),
    DeviceKind.ENTITY: ("Other device",),
}
# What only a pump with a counter of its own has.
COUNTER = ("Dosed in total",)
NAMELESS = {"light": "the light itself", "switch": "the pump itself"}


def documented(*headings: str) -> Shown:
    """Return kind and "at once" of each entity that the page lists under headings."""
    return {
        name: (cells[0], cells[1])
        for heading in headings
        for name, cells in table("entities", heading).items()
    }


def shown(hass: HomeAssistant, owner: str) -> Shown:
    """Return the entities of a device and of what is below it, by their English names."""
    registry = dr.async_get(hass)
    found: Shown = {}
    for entity in er.async_entries_for_config_entry(er.async_get(hass), ENTRY):
        device = registry.async_get(entity.device_id or "")
        if isinstance(device, dr.ChildDeviceEntry):
            device = registry.async_get(device.parent_device_id)
        assert isinstance(device, dr.DeviceEntry)
        if (DOMAIN, owner) in device.identifiers:
            name = _name(entity)
            kind = entity.domain.replace("_", " ")
            known = found.setdefault(
                name, (kind, "no" if entity.disabled_by is not None else "yes")
            )
            assert known[0] == kind
    return found


def _name(entity: er.RegistryEntry) -> str:
    """Return the name in the translations, its placeholders left in it."""
    texts = english()["entity"].get(entity.domain, {})
    if entity.original_name is None:
        return NAMELESS[entity.domain]
    return str(texts[entity.translation_key]["name"])


@pytest.mark.parametrize("kind", list(DeviceKind))
async def test_entities_of_a_device(
    hass: HomeAssistant, tmp_path: Path, kind: DeviceKind
) -> None:
    """Each kind of device has the entities of its tables, and those that are listed as such are disabled."""
    await entities_behind(hass, wave=60, blue=0, white=0, chiller=25)
    async with aquarium(
        hass, tmp_path, *PLATFORMS, demo=True, subentries=SUBENTRIES
    ) as entry:
        device = next(
            one
            for one in entry.runtime_data.devices.values()
            if one.row.kind == kind
            and (kind is not DeviceKind.PUMP or one.limits.maximum_on)
        )
        expected = documented(EVERY_HEADING, *HEADINGS[kind])
        if kind in DOSERS - CHIHIROS:
            for name in COUNTER:
                del expected[name]

        assert shown(hass, device.row.uuid) == expected
        assert engine_of(hass).devices[device.row.number] is device


async def test_entities_of_an_aquarium(hass: HomeAssistant, tmp_path: Path) -> None:
    """The aquarium has the entities of its table."""
    async with aquarium(hass, tmp_path, *PLATFORMS):
        assert shown(hass, ENTRY) == documented("Aquarium")


def test_every_name_of_the_translations_is_listed() -> None:
    """No entity has a name that the page does not know."""
    names = {
        text["name"]
        for texts in english()["entity"].values()
        for text in texts.values()
    }
    listed = {
        name for section in sections("entities").values() for name in section.table
    }

    assert listed - set(NAMELESS.values()) == names
    assert LIGHTS | DOSERS | {DeviceKind.PUMP, DeviceKind.ENTITY} == set(HEADINGS)
