"""The two lives of a rehearsal: the one that goes wrong, and the one after it."""

import asyncio
from pathlib import Path

from .invariants import check_counted, check_ended, check_found, check_log
from .life import Life
from .loop import WorldLoop
from .ports import Trouble
from .scenario import Scenario

RESUMED_AFTER = 4.0
AFTERWARDS = 900.0


def first_life(
    scenario: Scenario, folder: Path, trouble: Trouble | None = None
) -> list[str]:
    """Live a scenario up to its horizon; return the calls into the ports."""
    with _runner() as runner:
        return runner.run(_first_life(scenario, folder, trouble))


def recovering_life(
    scenario: Scenario, folder: Path, outage: float, trouble: Trouble | None = None
) -> list[str]:
    """Start again after an outage and live for a while; return the calls into the ports."""
    with _runner() as runner:
        return runner.run(_recovering_life(scenario, folder, outage, trouble))


def second_life(scenario: Scenario, folder: Path, outage: float) -> None:
    """Start again after an outage and judge. Raises AssertionError."""
    with _runner() as runner:
        runner.run(_second_life(scenario, folder, outage))


def _runner() -> asyncio.Runner:
    """Return what runs one life in a loop of its own."""
    return asyncio.Runner(loop_factory=WorldLoop)


async def _first_life(
    scenario: Scenario, folder: Path, trouble: Trouble | None
) -> list[str]:
    """Live from the beginning to the scenario's horizon."""
    life = Life(folder, trouble)
    await _begin(scenario, life)
    try:
        await scenario.act(life)
        await life.until(scenario.horizon)
    finally:
        await life.end()
    check_log(life)
    return life.ports.calls


async def _recovering_life(
    scenario: Scenario, folder: Path, outage: float, trouble: Trouble | None
) -> list[str]:
    """Live through what happens by itself after a start."""
    life = Life(folder, trouble)
    await _begin(scenario, life, outage)
    try:
        await life.until(life.world.loop.time() + RESUMED_AFTER)
    finally:
        await life.end()
    check_log(life)
    return life.ports.calls


async def _second_life(scenario: Scenario, folder: Path, outage: float) -> None:
    """Start again after an outage, judge, and let all time pass."""
    life = Life(folder)
    await _begin(scenario, life, outage)
    try:
        await _judged(scenario, life)
    finally:
        await life.end()
    check_log(life)


async def _begin(scenario: Scenario, life: Life, outage: float = 0.0) -> None:
    """Begin a life with the devices of a scenario, as its keeper has set them up."""
    await life.begin(
        *scenario.devices,
        outage=outage,
        head=scenario.head,
        aquarium=scenario.aquarium,
        lamp=scenario.lamp,
    )


async def _judged(scenario: Scenario, life: Life) -> None:
    """Judge at once, after a while, and when all time has passed."""
    began = life.world.loop.time()
    check_found(life)
    check_counted(life)
    await life.until(began + RESUMED_AFTER)
    check_counted(life)
    scenario.judge_resumed(life)
    await life.until(max(scenario.horizon, began) + AFTERWARDS)
    await scenario.finish(life)
    await life.until(life.world.loop.time() + RESUMED_AFTER)
    await check_ended(scenario, life)
    scenario.judge(life)
