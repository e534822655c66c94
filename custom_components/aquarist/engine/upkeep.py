"""What the engine does now and then: forget the old, and try a store that refused again."""

from collections.abc import Callable, Coroutine, Hashable
from datetime import datetime, timedelta
from functools import partial
import logging
from typing import Any

from ..store import retention, settings
from ..store.errors import StoreError
from .errors import EngineError
from .ground import Ground

_LOGGER = logging.getLogger(__name__)

FIRST_RETENTION = 600.0
EVERY_RETENTION = 24 * 3600.0
LAST_CHECK = "last_check"


class Upkeep:
    """Runs by the agenda and its sweep."""

    def __init__(
        self, ground: Ground, background: Callable[[Coroutine[Any, Any, None]], None]
    ) -> None:
        """Do everything in the background."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._journal = ground.journal
        self._settings = ground.settings
        self._background = background
        self._refused = False
        ground.agenda.on("retention", self._retention_due)
        ground.agenda.on_sweep(self._swept)

    def start(self) -> None:
        """Begin some time after the start, when there is less to do."""
        self._agenda.put_elapsed("retention", None, FIRST_RETENTION)

    def store_changed(self, *, refused: bool) -> None:
        """Take note that the store refuses, or takes what was kept at once."""
        self._refused = refused
        if not refused and self._journal.kept:
            self._background(self._journal.retry())

    def _retention_due(self, key: Hashable, now: datetime) -> None:
        """Let go of what ended a year ago, or as the settings say, once a day (law 9)."""
        self._agenda.put_elapsed("retention", None, EVERY_RETENTION)
        self._background(self._purge(now))

    async def _purge(self, now: datetime) -> None:
        """Delete in small bites, so that nothing waits for it."""
        settings = self._settings.current
        purge = partial(
            retention.purge,
            before=now - settings.retention,
            at=now,
            roll_up_before=now - timedelta(days=settings.verdict_days),
            write_actions=settings.write_actions_kept,
        )
        try:
            while True:
                purged = await self._journal.commit(purge)
                if not purged.any:
                    return
        except (EngineError, StoreError) as error:
            _LOGGER.debug("Old records stay for now: %s", error)

    def _swept(self) -> None:
        """Try again to write what the store did not take, or whether it takes anything."""
        if not self._journal.locked and (self._journal.kept or self._refused):
            self._background(self._try_again())

    async def _try_again(self) -> None:
        """Write the kept outcomes, or a mark of our own when there are none."""
        if self._journal.kept:
            await self._journal.retry()
            return
        at = self._clock.now().isoformat()
        try:
            await self._journal.commit(
                lambda connection: settings.put(connection, LAST_CHECK, at)
            )
        except (EngineError, StoreError) as error:
            _LOGGER.debug("The store still refuses: %s", error)
