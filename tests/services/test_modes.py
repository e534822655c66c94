"""Modes as services: start, end, extend."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.changes import Change, ModeChanged
from tests.aquarium import ENTRY, aquarium, device_named, engine_of, heard


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        yield


async def serve(hass: HomeAssistant, service: str, **data: Any) -> dict[str, Any]:
    """Call a service and return the answer."""
    answer = await hass.services.async_call(
        DOMAIN, service, data, blocking=True, return_response=True
    )
    assert answer is not None
    return dict(answer)


async def refused(hass: HomeAssistant, service: str, **data: Any) -> tuple[str, Any]:
    """Return the key of a refusal, and the field that is wrong."""
    with pytest.raises(ServiceValidationError) as error:
        await serve(hass, service, **data)
    key = error.value.translation_key
    assert key is not None
    return key, (error.value.translation_placeholders or {}).get("field")


async def feeding(hass: HomeAssistant, **more: Any) -> dict[str, Any]:
    """Start the feeding, and wait until it counts down."""

    def counts(change: Change) -> bool:
        return isinstance(change, ModeChanged) and change.stage == "countdown"

    async with heard(hass, counts):
        return await serve(hass, "start_mode", mode="feed", **more)


async def test_a_mode_from_start_to_end(hass: HomeAssistant) -> None:
    """The answer tells where it is."""
    started = await feeding(hass, aquarium="reef", minutes=2.5)
    assert (started["aquarium"], started["mode"]) == (ENTRY, "feed")
    assert (started["stage"], started["troubles"]) == ("starting", [])

    longer = await serve(hass, "extend_mode", minutes=5)
    assert longer["stage"] == "countdown"
    assert 445 < longer["seconds_left"] <= 450
    assert longer["run_id"] == started["run_id"]

    returning = await serve(hass, "end_mode")
    assert (returning["stage"], returning["seconds_left"]) == ("returning", None)
    normal = await serve(hass, "end_mode", aquarium=ENTRY)
    assert (normal["mode"], normal["run_id"]) == ("normal", None)
    assert set(normal) == set(longer)


async def test_at_once_there_are_no_stages(hass: HomeAssistant) -> None:
    """Everything comes back."""
    await feeding(hass)
    assert (await serve(hass, "end_mode", at_once=True))["mode"] == "normal"


async def test_an_answer_need_not_be_wanted(hass: HomeAssistant) -> None:
    """The mode starts all the same."""
    await hass.services.async_call(
        DOMAIN, "start_mode", {"mode": "maintenance"}, blocking=True
    )
    status = engine_of(hass).modes.status(ENTRY)
    assert status is not None and status.mode == "maintenance"


@pytest.mark.parametrize(
    ("service", "data", "key", "field"),
    [
        ("start_mode", {}, "schedule_missing", "mode"),
        ("start_mode", {"mode": "party"}, "mode_not_found", "mode"),
        (
            "start_mode",
            {"mode": "feed", "minutes": 0},
            "schedule_out_of_range",
            "minutes",
        ),
        (
            "start_mode",
            {"mode": "feed", "aquarium": "pond"},
            "aquarium_not_found",
            "aquarium",
        ),
        ("start_mode", {"mode": "feed", "loud": 1}, "schedule_unknown_field", "loud"),
        ("end_mode", {"at_once": 1}, "wrong_type_boolean", "at_once"),
        ("extend_mode", {}, "schedule_missing", "minutes"),
        ("extend_mode", {"minutes": 5}, "mode_not_counting", "aquarium"),
    ],
)
async def test_what_is_wrong_is_named(
    hass: HomeAssistant, service: str, data: dict[str, Any], key: str, field: str
) -> None:
    """Law 10: nothing has begun."""
    assert await refused(hass, service, **data) == (key, field)
    assert engine_of(hass).runs.live == ()


async def test_one_of_two_aquariums_has_to_be_named(hass: HomeAssistant) -> None:
    """Nobody knows which is meant."""
    other = MockConfigEntry(
        domain=DOMAIN, unique_id="nano", data={"kind": "aquarium", "demo": False}
    )
    other.add_to_hass(hass)
    assert await refused(hass, "start_mode", mode="feed") == (
        "aquarium_needed",
        "aquarium",
    )
    assert await refused(hass, "start_mode", mode="feed", aquarium="nano") == (
        "mode_holds_nothing",
        "mode",
    )


async def test_it_takes_control_of_all_that_is_held(
    hass: HomeAssistant, hass_read_only_user: MockUser
) -> None:
    """The skimmer alone is not enough; to end it neither."""
    context = Context(user_id=hass_read_only_user.id)
    skimmer = [
        entity_id
        for entity_id in hass.states.async_entity_ids("number")
        if "skimmer" in entity_id
    ]
    hass_read_only_user.mock_policy(
        {"entities": {"entity_ids": {one: {"control": True} for one in skimmer}}}
    )

    async def ask(service: str, **data: Any) -> None:
        await hass.services.async_call(
            DOMAIN, service, data, blocking=True, context=context
        )

    with pytest.raises(Unauthorized):
        await ask("start_mode", mode="feed")
    await engine_of(hass).modes.definitions.create(
        ENTRY,
        {
            "name": "Rest",
            "duration_minutes": 5,
            "steps": [
                {
                    "hold": {
                        "device_id": device_named(hass, "Skimmer").row.uuid,
                        "level": 0,
                    }
                },
                {"countdown": True},
            ],
        },
        user=None,
    )
    await ask("start_mode", mode="Rest")
    status = engine_of(hass).modes.status(ENTRY)
    assert status is not None and status.mode == "Rest"

    await feeding(hass)
    for service, data in (("end_mode", {}), ("extend_mode", {"minutes": 5})):
        with pytest.raises(Unauthorized):
            await ask(service, **data)

    # What takes the place of the present mode ends it.
    with pytest.raises(Unauthorized):
        await ask("start_mode", mode="Rest")
    status = engine_of(hass).modes.status(ENTRY)
    assert status is not None and status.mode == "feed"
