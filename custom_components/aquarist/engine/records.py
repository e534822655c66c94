"""The open commands in memory, and the one road by which they are accepted and advanced."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from sqlite3 import Connection
from typing import Any

from ..commands.command import Command, advance, changed
from ..commands.phases import Phase
from ..store import commands as command_rows
from ..store.work import Alike, perform
from .changes import Announcer, CommandChanged
from .clock import Clock
from .journal import Journal

type Write = Callable[[Connection], object]
type Amend = Callable[[Connection, Command], Command]


class Records:
    """Every command that has not ended, as last handed to the store.

    What is announced is always on disk; a command's next phase may be handed over before
    its last one is announced, never the other way round.
    """

    def __init__(self, journal: Journal, clock: Clock, announcer: Announcer) -> None:
        """Start with no command."""
        self._journal = journal
        self._clock = clock
        self._announcer = announcer
        self._current: dict[str, Command] = {}
        self._waiters: dict[str, list[asyncio.Future[Command]]] = {}
        self._settled: list[Callable[[Command], None]] = []

    @property
    def open(self) -> tuple[Command, ...]:
        """Return the commands that have not ended, in the order of acceptance."""
        still_open = (one for one in self._current.values() if not one.final)
        return tuple(sorted(still_open, key=lambda one: one.order))

    @property
    def unsettled(self) -> tuple[Command, ...]:
        """Return the commands whose end is not on disk: the open ones, and the ended."""
        return tuple(self._current.values())

    def holds(self, key: str) -> bool:
        """Return whether memory knows of a command whose end is not on disk."""
        return key in self._current

    def current(self, key: str) -> Command | None:
        """Return a command that has not ended; None for any other."""
        command = self._current.get(key)
        return None if command is None or command.final else command

    def adopt(self, command: Command) -> None:
        """Take in a command that is already on disk."""
        self._current[command.key] = command

    def on_settled(self, action: Callable[[Command], None]) -> None:
        """Call the action with each command whose end is on disk."""
        self._settled.append(action)

    def accept(
        self,
        command: Command,
        entered: Callable[[Command], None],
    ) -> asyncio.Future[tuple[Command, bool]]:
        """Commit a cause and let it enter memory in commit order (law 2, RES-44).

        The future has the record and whether it is new; the same id with the same content is
        the stored record again. It fails with ConflictingId for the same id with other content,
        with StoreError when it could not be written: nothing is stored then. Raises EngineError
        at once when the store is locked.
        """

        def committed(outcome: tuple[Command, bool]) -> None:
            stored, new = outcome
            if new:
                self.enter(stored)
                entered(stored)

        unit = Alike(command_rows.insert_all, command)
        return self._journal.commit(unit, committed)

    def impose(self, command: Command) -> Command:
        """Take in a cause of our own that must not wait for the store (law 2, exceptions)."""
        self._current[command.key] = command

        def unit(connection: Connection) -> Command:
            return command_rows.insert(connection, command)[0]

        self._journal.record(unit, self._imposed)
        return command

    def enter(self, stored: Command) -> None:
        """Take in and announce a command that has just been committed."""
        self._current[stored.key] = stored
        if stored.phase is not Phase.PLANNED and self._announcer.hearing(
            CommandChanged
        ):
            planned = changed(stored, phase=Phase.PLANNED, attempts=0, started_at=None)
            self._announcer.announce(CommandChanged(command=planned))
        self._announcer.announce(CommandChanged(command=stored))

    def advance(
        self,
        command: Command,
        phase: Phase,
        *,
        also: Write | None = None,
        amend: Amend | None = None,
        then: Callable[[Command], None] | None = None,
        **outcome: Any,
    ) -> Command:
        """Move a command on; the outcome is recorded and announced once on disk.

        ``amend`` writes something in the same unit and returns the record as it then is.
        """
        moved, unit, committed = self._step(
            command, phase, also, then, outcome, amend=amend
        )
        self._journal.record(unit, committed)
        return moved

    async def advance_first(
        self,
        command: Command,
        phase: Phase,
        *,
        also: Write | None = None,
        **outcome: Any,
    ) -> Command:
        """Move a command on and wait until that is on disk: the device comes after it.

        Raises StoreError, and the command is where it was, when it could not be written.
        """
        moved, unit, committed = self._step(command, phase, also, None, outcome)
        try:
            await self._journal.commit(unit, committed)
        except Exception:
            self._current[command.key] = command
            raise
        return moved

    async def finished(self, command: Command) -> Command:
        """Wait until a command has ended and that is on disk; returns it as it ended."""
        if command.final or command.key not in self._current:
            return command
        future: asyncio.Future[Command] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(command.key, []).append(future)
        return await future

    def count(self, command: Command, **changes: Any) -> Command:
        """Note something about a running command that its next phase will carry."""
        newer = changed(command, **changes)
        self._current[command.key] = newer
        return newer

    def note(self, command: Command, **changes: Any) -> Command:
        """Note something about a command that holds a field, also on disk, in its phase.

        A note that the store takes late does not set it back: its next phase carries it.
        """
        newer = self.count(command, **changes)

        def unit(connection: Connection) -> None:
            stored = command_rows.get(connection, newer.device, newer.id)
            if stored is not None and stored.phase is newer.phase:
                command_rows.update(connection, changed(newer, order=stored.order))

        self._journal.record(unit)
        return newer

    def _step(
        self,
        command: Command,
        phase: Phase,
        also: Write | None,
        then: Callable[[Command], None] | None,
        outcome: Mapping[str, Any],
        *,
        amend: Amend | None = None,
    ) -> tuple[Command, Callable[[Connection], Command], Callable[[Command], None]]:
        """Return the moved command, the unit that stores it, and what follows the commit."""
        moved = advance(command, phase, self._clock.now(), **outcome)
        self._current[moved.key] = moved

        def committed(stored: Command) -> None:
            if then is not None:
                then(stored)
            if stored.final:
                self._ended(stored)
            self._announcer.announce(CommandChanged(command=stored))

        if moved.order and amend is None:
            return moved, Alike(_store_steps, (moved, also)), committed

        def unit(connection: Connection) -> Command:
            stored = moved if moved.order else _with_order(connection, moved)
            if amend is not None:
                stored = amend(connection, stored)
            return _store_steps(connection, ((stored, also),))[0]

        return moved, unit, committed

    def _imposed(self, stored: Command) -> None:
        """Announce a cause of our own, now that it is on disk and has its place."""
        current = self._current[stored.key]
        self._current[stored.key] = changed(current, order=stored.order)
        self._announcer.announce(CommandChanged(command=stored))

    def _ended(self, stored: Command) -> None:
        """Forget a command and tell those who wait for its end."""
        self._current.pop(stored.key, None)
        for future in self._waiters.pop(stored.key, ()):
            if not future.done():
                future.set_result(stored)
        for action in self._settled:
            action(stored)


def _store_steps(
    connection: Connection, steps: Sequence[tuple[Command, Write | None]]
) -> Sequence[Command]:
    """Store where commands are now, and what goes along with each."""
    commands = [command for command, _ in steps]
    command_rows.update_all(connection, commands)
    perform(connection, (also for _, also in steps if also is not None))
    return commands


def _with_order(connection: Connection, command: Command) -> Command:
    """Return a command of our own that did not wait for its order to be known."""
    stored = command_rows.get(connection, command.device, command.id)
    return command if stored is None else changed(command, order=stored.order)
