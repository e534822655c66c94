"""The simulated ESPHome Bluetooth proxy, in a process of its own."""

import asyncio
from collections.abc import Sequence
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

from .process import ended, free_port, spawn

LONGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of a line: all that arrived at a device in a long test is one answer."""


def _ports(remembered: Path | None) -> tuple[int, int]:
    """Return the remembered ports, else two free ones, which are remembered then."""
    if remembered is not None and remembered.exists():
        port, control_port = json.loads(remembered.read_text(encoding="utf-8"))
        return port, control_port
    ports = free_port(), free_port()
    if remembered is not None:
        remembered.parent.mkdir(parents=True, exist_ok=True)
        remembered.write_text(json.dumps(ports), encoding="utf-8")
    return ports


class Proxy:
    """Starts the proxy with its light and doser, and steers it over its second port."""

    def __init__(
        self,
        log: Path,
        *,
        keep: Path | None = None,
        lights: Sequence[str] = (),
        dosers: Sequence[str] = (),
        lifetime: float = 0,
        lifetime_end: str = "stick",
        python: str = sys.executable,
    ) -> None:
        """Take the file that gets the output; both ports are free ones.

        Home Assistant remembers the address of the proxy: with the folder `keep`, a later
        proxy gets the same ports again, and its devices go on with their lives. Devices
        are NAME/ADDRESS; without any there are one light and one doser. Each head of a doser has
        pumped `lifetime` mL before; `lifetime_end` is what its counter does at its end.
        """
        ports, state = (
            (keep / "ports.json", keep / "state.json") if keep else (None,) * 2
        )
        self.port, self.control_port = _ports(ports)
        self.log = log
        self._arguments = [] if state is None else ["--state-file", str(state)]
        self._arguments += [f"--light={one}" for one in lights]
        self._arguments += [f"--doser={one}" for one in dosers]
        self._arguments += [f"--lifetime={lifetime}", f"--lifetime-end={lifetime_end}"]
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, *, timeout_seconds: float = 20) -> None:
        """Start the process and wait until it listens at both ports."""
        self._process = spawn(
            "tests.fakes.esphome_proxy",
            "--port",
            str(self.port),
            "--control-port",
            str(self.control_port),
            *self._arguments,
            python=self._python,
            log=self.log,
        )
        async with asyncio.timeout(timeout_seconds):
            for port in (self.port, self.control_port):
                await self._listening(port)

    async def command(self, name: str, **fields: Any) -> Any:
        """Have a command of the control port obeyed; return what it answers.

        Raises RuntimeError with the proxy's words when it refuses.
        """
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.control_port, limit=LONGEST_ANSWER
        )
        try:
            line = json.dumps({"command": name, **fields})
            writer.write(line.encode() + b"\n")
            await writer.drain()
            answer = json.loads(await reader.readline())
        finally:
            writer.close()
            await writer.wait_closed()
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        return answer

    async def stop(self) -> None:
        """End the process."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
        await ended(self._process, 20)

    async def _listening(self, port: int) -> None:
        """Wait until a port takes connections."""
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                if self._process is None or self._process.poll() is not None:
                    raise RuntimeError(
                        f"the proxy ended: {self.log.read_text(encoding='utf-8')}"
                    ) from None
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return
