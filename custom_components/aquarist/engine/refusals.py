"""What a limit refused before it was accepted: it is in the records all the same (RES-57).

Whoever asked has the reason at once, and nothing was accepted: the id of the request stays
free. The record has an id of its own, and ended as it was made.
"""

from contextlib import suppress

from ..commands.command import Command, ErrorCode, changed, new_id
from ..commands.phases import Phase
from ..store import commands as command_rows
from .changes import CommandChanged
from .errors import EngineError, SafetyRefusedError, describe
from .ground import Ground
from .rate_limits import RateLimits

ASKED_ID = "asked_id"
"""The detail of a record that has the id which the request came with."""


class Refusals:
    """Writes them down, as many from each user as would be accepted."""

    def __init__(self, ground: Ground) -> None:
        """Start with none."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._settings = ground.settings
        self._noted = RateLimits()

    def note(
        self, command: Command, asked_id: str | None, error: SafetyRefusedError
    ) -> None:
        """Record a command that is refused; nobody waits for that."""
        if self._journal.locked:
            return
        with suppress(EngineError):
            settings = self._settings.current
            self._noted.count(command, self._clock.elapsed(), settings)
            self._record(command, asked_id, error)

    def _record(
        self, command: Command, asked_id: str | None, error: SafetyRefusedError
    ) -> None:
        """Hand a record that has ended to the store, and announce it once it is there."""
        details = describe(error.refusal)
        if asked_id is not None:
            details[ASKED_ID] = asked_id
        refused = changed(
            command,
            id=new_id(),
            phase=Phase.FAILED,
            completed_at=command.created_at,
            error_code=ErrorCode.SAFETY_REFUSED,
            error=error.code,
            error_details=details,
        )
        self._journal.record(
            lambda connection: command_rows.insert(connection, refused)[0],
            lambda stored: self._announcer.announce(CommandChanged(command=stored)),
        )
