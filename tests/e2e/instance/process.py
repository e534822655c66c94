"""The process of a Home Assistant: start, wait, stop, kill, start again."""

import asyncio
from contextlib import suppress
import json
from pathlib import Path
import signal
import socket
import subprocess
import sys

import aiohttp

from .client import Client
from .seed import REPOSITORY, User, prepare


class NotRunning(Exception):
    """Home Assistant ended, or did not get ready in time; carries the end of its log."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def spawn(
    module: str, *arguments: str, python: str, log: Path
) -> subprocess.Popen[bytes]:
    """Start a module on a leash, away from the terminal's Ctrl-C, writing into `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [python, "-m", "tests.e2e.instance.leash", module, *arguments],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


async def ended(process: subprocess.Popen[bytes], timeout_seconds: float) -> int:
    """Wait for the end of a spawned process; return its exit code."""
    async with asyncio.timeout(timeout_seconds):
        while (code := process.poll()) is None:
            await asyncio.sleep(0.02)
    if process.stdin is not None:
        process.stdin.close()
    return code


class Instance:
    """One Home Assistant on a configuration folder that outlives its processes."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        python: str = sys.executable,
        user: User | None = None,
    ) -> None:
        """Take the folder, a free port unless one is given, and the interpreter to use."""
        self.folder = folder
        self.port = port or free_port()
        self.user = user or User()
        self.address = f"http://127.0.0.1:{self.port}"
        self.output = folder / "output.log"
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Say whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Return the number of the process; raises RuntimeError when none was started."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Return the exit code of the ended process, negative for a signal."""
        return None if self._process is None else self._process.poll()

    def log(self) -> str:
        """Return what all processes on this folder have printed."""
        if not self.output.exists():
            return ""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start the process; raises RuntimeError when it runs already."""
        if self.running:
            raise RuntimeError("already running")
        prepare(self.folder, self.port)
        self._process = spawn(
            "tests.e2e.instance.launch",
            "--config",
            str(self.folder),
            "--skip-pip",
            "--log-no-color",
            python=self._python,
            log=self.output,
        )

    async def ready(
        self, session: aiohttp.ClientSession, *, timeout_seconds: float = 90
    ) -> Client:
        """Wait until set-up has ended; return a client that is signed in as the owner."""
        awaited = "an answer to the sign-in"
        try:
            async with asyncio.timeout(timeout_seconds):
                client = await self._signed_in(session)
                awaited = "the end of set-up"
                while (await client.get("config"))["state"] != "RUNNING":
                    await self._breathe()
                awaited = "the owner on disk"
                while not self._owner_stored():
                    await self._breathe()
                return client
        except TimeoutError:
            await self._tell_what_it_does()
            reason = f"not ready in time: it still waited for {awaited}"
            raise NotRunning(self._last_words(reason)) from None

    async def stop(self, *, timeout_seconds: float = 60) -> int:
        """Ask Home Assistant to stop, as its service manager would; return the exit code.

        Only after `ready`: stopped during start-up, a new owner would be lost.
        """
        return await self._end(signal.SIGTERM, timeout_seconds)

    async def kill(self) -> int:
        """End the process at once, as a power cut would; return the exit code."""
        return await self._end(signal.SIGKILL, 10)

    async def _end(self, how: signal.Signals, timeout_seconds: float) -> int:
        """Send a signal and wait for the end."""
        process = self._process
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(how)
        return await ended(process, timeout_seconds)

    async def _signed_in(self, session: aiohttp.ClientSession) -> Client:
        """Wait for the HTTP server, and sign in."""
        client = Client(session, self.address)
        while True:
            try:
                await client.sign_in(self.user)
                break
            except aiohttp.ClientConnectionError:
                await self._breathe()
            except aiohttp.ClientResponseError:
                # The server answers before the parts behind these addresses are there.
                await self._breathe()
        return client

    def _owner_stored(self) -> bool:
        """Say whether the owner is on disk, and so outlives a kill."""
        try:
            text = (self.folder / ".storage" / "auth").read_text(encoding="utf-8")
        except FileNotFoundError:
            return False
        data = json.loads(text)["data"]
        owners = {user["id"] for user in data["users"] if user["is_owner"]}
        return any(login["user_id"] in owners for login in data["credentials"])

    async def _breathe(self) -> None:
        """Give the process a moment; raises NotRunning when it has ended."""
        if not self.running:
            raise NotRunning(self._last_words(f"ended with {self.exit_code}"))
        await asyncio.sleep(0.1)

    async def _tell_what_it_does(self) -> None:
        """Have the process write where its threads are into the log."""
        before = len(self.log())
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGUSR1)
            with suppress(TimeoutError):
                async with asyncio.timeout(5):
                    while len(self.log()) == before:
                        await asyncio.sleep(0.1)

    def _last_words(self, reason: str) -> str:
        """Return the reason and the end of the log."""
        return f"{reason}\n" + "\n".join(self.log().splitlines()[-80:])
