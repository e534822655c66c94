"""Loads the repository's protocol tools as modules; `scripts` is no package."""

from functools import cache
import importlib.util
from pathlib import Path
import sys
from types import ModuleType
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
VECTOR_FILE: Final = ROOT / "tests" / "data" / "chihiros_vectors.json"


@cache
def vector_tool() -> ModuleType:
    """Return `scripts/chihiros_vectors.py`, the code behind `scripts/vectors`."""
    return _load("chihiros_vectors")


@cache
def decode_tool() -> ModuleType:
    """Return `scripts/chihiros_decode.py`, the code behind `scripts/decode`."""
    return _load("chihiros_decode")


def _load(name: str) -> ModuleType:
    """Run a script's file as a module of its name."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
