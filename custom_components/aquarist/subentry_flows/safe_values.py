"""Values of a field for doubt, start and stop: what a keeper writes, and what is stored."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from homeassistant.core import split_entity_id

from ..const import CONF_SAFE_VALUE, CONF_SHUTDOWN_VALUE, CONF_START_VALUE
from ..layers.setting import Scalar

SAFE_VALUES: Final = (CONF_SAFE_VALUE, CONF_START_VALUE, CONF_SHUTDOWN_VALUE)

_SWITCHED: Final = frozenset({"switch", "input_boolean"})
_NUMBERS: Final = frozenset(
    {"number", "input_number", "light", "fan", "cover", "valve"}
)
_READ_ONLY: Final = frozenset({"sensor", "binary_sensor"})
_WORDS: Final = {"on": True, "true": True, "off": False, "false": False}


def entered_values(
    entity_id: str, field: Mapping[str, Any]
) -> tuple[dict[str, Scalar], str | None]:
    """Return the values of a field as they are stored, and the text that is none."""
    values: dict[str, Scalar] = {}
    for key in SAFE_VALUES:
        text = (field.get(key) or "").strip()
        if not text:
            continue
        try:
            values[key] = _value(split_entity_id(entity_id)[0], text)
        except ValueError:
            return {}, text
    return values, None


def shown_values(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored field with its values as they are written in the form."""
    texts = {key: _text(field[key]) for key in SAFE_VALUES if key in field}
    return {**field, **texts}


def _value(domain: str, text: str) -> Scalar:
    """Return what a text means for an entity. Raises ValueError."""
    if domain in _READ_ONLY:
        raise ValueError("it can only be read")
    if domain in _SWITCHED:
        if text.casefold() not in _WORDS:
            raise ValueError("on or off")
        return _WORDS[text.casefold()]
    if domain in _NUMBERS:
        number = float(text.replace(",", "."))
        if not isfinite(number):
            raise ValueError("no number")
        return number
    return text


def _text(value: Scalar) -> str:
    """Return a value as it is written."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, int | float) else value
