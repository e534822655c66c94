"""The form of a mode calls the fields of devices what their entities are called (issue 4)."""

from pathlib import Path

from homeassistant.config_entries import SOURCE_USER, SubentryFlowContext
from homeassistant.core import HomeAssistant

from custom_components.aquarist.api.device_fields import single_fields
from custom_components.aquarist.subentry_flows.field_names import name_of, words_of

from .api.http.chiller import CHILLER, climate
from .aquarium import ENTRY, aquarium, device_named, subentry
from .flow_forms import choices

SUMP = subentry(
    "entity",
    "Sump",
    {
        "fields": [
            {"name": "chiller", "entity_id": CHILLER},
            {"name": "leak_alarm", "entity_id": "input_boolean.leak"},
        ]
    },
)


async def test_each_field_is_called_what_its_entity_is(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Names that the keeper chose stay; a part of a field of several says which."""
    climate(hass, CHILLER)
    hass.states.async_set("input_boolean.leak", "off")
    async with aquarium(hass, tmp_path, demo=True, subentries=[SUMP]):
        manager = hass.config_entries.subentries
        result = await manager.async_init(
            (ENTRY, "mode"), context=SubentryFlowContext(source=SOURCE_USER)
        )
        flow = result["flow_id"]
        await manager.async_configure(flow, {"name": "Siesta", "duration_minutes": 5})
        result = await manager.async_configure(flow, {"next_step_id": "hold"})
        offered = {one["label"]: one["value"] for one in choices(result, "field")}

        lamp, sump = ("Demo light", "Sump")
        for head in (1, 2, 3, 4):
            assert f"Demo doser: Head {head}: Enabled" in offered
        for channel in ("red", "green", "blue", "white"):
            assert f"{lamp}: Share of channel {channel}" in offered
        assert {f"{lamp}: Level", "Return pump: Level", "Skimmer: Level"} <= set(
            offered
        )
        assert {
            f"{sump}: chiller: Operation",
            f"{sump}: chiller: Temperature",
            f"{sump}: chiller: Preset",
            f"{sump}: leak_alarm",
        } <= set(offered)

        share = offered[f"{lamp}: Share of channel red"]
        result = await manager.async_configure(flow, {"field": share})
        placeholders = result["description_placeholders"] or {}
        assert placeholders["field"] == "Share of channel red"
        result = await manager.async_configure(flow, {"value": 10})
        placeholders = result["description_placeholders"] or {}
        assert placeholders["steps"] == f"1. {lamp}: Share of channel red → 10"


async def test_without_words_fields_keep_the_names_that_programs_use(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """A head of a doser that is not there has its number."""
    async with aquarium(hass, tmp_path, demo=True):
        doser, lamp = (
            device_named(hass, "Demo doser"),
            device_named(hass, "Demo light"),
        )
        words = await words_of(hass)
        assert [
            name_of(lamp, field, {}) for field in single_fields(lamp).values()
        ] == list(single_fields(lamp))

        port, doser.device = doser.device, None
        (first, *_) = single_fields(doser).values()
        assert name_of(doser, first, words) == "1: Enabled"
        doser.device = port
