"""A climate entity as one composite field."""

from dataclasses import replace
from typing import Any

from homeassistant.core import HomeAssistant, State
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import pytest

from custom_components.aquarist.devices.climate_adapter import (
    ClimateAdapter,
    leaving_preset,
)
from custom_components.aquarist.devices.entity import EntityDevice, EntityField
from custom_components.aquarist.devices.entity_adapter import ServiceCall
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import (
    DataType,
    Field,
    InvalidValue,
    composite,
)
from custom_components.aquarist.layers.setting import Setting, merged

from .entities import FakeClimate, add

HEAT_21: Setting = {"hvac_mode": "heat", "temperature": 21.0, "preset_mode": "none"}
ADAPTER = ClimateAdapter(name="chiller", unit="°C", system_unit=lambda: "°C")


async def chiller_of(
    hass: HomeAssistant, *, unit: str | None = None
) -> tuple[EntityDevice, FakeClimate]:
    """Return a device with a chiller, and the entity."""
    climate = FakeClimate("chiller")
    await add(hass, "climate", climate)
    device = EntityDevice(
        hass,
        uuid="u",
        name="Chiller",
        fields=[EntityField(name="chiller", entity="climate.chiller", unit=unit)],
        confirm_time=0.05,
    )
    return device, climate


async def test_parts_are_those_that_the_entity_has(hass: HomeAssistant) -> None:
    """Mode, temperature and preset, with choices and bounds."""
    device, _ = await chiller_of(hass)
    mode, temperature, preset = device.fields["chiller"].part_fields
    assert mode.values == ("off", "heat", "cool")
    assert (temperature.unit, temperature.minimum, temperature.maximum) == ("°C", 7, 35)
    assert temperature.step == 0.1
    assert preset.values == ("none", "away")
    assert device.observed("chiller") == HEAT_21


def test_all_parts_are_offered_while_the_entity_is_not_known() -> None:
    """What it has is seen when it is loaded; then only that is left."""
    assert ADAPTER.field(None).parts == (
        "hvac_mode",
        "temperature",
        "target_temp_low",
        "target_temp_high",
        "preset_mode",
        "fan_mode",
        "swing_mode",
        "swing_horizontal_mode",
    )
    plain = State("climate.x", "heat", {"supported_features": 0})
    assert ADAPTER.field(plain).parts == ("hvac_mode",)
    assert ADAPTER.read(plain) == {"hvac_mode": "heat"}


async def test_write_action_may_name_a_part(hass: HomeAssistant) -> None:
    """Values are checked by the part."""
    device, climate = await chiller_of(hass)
    assert device.check("temperature", 17) == {"temperature": 17, "preset_mode": "none"}
    assert device.check("chiller", "cool") == {"hvac_mode": "cool"}
    with pytest.raises(InvalidValue, match="value_out_of_bounds"):
        device.check("temperature", 99)
    with pytest.raises(InvalidValue, match="value_out_of_bounds"):
        device.check("hvac_mode", "dry")
    await device.apply({"chiller": {"temperature": 17}})
    assert climate.log == [{"temperature": 17}]
    assert device.observed("chiller") == {**HEAT_21, "temperature": 17}


async def test_unchanged_parts_are_not_called(hass: HomeAssistant) -> None:
    """Restoring what is there does nothing."""
    device, climate = await chiller_of(hass)
    await device.apply({"chiller": HEAT_21})
    assert climate.log == []


async def test_window_and_restore_through_a_preset(hass: HomeAssistant) -> None:
    """A preset brings its own temperature; the former one comes back exactly (R-T60)."""
    device, climate = await chiller_of(hass)
    before = device.observed("chiller")
    assert before is not None
    await device.apply({"chiller": {"preset_mode": "away"}})
    assert climate.target_temperature == 16.0
    climate._left = 19.0
    await device.apply({"chiller": before})
    assert climate.log[-2:] == [{"preset_mode": "none"}, {"temperature": 21.0}]
    assert climate.target_temperature == 21.0
    assert device.observed("chiller") == before


async def test_preset_comes_after_the_temperature_that_it_replaces(
    hass: HomeAssistant,
) -> None:
    """The temperature is kept for when the preset is left; it is not waited for."""
    device, climate = await chiller_of(hass)
    await device.apply(
        {
            "chiller": {
                "hvac_mode": "cool",
                "temperature": 23.0,
                "preset_mode": "away",
            }
        }
    )
    assert climate.log == [
        {"hvac_mode": "cool"},
        {"temperature": 23.0},
        {"preset_mode": "away"},
    ]
    assert climate._left == 23.0


async def test_temperature_is_set_before_it_is_switched_off(
    hass: HomeAssistant,
) -> None:
    """An entity that is off may refuse a temperature."""
    device, climate = await chiller_of(hass)
    await device.apply({"chiller": {"hvac_mode": "off", "temperature": 18.0}})
    assert climate.log == [{"temperature": 18.0}, {"hvac_mode": "off"}]


async def test_part_asked_for_before_a_hand_changed_it_is_forgotten(
    hass: HomeAssistant,
) -> None:
    """Only what still holds is laid over what the entity shows."""
    device, climate = await chiller_of(hass)
    await device.apply({"chiller": {"hvac_mode": "cool"}})
    climate.show(hvac_mode="heat")
    await device.apply({"chiller": {"temperature": 17.02}})
    climate.show(target_temperature=17.0)
    assert device.observed("chiller") == {**HEAT_21, "temperature": 17.02}


async def test_entity_that_lies_is_not_confirmed(hass: HomeAssistant) -> None:
    """All parts must be shown."""
    device, climate = await chiller_of(hass)
    climate.lies = True
    with pytest.raises(DeviceError, match="not_confirmed"):
        await device.apply({"chiller": {"temperature": 17.0}})


async def test_announced_unit_holds_in_another_unit_system(
    hass: HomeAssistant,
) -> None:
    """17 °C reaches the entity as 17, whatever Home Assistant shows (R-T62)."""
    hass.config.units = US_CUSTOMARY_SYSTEM
    device, climate = await chiller_of(hass, unit="°C")
    temperature = device.fields["chiller"].part_fields[1]
    assert temperature.unit == "°C"
    assert temperature.minimum == pytest.approx(7, abs=0.1)
    assert temperature.step is None
    await device.apply({"chiller": {"temperature": 17}})
    state = hass.states.get("climate.chiller")
    assert state is not None
    assert state.attributes["temperature"] == 62.6
    assert climate.target_temperature == pytest.approx(17)
    observed = device.observed("chiller")
    assert observed is not None
    assert observed["temperature"] == 17


async def test_unit_of_home_assistant_is_announced_by_default(
    hass: HomeAssistant,
) -> None:
    """Without a choice the field has the unit of the states."""
    hass.config.units = US_CUSTOMARY_SYSTEM
    device, _ = await chiller_of(hass)
    assert device.fields["chiller"].part_fields[1].unit == "°F"


@pytest.mark.parametrize(
    ("text", "attributes", "wanted", "shown"),
    [
        ("heat", {"temperature": 20}, {"temperature": 20.4}, True),
        ("heat", {"temperature": 20}, {"temperature": 21}, False),
        ("heat", {"temperature": None}, {"temperature": 20}, False),
        ("off", {"temperature": None}, {"hvac_mode": "off", "temperature": 20}, True),
        (
            "off",
            {"temperature": 25},
            {"hvac_mode": "off", "temperature": 20},
            False,
        ),
        (
            "heat",
            {"preset_mode": "eco"},
            {"preset_mode": "eco", "temperature": 9},
            True,
        ),
        ("heat", {"temperature": 20}, {"temperature": "warm"}, False),
    ],
)
def test_what_counts_as_shown(
    text: str, attributes: dict[str, Any], wanted: dict[str, Any], shown: bool
) -> None:
    """A temperature that the entity cannot show at the moment is not waited for."""
    assert ADAPTER.shows(State("climate.x", text, attributes), wanted) is shown


async def test_unit_system_may_change_while_it_runs(hass: HomeAssistant) -> None:
    """What is announced stays, and what is written is in the unit of the day (R-T62)."""
    device, climate = await chiller_of(hass)
    assert device.fields["chiller"].part_fields[1].unit == "°C"
    hass.config.units = US_CUSTOMARY_SYSTEM
    climate.show(target_temperature=20.0)
    await hass.async_block_till_done()
    observed = device.observed("chiller")
    assert observed is not None
    assert observed["temperature"] == 20.0
    await device.apply({"chiller": {"temperature": 17}})
    assert climate.target_temperature == pytest.approx(17)
    assert device.fields["chiller"].part_fields[1].unit == "°C"


async def test_climate_that_is_off_comes_back_off(hass: HomeAssistant) -> None:
    """To the mode, and to the preset that it had (R-T60)."""
    device, climate = await chiller_of(hass)
    climate.show(hvac_mode="off", preset_mode="away", target_temperature=16.0)
    before = device.observed("chiller")
    assert before is not None
    await device.apply(
        {"chiller": {"hvac_mode": "cool", "temperature": 24.0, "preset_mode": "none"}}
    )
    await device.apply({"chiller": before})
    assert climate.hvac_mode == "off"
    assert climate.preset_mode == "away"


async def test_a_temperature_ends_the_preset_that_has_one_of_its_own(
    hass: HomeAssistant,
) -> None:
    """R-T11: it is there, and not behind the preset; the preset comes back after it."""
    device, climate = await chiller_of(hass)
    await device.apply({"chiller": {"preset_mode": "away"}})
    before = device.observed("chiller")
    assert before is not None
    await device.apply({"chiller": merged(before, device.check("temperature", 19))})
    assert (climate.preset_mode, climate.target_temperature) == ("none", 19)
    await device.apply({"chiller": before})
    assert (climate.preset_mode, climate.target_temperature) == ("away", 16)


def test_what_is_asked_for_with_a_preset_stays_as_it_is() -> None:
    """So does what is no temperature, and where a preset is always in force."""
    presets = Field(
        name="preset_mode", data_type=DataType.STRING, values=("none", "eco")
    )
    temperature = Field(name="temperature", data_type=DataType.NUMBER)
    field = composite("it", temperature, presets)
    both: Setting = {"temperature": 20, "preset_mode": "eco"}
    assert leaving_preset(field, both) == both
    assert leaving_preset(field, {"hvac_mode": "off"}) == {"hvac_mode": "off"}
    always = composite("it", temperature, replace(presets, values=("home", "eco")))
    for other in (always, composite("it", temperature)):
        assert leaving_preset(other, {"temperature": 20}) == {"temperature": 20}


async def test_no_preset_comes_back_as_none(hass: HomeAssistant) -> None:
    """Where there is one to choose; else it is not part of what comes back."""
    device, climate = await chiller_of(hass)
    climate.show(preset_mode=None)
    before = device.observed("chiller")
    assert before == HEAT_21
    await device.apply({"chiller": {"preset_mode": "away"}})
    await device.apply({"chiller": before})
    assert climate.preset_mode == "none"
    never = State("climate.x", "heat", {"preset_mode": None, "preset_modes": ["eco"]})
    assert ADAPTER.read(never) == {"hvac_mode": "heat"}


RANGE = State(
    "climate.x",
    "heat_cool",
    {
        "supported_features": 2 | 8,
        "target_temp_low": 20,
        "target_temp_high": 26,
        "fan_mode": "auto",
        "fan_modes": ["auto", "high"],
    },
)


def test_range_of_temperatures_is_kept_and_set_as_one() -> None:
    """Home Assistant takes its ends together."""
    assert ADAPTER.field(RANGE).parts == (
        "hvac_mode",
        "target_temp_low",
        "target_temp_high",
        "fan_mode",
    )
    assert ADAPTER.read(RANGE) == {
        "hvac_mode": "heat_cool",
        "target_temp_low": 20.0,
        "target_temp_high": 26.0,
        "fan_mode": "auto",
    }
    both = {"target_temp_low": 18.0, "target_temp_high": 24.0}
    for wanted, data in (
        (both, both),
        ({"target_temp_high": 24.0}, {**both, "target_temp_low": 20.0}),
        ({"target_temp_low": 18.0}, {**both, "target_temp_high": 26.0}),
    ):
        assert ADAPTER.calls(RANGE, wanted) == [
            ServiceCall(domain="climate", service="set_temperature", data=data)
        ]
    assert ADAPTER.shows(RANGE, {"target_temp_low": 20.0, "target_temp_high": 26.0})
    assert not ADAPTER.shows(RANGE, both)


def test_fan_mode_is_a_choice() -> None:
    """It comes last, whatever else is set."""
    assert ADAPTER.calls(RANGE, {"fan_mode": "high", "hvac_mode": "cool"}) == [
        ServiceCall(
            domain="climate", service="set_hvac_mode", data={"hvac_mode": "cool"}
        ),
        ServiceCall(
            domain="climate", service="set_fan_mode", data={"fan_mode": "high"}
        ),
    ]
    assert ADAPTER.shows(RANGE, {"fan_mode": "auto"})
    assert not ADAPTER.shows(RANGE, {"fan_mode": "high"})


def test_all_of_a_climate_are_parts() -> None:
    """Nothing goes along that is none of them."""
    assert ADAPTER.beside(RANGE) is None
