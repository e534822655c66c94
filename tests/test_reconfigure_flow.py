"""Correcting what a device is made of, and renaming an aquarium."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from .flow_forms import (
    ADDRESS,
    aquarium,
    choices,
    doser_entry,
    heads,
    light_entry,
    suggested,
)


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


async def submit(
    hass: HomeAssistant, result: ConfigFlowResult, user_input: dict[str, Any]
) -> ConfigFlowResult:
    """Fill in the form, send it, and let the entry be loaded anew."""
    changed = await hass.config_entries.flow.async_configure(
        result["flow_id"], user_input
    )
    await hass.async_block_till_done()
    return changed


async def test_an_aquarium_can_be_renamed(hass: HomeAssistant) -> None:
    """Its identity follows the name, its data stays."""
    reef = aquarium("Reef")
    reef.add_to_hass(hass)
    result = await reef.start_reconfigure_flow(hass)
    assert result["step_id"] == "rename_aquarium"
    assert suggested(result) == {"name": "Reef"}

    result = await submit(hass, result, {"name": "Lagoon"})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert reef.title == "Lagoon"
    assert reef.unique_id == "lagoon"
    assert reef.data == {"kind": "aquarium", "demo": False}


async def test_an_aquarium_can_keep_its_name_in_other_letters(
    hass: HomeAssistant,
) -> None:
    """Its own name is not taken."""
    reef = aquarium("Reef")
    reef.add_to_hass(hass)
    result = await reef.start_reconfigure_flow(hass)

    await submit(hass, result, {"name": "REEF"})

    assert reef.title == "REEF"


@pytest.mark.parametrize(
    ("name", "error"), [("", "name_missing"), ("Nano", "name_taken")]
)
async def test_a_renamed_aquarium_needs_a_name_of_its_own(
    hass: HomeAssistant, name: str, error: str
) -> None:
    """With another one the change is saved."""
    reef = aquarium("Reef")
    reef.add_to_hass(hass)
    aquarium("Nano").add_to_hass(hass)
    result = await reef.start_reconfigure_flow(hass)
    result = await submit(hass, result, {"name": name})
    assert result["errors"] == {"name": error}
    assert reef.title == "Reef"

    await submit(hass, result, {"name": "Lagoon"})

    assert reef.title == "Lagoon"


async def test_the_channels_of_a_light_can_be_corrected(
    hass: HomeAssistant, setup_entry: AsyncMock
) -> None:
    """The name and the options stay; the entry is loaded anew."""
    entry = light_entry(title="Over the reef")
    entry.add_to_hass(hass)
    result = await entry.start_reconfigure_flow(hass)
    assert result["step_id"] == "change_channels"
    assert suggested(result) == {"layout": "wrgb"}
    assert choices(result, "layout") == [
        "white",
        "white_warm",
        "red_green",
        "rgb",
        "wrgb",
    ]

    result = await submit(hass, result, {"layout": "white_warm"})

    assert result["reason"] == "reconfigure_successful"
    assert entry.title == "Over the reef"
    assert entry.data["channels"] == ["white", "warm"]
    assert entry.data["address"] == ADDRESS
    setup_entry.assert_awaited_once()


async def test_channels_that_are_no_layout_are_not_suggested(
    hass: HomeAssistant,
) -> None:
    """An entry may come from a version that knew another layout."""
    entry = light_entry()
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "channels": ["blue"]}
    )

    result = await entry.start_reconfigure_flow(hass)

    assert suggested(result) == {}


@pytest.mark.parametrize(
    ("number", "names"),
    [("4", ["Iron", "Head 2", "Head 3", "Head 4"]), ("2", ["Iron", "Head 2"])],
)
async def test_the_number_of_heads_can_be_corrected(
    hass: HomeAssistant, number: str, names: list[str]
) -> None:
    """Heads that stay keep their options, new ones start with the usual."""
    entry = doser_entry()
    entry.add_to_hass(hass)
    result = await entry.start_reconfigure_flow(hass)
    assert result["step_id"] == "change_heads"
    assert suggested(result) == {"heads": "2"}

    result = await submit(hass, result, {"heads": number})

    assert result["reason"] == "reconfigure_successful"
    assert entry.data["heads"] == int(number)
    assert entry.options["heads"] == heads(*names)
    assert entry.options["idle_hold"] == 30


async def test_heads_that_are_gone_have_no_options(hass: HomeAssistant) -> None:
    """From four back to two."""
    entry = doser_entry()
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry,
        data={**entry.data, "heads": 4},
        options={**entry.options, "heads": heads("Iron", "Potassium", "A", "B")},
    )
    result = await entry.start_reconfigure_flow(hass)

    await submit(hass, result, {"heads": "2"})

    assert entry.options["heads"] == heads("Iron", "Potassium")
