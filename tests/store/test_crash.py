"""What was acknowledged survives the sudden end of the process (law 2, R-X2)."""

from pathlib import Path
import signal
import subprocess
import sys

import pytest

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.store import commands
from custom_components.aquarist.store.database import Database

from .samples import AT, MINUTE, command, newest
from .writing_process import DEVICES

REPOSITORY = Path(__file__).parents[2]
ORDER = [Phase.PLANNED, Phase.APPLYING, Phase.COMPLETED]


def acknowledged(path: Path, end: str) -> dict[str, Phase]:
    """Let a process write until its sudden end; return the last word about each command."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.writing_process", str(path), end],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if end == "killed" and len(lines) == 60:
                process.kill()
    assert process.returncode == (-signal.SIGKILL if end == "killed" else 9)
    # The last line may have been cut off; a whole one ends with a line break.
    told = [line.split() for line in lines if line.endswith("\n")]
    assert len(told) >= 60
    return {key: Phase(phase) for key, phase in told}


@pytest.mark.parametrize("end", ["told", "unit", "killed"])
async def test_what_was_acknowledged_is_there(path: Path, end: str) -> None:
    """At least as far as it was told, each once, and the store goes on from there."""
    told = acknowledged(path, end)
    database = await Database.open(path, at=AT + MINUTE)

    async def everything() -> list[Command]:
        """Return every command that is stored."""
        return await database.read(lambda connection: newest(connection, 9999))

    stored = await everything()
    phases = {item.key: item.phase for item in stored}
    assert len(phases) == len(stored)
    for key, phase in told.items():
        assert ORDER.index(phases[key]) >= ORDER.index(phase), key
    # Of each device at most the one write that was under way is more than was told.
    assert len(phases) <= len(told) + DEVICES
    again, new = await database.writer.write(
        lambda connection: commands.insert(connection, command("c1"))
    )
    assert not new
    assert again.key in told
    assert len(await everything()) == len(stored)
    await database.close()
