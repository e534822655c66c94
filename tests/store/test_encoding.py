"""Values as the store keeps them: JSON, and plain words."""

from types import MappingProxyType

import pytest

from custom_components.aquarist.commands.command import ErrorCode
from custom_components.aquarist.store.encoding import (
    from_json,
    from_json_or_none,
    to_json,
    to_json_or_none,
    to_word_or_none,
)


def test_a_value_comes_back() -> None:
    """Names with quotes, HTML and templates are data and come back unchanged (R-B71)."""
    value = {"name": 'it\'s <b>{{ x }}</b> "ö"', "levels": [1, 2.5, True, None]}
    assert from_json(to_json(value)) == value


def test_any_mapping_will_do() -> None:
    """A read-only view is stored like a dict."""
    assert from_json(to_json(MappingProxyType({"level": 5}))) == {"level": 5}


def test_what_has_no_json_form_is_refused() -> None:
    """A set cannot be stored."""
    with pytest.raises(TypeError):
        to_json({"levels": {1, 2}})


def test_nothing_stays_nothing() -> None:
    """None is kept as None, not as JSON's null."""
    assert to_json_or_none(None) is None
    assert from_json_or_none(None) is None
    assert from_json_or_none(to_json_or_none({})) == {}
    assert to_word_or_none(None) is None


def test_a_member_of_an_enum_is_stored_as_its_word() -> None:
    """And a plain word as it is."""
    words = (to_word_or_none(code) for code in (ErrorCode.EXPIRED, "expired"))
    assert [(type(word), word) for word in words] == [(str, "expired")] * 2
