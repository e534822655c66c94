"""Icons belong to something, and are Material Design's."""

import ast
from collections.abc import Iterator
import re
from typing import Any

import pytest

from .package_source import english, package_modules, read_json, spelled

ICONS = read_json("icons.json")
SECTIONS = {
    "conditions": "condition",
    "services": "service",
    "triggers": "trigger",
}


def names(content: Any) -> Iterator[str]:
    """Yield every icon's name."""
    if isinstance(content, str):
        yield content
    else:
        for value in content.values():
            yield from names(value)


def entities() -> list[tuple[str, str]]:
    """Return the entities with an icon."""
    return [
        (platform, key)
        for platform, keys in ICONS.get("entity", {}).items()
        for key in keys
    ]


def test_sections_are_known() -> None:
    """Home Assistant reads these and no others."""
    assert set(ICONS) <= {"entity", *SECTIONS}


def test_there_are_icons_for_entities() -> None:
    """An integration with entities of its own kind has icons for them."""
    assert entities() or not english().get("entity")


@pytest.mark.parametrize("name", sorted(set(names(ICONS))))
def test_icon_is_material_design(name: str) -> None:
    """Names look like mdi:fish."""
    assert re.fullmatch(r"mdi:[a-z0-9]+(-[a-z0-9]+)*", name)


@pytest.mark.parametrize(("platform", "key"), entities())
def test_icon_is_one_of_an_entity(platform: str, key: str) -> None:
    """No icon is left over from an entity that is gone."""
    # An entity that is named like its device has a key for its icon alone.
    assert key in english()["entity"].get(platform, {}) or spelled(key)


@pytest.mark.parametrize(("platform", "key"), entities())
def test_each_entity_has_a_default_icon(platform: str, key: str) -> None:
    """Icons for states add to one that always fits, and are icons of known states."""
    icon = ICONS["entity"][platform][key]

    assert set(icon) <= {"default", "range", "state", "state_attributes"}
    assert icon["default"]
    texts = english()["entity"].get(platform, {}).get(key, {})
    states = texts.get("state", {})
    if platform in ("select", "sensor", "event") and states:
        assert set(icon.get("state", {})) <= set(states)


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_section_has_the_icons_of_its_things(section: str) -> None:
    """Each service, trigger and condition has an icon, and nothing else has one."""
    icons = ICONS.get(section, {})

    assert set(icons) == set(english().get(section, {}))
    assert all(SECTIONS[section] in icon for icon in icons.values())


def test_code_sets_no_icons() -> None:
    """Icons are in icons.json alone."""
    assert [
        module.name
        for module in package_modules()
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Name) and node.id == "_attr_icon")
        or (isinstance(node, ast.keyword) and node.arg == "icon")
    ] == []
