"""Each text that users read exists, is used, and holds no markup."""

import ast
from collections.abc import Iterator
import re
from typing import Any

from homeassistant.const import Platform
import pytest

from .package_source import calls, constants, english, keyword, package_modules, spelled

SECTIONS = frozenset(
    (
        "common",
        "conditions",
        "config",
        "config_subentries",
        "device",
        "entity",
        "exceptions",
        "issues",
        "options",
        "selector",
        "services",
        "system_health",
        "title",
        "triggers",
    )
)
PLATFORMS = frozenset(Platform)
# Home Assistant itself ends flows with these.
FLOW_ENDS = frozenset(
    (
        "already_configured",
        "already_in_progress",
        "reconfigure_successful",
        "single_instance_allowed",
        "unique_id_mismatch",
    )
)
NOT_ENTITIES = frozenset(
    ("ChildDeviceInfo", "DeviceInfo", "SelectSelectorConfig", "async_create_issue")
)


def steps() -> dict[str, dict[str, Any]]:
    """Return every step of every flow, sections of a form as steps of their own."""
    texts = english()
    flows = {
        "config": texts.get("config", {}),
        "options": texts.get("options", {}),
        **{
            f"config_subentries.{kind}": flow
            for kind, flow in texts.get("config_subentries", {}).items()
        },
        **{
            f"issues.{key}": issue["fix_flow"]
            for key, issue in texts.get("issues", {}).items()
            if "fix_flow" in issue
        },
    }
    found = {}
    for name, flow in flows.items():
        for step, content in flow.get("step", {}).items():
            found[f"{name}.{step}"] = content
            for section, part in content.get("sections", {}).items():
                found[f"{name}.{step}.{section}"] = part
    return found


def texts(content: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text with its path."""
    if isinstance(content, str):
        yield path, content
    else:
        for key, value in content.items():
            yield from texts(value, f"{path}.{key}" if path else key)


def strings(node: ast.expr | None) -> list[str]:
    """Return the keys an expression may stand for, as far as they are spelled out."""
    match node:
        case ast.Constant(value=str(value)):
            return [value]
        case ast.IfExp(body=body, orelse=other):
            return [*strings(body), *strings(other)]
    return []


def error_keys() -> dict[str, str]:
    """Return where code names the key of an exception's text."""
    found = {}
    for module in package_modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and keyword(node, "translation_domain"):
                for key in strings(keyword(node, "translation_key")):
                    if not list(_issues(node)):
                        found[key] = f"{module.name}:{node.lineno}"
    return found


def _issues(node: ast.Call) -> Iterator[ast.Call]:
    """Yield the node itself when it makes a repair issue."""
    yield from (call for call in calls(node, "async_create_issue") if call is node)


def named(function: str) -> dict[str, str]:
    """Return where calls of a function name a `translation_key`."""
    return {
        key: f"{module.name}:{call.lineno}"
        for module in package_modules()
        for call in calls(module.tree, function)
        for key in strings(keyword(call, "translation_key"))
    }


def nameless(module: ast.Module) -> set[int]:
    """Return the nodes of classes whose entities are named like their device."""
    return {
        id(node)
        for cls in ast.walk(module)
        if isinstance(cls, ast.ClassDef)
        and any(ast.unparse(line) == "_attr_name = None" for line in cls.body)
        for node in ast.walk(cls)
    }


def entity_keys() -> dict[tuple[str, str], str]:
    """Return where a platform names the key of an entity's name."""
    found = {}
    for module in package_modules():
        if module.name not in PLATFORMS:
            continue
        elsewhere = {
            id(call) for name in NOT_ENTITIES for call in calls(module.tree, name)
        }
        elsewhere |= nameless(module.tree)
        for node in ast.walk(module.tree):
            keys: list[str] = []
            if isinstance(node, ast.Call) and id(node) not in elsewhere:
                if keyword(node, "translation_domain") is None:
                    keys = strings(keyword(node, "translation_key"))
            elif id(node) in elsewhere:
                continue
            elif isinstance(node, ast.Assign) and "_attr_translation_key" in {
                ast.unparse(target).rpartition(".")[2] for target in node.targets
            }:
                keys = strings(node.value)
            else:
                continue
            for key in keys:
                found[module.name, key] = f"{module.name}:{node.lineno}"
    return found


def test_sections_are_known() -> None:
    """Home Assistant reads these and no others."""
    assert set(english()) <= SECTIONS


def test_there_are_texts() -> None:
    """The flows have texts, so that the tests below have something to look at."""
    assert english().get("config", {}).get("step")
    assert english().get("entity")
    assert english().get("exceptions")


@pytest.mark.parametrize("step", sorted(steps()))
def test_each_field_of_a_form_is_explained(step: str) -> None:
    """Each field has a name and a description, and nothing else has one."""
    content = steps()[step]

    assert set(content.get("data", {})) == set(content.get("data_description", {}))


@pytest.mark.parametrize("step", sorted(steps()))
def test_each_step_of_a_flow_exists(step: str) -> None:
    """A step's name, and those of its fields and menu options, are in the code."""
    content = steps()[step]
    names = {step.rpartition(".")[2], *content.get("data", {})}
    options = content.get("menu_options", {})
    if step.startswith("issues."):
        # The step of Home Assistant's own ConfirmRepairFlow.
        names.discard("confirm")

    assert [name for name in {*names, *options} if not _known(name)] == []


def _known(name: str) -> bool:
    """Say whether the code knows a step or field; steps are methods, too."""
    methods = {
        node.name
        for module in package_modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AsyncFunctionDef)
    }
    return spelled(name) or f"async_step_{name}" in methods


@pytest.mark.parametrize(("key", "where"), sorted(error_keys().items()))
def test_each_error_has_a_text(key: str, where: str) -> None:
    """An exception's key exists."""
    assert key in english()["exceptions"], where


@pytest.mark.parametrize(("key", "where"), sorted(named("async_create_issue").items()))
def test_each_repair_issue_has_a_text(key: str, where: str) -> None:
    """An issue's key exists, with a title and either a description or a way to fix it."""
    assert key in english()["issues"], where
    issue = english()["issues"][key]
    assert issue["title"]
    assert ("description" in issue) != ("fix_flow" in issue)


@pytest.mark.parametrize(
    ("key", "where"), sorted(named("SelectSelectorConfig").items())
)
def test_each_selector_has_texts(key: str, where: str) -> None:
    """A selector's options have names."""
    assert english()["selector"][key]["options"], where


@pytest.mark.parametrize(
    ("platform", "key", "where"),
    sorted((platform, key, where) for (platform, key), where in entity_keys().items()),
)
def test_each_entity_has_a_name(platform: str, key: str, where: str) -> None:
    """An entity's key exists under its platform."""
    assert english()["entity"][platform][key], where


@pytest.mark.parametrize(
    "path",
    sorted(
        f"{section}.{key}"
        for section in ("exceptions", "issues", "selector", "device", "services")
        for key in english().get(section, {})
    )
    + sorted(
        f"entity.{platform}.{key}"
        for platform, names in english().get("entity", {}).items()
        for key in names
    )
    + sorted(
        f"{flow}.{key}"
        for flow in ("config.error", "config.abort", "options.error", "options.abort")
        for key in english()
        .get(flow.partition(".")[0], {})
        .get(flow.partition(".")[2], {})
    ),
)
def test_no_text_is_left_over(path: str) -> None:
    """Each key of the translations is one that the code uses."""
    key = path.rpartition(".")[2]

    assert key in FLOW_ENDS or spelled(key)


@pytest.mark.parametrize(("path", "text"), sorted(texts(english())))
def test_texts_are_plain(path: str, text: str) -> None:
    """No markup, no addresses (they are placeholders), no spaces around, no empty text."""
    assert text.strip() == text != ""
    assert not re.search(r"<[a-zA-Z/]|https?://|www\.", text)
    assert not re.search(r"'\{\w+\}'", text)
    assert "[%key:" not in text


def test_placeholders_are_given() -> None:
    """A placeholder in a text is a name that the code knows."""
    wanted = {
        name for _, text in texts(english()) for name in re.findall(r"\{(\w+)\}", text)
    }
    keywords = {
        node.arg
        for module in package_modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.keyword) and node.arg
    }

    assert wanted - constants() - keywords == set()
