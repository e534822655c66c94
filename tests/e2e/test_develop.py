"""`scripts/develop`, as a newcomer runs it: one command, and an aquarium lives."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import re
import signal
import sqlite3

import aiohttp
import psutil
import pytest

from .instance import Client
from .instance.process import free_port
from .instance.seed import REPOSITORY, User

pytestmark = pytest.mark.e2e

STARTED = 120
ENDED = 60


@asynccontextmanager
async def developing(folder: Path, port: int) -> AsyncIterator[Process]:
    """Run the script; it has ended in the end, however the test does."""
    process = await asyncio.create_subprocess_exec(
        REPOSITORY / "scripts" / "develop",
        *("--port", str(port), "--folder", str(folder)),
        stdout=PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(ENDED):
            await process.wait()


async def said(process: Process, *, until: str) -> str:
    """Return what the script said up to a line in which a word is found, or its end."""
    assert process.stdout is not None
    told = ""
    async with asyncio.timeout(STARTED):
        while line := (await process.stdout.readline()).decode():
            told += line
            if until in line:
                break
    return told


async def test_one_command_brings_a_living_aquarium(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """Name and password are printed and let one in; Ctrl-C ends all of it."""
    folder, port = tmp_path / "develop", free_port()
    async with developing(folder, port) as process:
        told = await said(process, until="Ctrl-C ends")

        assert f"http://127.0.0.1:{port}" in told
        printed = re.search(r"name: (\S+) +password: (\S+)", told)
        assert printed is not None
        user = User(username=printed[1], password=printed[2])
        client = Client(session, f"http://127.0.0.1:{port}")
        await client.sign_in(user)
        assert (await client.state("switch.return_pump"))["state"] in ("on", "off")
        left = await client.state(
            "sensor.dosing_pump_c0d4_head_1_left_in_the_container"
        )
        assert left["attributes"]["unit_of_measurement"] == "mL"
        family = psutil.Process(process.pid).children(recursive=True)

        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(ENDED):
            assert await process.wait() == 0
        _, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []


async def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    """Nothing is started, and the hint tells what helps."""
    taken = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    async with taken, developing(tmp_path / "develop", port) as process:
        told = await said(process, until="\n")

        assert f"Port {port} is taken" in told
        async with asyncio.timeout(ENDED):
            assert await process.wait() == 1
    assert not (tmp_path / "develop").exists()


async def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """Here its records are of a newer version; deleting the folder helps."""
    folder = tmp_path / "develop"
    folder.mkdir()
    (folder / "set-up-complete").touch()
    newer = sqlite3.connect(folder / "aquarist.db")
    newer.execute("CREATE TABLE future (id INTEGER)")
    newer.execute("PRAGMA user_version = 999")
    newer.close()
    async with developing(folder, free_port()) as process:
        told = await said(process, until="start anew")

        assert "The demo aquarium could not be set up" in told
        assert f"delete {folder} to start anew" in told
        async with asyncio.timeout(ENDED):
            assert await process.wait() == 1
