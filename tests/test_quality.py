"""The quality scale of Home Assistant, kept by ourselves and held to what the code shows."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import homeassistant
from homeassistant.const import Platform
from homeassistant.util.yaml import load_yaml_dict
import pytest

from .package_source import (
    PACKAGE,
    REPOSITORY,
    Module,
    calls,
    english,
    keyword,
    package_modules,
    read_json,
    read_yaml,
)

STATES = ("done", "exempt", "todo")
PLATFORMS = frozenset(Platform)
# Raised at Home Assistant's users, who read their own language.
SHOWN_ERRORS = (
    "ConfigEntryAuthFailed",
    "ConfigEntryError",
    "ConfigEntryNotReady",
    "HomeAssistantError",
    "ServiceValidationError",
    "UpdateFailed",
)


def rules() -> dict[str, Any]:
    """Return what quality_scale.yaml says of each rule."""
    found: dict[str, Any] = read_yaml("quality_scale.yaml").get("rules", {})
    return found


def status(rule: str) -> str:
    """Return the state of a rule."""
    entry = rules()[rule]
    return str(entry["status"] if isinstance(entry, dict) else entry)


def module(name: str) -> Module | None:
    """Return a module of the integration by its name."""
    return next((each for each in package_modules() if each.name == name), None)


def defines(name: str, *functions: str) -> bool:
    """Say whether a module defines all these functions, in classes or outside."""
    found = module(name)
    if found is None:
        return False
    defined = {
        node.name
        for node in ast.walk(found.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return defined.issuperset(functions)


def called(function: str) -> bool:
    """Say whether the integration calls a function."""
    return any(any(calls(each.tree, function)) for each in package_modules())


def assigned(name: str, value: object = ...) -> bool:
    """Say whether a name is assigned at the top of a class or module, to this value."""
    for each in package_modules():
        for node in ast.walk(each.tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=given):
                    pass
                case ast.AnnAssign(
                    target=ast.Name(id=target), value=ast.expr() as given
                ):
                    pass
                case _:
                    continue
            if target == name and (
                value is ...
                or (isinstance(given, ast.Constant) and given.value == value)
            ):
                return True
    return False


def platforms() -> list[Module]:
    """Return the modules that are entity platforms."""
    return [each for each in package_modules() if each.name in PLATFORMS]


def parallel_updates_set() -> bool:
    """Say whether each platform sets its limit of parallel updates."""
    return bool(platforms()) and all(
        any(
            isinstance(node, ast.Assign | ast.AnnAssign)
            and "PARALLEL_UPDATES" in ast.unparse(node)
            for node in each.tree.body
        )
        for each in platforms()
    )


def untranslated_errors() -> Iterator[str]:
    """Yield where an error for users has no key of a translation."""
    for each in package_modules():
        for name in SHOWN_ERRORS:
            for call in calls(each.tree, name):
                if keyword(call, "translation_key") is None and not any(
                    keywords.arg is None for keywords in call.keywords
                ):
                    yield f"{each.name}:{call.lineno} {name}"


def bare_entries() -> Iterator[str]:
    """Yield where a signature takes a config entry without saying whose."""
    for each in package_modules():
        for node in ast.walk(each.tree):
            if isinstance(node, ast.arg) and isinstance(node.annotation, ast.Name):
                if node.annotation.id == "ConfigEntry" and each.name != "config_flow":
                    yield f"{each.name}:{node.lineno}"


def documented(*words: str) -> bool:
    """Say whether README or docs have headings with all these words."""
    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
    headings = "\n".join(
        line.casefold()
        for page in pages
        if page.exists()
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    )
    return all(word in headings for word in words)


EVIDENCE: dict[str, Callable[[], bool]] = {
    "action-setup": lambda: (
        called("async_register") or defines("services", "async_setup")
    ),
    "brands": lambda: (PACKAGE / "brand" / "icon.png").exists(),
    "common-modules": lambda: module("entity") is not None,
    "config-entry-unloading": lambda: (
        defines("__init__", "async_unload_entry") or defines("", "async_unload_entry")
    ),
    "config-flow": lambda: (
        bool(read_json("manifest.json").get("config_flow"))
        and module("config_flow") is not None
    ),
    "diagnostics": lambda: defines("diagnostics", "async_get_config_entry_diagnostics"),
    "discovery": lambda: defines("config_flow", "async_step_bluetooth"),
    "docs-actions": lambda: documented("actions"),
    "docs-configuration-parameters": lambda: documented("options"),
    "docs-data-update": lambda: documented("data"),
    "docs-examples": lambda: documented("example"),
    "docs-high-level-description": lambda: documented("aquarist"),
    "docs-installation-instructions": lambda: documented("install"),
    "docs-installation-parameters": lambda: documented("set up"),
    "docs-known-limitations": lambda: documented("limits"),
    "docs-removal-instructions": lambda: documented("remov"),
    "docs-supported-devices": lambda: documented("supported devices"),
    "docs-supported-functions": lambda: documented("entities"),
    "docs-troubleshooting": lambda: documented("troubleshooting"),
    "docs-use-cases": lambda: documented("what for"),
    "entity-disabled-by-default": lambda: (
        assigned("_attr_entity_registry_enabled_default", value=False)
        or any(
            keyword(call, "entity_registry_enabled_default") is not None
            for each in platforms()
            for call in ast.walk(each.tree)
            if isinstance(call, ast.Call)
        )
    ),
    "entity-translations": lambda: bool(english().get("entity")),
    "exception-translations": lambda: (
        bool(english().get("exceptions")) and not list(untranslated_errors())
    ),
    "has-entity-name": lambda: assigned("_attr_has_entity_name", value=True),
    "icon-translations": lambda: (
        bool(read_json("icons.json").get("entity")) and not assigned("_attr_icon")
    ),
    "integration-owner": lambda: bool(read_json("manifest.json").get("codeowners")),
    "parallel-updates": parallel_updates_set,
    "reconfiguration-flow": lambda: defines("config_flow", "async_step_reconfigure"),
    "repair-issues": lambda: called("async_create_issue"),
    "runtime-data": lambda: any(
        isinstance(node, ast.Attribute) and node.attr == "runtime_data"
        for each in package_modules()
        for node in ast.walk(each.tree)
    ),
    "strict-typing": lambda: (
        (PACKAGE / "py.typed").exists() and not list(bare_entries())
    ),
    "unique-config-entry": lambda: called("_abort_if_unique_id_configured"),
}
"""What a rule that is `done` must at least show; the tests of its subject say the rest."""


def test_all_rules_are_answered() -> None:
    """The rules are the ones that Home Assistant's own integrations answer."""
    components = Path(homeassistant.__path__[0]) / "components"
    own = load_yaml_dict(str(components / "casper_glow" / "quality_scale.yaml"))

    assert set(rules()) == set(own["rules"])
    assert len(rules()) == 54


@pytest.mark.parametrize("rule", sorted(rules()))
def test_rule_has_a_state_and_where_needed_a_reason(rule: str) -> None:
    """Only what is done needs no words."""
    entry = rules()[rule]

    assert status(rule) in STATES
    if status(rule) != "done":
        assert isinstance(entry, dict)
        assert len(entry["comment"].split()) >= 3
        assert entry["comment"].endswith(".")


@pytest.mark.parametrize("rule", sorted(EVIDENCE))
def test_a_done_rule_shows_in_the_code(rule: str) -> None:
    """Nobody claims what a look at the code refutes."""
    assert rule in rules()
    if status(rule) == "done":
        assert EVIDENCE[rule]()


def test_errors_for_users_are_translated() -> None:
    """Each error that users read has a key."""
    assert list(untranslated_errors()) == []


def test_entries_are_typed() -> None:
    """Functions that take one of our entries say so."""
    assert list(bare_entries()) == []
