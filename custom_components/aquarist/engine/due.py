"""A due moment of a schedule as one unit of work: identity, commands and next run together."""

from dataclasses import field
from datetime import datetime
from sqlite3 import Connection

from ..commands.command import Command, changed
from ..frozen import frozen
from ..schedules.moments import Moment
from ..store import commands as command_rows, occurrences, schedules as schedule_rows
from ..store.occurrences import Verdict

NOT_RUNNING = "not_running"
AUTOMATION_OFF = "automation_off"
WAITING = occurrences.WAITING_FOR_KEEPER
HELD_BACK = frozenset({AUTOMATION_OFF, "run_under_way", "run_maximum"})
"""Why a moment is left out on purpose: the keeper's, or a macro's that runs already."""


@frozen
class Waiting:
    """Moments of a schedule that were missed in one outage; the keeper decides (RES-67)."""

    occurrence: int
    schedule: int
    at: datetime
    last_at: datetime
    count: int


@frozen
class StoredDue:
    """What of a due moment is on disk: ids of its occurrence and of the row of missed ones."""

    occurrence: int | None = None
    missed: int | None = None
    commands: tuple[Command, ...] = field(default=())


@frozen
class Due:
    """What happens at a due moment.

    ``moment`` runs now, ``passed`` went by unseen because of ``absence``; ``problem`` says
    why nothing begins.
    """

    schedule: int
    moment: Moment | None
    passed: tuple[Moment, ...]
    following: Moment | None
    commands: tuple[Command, ...]
    problem: str | None
    absence: str
    now: datetime

    @property
    def verdict(self) -> Verdict | None:
        """Return the verdict of a moment that does not begin: held back, or not possible."""
        if self.problem is None:
            return None
        return Verdict.SKIPPED if self.problem in HELD_BACK else Verdict.FAILED

    @property
    def status(self) -> str | None:
        """Return the run status that is known at once (R-B4)."""
        if self.moment is None or self.verdict is Verdict.SKIPPED:
            return "skipped"
        return "failed" if self.problem is not None else None

    def store(self, connection: Connection) -> StoredDue:
        """Write it all, or nothing; a moment that had its turn is not run again (RES-51)."""
        missed = self._store_missed(connection)
        number, commands = self._store_run(connection)
        schedule_rows.set_run(
            connection,
            self.schedule,
            next_run=self.following.at if self.following else None,
            last_run=self.moment.at if self.moment else None,
            last_run_status=self.status,
            enabled=False if self.following is None else None,
        )
        return StoredDue(occurrence=number, missed=missed, commands=commands)

    def _store_missed(self, connection: Connection) -> int | None:
        """Write one row for the moments that passed unseen (law 9)."""
        if not self.passed:
            return None
        return occurrences.missed(
            connection,
            self.schedule,
            self.passed[0],
            self.passed[-1],
            len(self.passed),
            self.absence,
            self.now,
        )

    def _store_run(
        self, connection: Connection
    ) -> tuple[int | None, tuple[Command, ...]]:
        """Write the occurrence and its commands."""
        if self.moment is None:
            return None, ()
        number = occurrences.claim(connection, self.schedule, self.moment, 0, self.now)
        if number is None:
            return None, ()
        if self.verdict is not None:
            occurrences.set_verdict(
                connection, number, self.verdict, self.problem, self.now
            )
        stored = (
            command_rows.insert(connection, changed(command, occurrence=number))[0]
            for command in self.commands
        )
        return number, tuple(stored)
