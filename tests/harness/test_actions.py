"""Every action at every kind of device, and what they come to together, gone wrong at any call.

What goes wrong is drawn by a seed that is told when something does not hold; AQUARIST_SEED
repeats it. AQUARIST_LONG takes every call and every fault.
"""

from pathlib import Path

import pytest

from custom_components.aquarist.commands.actions import ACTIONS
from custom_components.aquarist.simulator.faults import FaultName
from tests.harness.holding import HOLDING
from tests.harness.requests import KINDS, REQUESTS, SCENARIOS
from tests.harness.runner import (
    ALL,
    FAULTS,
    LONG,
    failing,
    killed,
    rehearse_drawn,
    rehearse_recovery,
)
from tests.harness.sequences import SEQUENCES

pytestmark = pytest.mark.timeout(24 * 3600 if LONG else 120)

TROUBLES = 6
TROUBLES_TOGETHER = 12
RECOVERIES = 3


def test_every_action_is_rehearsed_at_every_kind_of_device() -> None:
    """Nobody adds an action without a scenario for it."""
    rehearsed = {(one.action, KINDS[one.device]) for one in REQUESTS}
    assert rehearsed == {
        (name, family) for name, spec in ACTIONS.items() for family in spec.families
    }


def test_every_fault_of_the_simulator_is_rehearsed() -> None:
    """Nobody adds a fault that no scenario meets."""
    assert {fault.name for fault in FAULTS} == set(FaultName)


@pytest.mark.parametrize("title", SCENARIOS)
def test_an_action_ends_once_and_rightly(title: str, tmp_path: Path) -> None:
    """Laws 2, 3 and 8: one end; what is completed is true; nothing is given twice."""
    assert rehearse_drawn(SCENARIOS[title], tmp_path, TROUBLES) >= TROUBLES


@pytest.mark.parametrize("title", SCENARIOS)
def test_so_it_does_when_the_recovery_goes_wrong(title: str, tmp_path: Path) -> None:
    """Killed somewhere, and then again, or met by a fault."""
    assert rehearse_recovery(SCENARIOS[title], tmp_path, ALL, RECOVERIES) >= RECOVERIES


@pytest.mark.parametrize("name", SEQUENCES)
def test_runs_and_limits_hold(name: str, tmp_path: Path) -> None:
    """Macros and guided runs end once; budgets and spacing hold over restarts (law 5)."""
    rehearsed = rehearse_drawn(SEQUENCES[name], tmp_path / "one", TROUBLES_TOGETHER)
    assert rehearsed >= TROUBLES_TOGETHER
    again = rehearse_recovery(SEQUENCES[name], tmp_path / "two", ALL, TROUBLES)
    assert again >= TROUBLES


@pytest.mark.parametrize("name", HOLDING)
def test_what_is_under_a_window_always_comes_back(name: str, tmp_path: Path) -> None:
    """Between any two of capture, record, set, confirm, restore and confirm (R-T53, R-T54)."""
    rehearsed = rehearse_drawn(HOLDING[name], tmp_path / "one", TROUBLES_TOGETHER)
    assert rehearsed >= TROUBLES_TOGETHER
    again = rehearse_recovery(
        HOLDING[name], tmp_path / "two", (killed, failing), TROUBLES
    )
    assert again >= TROUBLES
