"""The locked packages are the ones that Home Assistant would take."""

from pathlib import Path
import subprocess
import sys
import tomllib
from typing import Any

import homeassistant
from homeassistant.const import __version__
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
import pytest

from .package_source import REPOSITORY, read_json

CONSTRAINTS = Path(homeassistant.__path__[0]) / "package_constraints.txt"


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lock() -> dict[str, dict[str, Any]]:
    """Return the locked packages by name."""
    content = tomllib.loads((REPOSITORY / "uv.lock").read_text(encoding="utf-8"))
    return {package["name"]: package for package in content["package"]}


def test_integrations_group_is_what_home_assistant_requires(
    project: dict[str, Any],
) -> None:
    """The group holds what the integrations would install at run time, and no more."""
    printed = subprocess.run(
        [sys.executable, "scripts/integration_requirements.py", "esphome"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()

    assert project["dependency-groups"]["integrations"] == printed


def test_lock_respects_home_assistants_constraints(
    lock: dict[str, dict[str, Any]],
) -> None:
    """No locked version is one that Home Assistant forbids."""
    wrong = []
    for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines():
        if not (text := line.partition("#")[0].strip()):
            continue
        requirement = Requirement(text)
        package = lock.get(canonicalize_name(requirement.name))
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        if package is not None and package["version"] not in requirement.specifier:
            wrong.append(f"{text}, but {package['version']} is locked")

    assert wrong == []


def test_lock_names_the_public_index_alone(lock: dict[str, dict[str, Any]]) -> None:
    """Nobody's own mirror gets into the lock."""
    sources = {
        package["source"]["registry"]
        for package in lock.values()
        if "registry" in package["source"]
    }
    files = {
        each["url"].split("/")[2]
        for package in lock.values()
        for each in [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
    }

    assert sources == {"https://pypi.org/simple"}
    assert files == {"files.pythonhosted.org"}


def test_versions_agree(project: dict[str, Any]) -> None:
    """The manifest, the project and HACS say the same about version and requirements."""
    manifest = read_json("manifest.json")

    assert manifest["version"] == project["project"]["version"]
    assert manifest["requirements"] == project["project"]["dependencies"]
    assert f"homeassistant=={__version__}" in project["dependency-groups"]["test"]
    newest = project["tool"]["aquarist"]["newest-home-assistant"]
    assert Version(newest) >= Version(__version__)
