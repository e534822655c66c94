"""The engine's road to the store: causes are committed, outcomes are never lost (law 2).

A cause that cannot be written is an error to whoever asked. An outcome has already
happened; if it cannot be written now it is kept in order and written as soon as the store
takes it, and only then does memory change and the world hear of it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext, suppress
import logging
from sqlite3 import Connection
from typing import Any

from ..store.database import Database
from ..store.errors import StoreClosedError, StoreError, StoreOwesError
from ..store.work import Acting, HeldBackError
from .errors import EngineError

_LOGGER = logging.getLogger(__name__)

type Unit[T] = Callable[[Connection], T]
type Committed[T] = Callable[[T], None]


class Journal:
    """Writes causes and outcomes; locked when there is no store to write to."""

    def __init__(
        self,
        database: Database | None,
        troubled: Callable[[StoreError | None], None],
        acting: Acting = nullcontext,
    ) -> None:
        """Write to the database; tell `troubled` of a fault, and of None when it is over.

        What follows from the commits of a batch happens within `acting`.
        """
        self._database = database
        if database is not None:
            database.writer.watcher = troubled
            database.writer.acting = acting
        self._kept: deque[tuple[Unit[Any], Committed[Any] | None]] = deque()
        # How many of the kept came back from the store. The rest was never handed over.
        self._returned = 0
        self._fault: StoreError | None = None
        self._retrying: asyncio.Task[None] | None = None

    @property
    def locked(self) -> bool:
        """Return whether nothing can be accepted: only stop and off go out (design 3)."""
        return self._database is None

    @property
    def kept(self) -> int:
        """Return how many outcomes wait for the store."""
        return len(self._kept)

    def commit[T](
        self, unit: Unit[T], committed: Committed[T] | None = None
    ) -> asyncio.Future[T]:
        """Write a cause; the future ends when it is on disk.

        Raises EngineError at once when the store is locked; the future raises StoreError
        when the write failed.
        """
        if self._database is None:
            raise EngineError("store_locked")
        return self._database.writer.write(unit, committed)

    def record[T](self, unit: Unit[T], committed: Committed[T] | None = None) -> None:
        """Write an outcome; nobody waits, and it is kept until it is on disk.

        A locked engine has no store as long as it lives: what happens leaves no record.
        """
        if self._database is None:
            return
        if self._kept:
            self._kept.append((unit, committed))
            return
        self._database.writer.post(
            unit, committed, lambda error: self._keep(error, unit, committed)
        )

    def _keep[T](
        self, error: BaseException, unit: Unit[T], committed: Committed[T] | None
    ) -> None:
        """Keep an outcome that the store did not take, or that came behind one of those.

        What was handed over before the fault was heard stays before what came after it.
        """
        if isinstance(error, StoreError):
            self._fault = error
        if isinstance(error, StoreError | HeldBackError):
            self._kept.insert(self._returned, (unit, committed))
            self._returned += 1
        else:
            _LOGGER.error("An outcome could not be recorded", exc_info=error)

    async def written(self) -> None:
        """Wait until everything that was recorded is on disk, so that it may be answered.

        Raises StoreOwesError when the store does not take it: it has happened, and stays
        kept then. Raises StoreClosedError when it never will.
        """
        if self._database is None:
            return
        # Behind everything that is on its way: what is refused of that has come back then.
        with suppress(StoreError):
            await self.commit(lambda connection: None)
        await self.retry()
        if not self._kept or (fault := self._fault) is None:
            return
        if isinstance(fault, StoreClosedError):
            raise fault
        raise StoreOwesError(str(fault), path=fault.path) from fault

    async def retry(self) -> None:
        """Write the kept outcomes in their order, as far as the store takes them.

        A caller that is cancelled calls nothing back: what was handed over is written once.
        """
        if self._database is None or not self._kept:
            return
        if self._retrying is None:
            self._retrying = asyncio.create_task(self._write_kept(self._database))
        await asyncio.shield(self._retrying)

    async def _write_kept(self, database: Database) -> None:
        """Write one kept outcome after the other, until the store refuses one."""
        try:
            while self._kept:
                unit, committed = self._kept[0]
                try:
                    await database.writer.write(unit, committed)
                except StoreError:
                    return
                except Exception:
                    _LOGGER.exception("An outcome could not be recorded")
                self._kept.popleft()
                self._returned = max(0, self._returned - 1)
            # All that was on its way has come back by now: it was before these in the queue.
            database.writer.caught_up()
        finally:
            self._retrying = None

    async def close(self) -> None:
        """Write what is kept if the store takes it, then close the store."""
        await self.retry()
        if self._database is not None:
            await self._database.close()
