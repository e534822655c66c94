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
from typing import Any

from .batches import Batches
from .checkpoints import Checkpoints
from .errors import StoreClosedError, StoreError, translated
from .filing import Filing
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
)

_LOGGER = logging.getLogger(__name__)

PAUSES = (0.05, 0.2)
IDLE = 1.0
CHECKPOINT_AFTER = 50


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
        self._path = path
        self._loop = loop
        self._idle = idle
        self._checkpoints = Checkpoints(connection, every=checkpoint_after)
        self._filing = Filing(connection)
        self._batches = Batches(
            connection,
            path,
            pauses=pauses,
            meanwhile=self._report,
            stored=self._stored,
        )
        self._queue: SimpleQueue[Waiting | Upkeep] = SimpleQueue()
        self._held: Upkeep | None = None
        self._untold: list[Outcome] = []
        self._changed = False
        self._abandoned = False
        self._closing: asyncio.Future[None] | None = None
        self._refusing = False
        self.watcher: Callable[[StoreError | None], None] | None = None
        self.acting: Acting = nullcontext
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
        self._batches.holding_back = False

    async def pause_checkpoints(self) -> None:
        """Fold the log into the file and leave the file alone from now on, for a backup.

        Writing goes on, into the log. Raises StoreError when the log could not be folded.
        """
        await self._upkeep(self._checkpoints.pause)

    async def resume_checkpoints(self) -> None:
        """Allow checkpoints again. Raises StoreError."""
        await self._upkeep(self._checkpoints.resume)

    async def close(self) -> None:
        """Store what is waiting, fold the log, close the connection and join the thread."""
        if self._closing is None:
            self._closing = self._loop.create_future()
            self._queue.put(Upkeep(self._checkpoints.finish, self._closing, last=True))
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

    def _deliver(self, outcomes: list[Outcome], changed: bool) -> None:
        """Tell the callers of a batch, in commit order."""
        self._watch(outcomes, changed)
        with self.acting():
            for outcome in outcomes:
                _tell_of(*outcome)

    def _watch(self, outcomes: list[Outcome], changed: bool) -> None:
        """Tell whoever watches when the store begins to refuse, and when it takes again.

        That a batch which changed nothing ended well says nothing of the disk.
        """
        errors = [error for *_, error in outcomes]
        if all(isinstance(error, HeldBackError) for error in errors):
            return
        fault = next((one for one in errors if isinstance(one, StoreError)), None)
        if fault is None and not (self._refusing and changed):
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
                continue
            outcomes = self._batches.settle(taken)
            self._report()
            self._untold, self._changed = outcomes, self._batches.changed
            if self._filing.overdue:
                self._report()
                self._filing.catch_up()
        _LOGGER.warning("The event loop ended before the store was closed")
        self._checkpoints.finish()

    def _stored(self, units: int) -> None:
        """Take note that so many units are on disk."""
        self._checkpoints.note(units)
        self._filing.note(units)

    def _tell(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call back in the event loop; when it is closed, nobody is there to be told."""
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            self._abandoned = True

    def _report(self) -> None:
        """Tell the event loop what became of the last batch, unless that is done."""
        if self._untold:
            self._tell(self._deliver, self._untold, self._changed)
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
        folds = self._checkpoints.due
        if folds or self._filing.waiting:
            try:
                return self._queue.get(timeout=self._idle)
            except Empty:
                self._filing.catch_up()
                if folds:
                    self._checkpoints.fold()
        return self._queue.get()

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
