"""The one writer of the store: group commit on a thread of its own (design section 6).

A unit of work is a function of the connection. The writer takes all units that are
waiting, without lingering, into one transaction in which each fails alone, and tells
the event loop once a batch. A unit may be run again, when its batch could not be stored
or when another unit of it failed: it must change nothing but the database. Neighbours that
are alike are done together, in fewer statements.

Units that nobody waits for keep their order over a fault: once one of them was refused, no
later one is tried before whoever posts them has caught up.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
import logging
from pathlib import Path
from queue import Empty, SimpleQueue
import sqlite3
import threading
import time
from typing import Any

from .errors import (
    StoreClosedError,
    StoreError,
    StoreFailedError,
    of_the_store,
    passing,
    translated,
)
from .filing import FILE_AFTER, file, is_filed
from .place import Place
from .work import (
    Acting,
    Committed,
    HeldBackError,
    Outcome,
    Teller,
    Unattended,
    Unit,
    Upkeep,
    Waiting,
    is_unattended,
    perform,
)

_LOGGER = logging.getLogger(__name__)

PAUSES = (0.05, 0.2)
IDLE = 1.0
CHECKPOINT_AFTER = 50
BACKSTOP_PAGES = 1_000


class Writer:
    """The thread that changes the store, and the way to it from the event loop.

    ``connection`` is the writer's alone from now on; the writer closes it. ``pauses``
    are the seconds before a batch that failed for a passing reason is tried again
    (R-B58); ``idle`` are the seconds without work after which it may checkpoint.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        loop: asyncio.AbstractEventLoop,
        *,
        pauses: Sequence[float] = PAUSES,
        idle: float = IDLE,
        checkpoint_after: int = CHECKPOINT_AFTER,
    ) -> None:
        """Start the thread."""
        self._connection = connection
        self._path = path
        self._place = Place(path)
        self._loop = loop
        self._pauses = pauses
        self._idle = idle
        self._checkpoint_after = checkpoint_after
        self._queue: SimpleQueue[Waiting | Upkeep] = SimpleQueue()
        self._held: Upkeep | None = None
        self._untold: list[Outcome] = []
        self._unfolded = 0
        # What the last life left unfiled nobody counted.
        self._unfiled = 1
        self._paused = False
        self._abandoned = False
        self._closing: asyncio.Future[None] | None = None
        self._refusing = False
        self._holding_back = False
        self.watcher: Callable[[StoreError | None], None] | None = None
        self.acting: Acting = nullcontext
        connection.execute(f"PRAGMA wal_autocheckpoint={BACKSTOP_PAGES}")
        self._thread = threading.Thread(
            target=self._run, name="aquarist-store-writer", daemon=True
        )
        self._thread.start()

    # The event loop's side

    def write[T](
        self, unit: Unit[T], committed: Callable[[T], None] | None = None
    ) -> asyncio.Future[T]:
        """Hand a unit of work to the writer; to be called in the event loop.

        The future has the unit's result once it is on disk. Before it is resolved,
        ``committed`` is called with that result, in the order of the commits; what it
        raises is logged and hurts nobody else. The future fails with what the unit
        raised, or with a StoreError when the store could not take the batch. A caller
        that is cancelled does not undo its write.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if self._closing is not None:
            future.set_exception(
                StoreClosedError("the store is closed", path=self._path)
            )
        else:
            self._queue.put((unit, committed, future))
        return future

    def post[T](
        self,
        unit: Unit[T],
        committed: Callable[[T], None] | None,
        failed: Callable[[BaseException], None],
    ) -> None:
        """Hand over a unit of work that nobody waits for; `failed` hears why it was not stored.

        After a StoreError those that are on their way fail with HeldBackError, untried,
        until `caught_up`.
        """
        if self._closing is not None:
            failed(StoreClosedError("the store is closed", path=self._path))
        else:
            self._queue.put((unit, committed, Unattended(failed)))

    def caught_up(self) -> None:
        """Try posted units again: those that failed are stored, or given up, by now."""
        self._holding_back = False

    async def pause_checkpoints(self) -> None:
        """Fold the log into the file and leave the file alone from now on, for a backup.

        Writing goes on, into the log. Raises StoreError when the log could not be folded.
        """
        await self._upkeep(self._pause)

    async def resume_checkpoints(self) -> None:
        """Allow checkpoints again. Raises StoreError."""
        await self._upkeep(self._resume)

    async def close(self) -> None:
        """Store what is waiting, fold the log, close the connection and join the thread."""
        if self._closing is None:
            self._closing = self._loop.create_future()
            self._queue.put(Upkeep(self._finish, self._closing, last=True))
        await asyncio.shield(self._closing)
        # The thread has nothing left to do but to return.
        self._thread.join()

    async def _upkeep(self, work: Callable[[], None]) -> None:
        """Have the writer do something between two transactions."""
        if self._closing is not None:
            raise StoreClosedError("the store is closed", path=self._path)
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(Upkeep(work, done))
        await done

    def _deliver(self, outcomes: list[Outcome]) -> None:
        """Tell the callers of a batch, in commit order."""
        self._watch(outcomes)
        with self.acting():
            for outcome in outcomes:
                _tell_of(*outcome)

    def _watch(self, outcomes: list[Outcome]) -> None:
        """Tell whoever watches when the store begins to refuse, and when it takes again."""
        errors = [error for *_, error in outcomes]
        if all(isinstance(error, HeldBackError) for error in errors):
            return
        fault = next((one for one in errors if isinstance(one, StoreError)), None)
        if fault is None and not self._refusing:
            return
        self._refusing = fault is not None
        if self.watcher is not None:
            self.watcher(fault)

    # The thread's side

    def _run(self) -> None:
        """Store batch after batch until the end, or until the event loop is gone."""
        while (taken := self._take()) is not None:
            if isinstance(taken, Upkeep):
                self._keep_up(taken)
                if taken.last:
                    return
            else:
                outcomes = self._settle(taken)
                self._report()
                self._untold = outcomes
                if self._unfiled >= FILE_AFTER:
                    self._report()
                    self._file()
        _LOGGER.warning("The event loop ended before the store was closed")
        self._finish()

    def _tell(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call back in the event loop; when it is closed, nobody is there to be told."""
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            self._abandoned = True

    def _report(self) -> None:
        """Tell the event loop what became of the last batch, unless that is done."""
        if self._untold:
            self._tell(self._deliver, self._untold)
            self._untold = []

    def _take(self) -> list[Waiting] | Upkeep | None:
        """Return all units that are waiting, or the upkeep that is due before them.

        None when the event loop is gone.
        """
        if self._held is not None or self._queue.empty():
            self._report()
        if self._abandoned:
            return None
        if (held := self._held) is not None:
            self._held = None
            return held
        batch: list[Waiting] = []
        item = self._next()
        while not isinstance(item, Upkeep):
            batch.append(item)
            if self._queue.empty():
                return batch
            item = self._queue.get_nowait()
        if not batch:
            self._report()
            return item
        self._held = item
        return batch

    def _next(self) -> Waiting | Upkeep:
        """Wait for the next item; file and checkpoint when none comes for a while."""
        folds = self._unfolded >= self._checkpoint_after and not self._paused
        if folds or self._unfiled:
            try:
                return self._queue.get(timeout=self._idle)
            except Empty:
                self._file()
                if folds:
                    self._fold("PASSIVE")
        return self._queue.get()

    def _settle(self, batch: list[Waiting]) -> list[Outcome]:
        """Return what became of the units of a batch: stored, refused, or held back."""
        held_back = filter(is_unattended, batch if self._holding_back else ())
        outcomes: list[Outcome] = [
            (teller, None, None, HeldBackError()) for _, _, teller in held_back
        ]
        if outcomes:
            batch = [waiting for waiting in batch if not is_unattended(waiting)]
        return outcomes + self._stored(batch) if batch else outcomes

    def _stored(self, batch: list[Waiting]) -> list[Outcome]:
        """Store a batch, tried again after passing faults."""
        pauses = iter(self._pauses)
        while True:
            try:
                outcomes = self._attempt(batch)
            except (sqlite3.Error, StoreError) as error:
                failure = error
                self._report()
                self._undo()
            else:
                self._unfolded += len(batch)
                self._unfiled += len(batch)
                return outcomes
            pause = next(pauses, None)
            if pause is None or not passing(failure):
                return self._refused(batch, failure)
            time.sleep(pause)

    def _refused(
        self, batch: list[Waiting], failure: sqlite3.Error | StoreError
    ) -> list[Outcome]:
        """Return the same fault for all units of a batch, an error of its own each."""
        _LOGGER.error("The store did not take %s writes: %s", len(batch), failure)
        if any(map(is_unattended, batch)):
            self._holding_back = True
        return [
            (future, None, None, translated(failure, self._path))
            for _, _, future in batch
        ]

    def _attempt(self, batch: list[Waiting]) -> list[Outcome]:
        """Run the units of a batch in one transaction. Raises what fails all of them.

        Savepoints cost as much as a small write: only when a unit fails is the batch
        begun anew with one for each unit, which parts the good from the bad.
        """
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = perform(connection, [unit for unit, _, _ in batch])
            outcomes: list[Outcome] = [
                (future, committed, result, None)
                for (_, committed, future), result in zip(batch, results, strict=True)
            ]
        except BaseException as error:
            if of_the_store(error):
                raise
            connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._one(waiting) for waiting in batch]
        self._place.check()
        # The loop hears of the last batch while the disk is busy with this one, which
        # is when the two threads do not wait for each other.
        self._report()
        connection.execute("COMMIT")
        return outcomes

    def _one(self, waiting: Waiting) -> Outcome:
        """Run one unit that fails alone. Raises what fails the whole batch."""
        unit, committed, future = waiting
        connection = self._connection
        connection.execute("SAVEPOINT unit")
        try:
            result = unit(connection)
        except BaseException as error:
            if of_the_store(error):
                raise
            connection.execute("ROLLBACK TO unit")
            connection.execute("RELEASE unit")
            return (future, None, None, error)
        connection.execute("RELEASE unit")
        return (future, committed, result, None)

    def _undo(self) -> None:
        """Leave the transaction that failed, as far as SQLite has not done so itself."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            _LOGGER.warning("A transaction could not be rolled back: %s", error)

    def _keep_up(self, upkeep: Upkeep) -> None:
        """Do work between two transactions and tell its caller."""
        try:
            upkeep.work()
        except sqlite3.Error as error:
            self._tell(_fail, upkeep.done, translated(error, self._path))
        except StoreError as error:
            self._tell(_fail, upkeep.done, error)
        else:
            self._tell(_fulfil, upkeep.done)

    def _file(self) -> None:
        """File what is new; until that succeeds it is found all the same."""
        self._unfiled = 0
        try:
            if not is_filed(self._connection):
                self._connection.execute("BEGIN IMMEDIATE")
                file(self._connection)
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            _LOGGER.warning("The newest commands could not be filed: %s", error)
            self._undo()

    def _fold(self, mode: str) -> bool:
        """Checkpoint the log into the file; return whether all of it was folded."""
        try:
            busy, _, _ = self._connection.execute(
                f"PRAGMA wal_checkpoint({mode})"
            ).fetchone()
        except sqlite3.Error as error:
            _LOGGER.warning("The store's log could not be folded: %s", error)
            return False
        self._unfolded = 0
        return not busy

    def _pause(self) -> None:
        """Fold the log and stop checkpoints. Raises StoreFailedError."""
        if not self._fold("TRUNCATE"):
            raise StoreFailedError("the store's log could not be folded")
        self._connection.execute("PRAGMA wal_autocheckpoint=0")
        self._paused = True

    def _resume(self) -> None:
        """Allow checkpoints again."""
        self._connection.execute(f"PRAGMA wal_autocheckpoint={BACKSTOP_PAGES}")
        self._paused = False

    def _finish(self) -> None:
        """Fold the log and close the connection; during a backup the file stays as it is."""
        if self._paused:
            self._connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
        else:
            self._fold("TRUNCATE")
        self._connection.close()


def _tell_of(
    future: Teller, committed: Committed, result: Any, error: BaseException | None
) -> None:
    """Tell the caller of one unit what became of it."""
    if error is not None:
        if future.cancelled():
            _LOGGER.error("A write that nobody waits for failed: %r", error)
        else:
            future.set_exception(error)
        return
    if committed is not None:
        try:
            committed(result)
        except Exception:
            _LOGGER.exception("What follows from a committed write failed")
    if not future.cancelled():
        future.set_result(result)


def _fulfil(done: asyncio.Future[None]) -> None:
    """Resolve a future that may have been cancelled."""
    if not done.cancelled():
        done.set_result(None)


def _fail(done: asyncio.Future[None], error: StoreError) -> None:
    """Fail a future that may have been cancelled."""
    if not done.cancelled():
        done.set_exception(error)
