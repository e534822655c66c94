"""The emergency stop, killed and failing at every call into a port: latched and honest."""

from pathlib import Path

import pytest

from tests.harness.runner import Kind, failing, killed, rehearse, rehearse_recovery
from tests.harness.scenarios import EmergencyStop

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize("kind", [killed, failing])
def test_what_was_stopped_stays_stopped(kind: Kind, tmp_path: Path) -> None:
    """Law 4: it is latched until somebody lets go."""
    assert rehearse(EmergencyStop(), tmp_path, kind) > 20


def test_a_recovery_that_is_killed_too_loses_nothing(tmp_path: Path) -> None:
    """Nor does one after that."""
    assert rehearse_recovery(EmergencyStop(), tmp_path) > 10
