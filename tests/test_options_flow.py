"""What a keeper may change about a Bluetooth device at any time."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .flow_forms import aquarium, doser_entry, fields, heads, light_entry, suggested


@pytest.fixture(autouse=True)
def setup_entry() -> Iterator[AsyncMock]:
    """Leave what entries do once they are there to other tests."""
    with (
        patch("custom_components.aquarist.async_setup", return_value=True),
        patch("custom_components.aquarist.async_unload_entry", return_value=True),
        patch(
            "custom_components.aquarist.async_setup_entry", return_value=True
        ) as setup,
    ):
        yield setup


async def open_options(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigFlowResult:
    """Add the entry to Home Assistant and open its options."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    return await hass.config_entries.options.async_init(entry.entry_id)


async def submit_options(
    hass: HomeAssistant, result: ConfigFlowResult, user_input: dict[str, Any]
) -> ConfigFlowResult:
    """Fill in the options and send them."""
    changed = await hass.config_entries.options.async_configure(
        result["flow_id"], user_input
    )
    await hass.async_block_till_done()
    return changed


async def test_the_options_of_a_light(
    hass: HomeAssistant, setup_entry: AsyncMock
) -> None:
    """Aquarium, hold and limits; the entry is loaded anew."""
    reef = aquarium()
    reef.add_to_hass(hass)
    entry = light_entry()
    result = await open_options(hass, entry)
    assert result["step_id"] == "light"
    assert fields(result) == ["aquarium", "idle_hold", "maximum_level", "slew"]
    loaded = setup_entry.await_count

    result = await submit_options(
        hass,
        result,
        {
            "aquarium": reef.entry_id,
            "idle_hold": 60,
            "maximum_level": 80,
            "slew": 0.5,
        },
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "aquarium": reef.entry_id,
        "idle_hold": 60,
        "maximum_level": 80,
        "slew": 0.5,
    }
    assert setup_entry.await_count == loaded + 1


async def test_limits_of_a_light_can_be_emptied(hass: HomeAssistant) -> None:
    """What is set is suggested; left empty it is gone."""
    reef = aquarium()
    reef.add_to_hass(hass)
    entry = light_entry(
        options={
            "aquarium": reef.entry_id,
            "idle_hold": 60,
            "maximum_level": 80,
            "slew": 0.5,
        }
    )
    result = await open_options(hass, entry)
    assert suggested(result) == {
        "aquarium": reef.entry_id,
        "maximum_level": 80,
        "slew": 0.5,
    }

    await submit_options(hass, result, {"idle_hold": 60})

    assert entry.options == {
        "aquarium": None,
        "idle_hold": 60,
        "maximum_level": None,
        "slew": None,
    }


async def test_an_aquarium_that_is_gone_is_not_suggested(hass: HomeAssistant) -> None:
    """Its devices belong to none."""
    aquarium("Nano").add_to_hass(hass)
    entry = light_entry(options={"aquarium": "gone", "idle_hold": 30})

    result = await open_options(hass, entry)

    assert suggested(result) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("idle_hold", 4),
        ("idle_hold", 601),
        ("maximum_level", 0),
        ("maximum_level", 101),
        ("slew", 0),
        ("slew", 101),
        ("aquarium", "gone"),
    ],
)
async def test_options_out_of_range_are_refused_by_field(
    hass: HomeAssistant, field: str, value: float | str
) -> None:
    """Nothing is stored."""
    aquarium().add_to_hass(hass)
    entry = light_entry()
    result = await open_options(hass, entry)

    with pytest.raises(InvalidData) as refused:
        await submit_options(hass, result, {"idle_hold": 30, field: value})

    assert list(refused.value.schema_errors) == [field]
    assert entry.options["idle_hold"] == 30


async def test_the_options_of_a_doser(
    hass: HomeAssistant, setup_entry: AsyncMock
) -> None:
    """Each head has a name, can be out of use, and has a limit or none."""
    entry = doser_entry()
    result = await open_options(hass, entry)
    assert result["step_id"] == "doser"
    assert fields(result) == ["idle_hold", "head_1", "head_2"]
    loaded = setup_entry.await_count

    result = await submit_options(
        hass,
        result,
        {
            "idle_hold": 5,
            "head_1": {"name": " Iron ", "enabled": True, "budget_ml": 12.5},
            "head_2": {"name": "Potassium", "enabled": False},
        },
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "aquarium": None,
        "idle_hold": 5,
        "heads": [
            {"name": "Iron", "enabled": True, "budget_ml": 12.5},
            {"name": "Potassium", "enabled": False, "budget_ml": None},
        ],
    }
    assert setup_entry.await_count == loaded + 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": " "}, "head_name_missing"),
        ({"name": "IRON"}, "head_name_taken"),
        ({"budget_ml": 0.25}, "head_budget_too_fine"),
    ],
)
async def test_heads_that_make_no_sense_are_refused_by_number(
    hass: HomeAssistant, changes: dict[str, Any], error: str
) -> None:
    """The form keeps what was entered; corrected it is saved."""
    entry = doser_entry()
    result = await open_options(hass, entry)
    first = {"name": "Iron", "enabled": True, "budget_ml": 20.0}
    second = {"name": "Potassium", "enabled": True, "budget_ml": 50.0}
    result = await submit_options(
        hass,
        result,
        {"idle_hold": 45, "head_1": first, "head_2": {**second, **changes}},
    )
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": error}
    assert result["description_placeholders"] == {"head": "2"}
    schema = result["data_schema"]
    assert schema is not None
    assert schema({"head_1": {}, "head_2": {}})["idle_hold"] == 45
    assert schema({"head_1": {}, "head_2": {}})["head_1"]["name"] == "Iron"
    assert entry.options["heads"] == heads("Iron", "Head 2")

    await submit_options(
        hass, result, {"idle_hold": 45, "head_1": first, "head_2": second}
    )

    assert entry.options["heads"] == [first, second]


async def test_a_head_takes_what_its_counter_can_count(hass: HomeAssistant) -> None:
    """A limit of a head lies between its smallest dose and its largest."""
    entry = doser_entry()
    result = await open_options(hass, entry)
    head = {"name": "Iron", "enabled": True}

    with pytest.raises(InvalidData):
        await submit_options(
            hass,
            result,
            {
                "idle_hold": 30,
                "head_1": {**head, "budget_ml": 0.1},
                "head_2": {**head, "budget_ml": 6554},
            },
        )

    assert entry.options["heads"] == heads("Iron", "Head 2")
