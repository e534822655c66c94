"""Rehearses a scenario: undisturbed, and once for every call that can go wrong."""

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import shutil

from .lives import first_life, recovering_life, second_life
from .nursery import die_early
from .ports import How, Trouble
from .scenario import Scenario
from .world import KILLED

type Kind = Callable[[str], tuple[How, ...]]

LONG = "AQUARIST_LONG" in os.environ
SAMPLE = 10
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
            error.add_note(f"{scenario}, outage {outage} s, {trouble}")
            raise
    return number


def rehearse_recovery(scenario: Scenario, folder: Path) -> int:
    """Kill a scenario at its half, then the recovery from that at each chosen call.

    Returns how often the recovery was killed. Raises AssertionError as `rehearse` does.
    """
    calls = undisturbed(scenario, folder / "undisturbed")
    half = Trouble(at=len(calls) // 2, how=How.KILLED, call=calls[len(calls) // 2 - 1])
    dead, dry = folder / "dead", folder / "dry"
    dead.mkdir()
    _check_killed(die_early(first_life, scenario, dead, half))
    outage = scenario.outages[0]
    shutil.copytree(dead, dry)
    calls = recovering_life(scenario, dry, outage)
    number = 0
    for number, trouble in enumerate(chosen(calls, killed), start=1):
        place = folder / str(number)
        shutil.copytree(dead, place)
        try:
            _check_killed(die_early(recovering_life, scenario, place, outage, trouble))
            second_life(scenario, place, outage)
        except Exception as error:
            error.add_note(f"{scenario}, killed at {half.call}, then {trouble}")
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
    calls = first_life(scenario, folder)
    second_life(scenario, folder, scenario.outages[0])
    return calls


def disturbed(
    scenario: Scenario, folder: Path, trouble: Trouble, outage: float
) -> None:
    """Live a scenario in which one call goes wrong, then start again and judge."""
    folder.mkdir()
    if trouble.how in (How.KILLED, How.KILLED_INSIDE):
        _check_killed(die_early(first_life, scenario, folder, trouble))
    else:
        first_life(scenario, folder, trouble)
    second_life(scenario, folder, outage)


def _check_killed(code: int) -> None:
    """Make sure that a life ended where it should."""
    assert code == KILLED, f"the life did not end as it should: {code}"


def _spread(places: list[int]) -> list[int]:
    """Return a sample that has the first and the last place."""
    if len(places) <= SAMPLE:
        return places
    step = (len(places) - 1) / (SAMPLE - 1)
    return [places[round(number * step)] for number in range(SAMPLE)]
