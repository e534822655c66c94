"""Rehearses a scenario: undisturbed, and once for every call that can go wrong."""

import asyncio
from collections.abc import Callable, Iterator
import multiprocessing
import os
from pathlib import Path

from .invariants import check_ended, check_found, check_recovered
from .life import Life
from .loop import WorldLoop
from .ports import How, Ports, Trouble
from .scenario import Scenario
from .world import KILLED

type Kind = Callable[[str], tuple[How, ...]]

LONG = "AQUARIST_LONG" in os.environ
SAMPLE = 6
RESUMED_AFTER = 4.0
AFTERWARDS = 900.0
_STORE_TROUBLES = (How.FULL, How.UNWRITABLE)


def killed(call: str) -> tuple[How, ...]:
    """Let the process end at a call; at a write to the store also inside its transaction."""
    if call == "store.write":
        return (How.KILLED, How.KILLED_INSIDE)
    return (How.KILLED,)


def failing(call: str) -> tuple[How, ...]:
    """Let a call go wrong, where it can."""
    if call == "store.write":
        return _STORE_TROUBLES
    if call in ("transport.connect", "transport.write"):
        return (How.FAILED, How.LOST, How.HUNG)
    return ()


def rehearse(scenario: Scenario, folder: Path, kind: Kind) -> int:
    """Live a scenario undisturbed, then once for each chosen trouble; return how many.

    Raises AssertionError that names the trouble after which something did not hold.
    """
    calls = undisturbed(scenario, folder / "undisturbed")
    number = 0
    for number, trouble in enumerate(chosen(calls, kind), start=1):
        place = folder / str(number)
        outage = scenario.outages[number % len(scenario.outages)]
        try:
            disturbed(scenario, place, trouble, outage)
        except Exception as error:
            error.add_note(f"{type(scenario).__name__}, outage {outage} s, {trouble}")
            raise
    return number


def chosen(calls: list[str], kind: Kind) -> Iterator[Trouble]:
    """Return what goes wrong: everything in a long run, else evenly spread over each port."""
    for name in sorted(set(calls)):
        places = [at for at, call in enumerate(calls, start=1) if call == name]
        for how in kind(name):
            yield from (
                Trouble(at=at, how=how, call=name)
                for at in (places if LONG else _spread(places))
            )


def undisturbed(scenario: Scenario, folder: Path) -> list[str]:
    """Live a scenario without trouble; return the calls into the ports."""
    folder.mkdir()
    calls = _run(lambda: _first_life(scenario, folder, None)).calls
    _run(lambda: _second_life(scenario, folder, scenario.outages[0]))
    return calls


def disturbed(
    scenario: Scenario, folder: Path, trouble: Trouble, outage: float
) -> None:
    """Live a scenario in which one call goes wrong, then start again and judge."""
    folder.mkdir()
    if trouble.how in (How.KILLED, How.KILLED_INSIDE):
        _in_a_process(scenario, folder, trouble)
    else:
        _run(lambda: _first_life(scenario, folder, trouble))
    _run(lambda: _second_life(scenario, folder, outage))


def _spread(places: list[int]) -> list[int]:
    """Return a sample that has the first and the last place."""
    if len(places) <= SAMPLE:
        return places
    step = (len(places) - 1) / (SAMPLE - 1)
    return [places[round(number * step)] for number in range(SAMPLE)]


def _run[T](life: Callable[[], asyncio.Future[T] | object]) -> T:
    """Run a life in a loop of its own."""
    with asyncio.Runner(loop_factory=WorldLoop) as runner:
        return runner.run(life())  # type: ignore[arg-type]


async def _first_life(
    scenario: Scenario, folder: Path, trouble: Trouble | None
) -> Ports:
    """Live from the beginning to the scenario's horizon."""
    life = Life(folder, trouble)
    await life.begin(*scenario.devices)
    await scenario.act(life)
    await life.until(scenario.horizon)
    await life.end()
    return life.ports


async def _second_life(scenario: Scenario, folder: Path, outage: float) -> None:
    """Start again after an outage, judge, and let all time pass."""
    life = Life(folder)
    await life.begin(*scenario.devices, outage=outage)
    began = life.world.loop.time()
    check_found(life)
    check_recovered(life)
    await life.until(began + RESUMED_AFTER)
    check_recovered(life)
    scenario.judge_resumed(life)
    await life.until(max(scenario.horizon, began) + AFTERWARDS)
    await scenario.finish(life)
    await life.until(life.world.loop.time() + RESUMED_AFTER)
    await check_ended(life)
    scenario.judge(life)
    await life.end()


def _in_a_process(scenario: Scenario, folder: Path, trouble: Trouble) -> None:
    """Let the first life end by `os._exit` in a process of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.harness.scenarios", type(scenario).__module__])
    process = context.Process(target=_live_and_die, args=(scenario, folder, trouble))
    process.start()
    process.join()
    code = process.exitcode
    process.close()
    assert code == KILLED, f"the life did not end as it should: {code}"


def _live_and_die(scenario: Scenario, folder: Path, trouble: Trouble) -> None:
    """Live until the call at which the process ends."""
    _run(lambda: _first_life(scenario, folder, trouble))
