"""What the last 100 of a million command records cost to list, against the last 100 of 1,000.

Run it with the project's interpreter: ``.venv/bin/python -m benchmarks.history``.
"""

import argparse
import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3
from statistics import median
import tempfile
from time import perf_counter

from custom_components.aquarist.commands.phases import FINAL, Phase
from custom_components.aquarist.store import devices, filing
from custom_components.aquarist.store.command_history import CommandFilter, find
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.instants import to_store

LARGE, SMALL = 1_000_000, 1_000
DEVICES = 50
PAGE = 100
ROUNDS = 51
TARGET = 3.0
END = datetime(2026, 11, 21, 8, tzinfo=UTC)
YEAR = timedelta(days=365)
RARE = 7
FEW = 2 * PAGE
"""How many records have a rare value, or one that few have: in both stores as many."""

# Most are steps of plans that went well, half of them of one device; a keeper sends some.
_FILL = """
WITH RECURSIVE number (n) AS (
    SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :count
), drawn AS (
    SELECT
        n, (n * 7919 + 104729) % 10007 AS draw,
        n % (:count / :few) = 2 AS few, n % (:count / :rare) = 17 AS rare
    FROM number
)
INSERT INTO command (
    id, device, kind, action, source, created_at, args, field, value, phase,
    expires_at, timeout, repeatable, attempts, started_at, completed_at, result,
    error_code, schedule, depth, user, context
)
SELECT
    printf('%032x', n),
    CASE WHEN rare THEN :devices WHEN draw % 2 THEN 1 ELSE 2 + draw % (:devices - 2) END,
    'set',
    CASE
        WHEN rare THEN 'factory_reset' WHEN few THEN 'dose'
        WHEN draw % 4 = 0 THEN 'turn_on' WHEN draw % 4 = 1 THEN 'turn_off'
        ELSE 'set_level'
    END,
    CASE WHEN draw % 5 = 0 THEN 'service' ELSE 'schedule' END,
    :begin + n * :step,
    '{"level":50}', 'level', '{"level":50}',
    CASE
        WHEN rare THEN 'stopped' WHEN few THEN 'failed'
        WHEN n > :count - 20 THEN 'planned' ELSE 'completed'
    END,
    :begin + n * :step + 300000000, 10, 1, 1,
    :begin + n * :step, :begin + n * :step + 40000,
    '{"field":"level","value":{"level":50}}',
    CASE WHEN few THEN 'device_timeout' END,
    draw % 40, 0,
    CASE WHEN rare THEN 'visitor' WHEN draw % 5 = 0 THEN 'keeper' END,
    printf('%026x', n)
FROM drawn
"""

FAILED = frozenset({Phase.FAILED, Phase.TIMED_OUT})
LONG_AGO = CommandFilter(since=END - YEAR * 3 / 4, until=END - YEAR / 4)

FILTERS = {
    "none": CommandFilter(),
    "device": CommandFilter(device=1),
    "device, rare": CommandFilter(device=DEVICES),
    "status completed": CommandFilter(phases=frozenset({Phase.COMPLETED})),
    "status failed, few": CommandFilter(phases=FAILED),
    "status cancelled, rare": CommandFilter(
        phases=frozenset({Phase.WITHDRAWN, Phase.STOPPED})
    ),
    "status pending": CommandFilter(phases=frozenset({Phase.PLANNED})),
    "status that none has": CommandFilter(phases=frozenset({Phase.RESTORING})),
    "all that ended": CommandFilter(phases=FINAL),
    "action": CommandFilter(action="set_level"),
    "action, few": CommandFilter(action="dose"),
    "action, rare": CommandFilter(action="factory_reset"),
    "action that none has": CommandFilter(action="prime_head"),
    "user": CommandFilter(user="keeper"),
    "user, rare": CommandFilter(user="visitor"),
    "user that none has": CommandFilter(user="nobody"),
    "from": CommandFilter(since=END - YEAR / 2),
    "to": CommandFilter(until=END - YEAR / 2),
    "from and to": LONG_AGO,
    "device and status": CommandFilter(device=1, phases=FAILED),
    "device and action": CommandFilter(device=1, action="dose"),
    "device and user": CommandFilter(device=1, user="keeper"),
    "device, from and to": replace(LONG_AGO, device=1),
    "action and user, from and to": replace(
        LONG_AGO, action="set_level", user="visitor"
    ),
}


async def filled(path: Path, count: int) -> Database:
    """Return a store with so many records, spread evenly over a year."""

    def fill(connection: sqlite3.Connection) -> None:
        for number in range(1, DEVICES + 1):
            devices.ensure(
                connection,
                uuid=f"device-{number}",
                kind="light",
                name=f"Device {number}",
                address=None,
                aquarium=None,
                at=END,
            )
        connection.execute(
            _FILL,
            {
                "count": count,
                "few": FEW,
                "rare": RARE,
                "devices": DEVICES,
                "begin": to_store(END - YEAR),
                "step": int(YEAR.total_seconds() * 1e6 / count),
            },
        )

    database = await Database.open(path, at=END)
    await database.writer.write(fill)
    # The writer does so itself as soon as it rests.
    await database.writer.write(filing.file)
    return database


async def listed(database: Database, wanted: CommandFilter) -> tuple[float, int]:
    """Return the median seconds of listing the last 100, and how many there were."""
    seconds = []
    for _ in range(ROUNDS):
        began = perf_counter()
        found = await database.read(lambda connection: find(connection, wanted, PAGE))
        seconds.append(perf_counter() - began)
    return median(seconds), len(found)


async def measure(folder: Path) -> bool:
    """Measure every filter on both stores, print it, and return whether all are in bounds."""
    small = await filled(folder / "small.db", SMALL)
    began = perf_counter()
    large = await filled(folder / "large.db", LARGE)
    print(f"{LARGE} records written in {perf_counter() - began:.1f} s")
    print(f"{'filter':28}{'of ' + str(SMALL):>14}{'of ' + str(LARGE):>16}{'ratio':>8}")
    worst = 0.0
    for name, wanted in FILTERS.items():
        (few, few_found), (many, found) = (
            await listed(small, wanted),
            await listed(large, wanted),
        )
        worst = max(worst, many / few)
        print(
            f"{name:28}{few * 1e3:8.2f} ms{few_found:4d}{many * 1e3:9.2f} ms{found:4d}"
            f"{many / few:8.2f}"
        )
    print(f"{'worst':28}{'':30}{worst:8.2f}    wanted <= {TARGET}")
    await small.close()
    await large.close()
    return worst <= TARGET


def main() -> int:
    """Run the benchmark in a folder of its own; 1 when a ratio is too high."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the databases lie")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        return 0 if asyncio.run(measure(Path(folder))) else 1


if __name__ == "__main__":
    raise SystemExit(main())
