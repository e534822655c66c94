"""Rehearses a scenario: undisturbed, and once for every call that can go wrong."""

from collections.abc import Callable, Iterator, Sequence
import os
from pathlib import Path
from random import Random, SystemRandom
import shutil

from custom_components.aquarist.simulator.faults import FaultName

from .lives import first_life, recovering_life, second_life
from .nursery import die_early
from .ports import Fault, How, Trouble
from .scenario import Scenario
from .world import KILLED

type Kind = Callable[[str], tuple[How | Fault, ...]]

LONG = "AQUARIST_LONG" in os.environ
_DRAWN = SystemRandom().randrange(10**6) if os.environ.get("AQUARIST_LONG") else 1
SEED = int(os.environ.get("AQUARIST_SEED") or _DRAWN)
"""What is drawn depends on this alone: the same each time, but in a long run.

AQUARIST_SEED repeats an earlier run.
"""
SAMPLE = 10
_STORE_TROUBLES = (How.FULL, How.UNWRITABLE)
_HOUSE_TROUBLES = (How.FAILED, How.LOST, How.HUNG, How.LIED, How.GONE)
_DEADLY = frozenset({How.KILLED, How.KILLED_INSIDE})
_POWERLESS_SECONDS = 45.0

FAULTS: tuple[Fault, ...] = (
    Fault(name=FaultName.REFUSE),
    Fault(name=FaultName.REFUSE, times=None),
    Fault(name=FaultName.OUT_OF_SLOTS, times=2),
    Fault(name=FaultName.OUT_OF_RANGE, times=3),
    Fault(name=FaultName.OUT_OF_RANGE, times=None),
    Fault(name=FaultName.APP_HOLDS_LINK, times=2),
    Fault(name=FaultName.MUTE_CONNECT),
    Fault(name=FaultName.WRITE_ERROR),
    Fault(name=FaultName.WRITE_ERROR, times=None),
    Fault(name=FaultName.WRITE_ERROR_AFTER),
    Fault(name=FaultName.WRITE_ERROR_AFTER, times=None),
    Fault(name=FaultName.MUTE_WRITE),
    Fault(name=FaultName.DROP_AT_BYTE, value=5),
    Fault(name=FaultName.DROP_AT_BYTE, value=0),
    Fault(name=FaultName.DROP_BEFORE_WRITE, value=1),
    Fault(name=FaultName.DROP_BEFORE_WRITE, value=3),
    Fault(name=FaultName.DROP_AFTER_WRITE, value=1),
    Fault(name=FaultName.DROP_AFTER_WRITE, times=None, value=2),
    Fault(name=FaultName.DROP_IN_DOSE, value=0.5),
    Fault(name=FaultName.MUTE),
    Fault(name=FaultName.MUTE, times=None),
    Fault(name=FaultName.LOSE_NOTIFICATION, value=0x1E),
    Fault(name=FaultName.LOSE_NOTIFICATION, times=None, value=0x22),
    Fault(name=FaultName.LOSE_NOTIFICATION, value=0xFE),
    Fault(name=FaultName.LOSE_NOTIFICATION, value=0x0A),
    Fault(name=FaultName.GARBAGE, times=None, value=7),
    Fault(name=FaultName.TRUNCATED_SNAPSHOT, times=None),
    Fault(name=FaultName.POWER_CUT, value=_POWERLESS_SECONDS),
    Fault(name=FaultName.WRONG_CLOCK, value=95),
)
"""Every fault of the simulator, as it is set just before a call."""


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
    if call == "house.call":
        return _HOUSE_TROUBLES
    return ()


def faulty(call: str) -> tuple[Fault, ...]:
    """Let the device have each of its faults from a call to it on."""
    return FAULTS if call in ("transport.connect", "transport.write") else ()


ALL: tuple[Kind, ...] = (killed, failing, faulty)


def rehearse(scenario: Scenario, folder: Path, kind: Kind) -> int:
    """Live a scenario undisturbed, then once for each chosen trouble; return how many.

    Raises AssertionError that names the trouble after which something did not hold.
    """
    calls = undisturbed(scenario, folder / "undisturbed")
    return _each(scenario, folder, chosen(calls, kind))


def rehearse_drawn(
    scenario: Scenario, folder: Path, count: int, kinds: Sequence[Kind] = ALL
) -> int:
    """Live a scenario undisturbed, then once for each of `count` troubles that are drawn.

    In a long run every call goes wrong in every way. Raises as `rehearse` does.
    """
    calls = undisturbed(scenario, folder / "undisturbed")
    return _each(scenario, folder, drawn(calls, f"{scenario}", count, kinds))


def _each(scenario: Scenario, folder: Path, troubles: Iterator[Trouble]) -> int:
    """Live a scenario once for each trouble."""
    number = 0
    for number, trouble in enumerate(troubles, start=1):
        place = folder / str(number)
        outage = scenario.outages[number % len(scenario.outages)]
        try:
            disturbed(scenario, place, trouble, outage)
        except Exception as error:
            error.add_note(f"{scenario}, outage {outage} s, {trouble}, {_seed()}")
            raise
        shutil.rmtree(place)
    return number


def rehearse_recovery(
    scenario: Scenario,
    folder: Path,
    kinds: Sequence[Kind] = (killed,),
    count: int | None = None,
) -> int:
    """Kill a scenario at its half, then let each chosen call of the recovery go wrong.

    With a `count` so many of them are drawn, and the kill, too. Returns how often the
    recovery went wrong. Raises AssertionError as `rehearse` does.
    """
    calls = undisturbed(scenario, folder / "undisturbed")
    at = len(calls) // 2
    if count is not None:
        at = Random(f"{SEED} {scenario} kill").randint(len(calls) // 4, len(calls))
    half = Trouble(at=at, how=How.KILLED, call=calls[at - 1])
    dead, dry = folder / "dead", folder / "dry"
    dead.mkdir()
    _check_killed(die_early(first_life, scenario, dead, half))
    outage = scenario.outages[0]
    shutil.copytree(dead, dry)
    calls = recovering_life(scenario, dry, outage)
    if count is None:
        troubles = [one for kind in kinds for one in chosen(calls, kind)]
    else:
        troubles = [*drawn(calls, f"{scenario} again", count, kinds)]
    for number, trouble in enumerate(troubles):
        place = folder / str(number)
        shutil.copytree(dead, place)
        try:
            if trouble.how in _DEADLY:
                code = die_early(recovering_life, scenario, place, outage, trouble)
                _check_killed(code)
            else:
                recovering_life(scenario, place, outage, trouble)
            second_life(scenario, place, outage)
        except Exception as error:
            error.add_note(f"{scenario}, killed at {half}, then {trouble}, {_seed()}")
            raise
        shutil.rmtree(place)
    return len(troubles)


def chosen(calls: list[str], kind: Kind) -> Iterator[Trouble]:
    """Return what goes wrong: everything in a long run, else evenly spread over each port."""
    for name in sorted(set(calls)):
        places = [at for at, call in enumerate(calls, start=1) if call == name]
        for harm in kind(name):
            yield from (
                _trouble(at, name, harm) for at in (places if LONG else _spread(places))
            )


def drawn(
    calls: list[str], name: str, count: int, kinds: Sequence[Kind]
) -> Iterator[Trouble]:
    """Return so many troubles by chance, of each kind in turn and of each port alike.

    In a long run all of them.
    """
    if LONG:
        for kind in kinds:
            yield from chosen(calls, kind)
        return
    chance = Random(f"{SEED} {name}")
    harms = [
        [(port, harm) for port in sorted(set(calls)) for harm in kind(port)]
        for kind in kinds
    ]
    possible = [of_kind for of_kind in harms if of_kind]
    for number in range(count):
        port, harm = chance.choice(possible[number % len(possible)])
        places = [at for at, call in enumerate(calls, start=1) if call == port]
        yield _trouble(chance.choice(places), port, harm)


def undisturbed(scenario: Scenario, folder: Path) -> list[str]:
    """Live a scenario without trouble; return the calls into the ports."""
    folder.mkdir(parents=True)
    calls = first_life(scenario, folder)
    second_life(scenario, folder, scenario.outages[0])
    return calls


def disturbed(
    scenario: Scenario, folder: Path, trouble: Trouble, outage: float
) -> None:
    """Live a scenario in which one call goes wrong, then start again and judge."""
    folder.mkdir()
    if trouble.how in _DEADLY:
        _check_killed(die_early(first_life, scenario, folder, trouble))
    else:
        first_life(scenario, folder, trouble)
    second_life(scenario, folder, outage)


def _trouble(at: int, call: str, harm: How | Fault) -> Trouble:
    """Return a call that goes wrong, or before which a fault is set."""
    if isinstance(harm, Fault):
        return Trouble(at=at, how=How.FAULTY, call=call, fault=harm)
    return Trouble(at=at, how=harm, call=call)


def _seed() -> str:
    """Return what repeats this."""
    return f"AQUARIST_SEED={SEED}"


def _check_killed(code: int) -> None:
    """Make sure that a life ended where it should."""
    assert code == KILLED, f"the life did not end as it should: {code}"


def _spread(places: list[int]) -> list[int]:
    """Return a sample that has the first and the last place."""
    if len(places) <= SAMPLE:
        return places
    step = (len(places) - 1) / (SAMPLE - 1)
    return [places[round(number * step)] for number in range(SAMPLE)]
