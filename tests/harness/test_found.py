"""Troubles that were drawn once and found something: each is met in every run."""

from pathlib import Path

import pytest

from custom_components.aquarist.simulator.faults import FaultName
from tests.harness.ports import Fault, How, Trouble
from tests.harness.requests import SCENARIOS
from tests.harness.runner import disturbed, undisturbed
from tests.harness.sequences import SEQUENCES

_ALL = {**SCENARIOS, **SEQUENCES}
_NO_LIFETIME = Fault(name=FaultName.LOSE_NOTIFICATION, times=None, value=0x1E)
_NO_TODAY = Fault(name=FaultName.LOSE_NOTIFICATION, times=None, value=0x22)
_MUTE = Fault(name=FaultName.MUTE, times=None)
_POWERLESS = Fault(name=FaultName.POWER_CUT, value=45.0)


@pytest.mark.parametrize(
    ("title", "port", "number", "harm", "outage"),
    [
        # A toggle that was interrupted failed for good: its value is withdrawn (law 4).
        ("pump-toggle", "house.called", -1, How.KILLED, 2.0),
        ("socket-toggle", "house.called", -1, How.KILLED, 2.0),
        ("lamp-toggle", "transport.written", -1, How.KILLED, 2.0),
        # What a lamp shows after a write that failed is not known, not even after a restart.
        ("lamp-set_level", "transport.write", -1, _POWERLESS, 90.0),
        # A run of a switch is booked, also the part of it that nobody saw.
        ("switched-prime_head", "house.called", 0, How.KILLED, 2.0),
        ("switched-calibrate_head", "house.call", -1, How.KILLED, 2.0),
        ("switched-prime_head", "house.call", -1, How.GONE, 90.0),
        ("switched-dose", "house.call", -1, How.GONE, 90.0),
        # A run counts as given where no counter was read before it.
        ("doser-prime_head", "transport.connect", 0, _NO_LIFETIME, 2.0),
        ("doser-calibrate_head", "transport.connect", 0, _MUTE, 2.0),
        ("Guided", "transport.connect", 0, _MUTE, 30.0),
        # A counter that we set to zero ourselves makes no dose of the pump's own.
        ("doser-reset_head", "transport.write", -2, _NO_TODAY, 2.0),
        # A store in trouble is an answer to who asked, nothing unforeseen.
        ("doser-set_schedule", "store.write", 6, How.FULL, 2.0),
        ("lamp-factory_reset", "store.write", -2, How.UNWRITABLE, 2.0),
        # An entity that is away for a while has the actions that it has.
        ("fan-turn_off", "house.call", 0, How.GONE, 90.0),
    ],
)
def test_what_was_found_does_not_come_back(
    title: str,
    port: str,
    number: int,
    harm: How | Fault,
    outage: float,
    tmp_path: Path,
) -> None:
    """The call into a port, counted from its first or last one, goes wrong in this way."""
    scenario = _ALL[title]
    calls = undisturbed(scenario, tmp_path / "undisturbed")
    at = [place for place, call in enumerate(calls, start=1) if call == port][number]
    how, fault = (How.FAULTY, harm) if isinstance(harm, Fault) else (harm, None)
    trouble = Trouble(at=at, how=how, call=port, fault=fault)
    disturbed(scenario, tmp_path / "disturbed", trouble, outage)
