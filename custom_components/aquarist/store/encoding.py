"""Values as the store keeps them: compact JSON, made and read by orjson, and plain words."""

from collections.abc import Mapping
from typing import Any

import orjson


def to_json(value: Any) -> str:
    """Return the value as JSON text.

    Raises TypeError when something in it has no JSON form.
    """
    return orjson.dumps(value, default=_plain).decode()


def from_json(text: str) -> Any:
    """Return the value of a stored JSON text."""
    return orjson.loads(text)


def to_json_or_none(value: Any) -> str | None:
    """Return the value as JSON text; None stays None."""
    return None if value is None else orjson.dumps(value, default=_plain).decode()


def from_json_or_none(text: str | None) -> Any:
    """Return the value of a stored JSON text; None stays None."""
    return None if text is None else orjson.loads(text)


def to_word_or_none(code: str | None) -> str | None:
    """Return a code as plain text, also when it is a member of an enum; None stays None."""
    return None if code is None else str(code)


def _plain(value: Any) -> Any:
    """Return a mapping that is not a dict as one; orjson asks only for what it does not know."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
