"""Containers and the dose ledger over WebSocket."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.aquarist.const import DOMAIN
from tests.aquarium import aquarium, device_named, engine_of

from .test_commands import asked, refused

DOSER = "Demo doser"


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        yield


async def dose(hass: HomeAssistant, volume: float) -> None:
    """Give a dose and wait for its end."""
    await hass.services.async_call(
        DOMAIN,
        "dose",
        {
            "device_id": device_named(hass, DOSER).row.uuid,
            "head_index": 1,
            "volume_ml": volume,
            "execution": "sync",
        },
        blocking=True,
    )


async def test_containers_are_listed(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Of the heads that have one, with what is left."""
    client = await hass_ws_client(hass)
    nothing = await asked(client, type="aquarist/containers/list")
    assert nothing == {"containers": []}
    doser = device_named(hass, DOSER)
    for head, capacity in ((3, 500_000), (1, 250_000)):
        await engine_of(hass).containers.resize(doser, head, capacity, user=None)
    await dose(hass, 0.5)

    found = (await asked(client, type="aquarist/containers/list"))["containers"]

    assert [
        (one["head_index"], one["capacity_ml"], one["remaining_ml"]) for one in found
    ] == [(1, 250.0, 249.5), (3, 500.0, 500.0)]
    assert found[0]["device_id"] == doser.row.uuid


async def test_doses_are_listed_page_by_page(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """The newest first; of other heads nothing is told."""
    for volume in (0.2, 0.3, 0.4):
        await dose(hass, volume)
    client = await hass_ws_client(hass)
    doser: dict[str, Any] = {
        "type": "aquarist/doses/list",
        "device_id": device_named(hass, DOSER).row.uuid,
    }

    first = await asked(client, **doser, head_index=1, limit=2)
    assert [one["volume_ml"] for one in first["doses"]] == [0.4, 0.3]
    rest = await asked(
        client, **doser, head_index=1, limit=2, before=first["next_before"]
    )
    assert [one["volume_ml"] for one in rest["doses"]] == [0.2]
    assert rest["next_before"] is None
    assert (await asked(client, **doser, head_index=0))["doses"] == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"head_index": 8}, "invalid_format"),
        ({"limit": 51}, "invalid_format"),
        ({"before": "yesterday"}, "invalid_format"),
        ({"device_id": "nobody"}, "home_assistant_error"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    wrong: dict[str, Any],
    code: str,
) -> None:
    """With the field's name."""
    client = await hass_ws_client(hass)
    error = await refused(
        client,
        **{"type": "aquarist/doses/list", "device_id": 2, "head_index": 0, **wrong},
    )
    assert error["code"] == code


async def test_without_a_store_there_is_no_ledger(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """The answer says so."""
    engine = engine_of(hass)
    client = await hass_ws_client(hass)
    database, engine.database = engine.database, None
    error = await refused(client, type="aquarist/doses/list", device_id=2, head_index=0)
    engine.database = database
    assert error["translation_key"] == "store_locked"


async def test_who_may_not_see_a_pump_is_told_nothing(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    """Neither of its containers nor of its doses."""
    doser = device_named(hass, DOSER)
    await engine_of(hass).containers.resize(doser, 1, 250_000, user=None)
    hass_read_only_user.mock_policy({})
    client = await hass_ws_client(hass, hass_read_only_access_token)
    found = await asked(client, type="aquarist/containers/list")
    assert found == {"containers": []}
    error = await refused(client, type="aquarist/doses/list", device_id=2, head_index=1)
    assert error["code"] == "unauthorized"
