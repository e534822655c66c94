"""The verdict of every occurrence: what became of a due moment, and why (law 9)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Connection

from ..commands.command import Command, ErrorCode
from ..commands.phases import Phase
from ..runs.states import RunState
from ..store import (
    commands as command_rows,
    occurrences,
    runs as run_rows,
    schedules as schedule_rows,
)
from ..store.occurrences import OccurrenceRow, Verdict
from ..store.runs import RunRow
from .changes import OccurrenceChanged, RunChanged
from .due import Due, StoredDue
from .ground import Ground


@dataclass(slots=True)
class _Running:
    """An occurrence whose commands have not all ended."""

    schedule: int
    at: datetime
    keys: set[str]
    decided: bool = False


class Verdicts:
    """Follows the occurrences under way until all their commands, or their run, have ended."""

    def __init__(self, ground: Ground, ran: Callable[[int, str], None]) -> None:
        """Hear of every command's end; tell `ran` how a schedule's run came out."""
        self._clock = ground.clock
        self._records = ground.records
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._ran = ran
        self._running: dict[int, _Running] = {}
        ground.records.on_settled(self._settled)
        ground.announcer.listen(self._ran_on, RunChanged)

    def began(self, due: Due, stored: StoredDue) -> None:
        """Follow what a due moment has begun, and announce what is known of it."""
        if stored.missed is not None:
            self._announce(
                stored.missed,
                due.schedule,
                due.passed[0].at,
                Verdict.MISSED,
                due.absence,
            )
        if stored.occurrence is None or due.moment is None:
            return
        if due.verdict is None:
            self._running[stored.occurrence] = _Running(
                due.schedule,
                due.moment.at,
                {command.key for command in stored.commands if not command.final},
            )
        self._announce(
            stored.occurrence, due.schedule, due.moment.at, due.verdict, due.problem
        )

    def resume(self, undecided: Iterable[OccurrenceRow]) -> None:
        """Take up the occurrences that were under way when the engine stopped.

        A command or run that recovery has just ended is waited for: its end settles it as
        well.
        """
        unsettled: dict[int, set[str]] = {}
        for command in self._records.unsettled:
            if command.occurrence is not None:
                unsettled.setdefault(command.occurrence, set()).add(command.key)
        for row in undecided:
            keys = unsettled.get(row.id, set())
            running = _Running(row.schedule, row.at, keys)
            self._running[row.id] = running
            if not keys:
                self._decide_from_store(row.id, running)

    def _settled(self, command: Command) -> None:
        """Give an occurrence its verdict when its last command has ended."""
        number = command.occurrence or 0
        if (running := self._running.get(number)) is None:
            return
        running.keys.discard(command.key)
        if not running.keys:
            self._decide_from_store(number, running)

    def _decide_from_store(self, occurrence: int, running: _Running) -> None:
        """Read how all commands of an occurrence ended, before a restart as well."""

        def unit(connection: Connection) -> tuple[list[Command], RunRow | None]:
            commands = command_rows.of_occurrence(connection, occurrence)
            run = None if commands else run_rows.of_occurrence(connection, occurrence)
            return commands, run

        def read(found: tuple[list[Command], RunRow | None]) -> None:
            commands, run = found
            if run is None:
                self._decide(occurrence, running, *verdict_of(commands))
            elif run.ended_at is not None:
                self._decide(occurrence, running, *verdict_of_run(run))

        self._journal.record(unit, read)

    def _ran_on(self, change: RunChanged) -> None:
        """Give an occurrence its verdict when the run that it began has ended."""
        occurrence = int(change.run.data.get("occurrence", 0))
        running = self._running.get(occurrence)
        if running is not None and change.run.ended_at is not None:
            self._decide(occurrence, running, *verdict_of_run(change.run))

    def _decide(
        self,
        occurrence: int,
        running: _Running,
        verdict: Verdict,
        reason: str | None,
    ) -> None:
        """Store and announce the verdict of an occurrence, once."""
        if running.decided:
            return
        running.decided = True
        now = self._clock.now()
        status = "success" if verdict is Verdict.RAN else "failed"

        def unit(connection: Connection) -> bool:
            occurrences.set_verdict(connection, occurrence, verdict, reason, now)
            row = schedule_rows.get(connection, running.schedule)
            newest = row is not None and (
                row.last_run is None or row.last_run <= running.at
            )
            if row is not None and newest:
                schedule_rows.set_run(
                    connection,
                    running.schedule,
                    next_run=row.next_run,
                    last_run=running.at,
                    last_run_status=status,
                )
            return newest

        def committed(newest: bool) -> None:
            self._running.pop(occurrence, None)
            if newest:
                self._ran(running.schedule, status)
            self._announce(occurrence, running.schedule, running.at, verdict, reason)

        self._journal.record(unit, committed)

    def _announce(
        self,
        occurrence: int,
        schedule: int,
        at: datetime,
        verdict: Verdict | None,
        reason: str | None,
    ) -> None:
        """Tell of an occurrence."""
        self._announcer.announce(
            OccurrenceChanged(
                occurrence=occurrence,
                schedule=schedule,
                at=at.isoformat(),
                verdict=verdict.value if verdict else None,
                reason=reason,
            )
        )


def verdict_of(commands: Iterable[Command]) -> tuple[Verdict, str | None]:
    """Return the verdict of an occurrence from how its commands ended (RES-38)."""
    ended = tuple(commands)
    good = [one for one in ended if one.phase is Phase.COMPLETED]
    bad = [one for one in ended if one.phase is not Phase.COMPLETED]
    if not bad and good:
        return Verdict.RAN, None
    reason = bad[0].error or str(bad[0].phase) if bad else "no_command"
    if good:
        return Verdict.PARTLY, reason
    if bad and all(one.error_code == ErrorCode.SAFETY_REFUSED for one in bad):
        return Verdict.REFUSED, reason
    return Verdict.FAILED, reason


def verdict_of_run(run: RunRow) -> tuple[Verdict, str | None]:
    """Return the verdict of an occurrence from how the run ended that it began."""
    if run.state == RunState.COMPLETED:
        return (Verdict.RAN if run.error is None else Verdict.PARTLY), run.error
    if run.error_code == ErrorCode.SAFETY_REFUSED:
        return Verdict.REFUSED, run.error
    return Verdict.FAILED, run.error
