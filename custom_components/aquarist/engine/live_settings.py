"""The settings in force: on disk before they hold, and from then on for everybody."""

from collections.abc import Callable, Mapping
import logging
from sqlite3 import Connection
from typing import Any

from ..schedules.errors import ScheduleError
from ..schedules.validation import validated
from ..store import settings as setting_rows
from ..store.errors import Conflict
from .changes import Announcer, SettingsChanged
from .errors import EngineError
from .journal import Journal
from .settings import REQUEST, Settings, checked, settings_of

_LOGGER = logging.getLogger(__name__)

KEY = "settings"
REVISION = "settings_revision"


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
        self.revision = 0
        self.skipped: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return all settings as JSON values, with their revision; 0 before any change."""
        return {**self.current.as_json(), "revision": self.revision}

    def load(self, stored: object, revision: int = 0) -> None:
        """Take over what was stored; what is not valid any more is left out and named."""
        self.revision = revision
        chosen, skipped = readable(stored)
        self.skipped = tuple(skipped)
        if skipped:
            _LOGGER.warning("Settings that cannot be used: %s", ", ".join(skipped))
        self.current = settings_of(chosen)
        self._applied(self.current)

    async def request(
        self, asked: Mapping[str, Any], user: str | None
    ) -> dict[str, Any]:
        """Change what a request names; answers with them all, as `record` does.

        Raises as `update`.
        """
        changes = validated(REQUEST, asked, within="")
        expected = changes.pop("expected_revision", None)
        await self.update(changes, user, expected_revision=expected)
        return self.record()

    async def update(
        self,
        changes: Mapping[str, Any],
        user: str | None,
        *,
        expected_revision: int | None = None,
    ) -> Settings:
        """Change some settings; null goes back to the default.

        Returns them all as they are from now on. With ``expected_revision`` only when that
        is the present one (R-X11). Raises ScheduleError naming the field, EngineError
        (`revision_conflict`) or StoreError; nothing is changed then.
        """
        wanted = checked(changes)

        def unit(connection: Connection) -> tuple[Settings, int]:
            present = setting_rows.get(connection, REVISION) or 0
            if expected_revision not in (None, present):
                raise Conflict("setting", KEY, present)
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
            setting_rows.put(connection, REVISION, present + 1)
            return settings, present + 1

        def committed(changed: tuple[Settings, int]) -> None:
            self.current, self.revision = settings, revision = changed
            gone = {*wanted, KEY}
            self.skipped = tuple(one for one in self.skipped if one not in gone)
            self._applied(settings)
            self._announcer.announce(
                SettingsChanged(settings=settings, revision=revision, user=user)
            )

        try:
            settings, _ = await self._journal.commit(unit, committed)
        except Conflict as error:
            raise EngineError(
                "revision_conflict", field="expected_revision", revision=error.present
            ) from error
        return settings

    async def forget_skipped(self) -> None:
        """Take off the disk what is not valid any more: the defaults hold already.

        Raises EngineError, StoreError.
        """

        def unit(connection: Connection) -> None:
            chosen, _ = readable(setting_rows.get(connection, KEY))
            setting_rows.put(connection, KEY, chosen)

        def committed(_: None) -> None:
            self.skipped = ()
            self._announcer.announce(
                SettingsChanged(
                    settings=self.current, revision=self.revision, user=None
                )
            )

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
