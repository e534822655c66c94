"""The Chihiros devices that Home Assistant's Bluetooth hears: which can be added, and as what."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from homeassistant.components.bluetooth import (
    BluetoothServiceInfoBleak,
    async_discovered_service_info,
)
from homeassistant.core import HomeAssistant

from .chihiros.gatt import UART_SERVICE
from .chihiros.models import (
    RED_GREEN,
    RGB,
    WHITE,
    WHITE_WARM,
    WRGB,
    Channel,
    DeviceFamily,
    Model,
    model_for,
)
from .frozen import frozen

DRIVEN: Final = (DeviceFamily.LIGHT, DeviceFamily.DOSER)
"""The families that can be added."""

NOT_SUPPORTED: Final = "not_supported"
FAMILY_NOT_SUPPORTED: Final = "family_not_supported"

LAYOUTS: Final[Mapping[str, tuple[Channel, ...]]] = {
    "white": WHITE,
    "white_warm": WHITE_WARM,
    "red_green": RED_GREEN,
    "rgb": RGB,
    "wrgb": WRGB,
}
"""What channels a light may have, by the word that a keeper chooses."""

_USUAL: Final = ("white", "rgb", "wrgb")
_FAMILY_NAMES: Final = {
    DeviceFamily.LIGHT: "Chihiros light",
    DeviceFamily.DOSER: "Chihiros dosing pump",
}


@frozen
class Candidate:
    """A device that can be added: as it advertises, and what its name tells."""

    address: str
    local_name: str
    model: Model
    rssi: int

    @property
    def label(self) -> str:
        """Return how people tell it from others: model, address and signal."""
        return f"{self.model.name} ({self.address}, {self.rssi} dBm)"

    def title(self, family: DeviceFamily) -> str:
        """Return the entry's title: the model, or the family where it is unknown, and the end of the address."""
        known = self.model.family is not DeviceFamily.UNKNOWN
        name = self.model.name if known else _FAMILY_NAMES.get(family, self.model.name)
        return f"{name} {self.address.replace(':', '')[-4:]}"

    @property
    def layouts(self) -> Sequence[str]:
        """Return the layouts to ask for, the likeliest first; none where the model tells the channels."""
        if self.model.channels_known:
            return ()
        guess = layout_of([channel.color for channel in self.model.channels])
        return _USUAL if guess is None else (guess, *_USUAL)


def layout_of(colors: Sequence[str]) -> str | None:
    """Return the layout that has these channels, None for any other."""
    for layout in LAYOUTS:
        if colors_of(LAYOUTS[layout]) == list(colors):
            return layout
    return None


def colors_of(channels: Sequence[Channel]) -> list[str]:
    """Return the colours of channels in wire order, as an entry keeps them."""
    return [channel.color.value for channel in channels]


def refusal(info: BluetoothServiceInfoBleak) -> str | None:
    """Return why a device cannot be added, None when it can.

    An unknown `DY…` name needs the UART service (protocol section 1.4): without it nothing
    tells that it speaks the protocol.
    """
    model = model_for(info.name)
    if model is None:
        return NOT_SUPPORTED
    if model.family is DeviceFamily.UNKNOWN:
        return None if UART_SERVICE in info.service_uuids else NOT_SUPPORTED
    return None if model.family in DRIVEN else FAMILY_NOT_SUPPORTED


def candidate(info: BluetoothServiceInfoBleak) -> Candidate | None:
    """Return the candidate that a Bluetooth device is, None when it cannot be added."""
    model = model_for(info.name)
    if model is None or refusal(info) is not None:
        return None
    return Candidate(
        address=info.address.upper(),
        local_name=info.name,
        model=model,
        rssi=info.rssi,
    )


def candidates(hass: HomeAssistant, known: Collection[str | None]) -> list[Candidate]:
    """Return the devices heard now that can be added and are not known, the strongest first."""
    heard = (
        candidate(info)
        for info in async_discovered_service_info(hass, connectable=True)
    )
    found = [each for each in heard if each is not None and each.address not in known]
    return sorted(found, key=lambda each: each.rssi, reverse=True)
