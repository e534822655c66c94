"""When the store's log is folded into its file: at rest, at the end, never during a backup."""

import logging
import sqlite3

from .errors import StoreFailedError

_LOGGER = logging.getLogger(__name__)

BACKSTOP_PAGES = 1_000
"""After so many pages of log SQLite folds by itself, whether or not there is ever a rest."""


class Checkpoints:
    """Folds the log, on the writer's thread; due at a rest after ``every`` units."""

    def __init__(self, connection: sqlite3.Connection, *, every: int) -> None:
        """Let SQLite fold by itself when the log gets long, and keep the emptied log.

        Log and index stay beside the file at the end: a start needs their room, and so
        finds it also on a disk that is full by then.
        """
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
        self._connection = connection
        self._every = every
        self._unfolded = 0
        self._paused = False
        self._backstop(BACKSTOP_PAGES)

    @property
    def due(self) -> bool:
        """Return whether to fold at the next rest."""
        return self._unfolded >= self._every and not self._paused

    def note(self, units: int) -> None:
        """Count units that were stored."""
        self._unfolded += units

    def fold(self, mode: str = "PASSIVE") -> bool:
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

    def pause(self) -> None:
        """Fold the log and stop checkpoints, for a backup. Raises StoreFailedError."""
        if not self.fold("TRUNCATE"):
            raise StoreFailedError("the store's log could not be folded")
        self._backstop(0)
        self._paused = True

    def resume(self) -> None:
        """Allow checkpoints again."""
        self._backstop(BACKSTOP_PAGES)
        self._paused = False

    def finish(self) -> None:
        """Fold the log and close the connection; during a backup the file stays as it is."""
        if not self._paused:
            self.fold("TRUNCATE")
        self._connection.close()

    def _backstop(self, pages: int) -> None:
        """Let SQLite fold after so many pages; 0 is never."""
        self._connection.execute(f"PRAGMA wal_autocheckpoint={pages}")
