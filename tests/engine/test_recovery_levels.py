"""Levels, killed and failing at every call into a port: what should hold now, holds."""

from pathlib import Path

import pytest

from tests.harness.runner import Kind, failing, killed, rehearse, rehearse_recovery
from tests.harness.scenario import Scenario
from tests.harness.scenarios import (
    PointAction,
    Ramp,
    ScheduledRamp,
    Shutdown,
    ShutdownAndStart,
    Window,
    WithheldWindow,
)

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize("kind", [killed, failing])
@pytest.mark.parametrize(
    "scenario", [PointAction(), Window(), Ramp(), ScheduledRamp()], ids=str
)
def test_the_level_is_the_one_that_should_hold(
    scenario: Scenario, kind: Kind, tmp_path: Path
) -> None:
    """R-B108, R-T54, R-X8: ramps go on where they should be, windows end with the right value."""
    assert rehearse(scenario, tmp_path, kind) > 20


@pytest.mark.parametrize(
    "scenario", [PointAction(), Window(), Ramp(), ScheduledRamp()], ids=str
)
def test_a_recovery_that_is_killed_too_changes_nothing(
    scenario: Scenario, tmp_path: Path
) -> None:
    """Killed at its half, and then at each call of the next start."""
    assert rehearse_recovery(scenario, tmp_path) > 10


@pytest.mark.parametrize("kind", [killed, failing])
def test_a_window_that_safety_withholds_is_never_called_set(
    kind: Kind, tmp_path: Path
) -> None:
    """RES-57: wherever Home Assistant dies, it was refused in the end."""
    assert rehearse(WithheldWindow(), tmp_path, kind) > 20


def test_so_it_is_when_the_recovery_is_killed_too(tmp_path: Path) -> None:
    """At each call of the next start."""
    assert rehearse_recovery(WithheldWindow(), tmp_path) > 10


@pytest.mark.parametrize("kind", [killed, failing])
@pytest.mark.parametrize("scenario", [Shutdown(), ShutdownAndStart()], ids=str)
def test_a_stop_leaves_its_level_and_the_start_brings_back_the_right_one(
    scenario: Scenario, kind: Kind, tmp_path: Path
) -> None:
    """Wherever Home Assistant dies on its way down: law 4 holds."""
    assert rehearse(scenario, tmp_path, kind) > 10


@pytest.mark.parametrize("scenario", [Shutdown(), ShutdownAndStart()], ids=str)
def test_a_start_that_is_killed_too_brings_it_back(
    scenario: Scenario, tmp_path: Path
) -> None:
    """And then at each call of the next start."""
    assert rehearse_recovery(scenario, tmp_path) > 5
