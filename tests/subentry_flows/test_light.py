"""A light: dimmable entities as channels."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.flow_forms import (
    HAND_FIELDS,
    NO_REST,
    REST_FIELDS,
    USUAL_HAND,
    fields,
    suggested,
)

from .forms import add, change, devices, listed, submit

BLUE = {"entity_id": "light.blue", "channel": "blue"}
WHITE = {"entity_id": "light.white", "channel": "white"}
LIGHT = {"name": "Main light", "channels": [BLUE, WHITE], "dark_is_safe": True}


async def test_a_light_has_channels_and_limits(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Channels have a colour or a word of the keeper's own."""
    result = await add(hass, aquarium, "light")
    assert result["step_id"] == "device"
    assert fields(result) == [
        "name",
        "channels",
        "maximum_level",
        "slew",
        "dark_is_safe",
        *REST_FIELDS,
        *HAND_FIELDS,
    ]

    result = await submit(
        hass,
        result,
        {
            "name": " Main light ",
            "channels": [
                BLUE,
                {"entity_id": "number.wavemaker", "channel": " royal_blue "},
            ],
            "maximum_level": 80,
            "slew": 0.5,
            "dark_is_safe": True,
            "start_level": 0,
            "shutdown_level": 20,
        },
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert devices(aquarium) == [
        (
            "light",
            "Main light",
            {
                "channels": [
                    BLUE,
                    {"entity_id": "number.wavemaker", "channel": "royal_blue"},
                ],
                "maximum_level": 80,
                "slew": 0.5,
                "safe_level": 0,
                "start_level": 0,
                "shutdown_level": 20,
                **USUAL_HAND,
            },
        )
    ]


async def test_a_light_may_have_no_limits(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """A single channel may come without its list."""
    result = await add(hass, aquarium, "light")

    await submit(
        hass,
        result,
        {"name": "Moon", "channels": BLUE, "dark_is_safe": False},
    )

    assert devices(aquarium) == [
        (
            "light",
            "Moon",
            {
                "channels": [BLUE],
                "maximum_level": None,
                "slew": None,
                "safe_level": None,
                **NO_REST,
                **USUAL_HAND,
            },
        )
    ]


@pytest.mark.parametrize(
    ("channels", "error", "entity", "word"),
    [
        ([], "channels_missing", "", ""),
        (
            [{"entity_id": "light.nowhere", "channel": "blue"}],
            "entity_missing",
            "light.nowhere",
            "",
        ),
        (
            [{"entity_id": "switch.skimmer", "channel": "blue"}],
            "wrong_domain",
            "switch.skimmer",
            "",
        ),
        (
            [BLUE, {"entity_id": "light.used", "channel": "white"}],
            "entity_in_use",
            "light.used",
            "",
        ),
        (
            [BLUE, {"entity_id": "light.blue", "channel": "white"}],
            "entity_twice",
            "light.blue",
            "",
        ),
        (
            [BLUE, {"entity_id": "light.white", "channel": "blue"}],
            "word_twice",
            "",
            "blue",
        ),
        (
            [{"entity_id": "light.blue", "channel": "Royal blue"}],
            "word_invalid",
            "",
            "Royal blue",
        ),
        ([{"entity_id": "light.blue", "channel": " "}], "word_invalid", "", ""),
        (
            [{"entity_id": "light.lamp", "channel": "white"}],
            "not_dimmable",
            "light.lamp",
            "",
        ),
    ],
)
async def test_channels_that_make_no_light_are_refused(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    channels: list[dict[str, str]],
    error: str,
    entity: str,
    word: str,
) -> None:
    """The error names the entity or the word; corrected the light is added."""
    result = await add(hass, aquarium, "light")
    result = await submit(hass, result, {**LIGHT, "channels": channels})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"channels": error}
    assert result["description_placeholders"] == {"entity": entity, "word": word}
    assert suggested(result)["name"] == "Main light"
    assert devices(aquarium) == []

    result = await submit(hass, result, LIGHT)

    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_what_a_change_by_hand_of_a_light_means(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Minutes are needed where they are chosen; what is stored is suggested the next time."""
    result = await add(hass, aquarium, "light")
    result = await submit(hass, result, {**LIGHT, "hand": "minutes"})
    assert result["errors"] == {"hand_minutes": "hand_minutes_missing"}
    assert devices(aquarium) == []

    chosen = {"hand": "minutes", "hand_minutes": 45, "respect_manual_change": True}
    await submit(hass, result, {**LIGHT, **chosen})

    assert devices(aquarium)[0][2].items() >= chosen.items()
    (light,) = aquarium.subentries.values()
    result = await change(hass, aquarium, light)
    assert suggested(result).items() >= chosen.items()


async def test_a_light_needs_a_name(
    hass: HomeAssistant, aquarium: MockConfigEntry
) -> None:
    """Spaces are none."""
    result = await add(hass, aquarium, "light")

    result = await submit(hass, result, {**LIGHT, "name": " "})

    assert result["errors"] == {"name": "name_missing"}


@pytest.mark.parametrize(
    "channels",
    [[{"entity_id": "light.blue"}], "light.blue", [{**BLUE, "gamma": 2}]],
    ids=["without a colour", "no list", "something unknown"],
)
async def test_what_is_no_channel_is_refused(
    hass: HomeAssistant, aquarium: MockConfigEntry, channels: Any
) -> None:
    """The form itself does not let it through."""
    result = await add(hass, aquarium, "light")

    with pytest.raises(InvalidData) as refused:
        await submit(hass, result, {**LIGHT, "channels": channels})

    assert list(refused.value.schema_errors) == ["channels"]


@pytest.mark.parametrize(("safe_level", "dark"), [(0, True), (None, False)])
async def test_a_light_can_be_changed(
    hass: HomeAssistant,
    aquarium: MockConfigEntry,
    safe_level: float | None,
    dark: bool,
) -> None:
    """Its own entities are free to it, in any order."""
    light = listed(
        hass,
        aquarium,
        "light",
        "Main light",
        {
            "channels": [BLUE, WHITE],
            "maximum_level": 80,
            "slew": None,
            "safe_level": safe_level,
        },
    )
    result = await change(hass, aquarium, light)
    assert suggested(result) == {
        "name": "Main light",
        "channels": [BLUE, WHITE],
        "maximum_level": 80,
        "dark_is_safe": dark,
    }

    result = await submit(
        hass,
        result,
        {"name": "Reef light", "channels": [WHITE, BLUE], "dark_is_safe": not dark},
    )

    assert result["reason"] == "reconfigure_successful"
    assert devices(aquarium) == [
        (
            "light",
            "Reef light",
            {
                "channels": [WHITE, BLUE],
                "maximum_level": None,
                "slew": None,
                "safe_level": None if dark else 0,
                **NO_REST,
                **USUAL_HAND,
            },
        )
    ]
