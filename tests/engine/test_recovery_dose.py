"""Doses, killed and failing at every call into a port: given at most once, and counted."""

from pathlib import Path

import pytest

from tests.harness.runner import Kind, failing, killed, rehearse, rehearse_recovery
from tests.harness.scenario import Scenario
from tests.harness.scenarios import Dose, ScheduledDose, TwoDoses

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize("kind", [killed, failing])
@pytest.mark.parametrize("scenario", [Dose(), TwoDoses(), ScheduledDose()], ids=str)
def test_a_dose_is_given_at_most_once(
    scenario: Scenario, kind: Kind, tmp_path: Path
) -> None:
    """Law 3, RES-45, RES-52; of a schedule: one moment, one dose (law 9, RES-51)."""
    assert rehearse(scenario, tmp_path, kind) > 20


@pytest.mark.parametrize("scenario", [Dose(), TwoDoses(), ScheduledDose()], ids=str)
def test_a_recovery_that_is_killed_too_changes_nothing(
    scenario: Scenario, tmp_path: Path
) -> None:
    """Killed at its half, and then at each call of the next start."""
    assert rehearse_recovery(scenario, tmp_path) > 10
