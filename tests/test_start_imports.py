"""What Home Assistant's start does not have to wait for is not read in."""

import json
import subprocess
import sys

import pytest

from .package_source import PACKAGE

_READ = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(f"custom_components.aquarist{name}")
print(json.dumps(list(sys.modules)))
"""


def read_in_by(*names: str) -> set[str]:
    """Return our modules that a new interpreter has after it read in some."""
    done = subprocess.run(
        [sys.executable, "-c", _READ, *names],
        cwd=PACKAGE.parents[1],
        check=True,
        capture_output=True,
        timeout=60,
    )
    prefix = "custom_components.aquarist"
    return {
        name.removeprefix(prefix)
        for name in json.loads(done.stdout)
        if name.startswith(prefix)
    }


@pytest.fixture(scope="module")
def at_start() -> set[str]:
    """Return what the integration and the flows read in: every start has both."""
    return read_in_by("", ".config_flow")


def test_what_every_start_needs_is_there(at_start: set[str]) -> None:
    """The engine, its rooms and the flows."""
    assert {
        "",
        ".engine.engine",
        ".config_flow",
        ".api.http.door",
        ".services.emergency",
    } <= at_start


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(".api.http.views", id="REST waits for its first request"),
        pytest.param(".api.http.openapi", id="and so does its description"),
        pytest.param(".entity_hardware", id="devices of entities for the first one"),
        pytest.param(".devices.doser", id="a switched doser"),
        pytest.param(".devices.entity", id="a device of other entities"),
        pytest.param(".removal", id="what a removed aquarium leaves behind"),
        pytest.param(".api.websocket.commands", id="a WebSocket command"),
        pytest.param(".services.commands", id="a service"),
        pytest.param(".options_flow", id="the options of a device"),
        pytest.param(".aquarium_options", id="those of an aquarium"),
        pytest.param(".subentry_flows.kinds", id="what is listed by hand"),
        pytest.param(".connection_trial", id="a device that is added"),
        pytest.param(".repair_flows", id="the way out of a repair issue"),
        pytest.param(".ble.bleak_transport", id="Bluetooth for its first device"),
        pytest.param(".demo", id="the demo aquarium"),
        pytest.param(".simulator.peripheral", id="and what it simulates"),
        pytest.param(".diagnostics", id="diagnostics are asked for"),
        pytest.param(".logbook", id="the logbook is opened"),
        pytest.param(".backup", id="backups come later"),
    ],
)
def test_what_may_come_later_is_not(at_start: set[str], name: str) -> None:
    """It is there, for whoever needs it first to read it in."""
    assert PACKAGE.joinpath(*name.split(".")).with_suffix(".py").exists()
    assert name not in at_start
