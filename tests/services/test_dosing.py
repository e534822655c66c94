"""A container that was refilled, corrected, or is another one, as a service."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.aquarist.const import DOMAIN
from tests.aquarium import aquarium, device_named, engine_of

DOSER = "Demo doser"


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        yield


async def refill(
    hass: HomeAssistant,
    name: str = DOSER,
    *,
    head: Any = 3,
    context: Context | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Refill the container of a head and return the answer."""
    device = device_named(hass, name).row.uuid
    answer = await hass.services.async_call(
        DOMAIN,
        "refill_container",
        {"device_id": device, "head_index": head, **more},
        blocking=True,
        return_response=True,
        context=context,
    )
    assert answer is not None
    return dict(answer)


def remaining(hass: HomeAssistant, head: int = 3) -> int | None:
    """Return the microlitres that are in a container."""
    number = device_named(hass, DOSER).row.number
    return engine_of(hass).containers.remaining(number, head)


async def test_a_container_from_its_beginning(hass: HomeAssistant) -> None:
    """A new one is full, unless it is said what is in it; then it is full again."""
    doser = device_named(hass, DOSER)
    assert await refill(hass, capacity_ml=500) == {
        "device_id": doser.row.uuid,
        "address": doser.row.address,
        "head_index": 3,
        "additive": None,
        "capacity_ml": 500.0,
        "remaining_ml": 500.0,
        "days_left": None,
        "low": False,
    }

    answer = await refill(hass, remaining_ml=120.5)
    assert (answer["capacity_ml"], answer["remaining_ml"]) == (500.0, 120.5)

    assert (await refill(hass))["remaining_ml"] == 500.0
    assert remaining(hass) == 500_000


async def test_a_look_is_compared_with_the_ledger(hass: HomeAssistant) -> None:
    """Nothing was filled in: what has gone out counts."""
    await refill(hass, capacity_ml=500)
    engine, doser = engine_of(hass), device_named(hass, DOSER)
    await refill(hass, remaining_ml=400, filled_in=False)
    seen = engine.containers.seen[doser.row.number, 3]
    assert (seen.counted, seen.taken) == (0, 100_000)


async def test_another_container_with_what_is_in_it(hass: HomeAssistant) -> None:
    """In one call."""
    answer = await refill(hass, capacity_ml=1000, remaining_ml=0)
    assert (answer["capacity_ml"], answer["remaining_ml"]) == (1000.0, 0.0)
    assert answer["low"] is True


async def test_a_new_size_without_a_volume_is_full(hass: HomeAssistant) -> None:
    """Whatever was in the old one."""
    await refill(hass, capacity_ml=1000, remaining_ml=10)
    assert (await refill(hass, capacity_ml=250))["remaining_ml"] == 250.0


@pytest.mark.parametrize(
    ("asked", "key", "field"),
    [
        ({}, "no_container", "head_index"),
        ({"remaining_ml": 10}, "no_container", "head_index"),
        ({"capacity_ml": 0}, "schedule_out_of_range", "capacity_ml"),
        ({"remaining_ml": -1}, "schedule_out_of_range", "remaining_ml"),
        ({"capacity_ml": True}, "wrong_type_number", "capacity_ml"),
        ({"capacity_ml": 100, "remaining_ml": 101}, "out_of_range", "remaining_ml"),
        ({"capacity_ml": 100, "head": 8}, "schedule_out_of_range", "head_index"),
        ({"capacity_ml": 100, "head": 4}, "out_of_range", "head_index"),
        ({"filled_in": False}, "schedule_missing", "remaining_ml"),
        (
            {"filled_in": False, "remaining_ml": 5, "capacity_ml": 50},
            "schedule_unknown_field",
            "capacity_ml",
        ),
        ({"size": 100}, "schedule_unknown_field", "size"),
        ({"capacity_ml": 100, "name": "Skimmer"}, "not_a_doser", "device_id"),
    ],
)
async def test_what_is_wrong_stores_nothing(
    hass: HomeAssistant, asked: dict[str, Any], key: str, field: str
) -> None:
    """Law 10: the error names the field."""
    with pytest.raises(ServiceValidationError) as refused:
        await refill(hass, **asked)
    assert refused.value.translation_key == key
    assert (refused.value.translation_placeholders or {})["field"] == field
    assert remaining(hass) is None


async def remove(
    hass: HomeAssistant, head: Any, context: Context | None = None
) -> None:
    """Remove the container of a head."""
    device = device_named(hass, DOSER).row.uuid
    await hass.services.async_call(
        DOMAIN,
        "remove_container",
        {"device_id": device, "head_index": head},
        blocking=True,
        context=context,
    )


async def test_a_container_that_is_removed_is_gone(hass: HomeAssistant) -> None:
    """A second time there is none."""
    await refill(hass, capacity_ml=100)
    await remove(hass, 3)
    assert remaining(hass) is None
    with pytest.raises(ServiceValidationError) as refused:
        await remove(hass, 3)
    assert refused.value.translation_key == "no_container"
    with pytest.raises(ServiceValidationError) as refused:
        await remove(hass, 7)
    assert refused.value.translation_key == "out_of_range"


async def test_more_than_it_holds_is_refused(hass: HomeAssistant) -> None:
    """What was in it stays."""
    await refill(hass, capacity_ml=100, remaining_ml=20)
    with pytest.raises(ServiceValidationError) as refused:
        await refill(hass, remaining_ml=101)
    assert refused.value.translation_key == "out_of_range"
    assert remaining(hass) == 20_000


async def test_who_may_not_control_the_pump_changes_nothing(
    hass: HomeAssistant, hass_read_only_user: MockUser
) -> None:
    """It decides whether doses are given."""
    with pytest.raises(Unauthorized):
        await refill(
            hass, capacity_ml=100, context=Context(user_id=hass_read_only_user.id)
        )
    assert remaining(hass) is None
