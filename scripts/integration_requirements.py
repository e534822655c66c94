"""Print the requirements of the Home Assistant integrations that Aquarist is run with.

python scripts/integration_requirements.py [DOMAIN | MANIFEST.json]...

Home Assistant installs the requirements of an integration when it is first set up. Tests
and the developer's instance run with `--skip-pip`, so everything is installed beforehand.
Arguments name further integrations, or are manifests themselves.
"""

from collections.abc import Iterable, Iterator
import json
from pathlib import Path
import sys
from typing import Any

import homeassistant
from homeassistant.bootstrap import (
    DEFAULT_INTEGRATIONS,
    DEFAULT_INTEGRATIONS_RECOVERY_MODE,
)

COMPONENTS = Path(homeassistant.__path__[0]) / "components"
ALWAYS = {
    *DEFAULT_INTEGRATIONS,
    *DEFAULT_INTEGRATIONS_RECOVERY_MODE,
    "api",
    "bluetooth",
    "bluetooth_adapters",
    "config",
    # Nobody sets it up, but usb and bluetooth import the library it requires.
    "hassio",
    "history",
    "http",
    "logbook",
    "recorder",
    "websocket_api",
    # Every HTTP session opens it.
    "zeroconf",
}


def manifest(name: str) -> dict[str, Any]:
    """Return the manifest of a core integration, or the one in a file."""
    path = Path(name) if name.endswith(".json") else COMPONENTS / name / "manifest.json"
    if not path.exists():
        # Some defaults have no folder of their own.
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def manifests(names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the manifests of the named integrations and of all they depend on."""
    seen: set[str] = set()
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        found = manifest(name)
        waiting += found.get("dependencies", [])
        yield found


def main() -> None:
    """Print the requirements, sorted, one a line."""
    names = {*ALWAYS, *sys.argv[1:]}
    lines = {line for each in manifests(names) for line in each.get("requirements", [])}
    print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main()
