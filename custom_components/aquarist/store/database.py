"""The store as the rest of Aquarist holds it: one writer, a few readers."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
import sqlite3
from typing import Self

from .batches import undo
from .errors import StoreClosedError, of_the_store, translated
from .migrations import STEPS, Step
from .opening import open_for_reading, open_for_writing
from .writer import Writer

READERS = 2


class Database:
    """An open store. ``writer`` changes it, ``read`` asks it.

    Made by ``open``; ``path`` is its file.
    """

    def __init__(
        self, path: Path, writer: Writer, readers: Sequence[sqlite3.Connection]
    ) -> None:
        """Hold the writer and the readers' connections."""
        self.path = path
        self.writer = writer
        self._readers = readers
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for connection in readers:
            self._idle.put(connection)
        self._pool = ThreadPoolExecutor(
            max_workers=len(readers), thread_name_prefix="aquarist-store-reader"
        )
        self._closed = False

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        at: datetime,
        readers: int = READERS,
        steps: Sequence[Step] = STEPS,
    ) -> Self:
        """Open the store, made or migrated as needed; ``at`` is the present instant.

        Raises StoreNewerError (the file is left alone), StoreCorruptError (the file is
        set aside, its new path in ``set_aside``; opening once more makes a new one),
        StoreReadOnlyError, StoreFullError or StoreFailedError (R-X3).
        """
        loop = asyncio.get_running_loop()

        def opened() -> tuple[sqlite3.Connection, list[sqlite3.Connection]]:
            """Open all connections; runs in an executor."""
            connection = open_for_writing(path, at, steps)
            try:
                return connection, [open_for_reading(path) for _ in range(readers)]
            except BaseException:
                connection.close()
                raise

        connection, reading = await loop.run_in_executor(None, opened)
        return cls(path, Writer(connection, path, loop), reading)

    async def read[T](self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return what the query finds in one consistent view of the store.

        It runs in a thread, on a connection that cannot write. Callers page: a view
        that stays open keeps the log from being folded. Raises StoreError, or what the
        query raises.
        """
        if self._closed:
            raise StoreClosedError("the store is closed", path=self.path)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._ask, query)

    async def close(self) -> None:
        """Finish what is being read and written, and close every connection."""
        if not self._closed:
            self._closed = True
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self._close_readers)
        await self.writer.close()

    def _ask[T](self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query; in a thread of the pool."""
        connection = self._idle.get()
        try:
            connection.execute("BEGIN")
            try:
                return query(connection)
            finally:
                undo(connection)
        except sqlite3.Error as error:
            if of_the_store(error):
                raise translated(error, self.path) from error
            raise
        finally:
            self._idle.put(connection)

    def _close_readers(self) -> None:
        """Wait for the queries that run and close the connections."""
        self._pool.shutdown()
        for connection in self._readers:
            connection.close()
