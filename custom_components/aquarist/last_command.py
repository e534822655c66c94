"""The sensor of a device's last command: what was asked for, and what became of it (R-C35)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import callback

from .api.serializers import COMMAND_STATUSES, WORDS, command_record
from .commands.bounded import bounded
from .commands.command import Command, Source
from .engine.changes import Change, CommandChanged
from .engine.errors import EngineError
from .entity import AquaristEntity, any_of
from .store.errors import StoreError
from .subjects import Device

LOOK_BACK: Final = 20
"""So many of the newest commands are looked at for one that somebody asked for."""

ATTRIBUTES_LIMIT: Final = 4 * 1024
"""Bytes of JSON that the attributes may have; what is too large is left out (R-C56)."""

SHOWN: Final = (
    "command_id",
    "action",
    "args",
    "source",
    "created_at",
    "completed_at",
    "error",
    "error_code",
)

LAST_COMMAND = SensorEntityDescription(
    key="last_command",
    translation_key="last_command",
    device_class=SensorDeviceClass.ENUM,
    options=list(COMMAND_STATUSES),
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)


class LastCommandSensor(AquaristEntity[Device], SensorEntity):
    """Shows the status of the command that somebody asked for last, each of them once.

    What Aquarist asks for by itself is none; a command that ends after a newer one was
    accepted is not the last any more.
    """

    # The records keep all of it, for a year.
    _unrecorded_attributes = frozenset(SHOWN)

    def __init__(self, device: Device) -> None:
        """Know of no command yet."""
        super().__init__(device, LAST_COMMAND, any_of(CommandChanged))
        self._last: Command | None = None

    @property
    @override
    def native_value(self) -> str | None:
        """Return the status of the last command in the words of command records."""
        return None if self._last is None else _status(self._last)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what was asked for, by whom and when, and why it failed."""
        if (last := self._last) is None:
            return None
        shown = {
            **command_record(last, self.subject.state),
            "command_id": last.id,
            "created_at": last.created_at.isoformat(),
            "completed_at": _iso(last.completed_at),
        }
        return bounded({name: shown[name] for name in SHOWN}, limit=ATTRIBUTES_LIMIT)

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to hear of commands, and look for what was asked for before."""
        await super().async_added_to_hass()
        try:
            found = await self.engine.history.recent(self.subject.state, LOOK_BACK)
        except EngineError, StoreError:
            return
        heard = self._last
        for command in reversed(found):
            # What was heard while they were read is newer than what was on disk.
            if heard is None or command.key != heard.key:
                self._take(command)

    @callback
    @override
    def _changed(self, change: Change) -> None:
        """Show a command when its status is another one."""
        if isinstance(change, CommandChanged) and self._take(change.command):
            self._show()

    def _take(self, command: Command) -> bool:
        """Take note of a command; return whether there is something new to show."""
        last = self._last
        if command.source is Source.ENGINE or (
            last is not None and command.order < last.order
        ):
            return False
        self._last = command
        return (
            last is None or last.key != command.key or _status(last) != _status(command)
        )


def _status(command: Command) -> str:
    """Return what became of a command in the words of command records."""
    return WORDS[command.shown_phase].command


def _iso(instant: datetime | None) -> str | None:
    """Return an instant as ISO 8601 with offset."""
    return None if instant is None else instant.isoformat()
