"""The manifest, and what HACS reads."""

from fnmatch import fnmatchcase
import json
from typing import Any

from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_bluetooth, async_get_integration
from packaging.version import Version
import pytest

from custom_components.aquarist.chihiros.models import PREFIXES, DeviceFamily

from .package_source import PACKAGE, REPOSITORY, read_json

UART = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
DRIVEN = (DeviceFamily.LIGHT, DeviceFamily.DOSER)
KNOWN = [prefix for prefix, model in PREFIXES.items() if model.family in DRIVEN]
OTHERS = [prefix for prefix, model in PREFIXES.items() if model.family not in DRIVEN]


@pytest.fixture
def manifest() -> dict[str, Any]:
    """Return the manifest."""
    return read_json("manifest.json")


def matching(manifest: dict[str, Any], name: str) -> list[str]:
    """Return the patterns that a local name matches."""
    patterns = [each.get("local_name", "") for each in manifest["bluetooth"]]
    return [pattern for pattern in patterns if fnmatchcase(name, pattern)]


async def test_home_assistant_can_load_it(hass: HomeAssistant) -> None:
    """Home Assistant's own loader takes the manifest, matchers included."""
    integration = await async_get_integration(hass, "aquarist")
    matchers = await async_get_bluetooth(hass)

    assert integration.disabled is None
    assert integration.config_flow
    assert await integration.resolve_dependencies() is not None
    assert {"domain": "aquarist", "service_uuid": UART} in matchers


def test_keys_are_complete_and_in_order(manifest: dict[str, Any]) -> None:
    """What hassfest and HACS want is there: domain and name first, then the alphabet."""
    keys = list(manifest)

    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])
    assert {
        "codeowners",
        "config_flow",
        "documentation",
        "integration_type",
        "iot_class",
        "issue_tracker",
        "loggers",
        "version",
    } <= set(keys)


def test_loads_before_nobody_it_needs(manifest: dict[str, Any]) -> None:
    """What must be set up before us is said to be."""
    assert manifest["dependencies"] == ["bluetooth_adapters", "http", "websocket_api"]


@pytest.mark.parametrize("prefix", KNOWN)
def test_each_known_light_and_doser_is_discovered(
    manifest: dict[str, Any], prefix: str
) -> None:
    """A name is the prefix and the twelve hexadecimal digits of the address."""
    assert matching(manifest, f"{prefix}E43AD53AD802")
    assert matching(manifest, f"{prefix}0C43AD53AD80")


@pytest.mark.parametrize("prefix", OTHERS)
def test_what_nobody_can_drive_is_not_discovered_by_name(
    manifest: dict[str, Any], prefix: str
) -> None:
    """Heaters, fans and the rest do not show up as something to add."""
    assert matching(manifest, f"{prefix}E43AD53AD802") == []


def test_names_are_specific_enough(manifest: dict[str, Any]) -> None:
    """Home Assistant wants three literal characters first, and we want no doublets."""
    patterns = [
        each["local_name"] for each in manifest["bluetooth"] if "local_name" in each
    ]

    assert len(set(patterns)) == len(patterns)
    assert all(pattern[:3].isalpha() for pattern in patterns)


def test_unknown_names_are_discovered_by_the_service(manifest: dict[str, Any]) -> None:
    """New models have new names, but offer the same service."""
    assert {"service_uuid": UART} in manifest["bluetooth"]


def test_hacs_installs_the_release_archive() -> None:
    """HACS refuses unknown keys, and takes a Home Assistant that we are tested with."""
    hacs = json.loads((REPOSITORY / "hacs.json").read_text(encoding="utf-8"))

    assert set(hacs) == {"name", "filename", "homeassistant", "zip_release"}
    assert hacs["filename"] == "aquarist.zip"
    assert hacs["zip_release"] is True
    assert Version(hacs["homeassistant"]) <= Version(__version__)


@pytest.mark.parametrize(
    ("name", "width", "height"),
    [
        ("icon.png", 256, 256),
        ("icon@2x.png", 512, 512),
        ("logo.png", None, 256),
        ("logo@2x.png", None, 512),
    ],
)
def test_brand_images(name: str, width: int | None, height: int) -> None:
    """The images have the sizes that Home Assistant's brands ask for."""
    content = (PACKAGE / "brand" / name).read_bytes()

    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(content[20:24]) == height
    assert width is None or int.from_bytes(content[16:20]) == width


def test_types_are_announced() -> None:
    """The package says that it is typed."""
    assert (PACKAGE / "py.typed").exists()
