"""The settings in force: on disk before they hold, and from then on for everybody."""

from collections.abc import Callable, Mapping
import logging
from sqlite3 import Connection
from typing import Any

from ..schedules.errors import ScheduleError
from ..store import settings as setting_rows
from .changes import Announcer, SettingsChanged
from .journal import Journal
from .settings import Settings, checked, settings_of

_LOGGER = logging.getLogger(__name__)

KEY = "settings"


class LiveSettings:
    """Holds the settings; rooms ask for ``current`` each time, and never keep it (law 7)."""

    def __init__(
        self,
        journal: Journal,
        announcer: Announcer,
        applied: Callable[[Settings], None],
    ) -> None:
        """Start with the defaults; call `applied` with what takes their place."""
        self._journal = journal
        self._announcer = announcer
        self._applied = applied
        self.current = Settings()
        self.skipped: tuple[str, ...] = ()

    def load(self, stored: object) -> None:
        """Take over what was stored; what is not valid any more is left out and named."""
        chosen, skipped = readable(stored)
        self.skipped = tuple(skipped)
        if skipped:
            _LOGGER.warning("Settings that cannot be used: %s", ", ".join(skipped))
        self.current = settings_of(chosen)
        self._applied(self.current)

    async def update(self, changes: Mapping[str, Any], user: str | None) -> Settings:
        """Change some settings; null goes back to the default.

        Returns them all as they are from now on. Raises ScheduleError naming the field,
        EngineError or StoreError; nothing is changed then.
        """
        wanted = checked(changes)

        def unit(connection: Connection) -> Settings:
            stored = setting_rows.get(connection, KEY)
            chosen, skipped = readable(stored)
            merged = {
                name: value
                for name, value in {**chosen, **wanted}.items()
                if value is not None
            }
            settings = settings_of(merged)
            # What is skipped stays on disk until it is chosen anew (law 10).
            left = set(skipped) - wanted.keys() - {KEY}
            setting_rows.put(
                connection, KEY, {**{name: stored[name] for name in left}, **merged}
            )
            return settings

        def committed(settings: Settings) -> None:
            self.current = settings
            gone = {*wanted, KEY}
            self.skipped = tuple(one for one in self.skipped if one not in gone)
            self._applied(settings)
            self._announcer.announce(SettingsChanged(settings=settings, user=user))

        return await self._journal.commit(unit, committed)

    async def forget_skipped(self) -> None:
        """Take off the disk what is not valid any more: the defaults hold already.

        Raises EngineError, StoreError.
        """

        def unit(connection: Connection) -> None:
            chosen, _ = readable(setting_rows.get(connection, KEY))
            setting_rows.put(connection, KEY, chosen)

        def committed(_: None) -> None:
            self.skipped = ()
            self._announcer.announce(SettingsChanged(settings=self.current, user=None))

        await self._journal.commit(unit, committed)


def readable(stored: object) -> tuple[dict[str, Any], list[str]]:
    """Return the stored settings that are valid, and the names of those that are not."""
    if not isinstance(stored, Mapping):
        return {}, [] if stored is None else [KEY]
    chosen: dict[str, Any] = {}
    skipped: list[str] = []
    for name, value in stored.items():
        try:
            settings_of({**chosen, **checked({name: value})})
        except ScheduleError:
            skipped.append(name)
        else:
            chosen[name] = value
    return chosen, skipped
