"""What the command system promises, tried over REST as a new user would."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from .instance import Client, Instance, demo
from .instance.client import Json
from .living_aquarium import eventually
from .stream import OK, requested

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PUMP = "Return pump"
CONFLICT = 409
PATIENCE = 60.0
PAUSE = {"delay": 8}


async def begun(instance: Instance, session: aiohttp.ClientSession) -> Client:
    """Start Home Assistant and return who asks it."""
    instance.start()
    return await instance.ready(session)


async def killed(instance: Instance, session: aiohttp.ClientSession) -> Client:
    """Kill Home Assistant and start it again."""
    await instance.kill()
    return await begun(instance, session)


async def with_demo(instance: Instance, session: aiohttp.ClientSession) -> Client:
    """Start Home Assistant with the demo aquarium, whose entry is on disk then."""
    client = await begun(instance, session)
    await client.flow("aquarist", demo.SIMULATED_ANSWERS)
    path = instance.folder / ".storage" / "core.config_entries"

    async def stored() -> bool:
        return path.exists() and "Demo aquarium" in path.read_text()

    await eventually(stored)
    return client


async def pump(client: Client) -> Json:
    """Return the pump's record."""
    async with client.websocket() as websocket:
        devices = (await websocket.command("aquarist/devices/list"))["devices"]
    return next(one for one in devices if one["name"] == PUMP)


async def test_what_was_called_off_does_not_come_back(
    instance: Instance, session: aiohttp.ClientSession
) -> None:
    """An answer to DELETE is on disk; so is a change of the settings, and its revision."""
    client = await with_demo(instance, session)
    commands = f"devices/{(await pump(client))['device_id']}/commands"
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"action": "turn_off", "id": "evening", "scheduled_at": later}
    assert (await requested(client, "POST", commands, body))[0] == OK
    change = {"rate_limit": 20, "expected_revision": 0}
    assert (await requested(client, "PATCH", "v1/settings", change))[0] == OK
    status, record = await requested(client, "DELETE", f"{commands}/evening")
    assert (status, record["status"]) == (OK, "cancelled")

    client = await killed(instance, session)
    _, record = await requested(client, "GET", f"{commands}/evening")
    assert record["status"] == "cancelled"
    status, error = await requested(client, "PATCH", "v1/settings", change)
    assert (status, error["error_key"]) == (CONFLICT, "revision_conflict")
    _, settings = await requested(client, "GET", "v1/settings")
    assert (settings["rate_limit"], settings["revision"]) == (20, 1)


async def test_a_macro_of_a_schedule_goes_on_after_a_kill(
    instance: Instance, session: aiohttp.ClientSession
) -> None:
    """Its run has one end, each step was done once, and the schedule has its verdict."""
    client = await with_demo(instance, session)
    uuid = (await pump(client))["device_id"]
    async with client.websocket() as websocket:
        await websocket.command(
            "aquarist/macros/create",
            definition={
                "name": "Calm",
                "sequence": [level(uuid, 21), PAUSE, level(uuid, 22)],
            },
        )
    due = datetime.now(UTC) + timedelta(seconds=1)
    await client.ask(
        "aquarist",
        "create_schedule",
        {
            "name": "Once",
            "schedule_type": "one_off",
            "start_time": due.isoformat(),
            "action_type": "macro",
            "action_params": {"macro": "Calm"},
        },
    )
    await eventually(lambda: in_pause(client))

    client = await killed(instance, session)
    run = await eventually(lambda: over(client), timeout_seconds=PATIENCE)
    assert run is not None
    assert (run["state"], run["error"], run["source"]) == (
        "completed",
        None,
        "schedule",
    )
    assert [step["state"] for step in run["steps"]] == ["completed"] * 3
    _, found = await requested(
        client, "GET", f"devices/{uuid}/commands?action=set_level"
    )
    levels = [
        one["args"]["level"] for one in found["commands"] if one["run"] is not None
    ]
    assert levels == [22, 21]

    async def verdict() -> str | None:
        async with client.websocket() as websocket:
            answer = await websocket.command("aquarist/schedules/list")
        once = next(one for one in answer["schedules"] if one["name"] == "Once")
        found: str | None = once["last_run_status"]
        return found

    assert await eventually(verdict) == "success"


def level(uuid: str, value: float) -> Json:
    """Return a step that sets the pump's level."""
    return {
        "command": {"device_id": uuid, "action": "set_level", "args": {"level": value}}
    }


async def newest(client: Client) -> Json | None:
    """Return the newest run with its steps."""
    async with client.websocket() as websocket:
        runs = (await websocket.command("aquarist/runs/list"))["runs"]
        if not runs:
            return None
        found: Json = await websocket.command("aquarist/runs/get", run_id=runs[0]["id"])
    return found


async def in_pause(client: Client) -> bool:
    """Return whether the run is in its second step."""
    run = await newest(client)
    return run is not None and len(run["steps"]) == 2


async def over(client: Client) -> Json | None:
    """Return the run once it has ended."""
    run = await newest(client)
    return run if run is not None and run["ended_at"] is not None else None
