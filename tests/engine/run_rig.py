"""A rig that waits until every run is where nothing but time or a device moves it on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, override

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.live_runs import LiveRun
from custom_components.aquarist.engine.runs import RunRequest
from custom_components.aquarist.runs.states import RunState
from custom_components.aquarist.runs.steps import Mode
from custom_components.aquarist.store.runs import RunRow, StepRow
from tests.engine.rig import Rig

ORIGIN = Origin(source=Source.MACRO, user="keeper", context="call")


class RunRig(Rig):
    """An engine with runs."""

    @override
    async def settle(self) -> None:
        """Let everything happen that can: runs ask the store before each command."""
        async with asyncio.timeout(10):
            await super().settle()
            while not all(self._rests(run) for run in self.engine.runs.live):
                await super().settle()

    def _rests(self, run: LiveRun) -> bool:
        """Return whether a run waits for time, a device, a keeper, or its turn."""
        if run.state is RunState.WAITING or run.task is None or run.task.done():
            return True
        step = run.under_way
        return step is not None and (
            step.deadline is not None
            or any(one.run == run.id for one in self.engine.records.open)
        )

    async def begin(
        self,
        *sequence: dict[str, Any],
        mode: Mode = Mode.SINGLE,
        maximum: int = 2,
        **definition: Any,
    ) -> RunRow:
        """Start a run of a sequence and let happen what can."""
        row = await self.engine.runs.start(
            RunRequest(
                kind="macro",
                name="Evening",
                definition={
                    "name": "Evening",
                    "sequence": list(sequence),
                    **definition,
                },
                origin=ORIGIN,
                mode=mode,
                maximum=maximum,
                definition_id=1,
            )
        )
        await self.settle()
        return row

    async def run(self, run: RunRow) -> tuple[RunRow, list[StepRow]]:
        """Return a run and its steps as they are on disk."""
        return await self.engine.runs.get(run.id)

    async def states(self, run: RunRow) -> tuple[str, list[str]]:
        """Return where a run and its steps are on disk."""
        row, steps = await self.run(run)
        return row.state, [step.state for step in steps]


@asynccontextmanager
async def run_rig(folder: Path) -> AsyncIterator[RunRig]:
    """Give a started engine without devices."""
    rig = RunRig(folder)
    await rig.boot()
    yield rig
    await rig.engine.close()


def level(value: float, device: str = "uuid-Pump", **more: Any) -> dict[str, Any]:
    """Return a step that sets a pump's level."""
    command = {"device_id": device, "action": "set_level", "args": {"level": value}}
    return {"command": command, **more}


def wait(**changes: Any) -> dict[str, Any]:
    """Return a step that waits for the pump."""
    data = {"device_id": "uuid-Pump", "field_name": "level", "timeout": 60}
    return {"wait": data | changes}
