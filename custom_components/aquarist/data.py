"""What an entry holds while it is loaded, and where the engine is found."""

from dataclasses import dataclass, field

from homeassistant.config_entries import ConfigEntry
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .engine.engine import Engine
from .engine.state import DeviceState

type AquaristConfigEntry = ConfigEntry[EntryDevices]

DATA_ENGINE: HassKey[Engine] = HassKey(DOMAIN)


@dataclass(slots=True)
class EntryDevices:
    """The devices that an entry has attached, by subentry id; a BLE device has none ("")."""

    engine: Engine
    devices: dict[str, DeviceState] = field(default_factory=dict)
