"""What an entry holds while it is loaded, and where the engine is found."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, SUBENTRY_MODE
from .engine.engine import Engine
from .engine.state import DeviceState

type AquaristConfigEntry = ConfigEntry[EntryDevices]

DATA_ENGINE: HassKey[Engine] = HassKey(DOMAIN)


type Listing = dict[str, tuple[str, Mapping[str, Any]]]


@dataclass(slots=True)
class EntryDevices:
    """The devices that an entry has attached, by subentry id; a BLE device has none ("").

    ``listing`` is what they were made of. Whoever changes the devices holds ``changing``;
    ``end_rules`` ends the following of the aquarium's safety rules.
    """

    engine: Engine
    listing: Listing
    devices: dict[str, DeviceState] = field(default_factory=dict)
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    end_rules: Callable[[], None] = lambda: None


def listing_of(entry: ConfigEntry[Any]) -> Listing:
    """Return titles and data of an entry ("") and of all that is listed with it.

    Its modes are in the store; what is listed of them makes no device.
    """
    listed = {
        subentry_id: (subentry.title, subentry.data)
        for subentry_id, subentry in entry.subentries.items()
        if subentry.subentry_type != SUBENTRY_MODE
    }
    return {"": (entry.title, entry.data), **listed}
