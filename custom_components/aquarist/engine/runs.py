"""Runs: sequences under way, each step on disk before it acts (law 2, R-C62).

What comes next is decided by the pure rules from the rows of the steps alone. A restart
loads those rows and asks again, so that nothing is done twice and nothing is forgotten.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import suppress
from dataclasses import field, replace
from sqlite3 import Connection
from typing import Any

from ..commands.command import Command, ErrorCode
from ..frozen import frozen
from ..runs.admission import Turn, admit
from ..runs.driver import Program
from ..runs.mode import SKIPPED
from ..runs.records import Outcome
from ..runs.sequence import Sequence
from ..runs.states import RunState, StepState
from ..runs.steps import AskStep, Mode
from ..schedules.errors import ScheduleError
from ..store import runs as run_rows
from ..store.errors import StoreError
from ..store.runs import RunRow, StepRow
from .deadlines import Deadline
from .errors import EngineError
from .ground import Ground
from .intake import Origin
from .live_runs import Group, LiveRun, group_of
from .run_course import INVALID, RunCourse
from .run_steps import RunSteps

SUPERSEDED = "superseded"
CANCELLED = "cancelled"

type Write = Callable[[Connection, RunRow], RunRow]
type MakeProgram = Callable[[Mapping[str, Any]], Program]
type Withdraw = Callable[[Command], object]


@frozen
class RunRequest:
    """What is to be run, and what happens when it runs already.

    ``definition`` is kept with the run: a later change of where it came from does not
    change it. Runs of a kind share their mode by ``subject`` where there is one, else by
    ``definition_id``.
    """

    kind: str
    name: str
    definition: Mapping[str, Any]
    origin: Origin
    mode: Mode = Mode.SINGLE
    maximum: int = 1
    definition_id: int | None = None
    subject: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


class Runs:
    """Every run that has not ended."""

    def __init__(self, ground: Ground, steps: RunSteps, withdraw: Withdraw) -> None:
        """Answer the agenda; `withdraw` ends a command of a cancelled run if it can."""
        self._clock = ground.clock
        self._records = ground.records
        self._journal = ground.journal
        self._database = ground.database
        self._course = RunCourse(ground, steps, self._gone)
        self._withdraw = withdraw
        self._kinds: dict[str, MakeProgram] = {}
        self._live: dict[int, LiveRun] = {}
        self._admission: defaultdict[Group, asyncio.Lock] = defaultdict(asyncio.Lock)
        ground.agenda.on("run", self._due)

    def register(self, kind: str, make: MakeProgram) -> None:
        """Say how the program of a kind of run is read from its definition.

        `make` raises ScheduleError for a definition that does not validate any more.
        """
        self._kinds[kind] = make

    # What there is

    @property
    def live(self) -> tuple[LiveRun, ...]:
        """Return the runs that have not ended, oldest first."""
        return tuple(self._live[key] for key in sorted(self._live))

    async def find_live(self, run: int) -> LiveRun:
        """Return a run that has not ended.

        Raises EngineError `run_not_found`, `run_is_final`.
        """
        live = self._live.get(run)
        if live is not None and not live.ending:
            return live
        await self.get(run)
        raise EngineError("run_is_final", field="run_id", id=run)

    async def get(self, run: int) -> tuple[RunRow, list[StepRow]]:
        """Return a run and its steps. Raises EngineError `run_not_found`."""

        def query(connection: Connection) -> tuple[RunRow | None, list[StepRow]]:
            return run_rows.get(connection, run), run_rows.steps(connection, run)

        row, steps = await self._read(query)
        if row is None:
            raise EngineError("run_not_found", field="run_id", id=run)
        return row, steps

    async def recent(
        self, kind: str | None, limit: int, before: int | None = None
    ) -> list[RunRow]:
        """Return the newest runs first, of one kind or of all."""
        return await self._read(
            lambda connection: run_rows.recent(connection, kind, limit, before)
        )

    async def finished(self, run: int) -> RunRow:
        """Wait for the end of a run; returns it as it ended."""
        while (live := self._live.get(run)) is not None:
            await live.change()
        return (await self.get(run))[0]

    async def at_rest(self, run: int) -> LiveRun | None:
        """Wait until a run asks its keeper something; None when it ends before it does."""
        while (live := self._live.get(run)) is not None:
            if isinstance(live.what, AskStep) and live.under_way is not None:
                return live
            await live.change()
        return None

    # What can be asked for

    async def start(
        self,
        request: RunRequest,
        *,
        write: Write = run_rows.insert,
        entered: Callable[[], None] = lambda: None,
    ) -> RunRow:
        """Begin a run, or let it wait for its turn; it is on disk when this returns.

        `write` stores the run, with whatever else belongs into one unit with it; `entered`
        is called before the run begins. Raises EngineError `run_under_way` or
        `run_maximum` where the mode refuses it, StoreError when it could not be stored.
        """
        origin = request.origin
        row = RunRow(
            kind=request.kind,
            name=request.name,
            definition=request.definition,
            state=RunState.RUNNING,
            source=origin.source,
            started_at=self._clock.now(),
            definition_id=request.definition_id,
            subject=request.subject,
            data=request.data,
            user=origin.user,
            context=origin.context,
        )
        program = self._kinds[request.kind](request.definition)
        async with self._admission[group_of(row)]:
            if await self._turn(request, row) is Turn.WAIT:
                row = replace(row, state=RunState.WAITING)

            def committed(stored: RunRow) -> None:
                entered()
                self._take(LiveRun(row=stored, program=program))

            return await self._journal.commit(
                lambda connection: write(connection, row), committed
            )

    async def cancel(self, run: int, *, error: str = CANCELLED) -> RunRow:
        """End a run, and what it has under way as far as that can be ended.

        Raises EngineError `run_is_final`; StoreError, and the run goes on.
        """
        live = await self.find_live(run)
        live.ending = True
        return await asyncio.shield(self._cancel(live, error))

    async def answer(
        self,
        run: int,
        answer: str,
        data: Mapping[str, Any] | None = None,
        *,
        words: Mapping[str, str],
    ) -> None:
        """Give a run the answer that it waits for; it is on disk when this returns.

        ``words`` are those of its keeper, where they are others. Raises EngineError
        `run_expects_other`, `run_expects_nothing`, `run_is_final`; StoreError, and the
        run waits on.
        """
        live = await self.find_live(run)
        what, row, said = live.what, live.under_way, words.get(answer, answer)
        if not isinstance(what, AskStep) or row is None or live.answering:
            raise EngineError("run_expects_nothing", field="step", value=said)
        if answer not in what.answers:
            known = ", ".join(sorted({words.get(one, one) for one in what.answers}))
            raise EngineError(
                "run_expects_other", field="step", value=said, known=known
            )
        outcome = Outcome(
            state=StepState.COMPLETED, result={"answer": str(answer), **(data or {})}
        )
        await self._end_step(live, row, outcome)

    async def extend(self, run: int, seconds: float) -> None:
        """Let the delay or wait of a run last so many seconds longer.

        Raises EngineError `run_not_waiting`, `run_is_final`, StoreError.
        """
        live, row = await self._waiting(run)
        deadline = Deadline.from_json(row.deadline or {})
        longer = replace(deadline, seconds=deadline.seconds + seconds)
        newer = replace(row, deadline=longer.as_json())

        def committed(_: None) -> None:
            if live.under_way is row:
                live.steps[-1] = newer
                self._course.announce(live)
                live.stirred.set()

        await self._journal.commit(
            lambda connection: run_rows.put_step(connection, newer), committed
        )

    async def skip(self, run: int) -> None:
        """End the delay or wait of a run now; it is on disk when this returns.

        Raises EngineError as `extend`; StoreError, and the run waits on.
        """
        live, row = await self._waiting(run)
        outcome = Outcome(state=StepState.COMPLETED, result={SKIPPED: True})
        await self._end_step(live, row, outcome)

    # From one life of the engine to the next

    def load(self, rows: Iterable[tuple[RunRow, list[StepRow]]]) -> None:
        """Take in the runs that the last engine left; what no longer validates ends (law 10)."""
        for row, steps in rows:
            make = self._kinds.get(row.kind)
            try:
                program = make(row.definition) if make is not None else None
            except ScheduleError:
                program = None
            if program is None:
                live = LiveRun(row=row, program=Sequence(steps=()))
                self._live[row.id] = live
                self._course.finish(live, INVALID)
                continue
            self._live[row.id] = LiveRun(
                row=row, program=program, steps=steps, resumed=True
            )

    def start_up(self) -> None:
        """Go on with every run where it was, and let those follow whose turn it is."""
        self._course.going = True
        for live in self.live:
            if live.state is RunState.RUNNING and not live.ending:
                self._course.go(live)
        for group in {live.group for live in self.live}:
            self._next(group)

    async def close(self) -> None:
        """Do nothing more; the rows say where each run is."""
        self._course.going = False
        tasks = [live.task for live in self.live if live.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # How a run goes on

    async def _turn(self, request: RunRequest, row: RunRow) -> Turn:
        """Decide whether a run may begin, and end those that give way to it."""
        alike = [live for live in self.live if live.group == group_of(row)]
        under_way = [live.id for live in alike if not live.ending]
        admission = admit(request.mode, request.maximum, under_way)
        if admission.turn is Turn.REFUSE:
            if request.mode is Mode.SINGLE:
                raise EngineError("run_under_way", name=request.name)
            raise EngineError("run_maximum", name=request.name, maximum=request.maximum)
        for older in admission.ends:
            # What has ended meanwhile needs no end.
            with suppress(EngineError):
                await self.cancel(older, error=SUPERSEDED)
        return admission.turn

    def _take(self, live: LiveRun) -> None:
        """Let a stored run enter memory and begin."""
        self._live[live.id] = live
        self._course.announce(live)
        self._course.go(live)
        self._next(live.group)

    async def _cancel(self, live: LiveRun, error: str) -> RunRow:
        """End all of a run, also for a caller who is cancelled: task, row and commands."""
        await _ended(live.task)
        row = self._course.row_at_end(
            live, RunState.CANCELLED, ErrorCode.COMMAND_CANCELLED, error
        )
        try:
            await self._journal.commit(
                lambda connection: self._store_cancelled(connection, row),
                lambda _: self._gone(live, row),
            )
        except StoreError:
            live.ending = False
            self._course.go(live)
            raise
        for command in [one for one in self._records.open if one.run == live.id]:
            with suppress(EngineError):
                self._withdraw(command)
        await self._journal.written()
        return row

    async def _end_step(self, live: LiveRun, row: StepRow, outcome: Outcome) -> None:
        """End the step under way from outside, on disk before it enters memory."""
        ended = self._course.ended_row(row, outcome)

        def committed(_: None) -> None:
            live.steps[-1] = ended
            self._course.announce(live)

        live.answering = True
        try:
            await self._journal.commit(
                lambda connection: run_rows.put_step(connection, ended), committed
            )
        finally:
            live.answering = False
            live.stirred.set()
            live.tell()

    def _store_cancelled(self, connection: Connection, row: RunRow) -> None:
        """Write the end of a run together with that of the step under way."""
        for step in run_rows.steps(connection, row.id):
            if step.state == StepState.RUNNING:
                ended = Outcome(
                    state=StepState.CANCELLED,
                    error_code=row.error_code,
                    error=row.error,
                )
                run_rows.put_step(connection, self._course.ended_row(step, ended))
        run_rows.update(connection, row)

    def _gone(self, live: LiveRun, row: RunRow) -> None:
        """Let a run leave memory, and the next one of its group begin."""
        live.row = row
        self._live.pop(live.id, None)
        self._course.announce(live)
        self._next(live.group)

    def _next(self, group: Group) -> None:
        """Let the run begin that waits for its turn."""
        alike = [live for live in self.live if live.group == group]
        if not self._course.going or any(
            live.state is RunState.RUNNING for live in alike
        ):
            return
        waiting = [live for live in alike if not live.ending]
        if self._course.going and waiting:
            self._course.turn(waiting[0])

    async def _waiting(self, run: int) -> tuple[LiveRun, StepRow]:
        """Return a run whose step waits for time. Raises EngineError."""
        live = await self.find_live(run)
        row = live.under_way
        asks = isinstance(live.what, AskStep)
        if row is None or row.deadline is None or asks or live.answering:
            raise EngineError("run_not_waiting", field="run_id", id=run)
        return live, row

    def _due(self, key: Hashable, now: Any) -> None:
        """Wake the step whose time is over (law 7: it looks for itself)."""
        if (live := self._live.get(int(str(key)))) is not None:
            live.stirred.set()

    async def _read[T](self, query: Callable[[Connection], T]) -> T:
        """Ask the store. Raises EngineError `store_locked` without one."""
        if self._database is None:
            raise EngineError("store_locked")
        return await self._database.read(query)


async def _ended(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait until it has ended."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
