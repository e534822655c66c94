"""The services that users see are the ones that there are."""

from typing import Any

from homeassistant.helpers.selector import validate_selector
import pytest

from .package_source import english, read_json, read_yaml, spelled

SERVICES = read_yaml("services.yaml")
TEXTS: dict[str, Any] = english().get("services", {})


def fields(service: str) -> dict[str, Any]:
    """Return the fields of a service, those in sections included."""
    found: dict[str, Any] = {}
    for name, field in ((SERVICES[service] or {}).get("fields") or {}).items():
        # A section is a field with fields.
        found |= field.get("fields", {name: field})
    return found


FIELDS = [(service, name) for service in SERVICES for name in fields(service)]


def test_texts_and_icons_are_those_of_the_services() -> None:
    """services.yaml, translations and icons name the same services."""
    assert SERVICES
    assert set(TEXTS) == set(SERVICES)
    assert set(read_json("icons.json").get("services", {})) == set(SERVICES)


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_service_is_registered_and_described(service: str) -> None:
    """The code knows it, and users can read what it does."""
    assert spelled(service)
    assert TEXTS[service]["name"]
    assert TEXTS[service]["description"].endswith(".")
    assert set(TEXTS[service].get("fields", {})) == set(fields(service))


@pytest.mark.parametrize(("service", "name"), sorted(FIELDS))
def test_field_can_be_filled_in(service: str, name: str) -> None:
    """A field has a selector that Home Assistant knows, a name and a description."""
    field = fields(service)[name]
    text = TEXTS[service]["fields"][name]

    assert set(field) <= {
        "advanced",
        "default",
        "example",
        "filter",
        "required",
        "selector",
    }
    validate_selector(field["selector"])
    assert text["name"]
    assert text["description"].endswith(".")


@pytest.mark.parametrize(("service", "name"), sorted(FIELDS))
def test_field_is_one_that_the_code_reads(service: str, name: str) -> None:
    """No field is left over."""
    assert spelled(name), service
