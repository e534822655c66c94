"""What the integration adds to Home Assistant's start: seconds and megabytes.

Two configuration folders that differ only in Aquarist and its demo aquarium are started in
turn, in one run. Both load Bluetooth, as every default installation does. Run it with
``.venv/bin/python -m benchmarks.startup``.
"""

import argparse
import asyncio
import os
from pathlib import Path
import re
from statistics import median
import tempfile

import aiohttp
import psutil

from tests.e2e.instance import Instance, prepare
from tests.e2e.instance.demo import SIMULATED_ANSWERS
from tests.e2e.instance.seed import CONFIGURATION

SECONDS_TARGET = 1.05
MEGABYTES_TARGET = 10.0
MEGABYTE = 1024 * 1024
_INITIALIZED = re.compile(r"Home Assistant initialized in ([0-9.]+)s")
_BOTH = (
    CONFIGURATION.replace("  logs:\n", "  logs:\n    homeassistant.bootstrap: info\n")
    + "\nbluetooth:\n"
)


async def prepared(folder: Path, *, ours: bool) -> Instance:
    """Return an instance that was set up once, and is stopped."""
    folder.mkdir()
    instance = Instance(folder)
    prepare(folder, instance.port, configuration=_BOTH, ours=ours)
    async with aiohttp.ClientSession() as session:
        instance.start()
        client = await instance.ready(session)
        if ours:
            await client.flow("aquarist", SIMULATED_ANSWERS)
        await instance.stop()
    return instance


async def started(instance: Instance) -> tuple[float, float]:
    """Start an instance; return its own start-up seconds and its megabytes then."""
    instance.output.unlink(missing_ok=True)
    async with aiohttp.ClientSession() as session:
        instance.start()
        await instance.ready(session)
        memory = psutil.Process(instance.pid).memory_info().rss / MEGABYTE
        await instance.stop()
    found = _INITIALIZED.search(instance.log())
    if found is None:
        raise RuntimeError(f"no start-up time in the log:\n{instance.log()[-2000:]}")
    return float(found[1]), memory


async def measure(folder: Path, rounds: int) -> bool:
    """Start both in turn, print medians, and return whether both targets are met."""
    without = await prepared(folder / "without", ours=False)
    with_it = await prepared(folder / "with", ours=True)
    plain: list[tuple[float, float]] = []
    ours: list[tuple[float, float]] = []
    for _ in range(rounds):
        plain.append(await started(without))
        ours.append(await started(with_it))
    seconds = [median(one[0] for one in rows) for rows in (plain, ours)]
    memory = [median(one[1] for one in rows) for rows in (plain, ours)]
    ratio, more = seconds[1] / seconds[0], memory[1] - memory[0]
    print(f"without Aquarist    {seconds[0]:7.2f} s   {memory[0]:7.1f} MB")
    print(f"with the demo       {seconds[1]:7.2f} s   {memory[1]:7.1f} MB")
    print(f"start-up ratio      {ratio:7.3f}     wanted <= {SECONDS_TARGET}")
    print(f"more memory         {more:7.1f} MB  wanted <= {MEGABYTES_TARGET:g}")
    return ratio <= SECONDS_TARGET and more <= MEGABYTES_TARGET


def main() -> int:
    """Run the benchmark in a folder of its own; 1 when a target is missed."""
    # Both sides start from compiled modules, as an installation does from its second start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return 0 if asyncio.run(measure(Path(folder), arguments.rounds)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
