"""How much a command costs, against the bare store on the same disk in the same run.

Run it with the project's interpreter: ``.venv/bin/python -m benchmarks.command_path``.
"""

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path
import sqlite3
from statistics import median
import tempfile
from time import perf_counter
from typing import override

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.simulated import SimulatedPump
from custom_components.aquarist.engine.engine import Engine
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.state import DeviceLimits, DeviceState
from custom_components.aquarist.layers.setting import Setting
from custom_components.aquarist.store.database import Database
from tests.fakes.manual_clock import ManualEngineClock

SERVICE = Origin(source=Source.SERVICE)
DEVICES = 50
ROUNDS = 7
SEQUENTIAL_TARGET = 5.0
PARALLEL_TARGET = 3.0


class InstantPump(SimulatedPump):
    """A device in memory that answers at once."""

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Take the level."""
        self._know("level", settings["level"])


def bare_commits(folder: Path, count: int) -> list[float]:
    """Return the seconds of single-row durable commits, one after another."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE command (id INTEGER PRIMARY KEY, level REAL)")
    seconds = []
    for level in range(count):
        began = perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO command (level) VALUES (?)", (level,))
        connection.execute("COMMIT")
        seconds.append(perf_counter() - began)
    connection.close()
    (folder / "bare.db").unlink()
    return seconds


async def one(engine: Engine, state: DeviceState, level: int) -> None:
    """Send a command and wait for its end on disk."""
    command = await engine.send(state, "set_level", {"level": level % 100}, SERVICE)
    ended = await engine.finished(command)
    if ended.phase is not Phase.COMPLETED:
        raise RuntimeError(f"the command ended {ended.phase}: {ended.error}")


async def sequential(engine: Engine, state: DeviceState, count: int) -> list[float]:
    """Return the seconds of commands one after another on one device."""
    seconds = []
    for level in range(count):
        began = perf_counter()
        await one(engine, state, level)
        seconds.append(perf_counter() - began)
    return seconds


async def parallel(engine: Engine, states: list[DeviceState], each: int) -> float:
    """Return commands a second over all devices at once."""

    async def stream(state: DeviceState) -> None:
        for level in range(each):
            await one(engine, state, level)

    began = perf_counter()
    await asyncio.gather(*(stream(state) for state in states))
    return len(states) * each / (perf_counter() - began)


async def measure(folder: Path, count: int) -> bool:
    """Measure all three in turn, print them, and return whether both targets are met.

    Each round has its own bare commits: disks and processors change their pace within seconds.
    """
    database = await Database.open(folder / "aquarist.db", at=ManualEngineClock().now())
    engine = Engine(ManualEngineClock(), database, default_zone=lambda: "UTC")
    engine.start()
    # Rates are counted all the same; here everything comes at one instant of the clock.
    await engine.live_settings.update({"rate_limit": 10_000}, None)
    states = [
        await engine.attach(
            InstantPump(uuid=f"pump-{number}", name=f"Pump {number}"),
            limits=DeviceLimits(),
            aquarium=None,
        )
        for number in range(DEVICES)
    ]
    part, each = max(count // ROUNDS, 20), max(count // 20, 20)
    bare_commits(folder, part)
    await sequential(engine, states[0], part)
    await parallel(engine, states, 20)
    rounds: list[tuple[float, float, float]] = []
    for _ in range(ROUNDS):
        commit = median(bare_commits(folder, part))
        alone = median(await sequential(engine, states[0], part))
        rounds.append((commit, alone, await parallel(engine, states, each)))
    await engine.close()

    commit, alone, together = (median(one) for one in zip(*rounds, strict=True))
    ratio = median(alone / commit for commit, alone, _ in rounds)
    rate = median(together * commit for commit, _, together in rounds)
    print(f"bare durable commit, median      {commit * 1e3:9.3f} ms")
    print(f"one command, median              {alone * 1e3:9.3f} ms")
    print(
        f"  in bare commits                {ratio:9.2f}    wanted <= {SEQUENTIAL_TARGET}"
    )
    print(f"bare commits a second            {1 / commit:9.0f}")
    print(f"commands a second, {DEVICES} devices    {together:9.0f}")
    print(
        f"  in bare commits                {rate:9.2f}    wanted >= {PARALLEL_TARGET}"
    )
    return ratio <= SEQUENTIAL_TARGET and rate >= PARALLEL_TARGET


def main() -> int:
    """Run the benchmark in a folder of its own; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="where the databases lie")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        return 0 if asyncio.run(measure(Path(folder), arguments.commands)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
