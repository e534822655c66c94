"""How a run goes on: one step written down, carried out and ended after another."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import logging
from sqlite3 import Connection

from ..commands.command import ErrorCode
from ..runs.driver import Begin, Finish, Resume, next_move
from ..runs.records import Outcome
from ..runs.states import RunState, StepState, advance_run, advance_step
from ..store import runs as run_rows
from ..store.errors import StoreError
from ..store.runs import RunRow, StepRow
from .changes import RunChanged
from .deadlines import Deadline
from .ground import Ground
from .live_runs import LiveRun
from .run_steps import RunSteps

_LOGGER = logging.getLogger(__name__)

INVALID = Finish(
    state=RunState.FAILED,
    error_code=ErrorCode.VALIDATION_ERROR,
    error="definition_invalid",
)
UNEXPECTED = Finish(
    state=RunState.FAILED, error_code=ErrorCode.INTERNAL_ERROR, error="unexpected"
)


class RunCourse:
    """Carries runs on; ``going`` is false before the engine starts and after it ends."""

    def __init__(
        self,
        ground: Ground,
        steps: RunSteps,
        gone: Callable[[LiveRun, RunRow], None],
    ) -> None:
        """Call `gone` with each run whose end is on disk."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._steps = steps
        self._gone = gone
        self.going = False

    def go(self, live: LiveRun) -> None:
        """Carry a run on."""
        if self.going and live.state is RunState.RUNNING:
            loop = asyncio.get_running_loop()
            live.task = loop.create_task(
                self._drive(live), name=f"aquarist run {live.id}"
            )

    async def _drive(self, live: LiveRun) -> None:
        """Do what comes next, until nothing does."""
        try:
            while True:
                move = next_move(live.program, live.records)
                if isinstance(move, Finish):
                    self.finish(live, move)
                    return
                await self._step(live, move)
        except Exception:
            _LOGGER.exception("The run %s (%s) failed", live.id, live.row.name)
            self.finish(live, UNEXPECTED)

    async def _step(self, live: LiveRun, move: Begin | Resume) -> None:
        """Write one step down, carry it out, and write down how it ended."""
        live.what = move.what
        if isinstance(move, Begin) and (error := await self._begin(live, move)):
            self._end_step(live, error)
            return
        live.tell()
        resumed = isinstance(move, Resume)
        outcome = await self._steps.act(live, move.what, resumed=resumed)
        if outcome is not None:
            self._end_step(live, outcome)

    async def _begin(self, live: LiveRun, move: Begin) -> Outcome | None:
        """Commit that a step begins; returns the failure of one that could not be written."""
        seconds = move.what.seconds
        row = StepRow(
            run=live.id,
            step=move.step,
            state=StepState.RUNNING,
            started_at=self._clock.now(),
            deadline=None
            if seconds is None
            else Deadline.after(self._clock, seconds).as_json(),
        )
        run = replace(live.row, step=move.step)

        def unit(connection: Connection) -> None:
            run_rows.update(connection, run)
            run_rows.put_step(connection, row)

        def committed(_: None) -> None:
            live.row = run
            live.steps.append(row)
            self.announce(live)

        try:
            await self._journal.commit(unit, committed)
        except StoreError as error:
            live.steps.append(row)
            return Outcome(
                state=StepState.FAILED,
                error_code=ErrorCode.INTERNAL_ERROR,
                error=error.code,
            )
        return None

    def _end_step(self, live: LiveRun, outcome: Outcome) -> None:
        """Record how a step ended; the next one is written after it."""
        ended = self.ended_row(live.steps[-1], outcome)
        live.steps[-1] = ended
        self._journal.record(
            lambda connection: run_rows.put_step(connection, ended),
            lambda _: self.announce(live),
        )

    def ended_row(self, row: StepRow, outcome: Outcome) -> StepRow:
        """Return the row of a step that has ended."""
        return replace(
            row,
            state=advance_step(StepState(row.state), outcome.state),
            ended_at=self._clock.now(),
            result=outcome.result,
            error_code=outcome.error_code,
            error=outcome.error,
        )

    def finish(self, live: LiveRun, finish: Finish) -> None:
        """Record the end of a run."""
        live.ending = live.over = True
        row = self.row_at_end(live, finish.state, finish.error_code, finish.error)
        self._journal.record(
            lambda connection: run_rows.update(connection, row),
            lambda _: self._gone(live, row),
        )

    def row_at_end(
        self, live: LiveRun, state: RunState, code: str | None, error: str | None
    ) -> RunRow:
        """Return the row of a run that has ended."""
        return replace(
            live.row,
            state=advance_run(live.state, state),
            ended_at=self._clock.now(),
            error_code=code,
            error=error,
        )

    def announce(self, live: LiveRun) -> None:
        """Tell of where a run is."""
        self._announcer.announce(RunChanged(run=live.row, steps=tuple(live.steps)))
        live.tell()

    def turn(self, live: LiveRun) -> None:
        """Let a run begin that has waited."""
        state = advance_run(live.state, RunState.RUNNING)
        live.row = row = replace(live.row, state=state)
        self._journal.record(
            lambda connection: run_rows.update(connection, row),
            lambda _: self.announce(live),
        )
        self.go(live)
