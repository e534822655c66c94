"""The model table (protocol section 1.4)."""

import re

from hypothesis import given, strategies as st
import pytest

from custom_components.aquarist.chihiros import gatt
from custom_components.aquarist.chihiros.lights import CurveFamily
from custom_components.aquarist.chihiros.models import (
    PREFIXES,
    RED_GREEN,
    RGB,
    WHITE,
    WHITE_WARM,
    WRGB,
    Channel,
    DeviceFamily,
    model_for,
)

MAC = "E43AD53AD802"
SEA, BLE, NEWBLE = CurveFamily.SEA, CurveFamily.BLE, CurveFamily.NEWBLE

# Prefixes, name, channels, family of curves; as the protocol page lists them.
LIGHTS: list[tuple[str, str, tuple[Channel, ...], CurveFamily | None]] = [
    ("DYNA2 DYNA2N", "A II", WHITE, SEA),
    ("DYA", "A series", WHITE, BLE),
    ("DYC", "New C", WHITE, BLE),
    ("DYNC2 DYNC2N", "C II", WHITE, SEA),
    ("DYONE", "Commander X", WHITE, BLE),
    ("DYNCMC", "A2 Max", WHITE, None),
    ("DYNCRGP DYNCRGB", "C II RGB", RGB, SEA),
    ("DYWRGB", "WRGB II (old)", RGB, BLE),
    ("DYNWRGB DYNW30 DYNW45 DYNW60 DYNW90 DYNW12P DYNT90", "WRGB II", RGB, SEA),
    (
        "DYSILN DYSIL DYSL30 DYSL45 DYSL60 DYSL90 DYSL120 DYSL12",
        "WRGB II Slim",
        RGB,
        SEA,
    ),
    ("DYARGB DYRGBA DYRGBA+", "RGB A+", RGB, BLE),
    ("DYNARGB", "RGB A+", RGB, SEA),
    ("DYREE", "RGB Vivid", RGB, BLE),
    ("DYRGBV", "RGB Vivid II", RGB, NEWBLE),
    ("DYNVVD DYNV", "RGB Vivid II", RGB, SEA),
    (
        "DYWPRO30 DYWPRO45 DYWPRO60 DYWPRO80 DYWPRO90 DYWPR120",
        "WRGB II Pro",
        WRGB,
        SEA,
    ),
    (
        "DYU550 DYU600 DYU700 DYU800 DYU920 DYU1000 DYU1200 DYU1500",
        "Universal WRGB",
        WRGB,
        SEA,
    ),
    ("DYVVD3", "WRGB Vivid III", WRGB, SEA),
    ("DYSEA", "SEA LED", WRGB, SEA),
    ("DYLED", "Commander 4", WRGB, BLE),
    ("DYNLED", "Commander 4", WRGB, SEA),
    ("DYCOM", "Commander 1", (), BLE),
    ("DYSSD DYZSD", "Z Light TINY", WHITE_WARM, BLE),
    ("DYTWO", "X300", WHITE_WARM, BLE),
    ("DYDD", "Tiny Terrarium Egg", RED_GREEN, BLE),
    ("DYCX MDTMD DYMNC", "Magnetic Light", RED_GREEN, None),
]
OTHERS: list[tuple[str, DeviceFamily]] = [
    ("DYDOSE DYDOSED DYTDOS DYNDOS", DeviceFamily.DOSER),
    ("DYMIXR", DeviceFamily.STIRRER),
    ("DYHET DYH1T", DeviceFamily.HEATER),
    ("DYNFAN DYFAN", DeviceFamily.FAN),
    ("DYNDOC DYDOC", DeviceFamily.DOCTOR),
    ("DYPCO2 DYNCO2 DYNSCO2 DYCO2 DYAPRCO2", DeviceFamily.CO2),
    (
        "DYCHIL DYGATE DYNGATE DYPWR DYPWSK DYECO DYLITE",
        DeviceFamily.UNSUPPORTED,
    ),
]


@pytest.mark.parametrize(
    ("prefix", "name", "channels", "curve"),
    [(prefix, *rest) for prefixes, *rest in LIGHTS for prefix in prefixes.split()],
)
def test_lights(
    prefix: str,
    name: str,
    channels: tuple[Channel, ...],
    curve: CurveFamily | None,
) -> None:
    """Every light prefix, with a MAC behind it, finds its own row."""
    model = model_for(prefix + MAC)
    assert model is not None
    assert model is PREFIXES[prefix]
    assert (model.name, model.family) == (name, DeviceFamily.LIGHT)
    assert (model.channels, model.curve) == (channels, curve)
    assert model.heads is None


@pytest.mark.parametrize(
    ("prefix", "family"),
    [(prefix, family) for prefixes, family in OTHERS for prefix in prefixes.split()],
)
def test_other_devices(prefix: str, family: DeviceFamily) -> None:
    """Every other prefix finds its family, without channels or curves."""
    model = model_for(prefix + MAC)
    assert model is not None
    assert (model.family, model.channels, model.curve) == (family, (), None)
    assert not model.needs_choice


def test_the_table_is_complete() -> None:
    """The table holds the prefixes of the protocol page and no others."""
    rows = [row[0] for row in LIGHTS] + [row[0] for row in OTHERS]
    assert set(PREFIXES) == set(" ".join(rows).split())


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("DYAPRCO2" + MAC, "DYAPRCO2"),
        ("DYA" + MAC, "DYA"),
        ("DYARGB" + MAC, "DYARGB"),
        ("DYCO2" + MAC, "DYCO2"),
        ("DYCHIL" + MAC, "DYCHIL"),
        ("DYCOM" + MAC, "DYCOM"),
        ("DYCX" + MAC, "DYCX"),
        ("DYC" + MAC, "DYC"),
        ("DYNCRGP" + MAC, "DYNCRGP"),
        ("DYNC2" + MAC, "DYNC2"),
        ("DYNC2N" + MAC, "DYNC2N"),
        ("DYNCO2" + MAC, "DYNCO2"),
        ("DYNCMC" + MAC, "DYNCMC"),
        ("DYNVVD" + MAC, "DYNVVD"),
        ("DYNWRGB" + MAC, "DYNWRGB"),
        ("DYRGBA+" + MAC, "DYRGBA+"),
        ("DYRGBV" + MAC, "DYRGBV"),
        ("DYSL120" + MAC, "DYSL120"),
        ("DYDOSE" + MAC, "DYDOSE"),
        ("DYWPR120E49945716514", "DYWPR120"),
    ],
)
def test_the_longest_prefix_wins(name: str, prefix: str) -> None:
    """Short prefixes do not swallow longer ones."""
    assert model_for(name) is PREFIXES[prefix]


def test_channel_numbers_and_colours() -> None:
    """Channels count from 0 in the order red, green, blue, white."""
    assert [(channel.id, channel.color.value) for channel in WRGB] == [
        (0, "red"),
        (1, "green"),
        (2, "blue"),
        (3, "white"),
    ]
    assert [channel.color.value for channel in WHITE_WARM] == ["white", "warm"]


def test_what_must_be_asked() -> None:
    """Commander 1 needs a choice, the Magnetic Light's channels are a guess, dosers a count."""
    assert PREFIXES["DYCOM"].needs_choice
    assert not PREFIXES["DYCOM"].channels_known
    assert not PREFIXES["DYMNC"].needs_choice
    assert not PREFIXES["DYMNC"].channels_known
    assert PREFIXES["DYDOSE"].heads is None
    assert PREFIXES["DYMIXR"].heads == 4


def test_special_lights() -> None:
    """Only the oldest RGB lights have the legacy service, only Vivid III has a fan."""
    legacy = {prefix for prefix, model in PREFIXES.items() if model.legacy_service}
    fans = {prefix for prefix, model in PREFIXES.items() if model.fan}
    assert legacy == {"DYARGB", "DYRGBA", "DYRGBA+"}
    assert fans == {"DYVVD3"}


@pytest.mark.parametrize("name", ["DYNEW1" + MAC, "DY", "DYXYZ"])
def test_unknown_chihiros(name: str) -> None:
    """An unknown vendor name is not rejected: the user says what it is."""
    model = model_for(name)
    assert model is not None
    assert (model.family, model.needs_choice) == (DeviceFamily.UNKNOWN, True)
    assert not model.channels_known


@pytest.mark.parametrize("name", ["", "dydose" + MAC, "D", "ESP32", "MDT", " DYDOSE"])
def test_not_chihiros(name: str) -> None:
    """Other names give nothing; the case counts."""
    assert model_for(name) is None


@given(suffix=st.text(max_size=20), prefix=st.sampled_from(sorted(PREFIXES)))
def test_any_suffix_finds_the_longest(prefix: str, suffix: str) -> None:
    """Whatever follows, the answer is the longest listed prefix of the name."""
    name = prefix + suffix
    best = max((one for one in PREFIXES if name.startswith(one)), key=len)
    assert model_for(name) is PREFIXES[best]


def test_uuids() -> None:
    """Service and characteristic ids are whole lower-case UUIDs, each its own."""
    uuids = [value for name, value in vars(gatt).items() if name.isupper()]
    shape = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    assert len(uuids) == len(set(uuids)) == 7
    assert all(shape.fullmatch(uuid) for uuid in uuids)
