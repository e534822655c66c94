"""Fixtures for the simulated devices."""

import pytest

from custom_components.aquarist.simulator.clock import ManualClock
from custom_components.aquarist.simulator.doser import DoserModel
from custom_components.aquarist.simulator.light import LightModel

from .central import ADDRESS


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that stands still."""
    return ManualClock()


@pytest.fixture
def light(clock: ManualClock) -> LightModel:
    """Return a light with four channels."""
    return LightModel(clock, address=ADDRESS)


@pytest.fixture
def doser(clock: ManualClock) -> DoserModel:
    """Return a pump with four heads."""
    return DoserModel(clock, address=ADDRESS)
