#!/usr/bin/env python3
"""Starts a tool of the protocol without Home Assistant's import chain.

The `__init__` of the integration imports Home Assistant, which takes seconds; the protocol
is pure and needs none of it. Usage: protocol_tool.py TOOL ARGUMENT...
"""

from pathlib import Path
import runpy
import sys
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Put a bare package in the integration's place and run the tool."""
    name = "custom_components.aquarist"
    sys.path.insert(0, str(ROOT))
    package = ModuleType(name)
    package.__path__ = [str(ROOT / "custom_components" / "aquarist")]
    sys.modules[name] = package
    tool = ROOT / "scripts" / f"{sys.argv.pop(1)}.py"
    sys.argv[0] = str(tool)
    runpy.run_path(str(tool), run_name="__main__")


if __name__ == "__main__":
    main()
