"""Connects once to a device before it is added, so that a keeper hears at once what is wrong."""

import logging
from typing import Final

from homeassistant.core import HomeAssistant

from .ble.bleak_transport import BleakTransport
from .ble.errors import LinkError, Reason
from .ble.link import Link
from .chihiros.models import DeviceFamily
from .engine.clock import HomeAssistantClock

_LOGGER = logging.getLogger(__name__)

EXPLAINED: Final = frozenset(
    (
        Reason.OUT_OF_RANGE,
        Reason.NO_FREE_SLOT,
        Reason.HELD_BY_APP,
        Reason.LINK_LOST,
        Reason.NO_ANSWER,
        Reason.UNSUPPORTED,
    )
)
"""The reasons that a keeper can do something about; each is the key of a text."""

UNKNOWN: Final = "unknown"


async def connection_error(
    hass: HomeAssistant, address: str, name: str, family: DeviceFamily
) -> str | None:
    """Connect, send the prelude and let go again; return the key of what went wrong, if anything did."""
    clock = HomeAssistantClock(hass, "")
    link = Link(BleakTransport(hass, address, name), family, clock.local_now, name=name)
    try:
        async with link.lease():
            return None
    except LinkError as error:
        _LOGGER.info("%s cannot be added yet: %s", name, error)
        return error.reason.value if error.reason in EXPLAINED else UNKNOWN
    finally:
        await link.close()
