"""The keeper's modes in the list of an aquarium: a handle each, kept in step with the store.

A handle is made by the form that makes the mode, and here for a mode that came by another
way. Without its mode a handle goes; a handle that the keeper deletes takes its mode along.
"""

import logging
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .const import CONF_MODE, SUBENTRY_MODE
from .engine.changes import ModeChanged
from .engine.engine import Engine
from .engine.errors import EngineError
from .store.errors import StoreError

_LOGGER = logging.getLogger(__name__)


@callback
def async_follow_modes(
    hass: HomeAssistant, entry: ConfigEntry[Any], engine: Engine
) -> None:
    """Keep the handles of an aquarium in step for as long as its entry is loaded.

    With a locked store nobody knows which modes there are: everything stays.
    """
    if engine.journal.locked:
        return
    handles = _Handles(hass, entry, engine)
    handles.align(add=True)
    entry.async_on_unload(entry.add_update_listener(handles.changed))
    entry.async_on_unload(engine.announcer.listen(handles.heard, ModeChanged))


class _Handles:
    """The handles of one aquarium."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry[Any], engine: Engine
    ) -> None:
        """Know which ones there are."""
        self._hass = hass
        self._entry = entry
        self._modes = engine.modes.definitions
        self._known = self._present

    @property
    def _present(self) -> dict[str, int]:
        """Return the numbers of the modes by the ids of their handles."""
        return {
            subentry_id: subentry.data[CONF_MODE]
            for subentry_id, subentry in self._entry.subentries.items()
            if subentry.subentry_type == SUBENTRY_MODE
        }

    def heard(self, change: ModeChanged) -> None:
        """Follow what became of a mode; a form that is open makes the handle itself."""
        if change.aquarium == self._entry.entry_id:
            forms = self._hass.config_entries.subentries
            handler = (self._entry.entry_id, SUBENTRY_MODE)
            self.align(add=not forms.async_progress_by_handler(handler))

    def align(self, *, add: bool) -> None:
        """Bring names up to date, and take away what has no mode; add what is missing."""
        entries, entry = self._hass.config_entries, self._entry
        for subentry_id, number in self._present.items():
            mode = self._modes.by_number(number)
            if mode is None:
                entries.async_remove_subentry(entry, subentry_id)
            else:
                handle = entry.subentries[subentry_id]
                entries.async_update_subentry(entry, handle, title=mode.name)
        for mode in self._modes.all(entry.entry_id) if add else ():
            if mode.row is not None and mode.row.id not in self._present.values():
                entries.async_add_subentry(entry, _handle(mode.name, mode.row.id))
        self._known = self._present

    async def changed(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Delete the modes whose handles the keeper has deleted."""
        gone = self._known.items() - self._present.items()
        self._known = self._present
        for _, number in gone:
            if (mode := self._modes.by_number(number)) is None:
                continue
            try:
                await self._modes.delete(entry.entry_id, mode.name, user=None)
            except (EngineError, StoreError) as error:
                _LOGGER.warning("The mode %s stays: %s", mode.name, error)
                self.align(add=True)


def _handle(name: str, number: int) -> ConfigSubentry:
    """Return the handle of a mode."""
    return ConfigSubentry(
        data=MappingProxyType({CONF_MODE: number}),
        subentry_type=SUBENTRY_MODE,
        title=name,
        unique_id=f"{CONF_MODE}_{number}",
    )
