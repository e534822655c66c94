"""A gate at which the writer can be made to stand."""

import asyncio
import sqlite3
import threading

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
