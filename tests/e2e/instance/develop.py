"""`scripts/develop`: a living demo aquarium at http://127.0.0.1:8123, until Ctrl-C."""

import argparse
import asyncio
from contextlib import suppress
from pathlib import Path
import shutil
import signal
import socket
import sys

import aiohttp

from . import demo
from .client import ApiError, FlowError
from .process import Instance, NotRunning
from .proxy import Proxy
from .seed import REPOSITORY

RESTART = 100
"""Home Assistant's exit code when it was asked to restart."""


def say(text: str) -> None:
    """Tell the developer."""
    print(text, flush=True)


def taken(port: int) -> bool:
    """Say whether somebody listens at this port already."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def prepared(instance: Instance, proxy: Proxy, *, anew: bool) -> None:
    """Start both processes and set the aquarium up; a new one shows what it can do."""
    await proxy.start()
    instance.start()
    async with aiohttp.ClientSession() as session:
        client = await instance.ready(session)
        say("Home Assistant runs; setting up the demo aquarium ...")
        await demo.set_up(client, proxy)
        if anew:
            await demo.add_welcome(client)


async def watched(instance: Instance, ended: asyncio.Event) -> int:
    """Wait for Ctrl-C or the end of Home Assistant; obey a restart from its pages."""
    while not ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), 0.5)
        if instance.running:
            continue
        if instance.exit_code != RESTART:
            say(f"Home Assistant ended by itself; see {instance.output}")
            return 1
        say("Home Assistant restarts.")
        instance.start()
    return 0


async def run(folder: Path, port: int) -> int:
    """Run the demo until it ends; return the exit code."""
    complete = folder / "set-up-complete"
    anew = not complete.exists()
    if anew:
        # A set-up that was broken off may have lost its owner: begin anew.
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    instance = Instance(folder, port=port)
    proxy = Proxy(folder / "proxy.log", keep=folder / "proxy")
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    say("Starting Home Assistant and a simulated Bluetooth proxy ...")
    setting_up = asyncio.create_task(prepared(instance, proxy, anew=anew))
    stopping = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait((setting_up, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not setting_up.done():
            return 130
        setting_up.result()
        complete.touch()
        say(f"\n  {instance.address}")
        say(f"  name: {instance.user.username}   password: {instance.user.password}")
        say(f"  log: {instance.output}\n\nCtrl-C ends all of it.")
        return await watched(instance, ended)
    except NotRunning as error:
        say(str(error))
        return 1
    except (aiohttp.ClientError, ApiError, FlowError, TimeoutError) as error:
        say(f"The demo aquarium could not be set up: {error}")
        say(f"See {instance.output}, or delete {folder} to start anew.")
        return 1
    finally:
        for task in (setting_up, stopping):
            task.cancel()
        await asyncio.gather(setting_up, stopping, return_exceptions=True)
        await instance.stop()
        await proxy.stop()


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="scripts/develop", description=__doc__)
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".develop")
    arguments = parser.parse_args()
    if taken(arguments.port):
        say(
            f"Port {arguments.port} is taken; end what uses it, or take another --port."
        )
        return 1
    return asyncio.run(run(arguments.folder.resolve(), arguments.port))


if __name__ == "__main__":
    sys.exit(main())
