"""A rig with an aquarium whose pumps and doser modes can hold."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, override

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.engine.changes import ModeChanged
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.live_runs import LiveRun
from custom_components.aquarist.engine.mode_status import ModeStatus
from custom_components.aquarist.layers.claims import Layer
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import Pump
from tests.engine.run_rig import RunRig

TANK = "tank"
KEEPER = Origin(source=Source.ENTITY, user="keeper", context="call", by_hand=True)
RETURN = "uuid-Return"
SKIMMER = "uuid-Skimmer"
DOSER = "uuid-Doser"
COUNTDOWN: dict[str, Any] = {"countdown": True}


class ModeRig(RunRig):
    """An aquarium with a return pump, a skimmer and a doser."""

    def __init__(self, folder: Path) -> None:
        """Make the hardware."""
        super().__init__(folder)
        self.pump = Pump("Return", level=80)
        self.skimmer = Pump("Skimmer", level=100)
        self.doser = MemoryDoser()

    async def furnish(self) -> None:
        """Attach the hardware: a return pump must run, a skimmer is safe when it is off."""
        await self.attach(self.pump, safe={"level": {"level": 80.0}})
        await self.attach(self.skimmer, safe={"level": {"level": 0.0}})
        await self.attach(self.doser)

    @override
    def _rests(self, run: LiveRun) -> bool:
        """Return whether only time, a device or a keeper moves a run on."""
        step = run.under_way
        done = run.task is None or run.task.done()
        return done or (step is not None and step.deadline is not None)

    async def again(self, *, after: float = 0.0) -> None:
        """End the engine in good order and begin another, so many seconds later."""
        await self.engine.close()
        self.clock.advance(after)
        await self.boot(start=False)
        await self.furnish()
        self.engine.start()
        await self.settle()

    async def start(self, mode: str, minutes: float | None = None) -> ModeStatus:
        """Start a mode and let happen what can."""
        status = await self.engine.modes.start(TANK, mode, KEEPER, minutes=minutes)
        await self.settle()
        return status

    async def keep(self, *steps: dict[str, Any], **more: Any) -> None:
        """Store a mode of the keeper's own."""
        await self.engine.modes.definitions.create(
            TANK, mode(*steps, **more), user="keeper"
        )

    def status(self) -> ModeStatus:
        """Return the mode that the aquarium is in."""
        status = self.engine.modes.status(TANK)
        assert status is not None
        return status

    def levels(self) -> tuple[float, float]:
        """Return what return pump and skimmer really do."""
        return self.pump.level, self.skimmer.level

    @property
    def holds(self) -> list[Command]:
        """Return the claims of modes that have not ended."""
        return [one for one in self.engine.records.open if one.layer is Layer.MODE]

    @property
    def told(self) -> list[tuple[str | None, str | None]]:
        """Return mode and stage of everything that was announced, in order."""
        return [
            (change.mode, change.stage)
            for change in self.changes
            if isinstance(change, ModeChanged)
        ]


@asynccontextmanager
async def mode_rig(folder: Path) -> AsyncIterator[ModeRig]:
    """Give a started engine with the aquarium."""
    rig = ModeRig(folder)
    await rig.boot()
    await rig.furnish()
    yield rig
    await rig.engine.close()


def mode(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a mode of the keeper's own, ten minutes long."""
    return {
        "name": "Night feed",
        "duration_minutes": 10,
        "steps": list(steps),
        **more,
    }


def hold(device: str, level: float = 0, **more: Any) -> dict[str, Any]:
    """Return a step that holds a pump, or another field."""
    return {"hold": {"device_id": device} | (more or {"level": level})}


def release(device: str) -> dict[str, Any]:
    """Return a step that lets a device go."""
    return {"release": {"device_id": device}}


def until(device: str, timeout: float = 600, **condition: Any) -> dict[str, Any]:
    """Return a step that waits for a pump's level."""
    on_timeout = condition.pop("on_timeout", "stop")
    return {
        "wait": {
            "device_id": device,
            "field_name": "level",
            "timeout": timeout,
            "on_timeout": on_timeout,
            **condition,
        }
    }
