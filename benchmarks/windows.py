"""200 windows due in one second, beside native automations and bare timers, in one run.

One of the 200 devices hangs for a minute. Wanted: the other 199 applied and on disk within
one second of the due instant, their median lateness below that of native automations,
and their 99th percentile within 3 times that of bare timers with a service call each.
Run it with ``.venv/bin/python -m benchmarks.windows``.
"""

import argparse
import asyncio
import json
from pathlib import Path
from statistics import median, quantiles
import tempfile

import aiohttp

from tests.e2e.instance import Instance, prepare
from tests.e2e.instance.seed import CONFIGURATION, REPOSITORY

COUNT = 200
LATEST = 1.0
TIMES_TIMERS = 3.0
PATIENCE = 300.0


def configuration(count: int) -> str:
    """Return the YAML of an instance with three times as many input numbers."""
    numbers = "\n".join(
        f"  {kind}_{number:03}:\n    min: 0\n    max: 100\n    initial: 0"
        for kind in ("window", "automation", "timer")
        for number in range(count)
    )
    quiet = CONFIGURATION.replace("  wave_pump:", f"{numbers}\n  wave_pump:")
    return f"{quiet}\nautomation: !include automations.yaml\nwindows_probe:\n  count: {count}\n"


async def report_of(folder: Path, count: int) -> dict[str, list[float | None]]:
    """Start Home Assistant with the probe and return what it measured."""
    instance = Instance(folder)
    prepare(folder, instance.port, configuration=configuration(count), ours=False)
    (folder / "automations.yaml").write_text("[]", encoding="utf-8")
    components = folder / "custom_components"
    components.mkdir()
    # Ours, not the repository's folder of the same name.
    (components / "__init__.py").touch()
    for source in (
        REPOSITORY / "custom_components" / "aquarist",
        REPOSITORY / "benchmarks" / "windows_probe",
    ):
        (components / source.name).symlink_to(source, target_is_directory=True)
    path = folder / "windows.json"
    async with aiohttp.ClientSession() as session:
        instance.start()
        try:
            await instance.ready(session)
            async with asyncio.timeout(PATIENCE):
                while not path.exists():
                    await asyncio.sleep(1)
        except TimeoutError:
            print(instance.log()[-4000:])
            raise
        finally:
            await instance.stop()
    found: dict[str, list[float | None]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def line(name: str, late: list[float]) -> str:
    """Return one row of the table, in milliseconds."""
    p99 = quantiles(late, n=100)[98]
    return (
        f"{name:<22} median {median(late) * 1000:8.1f}   p99 {p99 * 1000:8.1f}"
        f"   latest {max(late) * 1000:8.1f} ms"
    )


def judge(report: dict[str, list[float | None]]) -> bool:
    """Print the table and return whether everything wanted is met."""
    missing = {kind: rows.count(None) for kind, rows in report.items()}
    late = {
        kind: [row for row in rows if row is not None] for kind, rows in report.items()
    }
    print(line("windows, applied", late["applied"]))
    print(line("windows, on disk", late["committed"]))
    print(line("native automations", late["automations"]))
    print(line("bare timers", late["timers"]))
    latest = max(late["applied"] + late["committed"])
    times = quantiles(late["applied"], n=100)[98] / quantiles(late["timers"], n=100)[98]
    faster = median(late["applied"]) / median(late["automations"])
    print(f"never arrived          {missing}   wanted none")
    print(f"latest                 {latest:6.2f} s  wanted <= {LATEST}")
    print(f"median to automations  {faster:6.2f}    wanted < 1")
    print(f"p99 to bare timers     {times:6.2f}    wanted <= {TIMES_TIMERS:g}")
    return (
        not any(missing.values())
        and latest <= LATEST
        and faster < 1
        and times <= TIMES_TIMERS
    )


def main() -> int:
    """Measure and return 0 when everything wanted is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(report_of(Path(folder) / "instance", arguments.count))
    return 0 if judge(report) else 1


if __name__ == "__main__":
    raise SystemExit(main())
