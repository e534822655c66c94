"""The mode of an aquarium: what it is in, and what it can be put into."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.core import Context

from .api.modes import end_mode, failed_devices, held_devices, start_mode
from .engine.changes import ModeChanged
from .entity import AquaristEntity, any_of
from .runs.mode_definition import NORMAL
from .subjects import Aquarium

MODE = SelectEntityDescription(key="mode", translation_key="mode")


class ModeSelect(AquaristEntity[Aquarium], SelectEntity):
    """Shows the mode of an aquarium and its stage, and lets the keeper choose another."""

    def __init__(self, aquarium: Aquarium) -> None:
        """Hear of modes that begin, go on and end, and of those that are made."""
        super().__init__(aquarium, MODE, any_of(ModeChanged))

    @property
    @override
    def options(self) -> list[str]:
        """Return normal and every mode; the present one also when it was deleted."""
        aquarium = self.subject.entry_id
        names = (NORMAL, *self.engine.modes.definitions.names(aquarium))
        return list(dict.fromkeys((*names, self.current_option)))

    @property
    @override
    def current_option(self) -> str:
        """Return the mode that the aquarium is in."""
        status = self.subject.mode
        return NORMAL if status is None else status.mode

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return the stage, what is still held and until when at most, and what does not follow."""
        status = self.subject.mode
        if status is None:
            return {"stage": None, "held": [], "failed": [], "latest_end": None}
        return {
            "stage": status.stage.value,
            "held": held_devices(self.hass, status),
            "failed": failed_devices(self.hass, status),
            "latest_end": status.latest_end.isoformat(timespec="seconds"),
        }

    @override
    async def async_select_option(self, option: str) -> None:
        """Start a mode in place of the present one; normal gives everything back at once."""
        aquarium, context = self.subject.entry_id, self._context or Context()
        if option == NORMAL:
            await self.answered(end_mode(self.hass, context, aquarium, at_once=True))
        else:
            await self.answered(
                start_mode(self.hass, context, aquarium, option, self.origin)
            )
