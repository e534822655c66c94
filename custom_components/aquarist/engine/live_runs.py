"""A run that has not ended, as the engine keeps it in memory."""

import asyncio
from dataclasses import dataclass, field

from ..runs.driver import Program
from ..runs.records import StepRecord
from ..runs.states import RunState, StepState
from ..runs.steps import Step
from ..store.runs import RunRow, StepRow

type Group = tuple[str, int | None, str | None]


@dataclass(slots=True, eq=False)
class LiveRun:
    """One run: its row, its program, and the rows of the steps that it has begun.

    ``what`` is the step under way. ``stirred`` wakes the step that waits, ``answering`` says
    that its end is on the way to the store, ``ending`` that the end of the run is, ``over``
    that it ends whether the store takes that now or later, and ``resumed`` that it began in
    an earlier life of the engine.
    """

    row: RunRow
    program: Program
    steps: list[StepRow] = field(default_factory=list)
    what: Step | None = None
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    answering: bool = False
    ending: bool = False
    over: bool = False
    resumed: bool = False
    task: asyncio.Task[None] | None = None
    watchers: list[asyncio.Future[None]] = field(default_factory=list)

    @property
    def id(self) -> int:
        """Return the number of the run."""
        return self.row.id

    @property
    def state(self) -> RunState:
        """Return where the run is."""
        return RunState(self.row.state)

    @property
    def group(self) -> Group:
        """Return what the mode of a definition is about: the runs of the same thing."""
        return group_of(self.row)

    @property
    def records(self) -> list[StepRecord]:
        """Return what a replay goes by."""
        return [
            StepRecord(
                step=row.step,
                state=StepState(row.state),
                result=row.result,
                error_code=row.error_code,
                error=row.error,
            )
            for row in self.steps
        ]

    @property
    def under_way(self) -> StepRow | None:
        """Return the row of the step under way."""
        if self.steps and self.steps[-1].state == StepState.RUNNING:
            return self.steps[-1]
        return None

    async def change(self) -> None:
        """Wait for the next step, or the end."""
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.watchers.append(watcher)
        await watcher

    def tell(self) -> None:
        """Wake those who wait for a change."""
        watchers, self.watchers = self.watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)


def group_of(row: RunRow) -> Group:
    """Return which runs a run shares its mode with: those of its subject, if it has one."""
    definition = row.definition_id if row.subject is None else None
    return row.kind, definition, row.subject
