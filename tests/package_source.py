"""The integration as text: its modules parsed, and what its data files say."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
import json
from pathlib import Path
import re
from typing import Any

from homeassistant import const
from homeassistant.util.yaml import load_yaml_dict

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "custom_components" / "aquarist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A parsed module and its dotted name below the package, such as `engine.clock`."""

    name: str
    tree: ast.Module


def modules(root: Path) -> list[Module]:
    """Parse every module below `root`; a package is named like its folder."""
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = list(path.relative_to(root).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        found.append(Module(name=".".join(parts), tree=tree))
    return found


@cache
def package_modules() -> list[Module]:
    """Return the modules of the integration."""
    return modules(PACKAGE)


def read_json(name: str) -> dict[str, Any]:
    """Return a JSON file of the integration, empty when there is none."""
    path = PACKAGE / name
    if not path.exists():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def read_yaml(name: str) -> dict[str, Any]:
    """Return a YAML file of the integration, empty when there is none."""
    path = PACKAGE / name
    return dict(load_yaml_dict(str(path))) if path.exists() else {}


@cache
def english() -> dict[str, Any]:
    """Return the English translations."""
    return read_json("translations/en.json")


def calls(tree: ast.AST, function: str) -> Iterator[ast.Call]:
    """Yield the calls of a function or class by the last part of its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called_name(node) == function:
            yield node


def called_name(call: ast.Call) -> str:
    """Return the last part of the name of what is called, generic arguments left out."""
    target = call.func.value if isinstance(call.func, ast.Subscript) else call.func
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return the expression of a keyword argument."""
    return next((each.value for each in call.keywords if each.arg == name), None)


@cache
def constants() -> frozenset[str]:
    """Return every string that the code spells out, docstrings included.

    Home Assistant's own words, such as CONF_NAME, count as spelled out.
    """
    found = set()
    for module in package_modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.ImportFrom) and node.module == const.__name__:
                found |= {str(getattr(const, alias.name)) for alias in node.names}
    return frozenset(found)


@cache
def patterns() -> tuple[re.Pattern[str], ...]:
    """Return the f-strings of the code that begin or end in words, as patterns."""
    found = []
    for module in package_modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.JoinedStr):
                pattern = "".join(_part(value) for value in node.values)
                if re.search(r"[a-z]{3,}_|_[a-z]{3,}", pattern):
                    found.append(re.compile(pattern))
    return tuple(found)


def _part(value: ast.expr) -> str:
    """Return the pattern for one part of an f-string."""
    if isinstance(value, ast.Constant):
        return re.escape(str(value.value))
    return "[a-z0-9_]+"


def spelled(key: str) -> bool:
    """Say whether the code spells a key out, or can put it together."""
    return key in constants() or any(each.fullmatch(key) for each in patterns())
