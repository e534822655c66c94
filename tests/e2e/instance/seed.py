"""Prepare a configuration folder from which Home Assistant starts on loopback."""

from dataclasses import dataclass
from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]

TIME_ZONE = "Europe/Berlin"
CONFIGURATION = f"""\
homeassistant:
  name: Aquarist
  latitude: 52.52
  longitude: 13.40
  elevation: 34
  unit_system: metric
  currency: EUR
  country: DE
  language: en
  time_zone: {TIME_ZONE}

config:
frontend:
history:
logbook:
recorder:
  commit_interval: 1

logger:
  default: warning
  logs:
    custom_components.aquarist: info

input_boolean:
  return_pump:
    name: Return pump
    icon: mdi:pump
    initial: true
  skimmer:
    name: Skimmer
    icon: mdi:air-filter
    initial: true

input_number:
  wave_pump:
    name: Wave pump
    icon: mdi:waves
    min: 0
    max: 100
    step: 1
    initial: 60
    unit_of_measurement: "%"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """The owner of an instance."""

    name: str = "Keeper"
    username: str = "keeper"
    password: str = "aquarium"


def prepare(
    folder: Path, port: int, *, configuration: str = CONFIGURATION, ours: bool = True
) -> None:
    """Make `folder` ready to start at 127.0.0.1:`port`; what is there already stays.

    `ours` says whether this repository's integration can be found from there.
    """
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    yaml = folder / "configuration.yaml"
    if not yaml.exists():
        yaml.write_text(configuration, encoding="utf-8")
    link = folder / "custom_components"
    if ours and not link.exists():
        link.symlink_to(REPOSITORY / "custom_components", target_is_directory=True)
    _write_http(storage / "http", port)
    if not (storage / "onboarding").exists():
        # These steps would bring in integrations that ask the internet.
        done = ["core_config", "analytics", "integration"]
        _write(storage / "onboarding", 4, 1, {"done": done})


def _write_http(path: Path, port: int) -> None:
    """Write the HTTP server's stable settings; by YAML they would only be a trial."""
    stable = {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "modern",
        "use_x_frame_options": True,
        "created_at": datetime.now(UTC).isoformat(),
        "error": None,
        "error_message": None,
    }
    data = {"stable": stable, "pending": None, "yaml_migration_done": True}
    _write(path, 2, 2, data)


def _write(path: Path, version: int, minor: int, data: dict[str, Any]) -> None:
    """Write one file of Home Assistant's storage."""
    content = {
        "version": version,
        "minor_version": minor,
        "key": path.name,
        "data": data,
    }
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
