"""What the writer's thread does with a batch: one transaction, in which each unit fails alone."""

from collections.abc import Callable, Sequence
import logging
from pathlib import Path
import sqlite3
import time

from .errors import StoreError, of_the_store, passing, translated
from .place import Place
from .work import HeldBackError, Outcome, Waiting, is_unattended, perform

_LOGGER = logging.getLogger(__name__)


class Batches:
    """Stores batches of units, tried again after passing faults.

    ``pauses`` are the seconds before each new try (R-B58). ``meanwhile`` is called before
    the disk, or a fault, keeps the thread for a while; ``stored`` with the number of units
    of each batch that is on disk. While ``holding_back``, units that nobody waits for are
    not tried. ``changed`` is whether the last batch changed anything: only then has the
    disk been asked.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        *,
        pauses: Sequence[float],
        meanwhile: Callable[[], None],
        stored: Callable[[int], None],
    ) -> None:
        """Remember where the store lies."""
        self._connection = connection
        self._path = path
        self._place = Place(path)
        self._pauses = pauses
        self._meanwhile = meanwhile
        self._stored = stored
        self.holding_back = False
        self.changed = False

    def settle(self, batch: list[Waiting]) -> list[Outcome]:
        """Return what became of the units of a batch: stored, refused, or held back."""
        held_back = filter(is_unattended, batch if self.holding_back else ())
        outcomes: list[Outcome] = [
            (teller, None, None, HeldBackError()) for _, _, teller in held_back
        ]
        if outcomes:
            batch = [waiting for waiting in batch if not is_unattended(waiting)]
        return outcomes + self._patiently(batch) if batch else outcomes

    def _patiently(self, batch: list[Waiting]) -> list[Outcome]:
        """Store a batch, tried again after passing faults."""
        pauses = iter(self._pauses)
        while True:
            try:
                outcomes = self._attempt(batch)
            except (sqlite3.Error, StoreError) as error:
                failure = error
                self._meanwhile()
                undo(self._connection)
            else:
                self._stored(len(batch))
                return outcomes
            pause = next(pauses, None)
            if pause is None or not passing(failure):
                return self._refused(batch, failure)
            time.sleep(pause)

    def _refused(
        self, batch: list[Waiting], failure: sqlite3.Error | StoreError
    ) -> list[Outcome]:
        """Return the same fault for all units of a batch, an error of its own each."""
        _LOGGER.error("The store did not take %s writes: %s", len(batch), failure)
        if any(map(is_unattended, batch)):
            self.holding_back = True
        return [
            (future, None, None, translated(failure, self._path))
            for _, _, future in batch
        ]

    def _attempt(self, batch: list[Waiting]) -> list[Outcome]:
        """Run the units of a batch in one transaction. Raises what fails all of them.

        Savepoints cost as much as a small write: only when a unit fails is the batch
        begun anew with one for each unit, which parts the good from the bad.
        """
        connection = self._connection
        changes = connection.total_changes
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = perform(connection, [unit for unit, _, _ in batch])
            outcomes: list[Outcome] = [
                (future, committed, result, None)
                for (_, committed, future), result in zip(batch, results, strict=True)
            ]
        except BaseException as error:
            if of_the_store(error):
                raise
            connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._one(waiting) for waiting in batch]
        self._place.check()
        # While the disk is busy the two threads do not wait for each other.
        self._meanwhile()
        connection.execute("COMMIT")
        self.changed = connection.total_changes > changes
        return outcomes

    def _one(self, waiting: Waiting) -> Outcome:
        """Run one unit that fails alone. Raises what fails the whole batch."""
        unit, committed, future = waiting
        connection = self._connection
        connection.execute("SAVEPOINT unit")
        try:
            result = unit(connection)
        except BaseException as error:
            if of_the_store(error):
                raise
            connection.execute("ROLLBACK TO unit")
            connection.execute("RELEASE unit")
            return (future, None, None, error)
        connection.execute("RELEASE unit")
        return (future, committed, result, None)


def undo(connection: sqlite3.Connection) -> None:
    """Leave a transaction that failed, as far as SQLite has not done so itself."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        _LOGGER.warning("A transaction could not be rolled back: %s", error)
