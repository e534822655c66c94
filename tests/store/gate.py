"""A gate at which the writer can be made to stand."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
import sqlite3
import threading

from custom_components.aquarist.engine.journal import Journal
from custom_components.aquarist.store.errors import StoreFullError
from custom_components.aquarist.store.writer import Writer


class Gate:
    """A unit that keeps the writer busy until it is opened, so that others wait."""

    def __init__(self) -> None:
        """Start shut."""
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, _: sqlite3.Connection) -> None:
        """Wait in the writer's thread."""
        self.reached.set()
        assert self.opened.wait(10)


async def blocked(writer: Writer) -> tuple[Gate, asyncio.Future[None]]:
    """Return a gate at which the writer stands, and the write that stands there."""
    gate = Gate()
    standing = writer.write(gate)
    await asyncio.to_thread(gate.reached.wait, 10)
    return gate, standing


async def answered_on_disk[T](writer: Writer, request: Coroutine[None, None, T]) -> T:
    """Return the answer of a request, which must not come while the writer stands still."""
    gate, standing = await blocked(writer)
    asking = asyncio.ensure_future(request)
    await asyncio.wait([asking], timeout=0.1)
    early = asking.done()
    gate.opened.set()
    await standing
    answer = await asking
    assert not early
    return answer


@asynccontextmanager
async def refusing(journal: Journal) -> AsyncIterator[None]:
    """Let the store take none of a journal's outcomes for the length of the block."""
    trouble = [StoreFullError("no room")]

    def unit(_: sqlite3.Connection) -> None:
        """Fail as a full disk does."""
        if trouble:
            raise trouble[0]

    journal.record(unit)
    try:
        yield
    finally:
        trouble.clear()
        await journal.retry()
