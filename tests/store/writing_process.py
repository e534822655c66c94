"""A process that writes commands, tells what was acknowledged, and ends without a warning.

``python -m tests.store.writing_process PATH END``: prints ``KEY PHASE`` for every write
that was acknowledged. END is ``told`` (ends by itself when it has told of enough),
``unit`` (ends in the middle of a unit) or ``killed`` (goes on until it is killed).
"""

import asyncio
from collections.abc import Sequence
import os
from pathlib import Path
import sqlite3
import sys

from custom_components.aquarist.commands.command import Command, advance
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.store import commands
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.work import Alike

from .samples import AT, add_devices, command

ENOUGH = 60
DEVICES = 12


async def main(path: Path, end: str) -> None:
    """Write from several tasks until the end."""
    database = await Database.open(path, at=AT)
    await database.writer.write(lambda connection: add_devices(connection, DEVICES))
    told = 0

    def tell(stored: Command) -> None:
        """Tell the parent that a write was acknowledged."""
        nonlocal told
        os.write(1, f"{stored.key} {stored.phase}\n".encode())
        told += 1
        if end == "told" and told == ENOUGH:
            os._exit(9)

    def insert(
        connection: sqlite3.Connection, new: Sequence[Command]
    ) -> Sequence[Command]:
        """Store the commands of several tasks, and end after them when it is time."""
        stored = [one for one, _ in commands.insert_all(connection, new)]
        if end == "unit" and told > ENOUGH:
            os._exit(9)
        return stored

    def update(
        connection: sqlite3.Connection, moved: Sequence[Command]
    ) -> Sequence[Command]:
        """Store what became of them."""
        commands.update_all(connection, moved)
        return moved

    async def work(device: int) -> None:
        """Write one command after the other."""
        number = 0
        while True:
            number += 1
            new = command(f"c{number}", device=device)
            stored = await database.writer.write(Alike(insert, new))
            tell(stored)
            for phase in (Phase.APPLYING, Phase.COMPLETED):
                stored = advance(stored, phase, AT)
                await database.writer.write(Alike(update, stored))
                tell(stored)

    await asyncio.gather(*(work(device) for device in range(1, DEVICES + 1)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
