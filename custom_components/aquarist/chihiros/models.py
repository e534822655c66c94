"""Advertised name -> model, channels and heads (protocol section 1.4). A table of facts."""

from enum import StrEnum
from typing import Final

from ..frozen import frozen
from .lights import CurveFamily


class DeviceFamily(StrEnum):
    """What kind of device answers; decides how notifications are read."""

    LIGHT = "light"
    DOSER = "doser"
    STIRRER = "stirrer"
    HEATER = "heater"
    FAN = "fan"
    DOCTOR = "doctor"
    CO2 = "co2"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


class ChannelColor(StrEnum):
    """The colour of a light's channel."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"
    WHITE = "white"
    WARM = "warm"


@frozen
class Channel:
    """A light's channel: its number on the wire and its colour."""

    id: int
    color: ChannelColor


@frozen
class Model:
    """What a name prefix tells.

    `channels` is empty for what is no light; `channels_known` False means that they are a
    guess (or unknown), `needs_choice` that the user must say what the device is. `curve` is
    None where nobody knows the encoding of custom curves. `heads` None: ask the user.
    `legacy_service`: the FFE0 service of the oldest lights, perhaps without notifications.
    `fan`: a light with a fan of its own. A family UNSUPPORTED has a name but no known protocol.
    """

    name: str
    family: DeviceFamily
    channels: tuple[Channel, ...] = ()
    curve: CurveFamily | None = None
    heads: int | None = None
    channels_known: bool = True
    needs_choice: bool = False
    legacy_service: bool = False
    fan: bool = False


def channels_of(*colors: ChannelColor) -> tuple[Channel, ...]:
    """Number colours as channels from 0."""
    return tuple(Channel(id=number, color=color) for number, color in enumerate(colors))


WHITE: Final = channels_of(ChannelColor.WHITE)
RGB: Final = channels_of(ChannelColor.RED, ChannelColor.GREEN, ChannelColor.BLUE)
WRGB: Final = channels_of(
    ChannelColor.RED, ChannelColor.GREEN, ChannelColor.BLUE, ChannelColor.WHITE
)
WHITE_WARM: Final = channels_of(ChannelColor.WHITE, ChannelColor.WARM)
RED_GREEN: Final = channels_of(ChannelColor.RED, ChannelColor.GREEN)

_SEA: Final = CurveFamily.SEA
_BLE: Final = CurveFamily.BLE


def _light(
    name: str,
    channels: tuple[Channel, ...],
    curve: CurveFamily | None,
    *,
    channels_known: bool = True,
    legacy_service: bool = False,
    fan: bool = False,
) -> Model:
    """Make the model of a light."""
    return Model(
        name=name,
        family=DeviceFamily.LIGHT,
        channels=channels,
        curve=curve,
        channels_known=channels_known,
        legacy_service=legacy_service,
        fan=fan,
    )


def _unsupported(name: str) -> Model:
    """Make the model of a device whose protocol nobody knows."""
    return Model(name=name, family=DeviceFamily.UNSUPPORTED)


_COMMANDER_1: Final = Model(
    name="Commander 1",
    family=DeviceFamily.LIGHT,
    curve=_BLE,
    channels_known=False,
    needs_choice=True,
)
_UNKNOWN: Final = Model(
    name="Unknown Chihiros device",
    family=DeviceFamily.UNKNOWN,
    channels_known=False,
    needs_choice=True,
)
_VENDOR_PREFIX: Final = "DY"

_MODELS: Final[tuple[tuple[str, Model], ...]] = (
    ("DYNA2 DYNA2N", _light("A II", WHITE, _SEA)),
    ("DYA", _light("A series", WHITE, _BLE)),
    ("DYC", _light("New C", WHITE, _BLE)),
    ("DYNC2 DYNC2N", _light("C II", WHITE, _SEA)),
    ("DYONE", _light("Commander X", WHITE, _BLE)),
    ("DYNCMC", _light("A2 Max", WHITE, None)),
    ("DYNCRGP DYNCRGB", _light("C II RGB", RGB, _SEA)),
    ("DYWRGB", _light("WRGB II (old)", RGB, _BLE)),
    (
        "DYNWRGB DYNW30 DYNW45 DYNW60 DYNW90 DYNW12P DYNT90",
        _light("WRGB II", RGB, _SEA),
    ),
    (
        "DYSILN DYSIL DYSL30 DYSL45 DYSL60 DYSL90 DYSL120 DYSL12",
        _light("WRGB II Slim", RGB, _SEA),
    ),
    ("DYARGB DYRGBA DYRGBA+", _light("RGB A+", RGB, _BLE, legacy_service=True)),
    ("DYNARGB", _light("RGB A+", RGB, _SEA)),
    ("DYREE", _light("RGB Vivid", RGB, _BLE)),
    ("DYRGBV", _light("RGB Vivid II", RGB, CurveFamily.NEWBLE)),
    ("DYNVVD DYNV", _light("RGB Vivid II", RGB, _SEA)),
    (
        "DYWPRO30 DYWPRO45 DYWPRO60 DYWPRO80 DYWPRO90 DYWPR120",
        _light("WRGB II Pro", WRGB, _SEA),
    ),
    (
        "DYU550 DYU600 DYU700 DYU800 DYU920 DYU1000 DYU1200 DYU1500",
        _light("Universal WRGB", WRGB, _SEA),
    ),
    ("DYVVD3", _light("WRGB Vivid III", WRGB, _SEA, fan=True)),
    ("DYSEA", _light("SEA LED", WRGB, _SEA)),
    ("DYLED", _light("Commander 4", WRGB, _BLE)),
    ("DYNLED", _light("Commander 4", WRGB, _SEA)),
    ("DYCOM", _COMMANDER_1),
    ("DYSSD DYZSD", _light("Z Light TINY", WHITE_WARM, _BLE)),
    ("DYTWO", _light("X300", WHITE_WARM, _BLE)),
    ("DYDD", _light("Tiny Terrarium Egg", RED_GREEN, _BLE)),
    # The second edition has four channels and shares the prefixes.
    (
        "DYCX MDTMD DYMNC",
        _light("Magnetic Light", RED_GREEN, None, channels_known=False),
    ),
    (
        "DYDOSE DYDOSED DYTDOS DYNDOS",
        Model(name="Dosing Pump", family=DeviceFamily.DOSER),
    ),
    ("DYMIXR", Model(name="Magnetic Stirrer", family=DeviceFamily.STIRRER, heads=4)),
    ("DYHET DYH1T", Model(name="Heater", family=DeviceFamily.HEATER)),
    ("DYNFAN DYFAN", Model(name="Cooling Fan", family=DeviceFamily.FAN)),
    ("DYNDOC", Model(name="Doctor Mate", family=DeviceFamily.DOCTOR)),
    ("DYDOC", Model(name="Doctor", family=DeviceFamily.DOCTOR)),
    (
        "DYPCO2 DYNCO2 DYNSCO2 DYCO2 DYAPRCO2",
        Model(name="CO2 Controller", family=DeviceFamily.CO2),
    ),
    ("DYCHIL", _unsupported("Chiller")),
    ("DYGATE DYNGATE", _unsupported("Gateway")),
    ("DYPWR DYPWSK", _unsupported("Power Strip")),
    ("DYECO", _unsupported("DYECO device")),
    ("DYLITE", _unsupported("DYLITE device")),
)

PREFIXES: Final[dict[str, Model]] = {
    prefix: model for prefixes, model in _MODELS for prefix in prefixes.split()
}
_LONGEST_FIRST: Final = sorted(PREFIXES, key=len, reverse=True)


def model_for(local_name: str) -> Model | None:
    """Return the model with the longest matching prefix; the case is as advertised.

    Unknown `DY…` names give a model of family UNKNOWN that needs a choice; None is a name
    that is not Chihiros at all.
    """
    for prefix in _LONGEST_FIRST:
        if local_name.startswith(prefix):
            return PREFIXES[prefix]
    return _UNKNOWN if local_name.startswith(_VENDOR_PREFIX) else None
