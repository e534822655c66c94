"""What a keeper entered becomes a device with its limits."""

from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist.bluetooth_hardware import chihiros_hardware
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.chihiros_doser import ChihirosDoser
from custom_components.aquarist.devices.chihiros_light import ChihirosLight
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.devices.doser import Doser
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.dosing.spacing import Spacing
from custom_components.aquarist.engine.state import AquariumLimits, HeadLimits
from custom_components.aquarist.entity_hardware import subentry_hardware
from custom_components.aquarist.hardware import (
    aquarium_limits,
    device_uuid,
    head_limits,
    level_limits,
)
from custom_components.aquarist.layers.hand import HandPolicy, HandRule
from custom_components.aquarist.limits.bounds import Bounds
from custom_components.aquarist.limits.slew import Slew

ADDRESS = "D0:5E:5A:10:C0:D4"


@pytest.fixture(autouse=True)
async def bluetooth(hass: HomeAssistant) -> None:
    """Set Home Assistant's Bluetooth up."""
    assert await async_setup_component(hass, "bluetooth", {})


def ble_entry(data: dict[str, Any], options: dict[str, Any]) -> MockConfigEntry:
    """Give the entry of a BLE device."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Chihiros C0D4",
        unique_id=ADDRESS,
        data={
            "kind": "chihiros",
            "address": ADDRESS,
            "local_name": "DYDOSED05E5A10C0D4",
            **data,
        },
        options=options,
    )


def subentry(kind: str, data: dict[str, Any]) -> ConfigSubentry:
    """Give a subentry of an aquarium."""
    return ConfigSubentry(
        data=MappingProxyType(data),
        subentry_type=kind,
        title="Thing",
        unique_id=None,
        subentry_id="01JSUBENTRY",
    )


AQUARIUM = MockConfigEntry(domain=DOMAIN, title="Tank", data={"kind": "aquarium"})


@pytest.mark.parametrize(
    "data", [{"family": "doser", "heads": 4}, {"family": "light", "channels": ["red"]}]
)
@pytest.mark.parametrize("wanted", [None, True, False])
async def test_memory_is_written_again_only_if_wanted(
    hass: HomeAssistant, data: dict[str, Any], wanted: bool | None
) -> None:
    """After a loss of power; the option is off by default (R-C60)."""
    options = {} if wanted is None else {"restore_memory": wanted}
    hardware = chihiros_hardware(hass, ble_entry(data, options), dt_util.now)
    assert hardware.limits.restore_memory is bool(wanted)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("DYU1000E05E5A10C0D4", None),
        ("DYWRGBE05E5A10C0D4", "curve_half_hours"),
        ("DYNCMCE05E5A10C0D4", "curve_unknown"),
        ("Lamp", "curve_unknown"),
    ],
)
async def test_how_a_light_takes_curves_is_told_by_its_name(
    hass: HomeAssistant, name: str, code: str | None
) -> None:
    """By its model (protocol 1.4)."""
    entry = ble_entry(
        {"family": "light", "channels": ["white"], "local_name": name}, {}
    )
    light = chihiros_hardware(hass, entry, dt_util.now).device
    points = [{"time": at, "level": 1} for at in ("08:00", "08:10")]
    refused = None
    try:
        light.check_action("set_custom_curve", {"channels": [points]})
    except InvalidValue as error:
        refused = error.code
    assert refused == code


async def test_a_doser_has_its_heads_and_budgets(hass: HomeAssistant) -> None:
    """Heads without an entry of their own get the default budget."""
    AQUARIUM.add_to_hass(hass)
    entry = ble_entry(
        {"family": "doser", "heads": 4},
        {
            "aquarium": AQUARIUM.entry_id,
            "heads": [
                {"name": "Iron", "enabled": True, "budget_ml": 5.0},
                {"name": "Nitrate", "enabled": False, "budget_ml": None},
            ],
        },
    )
    hardware = chihiros_hardware(hass, entry, dt_util.now)
    assert isinstance(hardware.device, ChihirosDoser)
    assert [head.name for head in hardware.device.heads] == [
        "Iron",
        "Nitrate",
        "Head 3",
        "Head 4",
    ]
    assert hardware.aquarium == AQUARIUM.entry_id
    limits = hardware.limits
    assert [limits.head(index).budget for index in range(4)] == [
        5000,
        None,
        100_000,
        100_000,
    ]
    assert [limits.head(index).enabled for index in range(3)] == [True, False, True]
    assert hardware.device.uuid == device_uuid(ADDRESS)
    await hardware.device.close()


def test_all_that_a_keeper_may_say_of_a_head() -> None:
    """Millilitres become microlitres, minutes seconds."""
    assert head_limits(
        {
            "enabled": False,
            "additive": "Iron",
            "budget_ml": 12.5,
            "minimum_interval_minutes": 90,
            "maximum_dose_ml": 2.5,
            "only_calibrated": True,
            "calibration_days": 0,
            "container_ml": 500,
            "only_if_fits": True,
            "low_days": 7,
        }
    ) == HeadLimits(
        additive="Iron",
        budget=12_500,
        minimum_interval=5400,
        maximum_volume=2500,
        only_calibrated=True,
        calibration_days=0,
        only_if_fits=True,
        container=500_000,
        low_days=7,
        enabled=False,
    )


def test_what_a_keeper_does_not_say_of_a_head_is_no_limit() -> None:
    """Left empty, or never asked."""
    unlimited = HeadLimits(budget=None)
    assert head_limits({}) == unlimited
    assert (
        head_limits(
            {
                "additive": "",
                "budget_ml": None,
                "minimum_interval_minutes": None,
                "maximum_dose_ml": None,
                "container_ml": None,
                "low_days": None,
            }
        )
        == unlimited
    )


def test_an_aquarium_limits_all_its_pumps() -> None:
    """In all, by additive, and what must keep apart."""
    assert aquarium_limits({}) == AquariumLimits()
    assert aquarium_limits(
        {
            "budget_ml": 50,
            "additive_budgets": [{"additive": "Iron", "budget_ml": 4.5}],
            "spacing": [{"first": "Iron", "second": "Phosphate", "minutes": 30}],
        }
    ) == AquariumLimits(
        budget=50_000,
        additive_budget={"Iron": 4500},
        spacing=(Spacing(first="Iron", second="Phosphate", seconds=1800),),
    )


@pytest.mark.parametrize(
    ("data", "policy"),
    [
        ({}, HandPolicy()),
        ({"hand": "until_next_event", "hand_minutes": None}, HandPolicy()),
        (
            {"hand": "minutes", "hand_minutes": 45},
            HandPolicy(rule=HandRule.MINUTES, seconds=2700),
        ),
        ({"hand": "until_released"}, HandPolicy(rule=HandRule.UNTIL_RELEASED)),
        ({"hand": "enforce"}, HandPolicy(rule=HandRule.ENFORCE)),
    ],
)
def test_what_a_change_by_hand_means(data: dict[str, Any], policy: HandPolicy) -> None:
    """Minutes become seconds; never asked it is the usual rule (RES-54)."""
    assert level_limits("level", data).hand == policy


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ({}, frozenset()),
        ({"respect_manual_change": False}, frozenset()),
        ({"respect_manual_change": True}, frozenset({"light"})),
    ],
)
async def test_a_value_set_by_hand_may_stay_when_a_window_ends(
    hass: HomeAssistant, data: dict[str, Any], kept: frozenset[str]
) -> None:
    """A lamp's level is its field `light`, by Bluetooth and made of entities (RES-28)."""
    entry = ble_entry({"family": "light", "channels": ["white"]}, data)
    by_bluetooth = chihiros_hardware(hass, entry, dt_util.now)
    hass.states.async_set(
        "light.white", "off", {"supported_color_modes": ["brightness"]}
    )
    channels = [{"entity_id": "light.white", "channel": "white"}]
    of_entities = subentry_hardware(
        hass, AQUARIUM, subentry("light", {"channels": channels, **data})
    )
    for hardware in (by_bluetooth, of_entities):
        assert hardware.limits.respect_manual_change == kept
        assert kept <= hardware.device.fields.keys()
        await hardware.device.close()


async def test_a_removed_aquarium_leaves_its_devices_without_one(
    hass: HomeAssistant,
) -> None:
    """The option still names it."""
    entry = ble_entry({"family": "doser", "heads": 2}, {"aquarium": "gone"})
    hardware = chihiros_hardware(hass, entry, dt_util.now)
    assert hardware.aquarium is None
    await hardware.device.close()


async def test_a_light_rests_dark_until_something_is_known(hass: HomeAssistant) -> None:
    """It cannot be read back, so that off is assumed."""
    entry = ble_entry(
        {"family": "light", "channels": ["red", "green", "blue", "white"]},
        {"maximum_level": 80, "slew": 2.5, "safe_level": 0, "shutdown_level": 5},
    )
    hardware = chihiros_hardware(hass, entry, dt_util.now)
    assert isinstance(hardware.device, ChihirosLight)
    assert hardware.assumed["light"]["level"] == 0
    assert hardware.limits.bounds == {"light": Bounds(maximum=80)}
    assert hardware.limits.slew == {"light": Slew(per_second=2.5)}
    assert hardware.limits.safe == {"light": {"level": 0}}
    assert hardware.limits.at_start == {}
    assert hardware.limits.at_shutdown == {"light": {"level": 5}}
    assert hardware.aquarium is None
    await hardware.device.close()


async def test_a_pump_has_range_safe_level_and_longest_time(
    hass: HomeAssistant,
) -> None:
    """The range maps to 0 to 100 per cent; minutes become seconds."""
    hass.states.async_set("number.wave", "30", {"min": 0, "max": 60})
    hardware = subentry_hardware(
        hass,
        AQUARIUM,
        subentry(
            "pump",
            {
                "entity_id": "number.wave",
                "minimum": 10,
                "maximum": 60,
                "safe_level": 20,
                "start_level": 30,
                "shutdown_level": 0,
                "maximum_on_minutes": 15,
                "slew": None,
            },
        ),
    )
    assert hardware.device.kind is DeviceKind.PUMP
    assert hardware.device.observed("level") == {"level": 40}
    assert hardware.limits.safe == {"level": {"level": 20}}
    assert hardware.limits.at_start == {"level": {"level": 30}}
    assert hardware.limits.at_shutdown == {"level": {"level": 0}}
    assert hardware.limits.maximum_on == {"level": 900}
    assert hardware.aquarium == AQUARIUM.entry_id
    await hardware.device.close()


async def test_a_light_of_entities_keeps_its_channels(hass: HomeAssistant) -> None:
    """Each entity is a channel by its word."""
    hass.states.async_set(
        "light.blue", "off", {"supported_color_modes": ["brightness"]}
    )
    hass.states.async_set(
        "light.white", "off", {"supported_color_modes": ["brightness"]}
    )
    hardware = subentry_hardware(
        hass,
        AQUARIUM,
        subentry(
            "light",
            {
                "channels": [
                    {"entity_id": "light.blue", "channel": "blue"},
                    {"entity_id": "light.white", "channel": "white"},
                ],
                "maximum_level": 60,
            },
        ),
    )
    assert hardware.device.kind is DeviceKind.LIGHT
    assert hardware.limits.bounds == {"light": Bounds(maximum=60)}
    await hardware.device.close()


async def test_a_doser_of_a_switch_knows_its_flow(hass: HomeAssistant) -> None:
    """60 mL a minute are 1000 microlitres a second."""
    hass.states.async_set("switch.dosing_pump", "off")
    hardware = subentry_hardware(
        hass,
        AQUARIUM,
        subentry(
            "doser",
            {
                "entity_id": "switch.dosing_pump",
                "flow_ml_per_minute": 60,
                "maximum_dose_ml": 20,
                "budget_ml": 30,
            },
        ),
    )
    assert isinstance(hardware.device, Doser)
    assert hardware.device.heads[0].flow == 1000
    assert hardware.device.heads[0].maximum == 20_000
    assert hardware.limits.head(0) == HeadLimits(budget=30_000, maximum_volume=20_000)
    await hardware.device.close()


async def test_an_entity_device_has_the_fields_that_were_chosen(
    hass: HomeAssistant,
) -> None:
    """Sensors are read-only fields."""
    hass.states.async_set("sensor.water", "24.5", {"unit_of_measurement": "°C"})
    hardware = subentry_hardware(
        hass,
        AQUARIUM,
        subentry(
            "entity", {"fields": [{"name": "temperature", "entity_id": "sensor.water"}]}
        ),
    )
    field = hardware.device.fields["temperature"]
    assert not field.writable
    assert hardware.device.observed("temperature") == {"temperature": 24.5}
    await hardware.device.close()


async def test_the_fields_of_an_entity_device_have_values_for_doubt_start_and_stop(
    hass: HomeAssistant,
) -> None:
    """Of a climate it is the mode; what was not chosen is left as it is."""
    fields = [
        {"name": "heater", "entity_id": "switch.heater", "safe_value": False},
        {
            "name": "chiller",
            "entity_id": "climate.chiller",
            "safe_value": "off",
            "shutdown_value": "off",
        },
        {"name": "wave", "entity_id": "number.wave", "start_value": 20.0},
    ]
    hardware = subentry_hardware(hass, AQUARIUM, subentry("entity", {"fields": fields}))
    assert hardware.limits.safe == {
        "heater": {"heater": False},
        "chiller": {"hvac_mode": "off"},
    }
    assert hardware.limits.at_start == {"wave": {"wave": 20.0}}
    assert hardware.limits.at_shutdown == {"chiller": {"hvac_mode": "off"}}
    await hardware.device.close()


async def test_an_entity_that_cannot_be_a_pump_is_refused(hass: HomeAssistant) -> None:
    """The domain has no level."""
    with pytest.raises(DeviceError) as refused:
        subentry_hardware(hass, AQUARIUM, subentry("pump", {"entity_id": "person.me"}))
    assert refused.value.code == "unsupported"
