"""Runs over WebSocket: what was run, what is under way, and each change (R-C62)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.api.websocket.macro_calls import (
    PUMP,
    SKIMMER,
    asked,
    macro,
    refused,
    set_level,
    skimmer_only,
)
from tests.aquarium import aquarium, device_named, engine_of


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    platforms = (Platform.NUMBER, Platform.SWITCH)
    async with aquarium(hass, tmp_path, *platforms, demo=True):
        yield


async def run_of(hass: HomeAssistant, client: Any, *steps: Any, name: str) -> int:
    """Save a macro, run it, and return the number of the run."""
    made = await asked(
        client, type="aquarist/macros/create", definition=macro(*steps, name=name)
    )
    run = await asked(client, type="aquarist/macros/run", macro_id=made["id"])
    return int(run["id"])


async def test_runs_are_listed_and_looked_at(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """The newest first, page by page; with its steps, one by one."""
    client = await hass_ws_client(hass)
    first = await run_of(hass, client, set_level(hass, PUMP, 10), name="A")
    await engine_of(hass).runs.finished(first)
    second = await run_of(hass, client, {"delay": 60}, name="B")
    live = await engine_of(hass).runs.find_live(second)
    while live.under_way is None:
        await live.change()

    page = await asked(client, type="aquarist/runs/list", limit=1)
    assert [one["id"] for one in page["runs"]] == [second]
    rest = await asked(
        client, type="aquarist/runs/list", kind="macro", before=page["next_before"]
    )
    assert [one["id"] for one in rest["runs"]] == [first]
    assert rest["next_before"] is None
    other = await asked(client, type="aquarist/runs/list", kind="calibration")
    assert other["runs"] == []

    record = await asked(client, type="aquarist/runs/get", run_id=first)
    assert (record["state"], record["name"], record["error"]) == (
        "completed",
        "A",
        None,
    )
    (step,) = record["steps"]
    assert (step["step"], step["state"], step["until"]) == (0, "completed", None)
    assert step["result"]["command_id"] == f"run-{first}-0"
    waiting = await asked(client, type="aquarist/runs/get", run_id=second)
    assert waiting["ended_at"] is None
    assert waiting["steps"][0]["until"] > waiting["steps"][0]["started_at"]
    unknown = await refused(client, type="aquarist/runs/get", run_id=99)
    assert unknown["translation_key"] == "run_not_found"


async def test_a_run_is_cancelled(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """Once; then it has ended."""
    client = await hass_ws_client(hass)
    run = await run_of(hass, client, {"delay": 60}, name="A")
    record = await asked(client, type="aquarist/runs/cancel", run_id=run)
    assert (record["state"], record["steps"][0]["state"]) == ("cancelled", "cancelled")
    error = await refused(client, type="aquarist/runs/cancel", run_id=run)
    assert error["translation_key"] == "run_is_final"


async def test_a_subscriber_hears_each_change(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """From the beginning to the end, with the steps so far."""
    client = await hass_ws_client(hass)
    await asked(client, type="aquarist/runs/subscribe")
    other = await hass_ws_client(hass)
    run = await run_of(hass, other, {"delay": 0}, name="A")

    heard: list[dict[str, Any]] = []
    while not heard or heard[-1]["state"] == "running":
        event = (await client.receive_json())["event"]
        assert event["id"] == run and not event["truncated"]
        heard.append(event)
    assert heard[0]["steps"] == []
    assert [step["state"] for step in heard[-1]["steps"]] == ["completed"]
    assert heard[-1]["state"] == "completed"


async def test_who_does_not_see_the_devices_sees_no_run(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    """And ends none without control of them all."""
    skimmer_only(hass, hass_read_only_user, read=True)
    admin = await hass_ws_client(hass)
    client = await hass_ws_client(hass, hass_read_only_access_token)
    await asked(client, type="aquarist/runs/subscribe")
    theirs = await run_of(hass, admin, set_level(hass, PUMP, 1), name="Theirs")
    await engine_of(hass).runs.finished(theirs)
    mine = await run_of(
        hass, admin, set_level(hass, SKIMMER, 1), {"delay": 60}, name="Mine"
    )
    heard = (await client.receive_json())["event"]
    assert heard["id"] == mine

    await client.send_json_auto_id({"type": "aquarist/runs/list"})
    while (answer := await client.receive_json())["type"] != "result":
        assert answer["event"]["id"] == mine
    assert [one["id"] for one in answer["result"]["runs"]] == [mine]
    for message, run in (("get", theirs), ("cancel", theirs), ("cancel", mine)):
        await client.send_json_auto_id(
            {"type": f"aquarist/runs/{message}", "run_id": run}
        )
        while (answer := await client.receive_json())["type"] != "result":
            assert answer["event"]["id"] == mine
        assert answer["error"]["code"] == "unauthorized"


async def test_a_guided_run_belongs_to_its_device(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    """It is seen and ended as the device is."""
    skimmer_only(hass, hass_read_only_user, read=True, control=True)
    doser = device_named(hass, "Demo doser")
    answer = await hass.services.async_call(
        "aquarist",
        "calibrate_head",
        {"device_id": doser.row.uuid, "head_index": 0, "step": "start"},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    client = await hass_ws_client(hass, hass_read_only_access_token)
    for message in ("get", "cancel"):
        error = await refused(
            client, type=f"aquarist/runs/{message}", run_id=answer["run_id"]
        )
        assert error["code"] == "unauthorized"


@pytest.mark.parametrize("number", [2**63, True])
@pytest.mark.parametrize(
    ("command", "argument"),
    [
        ("runs/get", "run_id"),
        ("runs/cancel", "run_id"),
        ("runs/list", "before"),
        ("commands/list", "before"),
        ("macros/get", "macro_id"),
    ],
)
async def test_a_number_that_no_record_can_have_is_named(
    hass_ws_client: WebSocketGenerator,
    hass: HomeAssistant,
    command: str,
    argument: str,
    number: int,
) -> None:
    """Law 10: it is a wrong argument, not a fault."""
    client = await hass_ws_client(hass)
    error = await refused(client, type=f"aquarist/{command}", **{argument: number})
    assert (error["code"], argument in error["message"]) == ("invalid_format", True)
