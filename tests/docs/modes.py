"""The mode that the pages of the documentation speak of."""

from homeassistant.core import HomeAssistant

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.changes import Change, ModeChanged

from ..aquarium import heard


async def count_down(hass: HomeAssistant) -> None:
    """Start feeding and wait until it counts down."""

    def counts(change: Change) -> bool:
        """Tell the beginning of the countdown."""
        return isinstance(change, ModeChanged) and change.stage == "countdown"

    async with heard(hass, counts):
        await hass.services.async_call(
            DOMAIN, "start_mode", {"mode": "feed"}, blocking=True
        )
