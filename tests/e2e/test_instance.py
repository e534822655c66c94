"""The processes that the end-to-end tests stand on behave as those tests assume."""

import asyncio
from pathlib import Path
import subprocess
import sys

import aiohttp
import psutil
import pytest

from .instance import ApiError, FlowError, Instance, NotRunning, Proxy, demo
from .instance.browser import browsing
from .instance.seed import REPOSITORY

pytestmark = pytest.mark.e2e


async def test_nothing_is_open_but_loopback(
    instance: Instance, session: aiohttp.ClientSession
) -> None:
    """Neither the web server nor multicast DNS can be reached from outside."""
    instance.start()
    await instance.ready(session)

    sockets = psutil.Process(instance.pid).net_connections(kind="inet")

    assert {each.laddr.ip for each in sockets} == {"127.0.0.1"}


async def test_owner_outlives_a_kill(
    instance: Instance, session: aiohttp.ClientSession
) -> None:
    """Killed as soon as it is ready for the first time, it knows its owner afterwards."""
    instance.start()
    await instance.ready(session)
    assert await instance.kill() == -9

    instance.start()
    client = await instance.ready(session)

    assert await client.state("input_boolean.return_pump")
    assert await instance.stop() == 0


async def test_client_reads_writes_and_subscribes(
    instance: Instance, session: aiohttp.ClientSession
) -> None:
    """States, services, WebSocket commands, events and refusals come through."""
    instance.start()
    client = await instance.ready(session)

    async with client.websocket() as websocket:
        events = await websocket.subscribe(
            "subscribe_events", event_type="state_changed"
        )
        target = {"entity_id": "input_number.wave_pump", "value": 35}
        await client.call("input_number", "set_value", target)
        event = await asyncio.wait_for(events.get(), 10)
        with pytest.raises(ApiError, match="unknown_command"):
            await websocket.command("no/such/command")

    assert event["data"]["new_state"]["state"] == "35.0"
    assert (await client.state("input_number.wave_pump"))["state"] == "35.0"
    with pytest.raises(FlowError):
        await client.flow("esphome", {})


async def test_proxy_brings_bluetooth(
    instance: Instance, proxy: Proxy, session: aiohttp.ClientSession
) -> None:
    """Home Assistant connects to the proxy and has a Bluetooth scanner by it."""
    instance.start()
    client = await instance.ready(session)

    await demo.add_proxy(client, proxy)
    await demo.add_proxy(client, proxy)

    (entry,) = await client.entries("esphome")
    assert entry["state"] == "loaded"
    async with asyncio.timeout(20):
        while not await client.entries("bluetooth"):
            await asyncio.sleep(0.1)


@pytest.mark.browser
async def test_browser_is_signed_in(
    instance: Instance, session: aiohttp.ClientSession
) -> None:
    """The first page shows the pumps, and the console is clean."""
    instance.start()
    client = await instance.ready(session)

    async with browsing(client) as visit:
        await visit.open("/config/entities")
        await visit.shows("Return pump")

    assert visit.errors == []


async def test_a_start_that_fails_says_why(
    instance: Instance, session: aiohttp.ClientSession
) -> None:
    """The error carries the log of the process that ended."""
    instance.start()
    (instance.folder / "configuration.yaml").unlink()
    (instance.folder / "configuration.yaml").mkdir()

    with pytest.raises(NotRunning, match="ended with 1"):
        await instance.ready(session)


async def test_a_start_that_takes_too_long_says_where_it_is(
    instance: Instance, session: aiohttp.ClientSession
) -> None:
    """The error names what was waited for, and the log where each thread of the process was."""
    instance.start()
    with pytest.raises(NotRunning) as raised:
        await instance.ready(session, timeout_seconds=1.5)
    assert "it still waited for an answer to the sign-in" in str(raised.value)
    assert "most recent call first" in str(raised.value)


async def test_a_program_on_a_leash_ends_with_its_starter(tmp_path: Path) -> None:
    """A test run that is killed leaves no Home Assistant behind."""
    starter = (
        "import sys; from pathlib import Path; from tests.e2e.instance.process import spawn\n"
        "print(spawn('http.server', '0', '--bind', '127.0.0.1', python=sys.executable,"
        " log=Path(sys.argv[1])).pid)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        starter,
        str(tmp_path / "log"),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    pid = int(printed)

    async with asyncio.timeout(10):
        while psutil.pid_exists(pid) and (
            psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        ):
            await asyncio.sleep(0.02)
