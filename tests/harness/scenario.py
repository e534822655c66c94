"""What a scenario is: what is asked of the engine, and what must hold in the end."""

from typing import override

from custom_components.aquarist.devices.lamp import LIGHT
from custom_components.aquarist.engine.state import (
    AquariumLimits,
    DeviceLimits,
    HeadLimits,
)

from .life import Life
from .world import DOSER


class Scenario:
    """The base of all scenarios. Seconds count from the beginning of the world.

    ``aquarium`` is what all dosers together may do, ``lamp`` what the lamp may.
    """

    devices: tuple[str, ...] = (DOSER,)
    horizon: float = 60.0
    outages: tuple[float, ...] = (2.0, 300.0)
    aquarium = AquariumLimits()
    lamp = DeviceLimits(safe={LIGHT: {"level": 0.0}})

    @override
    def __str__(self) -> str:
        """Return the scenario's name."""
        return type(self).__name__

    async def act(self, life: Life) -> None:
        """Ask for things. Runs in the first life; whatever is acknowledged is noted."""
        raise AssertionError("a scenario asks for something")

    def judge_resumed(self, life: Life) -> None:
        """Judge a few seconds after the second life began."""

    def head(self, name: str, index: int) -> HeadLimits:
        """Return what a head of a doser may do."""
        return HeadLimits()

    def given_by_itself(self, life: Life, name: str, head: int) -> int:
        """Return the most microlitres that a head may give apart from doses and runs."""
        return 0

    async def finish(self, life: Life) -> None:
        """Do what a keeper has to do in the end, before everything must have come to rest."""

    def judge(self, life: Life) -> None:
        """Judge when all time has passed: assert what this scenario adds to the invariants."""
