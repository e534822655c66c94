"""A process that writes commands, tells what was acknowledged, and ends without a warning.

``python -m tests.store.writing_process PATH END``: prints ``KEY PHASE`` for every write
that was acknowledged. END is ``told`` (ends by itself when it has told of enough),
``unit`` (ends in the middle of a unit) or ``killed`` (goes on until it is killed).
"""

import asyncio
from functools import partial
import os
from pathlib import Path
import sqlite3
import sys

from custom_components.aquarist.commands.command import Command, advance
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.store import commands
from custom_components.aquarist.store.database import Database

from .samples import AT, add_devices, command

ENOUGH = 60


async def main(path: Path, end: str) -> None:
    """Write from several tasks until the end."""
    database = await Database.open(path, at=AT)
    await database.writer.write(lambda connection: add_devices(connection, 5))
    told = 0

    def tell(stored: Command) -> None:
        """Tell the parent that a write was acknowledged."""
        nonlocal told
        os.write(1, f"{stored.key} {stored.phase}\n".encode())
        told += 1
        if end == "told" and told == ENOUGH:
            os._exit(9)

    def insert(new: Command, connection: sqlite3.Connection) -> Command:
        """Store a command, and end after it when it is time."""
        stored, _ = commands.insert(connection, new)
        if end == "unit" and told > ENOUGH:
            os._exit(9)
        return stored

    def update(changed: Command, connection: sqlite3.Connection) -> Command:
        """Store what became of it."""
        commands.update(connection, changed)
        return changed

    async def work(device: int) -> None:
        """Write one command after the other."""
        number = 0
        while True:
            number += 1
            new = command(f"c{number}", device=device)
            stored = await database.writer.write(partial(insert, new))
            tell(stored)
            for phase in (Phase.APPLYING, Phase.COMPLETED):
                stored = advance(stored, phase, AT)
                await database.writer.write(partial(update, stored))
                tell(stored)

    await asyncio.gather(*(work(device) for device in range(1, 6)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
