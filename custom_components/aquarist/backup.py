"""A backup gets a store that fits together: the file stands still, writing goes on (design 6)."""

from homeassistant.core import HomeAssistant

from .data import DATA_ENGINE
from .errors import translated
from .store.errors import StoreError


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Fold the log into the store and leave the file alone."""
    if (database := hass.data[DATA_ENGINE].database) is None:
        return
    try:
        await database.writer.pause_checkpoints()
    except StoreError as error:
        raise translated(error) from error


async def async_post_backup(hass: HomeAssistant) -> None:
    """Let the log be folded again."""
    if (database := hass.data[DATA_ENGINE].database) is None:
        return
    try:
        await database.writer.resume_checkpoints()
    except StoreError as error:
        raise translated(error) from error
