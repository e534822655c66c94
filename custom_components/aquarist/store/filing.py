"""Which commands each device had: filed a while after they were stored, many at a time.

An index that leads with the device has a page to write for each device of a batch, far more
than the commands themselves take. So the newest commands, those after the mark, are found by
reading them through, and only the others by their device, in `command_by_device`.
"""

import logging
import sqlite3

from . import settings
from .batches import undo

_LOGGER = logging.getLogger(__name__)

MARK = "filed"
FILE_AFTER = 4_000
"""After so many units the writer files, whether or not it ever comes to rest."""

_FILE = """
INSERT INTO command_by_device (device, created_at, ordinal)
SELECT device, created_at, ordinal FROM command
WHERE ordinal > ? AND ordinal <= ?
ORDER BY device, created_at, ordinal
"""
_NEWEST = "SELECT COALESCE(max(ordinal), 0) FROM command"


class Filing:
    """Files at every rest of the writer's thread, and where it has none."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Expect something to file: what the last life left, nobody counted."""
        self._connection = connection
        self._unfiled = 1

    @property
    def waiting(self) -> bool:
        """Return whether there may be something to file at the next rest."""
        return self._unfiled > 0

    @property
    def overdue(self) -> bool:
        """Return whether not to wait for a rest any longer."""
        return self._unfiled >= FILE_AFTER

    def note(self, units: int) -> None:
        """Count units that were stored."""
        self._unfiled += units

    def catch_up(self) -> None:
        """File what is new; until that succeeds it is found all the same."""
        self._unfiled = 0
        try:
            if not is_filed(self._connection):
                self._connection.execute("BEGIN IMMEDIATE")
                file(self._connection)
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            _LOGGER.warning("The newest commands could not be filed: %s", error)
            undo(self._connection)


def mark(connection: sqlite3.Connection) -> int:
    """Return the order of the last command that is filed, 0 when none is."""
    return settings.get(connection, MARK) or 0


def is_filed(connection: sqlite3.Connection) -> bool:
    """Return whether every command is filed."""
    return mark(connection) >= _newest(connection)


def file(connection: sqlite3.Connection) -> None:
    """File every command that is not; to be called within a transaction."""
    newest = _newest(connection)
    connection.execute(_FILE, (mark(connection), newest))
    settings.put(connection, MARK, newest)


def _newest(connection: sqlite3.Connection) -> int:
    """Return the order of the last command, 0 when there is none."""
    newest: int = connection.execute(_NEWEST).fetchone()[0]
    return newest
