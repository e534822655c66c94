"""Start a Home Assistant with the demo aquarium in it and read its log.

Needs nothing but Home Assistant, so that it runs on releases that the test harness does
not know yet. Run as `python -m tests.e2e.smoke`.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
import sys
import tempfile

import aiohttp
from homeassistant.const import __version__

from .instance import Instance, demo
from .instance.seed import REPOSITORY

BAD = ("ERROR", "CRITICAL")
LIGHT = "light.demo_light"


def complaints(log: str, levels: Sequence[str] = BAD) -> list[str]:
    """Return the log's entries of these levels that have to do with Aquarist."""
    entries: list[str] = []
    for line in log.splitlines():
        # An entry starts with its date; a traceback's lines belong to the entry before.
        if line[:4].isdigit() or not entries:
            entries.append(line)
        else:
            entries[-1] += f"\n{line}"
    return [
        entry
        for entry in entries
        # The repository's own folder may have that name, too.
        if "aquarist" in entry.replace(str(REPOSITORY), "")
        and any(f" {word} (" in entry for word in levels)
    ]


async def smoke(folder: Path) -> list[str]:
    """Set the demo up, use it, restart, stop; return what went wrong."""
    instance = Instance(folder)
    async with aiohttp.ClientSession() as session:
        instance.start()
        try:
            client = await instance.ready(session)
            await client.flow("aquarist", demo.SIMULATED_ANSWERS)
            await client.call("light", "turn_on", {"entity_id": LIGHT})
            light = await client.state(LIGHT)
            await instance.stop()
            instance.start()
            client = await instance.ready(session)
            entries = await client.entries("aquarist")
        finally:
            await instance.stop()
    wrong = complaints(instance.log())
    if not entries:
        wrong.append("no entry of Aquarist is left after a restart")
    if light["state"] != "on":
        wrong.append(f"the light was turned on and is {light['state']}")
    wrong += [
        f"entry {entry['title']} is {entry['state']}"
        for entry in entries
        if entry["state"] != "loaded"
    ]
    return wrong


def main() -> int:
    """Print the verdict; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        wrong = asyncio.run(smoke(Path(folder)))
    for text in wrong:
        print(text)
    verdict = "FAILED" if wrong else "Aquarist loads without errors"
    print(f"Home Assistant {__version__}: {verdict}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
